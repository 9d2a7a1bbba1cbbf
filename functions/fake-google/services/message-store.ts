import { randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';

/** A mail that the fake Gmail took: `recipients` is everyone in To, Cc and Bcc. Times are milliseconds since the epoch. */
export interface StoredMail {
  readonly id: string;
  readonly mailbox: string;
  readonly raw: Buffer;
  readonly recipients: readonly string[];
  readonly at: number;
}

/** An upload session: what came of a letter so far, and the mail it became. */
export interface Upload {
  readonly id: string;
  readonly mailbox: string;
  readonly size: number | null;
  readonly received: Buffer;
  readonly mailId: string | null;
  readonly at: number;
}

export interface MailStore {
  deliver(mailbox: string, raw: Buffer, recipients: readonly string[]): StoredMail;
  /** Newest first. */
  list(): StoredMail[];
  /** Newest first; cheap, since no mail is read. */
  ids(): string[];
  count(): number;
  get(id: string): StoredMail | null;
  clear(): void;
  openUpload(mailbox: string, size: number | null): string;
  upload(id: string): Upload | null;
  saveUpload(id: string, received: Buffer, mailId: string | null): void;
}

/** The fake Gmail's storage in SQLite: mails and upload sessions outlive the process, as Google's do. */
export function createMailStore(db: DatabaseSync, now: () => number): MailStore {
  db.exec(`CREATE TABLE IF NOT EXISTS mails(seq INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, mailbox TEXT NOT NULL, raw BLOB NOT NULL, recipients TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS uploads(id TEXT PRIMARY KEY, mailbox TEXT NOT NULL, size INTEGER, received BLOB NOT NULL, mail_id TEXT, at INTEGER NOT NULL) STRICT`);
  const mail = (row: unknown): StoredMail => {
    const { id, mailbox, raw, recipients, at } = row as { id: string; mailbox: string; raw: Uint8Array; recipients: string; at: number };
    return { id, mailbox, raw: Buffer.from(raw), recipients: JSON.parse(recipients) as string[], at };
  };
  const get = (id: string): StoredMail | null => {
    const row = db.prepare('SELECT * FROM mails WHERE id = ?').get(id);
    return row ? mail(row) : null;
  };
  return {
    deliver(mailbox, raw, recipients) {
      const { last } = db.prepare('SELECT coalesce(max(seq), 0) AS last FROM mails').get() as { last: number };
      const id = (0x19a0000000000000n + BigInt(last + 1)).toString(16); // 16 hexadecimal digits, like Gmail's
      db.prepare('INSERT INTO mails(seq, id, mailbox, raw, recipients, at) VALUES (?, ?, ?, ?, ?, ?)').run(
        last + 1,
        id,
        mailbox,
        raw,
        JSON.stringify(recipients),
        now(),
      );
      return { id, mailbox, raw, recipients, at: now() };
    },
    list: () => db.prepare('SELECT * FROM mails ORDER BY seq DESC').all().map(mail),
    ids: () =>
      db
        .prepare('SELECT id FROM mails ORDER BY seq DESC')
        .all()
        .map(({ id }) => String(id)),
    count: () => Number((db.prepare('SELECT count(*) AS n FROM mails').get() as { n: number }).n),
    get,
    clear: () => db.exec('DELETE FROM mails'),
    openUpload(mailbox, size) {
      const id = `AH${randomBytes(24).toString('base64url')}`;
      db.prepare('INSERT INTO uploads(id, mailbox, size, received, at) VALUES (?, ?, ?, ?, ?)').run(
        id,
        mailbox,
        size,
        Buffer.alloc(0),
        now(),
      );
      return id;
    },
    upload(id) {
      const row = db.prepare('SELECT * FROM uploads WHERE id = ?').get(id) as
        | { id: string; mailbox: string; size: number | null; received: Uint8Array; mail_id: string | null; at: number }
        | undefined;
      return row
        ? { id, mailbox: row.mailbox, size: row.size, received: Buffer.from(row.received), mailId: row.mail_id, at: row.at }
        : null;
    },
    saveUpload(id, received, mailId) {
      db.prepare('UPDATE uploads SET received = ?, mail_id = ? WHERE id = ?').run(mailId === null ? received : Buffer.alloc(0), mailId, id);
    },
  };
}
