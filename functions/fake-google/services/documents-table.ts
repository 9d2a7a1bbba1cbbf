import type { DatabaseSync } from 'node:sqlite';

const PATH = "substr(name, instr(name, '/documents/') + 11)";
const HANDLE = "json_extract(fields, '$.handle.stringValue')";

/** Expressions over a row of `documents`, each with an index: a query takes the same time in a ledger of any size. */
export const INDEXED = {
  /** Collection and id, such as `mails/0190…`. */
  path: PATH,
  collection: `substr(${PATH}, 1, instr(${PATH}, '/') - 1)`,
  /** The place of an upload session or, over SMTP, of a Message-ID. */
  handle: HANDLE,
  uploadId: `substr(${HANDLE}, instr(${HANDLE}, 'upload_id=') + 10)`,
  gmailId: "json_extract(fields, '$.gmailId.stringValue')",
} as const;

const STATE = "coalesce(json_extract(fields, '$.state.stringValue'), '')";
const of = (row: 'old' | 'new', expression: string): string => expression.replaceAll(/\b(name|fields)\b/g, `${row}.$1`);
const count = (row: 'old' | 'new', by: number): string =>
  `INSERT INTO states SELECT ${of(row, STATE)}, ${by} WHERE ${of(row, INDEXED.collection)} = 'mails' ON CONFLICT(state) DO UPDATE SET n = n + ${by};`;

/** Creates the table of Firestore's documents, and beside it the number of emails of the ledger in each state. */
export function createDocuments(db: DatabaseSync): void {
  db.exec(`CREATE TABLE IF NOT EXISTS documents(name TEXT PRIMARY KEY, fields TEXT NOT NULL, update_time TEXT NOT NULL) STRICT;
    CREATE INDEX IF NOT EXISTS documents_path ON documents(${INDEXED.path});
    CREATE INDEX IF NOT EXISTS documents_recent ON documents(${INDEXED.collection}, update_time);
    CREATE INDEX IF NOT EXISTS documents_handle ON documents(${INDEXED.handle});
    CREATE INDEX IF NOT EXISTS documents_upload ON documents(${INDEXED.uploadId});
    CREATE INDEX IF NOT EXISTS documents_gmail ON documents(${INDEXED.gmailId})`);
  if (db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'states'").get()) return;
  db.exec(`CREATE TABLE states(state TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT;
    INSERT INTO states SELECT ${STATE}, count(*) FROM documents WHERE ${INDEXED.collection} = 'mails' GROUP BY 1;
    CREATE TRIGGER documents_added AFTER INSERT ON documents BEGIN ${count('new', 1)} END;
    CREATE TRIGGER documents_changed AFTER UPDATE ON documents BEGIN ${count('old', -1)} ${count('new', 1)} END;
    CREATE TRIGGER documents_deleted AFTER DELETE ON documents BEGIN ${count('old', -1)} END`);
}
