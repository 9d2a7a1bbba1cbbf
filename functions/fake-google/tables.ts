import type { DatabaseSync } from 'node:sqlite';
import { INDEXED } from './services/documents-table.ts';
import type { MailStore } from './services/message-store.ts';

/** An entry of the ledger, as plain values. */
export type LedgerRecordRow = Readonly<Record<string, string | number | null>>;

/** What the fake keeps of secrets and of the ledger, reached past their APIs: for the stack, its pages and the tests. */
export interface Tables {
  /** Stores a secret's next version, creating the secret if needed. */
  storeSecret(project: string, id: string, payload: string): void;
  hasSecret(project: string, id: string): boolean;
  /** The scopes of the grant that the secret's latest version holds; none where there is no such grant. */
  scopesIn(project: string, id: string): readonly string[];
  /** The ledger's entry of an email; null if there is none. */
  ledgerEntry(id: string): LedgerRecordRow | null;
  /** Those that changed last, first. */
  ledgerEntries(limit?: number): LedgerRecordRow[];
  /** How many entries are in each state. */
  ledgerStates(): ReadonlyMap<string, number>;
  /** The id of the email whose entry holds this upload session; null if none does. */
  ledgerIdOf(session: string): string | null;
  /** The entry that an email of the fake Gmail belongs to, whatever its Message-ID is; null if the ledger has none. */
  ledgerEntryOf(mail: { readonly id: string; readonly messageId: string }): LedgerRecordRow | null;
  /** Ids of the emails that became of an entry: one, if all is well. */
  mailsOf(entry: LedgerRecordRow): string[];
}

export function createTables(db: DatabaseSync, ledgerDb: DatabaseSync, mails: MailStore): Tables {
  const by = (expression: string, value: string): LedgerRecordRow | null => {
    const row = ledgerDb.prepare(`SELECT name, fields FROM documents WHERE ${expression} = ?`).get(value);
    return row ? entryOf(row as unknown as Row) : null;
  };
  const entryOfSession = (session: string): LedgerRecordRow | null => by(INDEXED.uploadId, session);
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
    ledgerEntries: (limit = -1) =>
      (
        ledgerDb
          .prepare(`SELECT name, fields FROM documents WHERE ${INDEXED.collection} = 'mails' ORDER BY update_time DESC LIMIT ?`)
          .all(limit) as unknown as Row[]
      ).map(entryOf),
    ledgerStates: () =>
      new Map(
        (ledgerDb.prepare('SELECT state, n FROM states WHERE n > 0 ORDER BY state').all() as { state: string; n: number }[]).map(
          ({ state, n }) => [state, n],
        ),
      ),
    ledgerIdOf: (session) => (entryOfSession(session)?.['id'] as string | undefined) ?? null,
    ledgerEntry: (id) => by(INDEXED.path, `mails/${id}`),
    ledgerEntryOf({ id, messageId }) {
      const session = mails.uploadOf(id);
      const ours = /^([0-9a-f-]{36})@/.exec(messageId)?.[1];
      return (
        by(INDEXED.gmailId, id) ??
        (session ? entryOfSession(session) : null) ??
        (messageId ? (by(INDEXED.gmailId, `smtp:<${messageId}>`) ?? by(INDEXED.handle, `smtp:<${messageId}>`)) : null) ??
        (ours ? by(INDEXED.path, `mails/${ours}`) : null)
      );
    },
    mailsOf({ id, gmailId, handle }) {
      const session = /upload_id=([^&]+)/.exec(String(handle ?? ''))?.[1];
      const overSmtp = /^smtp:<(.+)>$/.exec(String(gmailId ?? handle ?? ''))?.[1];
      const found = new Set([
        ...mails.withMessageIdOrLocalPart(String(id)),
        ...(overSmtp ? mails.withMessageIdOrLocalPart(overSmtp) : []),
        ...[gmailId, session && mails.upload(session)?.mailId].filter((one) => typeof one === 'string' && mails.get(one) !== null),
      ]);
      return [...found] as string[];
    },
  };
}

interface Row {
  readonly name: string;
  readonly fields: string;
}

const entryOf = ({ name, fields }: Row): LedgerRecordRow => ({ id: name.slice(name.lastIndexOf('/') + 1), ...plain(JSON.parse(fields)) });

/** Firestore's typed values as plain ones; lists are left out. */
function plain(fields: Record<string, Record<string, unknown>>): LedgerRecordRow {
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
