import type { DatabaseSync } from 'node:sqlite';

/** An entry of the ledger, as plain values. */
export type Entry = Readonly<Record<string, string | number | null>>;

/** What the fake keeps of secrets and of the ledger, reached past their APIs: for the stack, its pages and the tests. */
export interface Tables {
  /** Stores a secret's next version, creating the secret if needed. */
  storeSecret(project: string, id: string, payload: string): void;
  hasSecret(project: string, id: string): boolean;
  /** The scopes of the grant that the secret's latest version holds; none where there is no such grant. */
  scopesIn(project: string, id: string): readonly string[];
  /** The ledger's entry of a mail; null if there is none. */
  ledgerEntry(id: string): Entry | null;
  ledgerEntries(): Entry[];
  /** The id of the mail whose entry holds this upload session; null if none does. */
  ledgerIdOf(session: string): string | null;
}

export function createTables(db: DatabaseSync, ledgerDb: DatabaseSync): Tables {
  const entries = (): Entry[] => {
    const rows = ledgerDb
      .prepare("SELECT name, fields FROM documents WHERE name LIKE '%/documents/mails/%' ORDER BY update_time DESC")
      .all() as { name: string; fields: string }[];
    return rows.map(({ name, fields }) => ({ id: name.slice(name.lastIndexOf('/') + 1), ...plain(JSON.parse(fields)) }));
  };
  return {
    storeSecret(project, id, payload) {
      const name = `projects/${project}/secrets/${id}`;
      db.prepare('INSERT OR IGNORE INTO secrets(name) VALUES (?)').run(name);
      db.prepare("INSERT INTO versions SELECT ?, coalesce(max(number), 0) + 1, ?, 'ENABLED' FROM versions WHERE secret = ?").run(
        name,
        Buffer.from(payload),
        name,
      );
    },
    hasSecret: (project, id) =>
      db.prepare('SELECT 1 FROM versions WHERE secret = ?').get(`projects/${project}/secrets/${id}`) !== undefined,
    scopesIn(project, id) {
      const row = db.prepare('SELECT data FROM versions WHERE secret = ? ORDER BY number DESC').get(`projects/${project}/secrets/${id}`);
      const { scopes } = JSON.parse(row ? Buffer.from(row['data'] as Uint8Array).toString() : '{}') as { scopes?: string[] };
      return scopes ?? [];
    },
    ledgerEntries: entries,
    ledgerIdOf(session) {
      const found = ledgerDb.prepare("SELECT name FROM documents WHERE instr(fields, 'upload_id=' || ?) > 0").get(session);
      return found ? String(found['name']).replace(/^.*\//, '') : null;
    },
    ledgerEntry: (id) => entries().find((entry) => entry['id'] === id) ?? null,
  };
}

/** Firestore's typed values as plain ones; lists are left out. */
function plain(fields: Record<string, Record<string, unknown>>): Entry {
  const value = (typed: Record<string, unknown>): string | number | null =>
    typed['integerValue'] === undefined
      ? String(typed['stringValue'] ?? typed['timestampValue'] ?? '') || null
      : Number(typed['integerValue']);
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, typed]) => !('arrayValue' in typed))
      .map(([name, typed]) => [name, value(typed)]),
  );
}
