import { randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';

/** An email that the fake Gmail accepted: `recipients` is everyone in To, Cc and Bcc. Times are milliseconds since the epoch. */
export interface StoredMail {
  readonly id: string;
  readonly mailbox: string;
  readonly raw: Buffer;
  readonly recipients: readonly string[];
  readonly at: number;
}

/** An upload session: the bytes received so far, and the email made from them. */
export interface FakeUpload {
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
  /** Newest first; cheap, because no email is read. */
  ids(): string[];
  count(): number;
  get(id: string): StoredMail | null;
  /** Ids of the mailbox's emails with this Message-ID, without its angle brackets. */
  withMessageId(mailbox: string, messageId: string): string[];
  /** Ids of the emails of any mailbox whose Message-ID is this text, or begins with this text and an `@`. */
  withMessageIdOrLocalPart(text: string): string[];
  /** The upload session of an email; null for an email that came another way. */
  uploadOf(id: string): string | null;
  /** The emails after this number, oldest first; a number is never used twice. */
  after(number: number, limit: number): (StoredMail & { readonly number: number })[];
  /** The number of the newest email. */
  last(): number;
  /** Deletes these emails, or all. */
  remove(ids?: readonly string[]): void;
  clear(): void;
  openUpload(mailbox: string, size: number | null): string;
  upload(id: string): FakeUpload | null;
  saveUpload(id: string, received: Buffer, mailId: string | null): void;
}

/** The fake Gmail's storage in SQLite: emails and upload sessions outlive the process, as Google's do. */
export function createMailStore(db: DatabaseSync, now: () => number): MailStore {
  db.exec(`CREATE TABLE IF NOT EXISTS mails(seq INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, mailbox TEXT NOT NULL, raw BLOB NOT NULL, recipients TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS message_ids(mailbox TEXT NOT NULL, message_id TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY(message_id, mailbox, seq)) STRICT, WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS message_ids_of ON message_ids(seq);
    CREATE TABLE IF NOT EXISTS last_mail(seq INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS uploads(id TEXT PRIMARY KEY, mailbox TEXT NOT NULL, size INTEGER, received BLOB NOT NULL, mail_id TEXT, at INTEGER NOT NULL) STRICT;
    CREATE INDEX IF NOT EXISTS uploads_mail ON uploads(mail_id)`);
  const index = ({ seq, mailbox, raw }: { seq: number; mailbox: string; raw: Uint8Array }): void => {
    const id = messageIdOf(raw);
    if (id) db.prepare('INSERT OR IGNORE INTO message_ids VALUES (?, ?, ?)').run(mailbox, id, seq);
  };
  if (db.prepare('SELECT seq FROM last_mail').get() === undefined) {
    // A file of an earlier version: its emails are indexed once.
    db.prepare('INSERT INTO last_mail SELECT coalesce(max(seq), 0) FROM mails').run();
    for (const row of db.prepare('SELECT seq, mailbox, raw FROM mails').iterate()) index(row as Parameters<typeof index>[0]);
  }
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
      const { seq } = db.prepare('UPDATE last_mail SET seq = seq + 1 RETURNING seq').get() as { seq: number };
      const id = (0x19a0000000000000n + BigInt(seq)).toString(16); // 16 hexadecimal digits, like Gmail's
      db.prepare('INSERT INTO mails(seq, id, mailbox, raw, recipients, at) VALUES (?, ?, ?, ?, ?, ?)').run(
        seq,
        id,
        mailbox,
        raw,
        JSON.stringify(recipients),
        now(),
      );
      index({ seq, mailbox, raw });
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
    withMessageId: (mailbox, messageId) =>
      db
        .prepare('SELECT id FROM message_ids m JOIN mails USING (seq) WHERE m.mailbox = ? AND m.message_id = ? ORDER BY seq DESC')
        .all(mailbox, messageId)
        .map(({ id }) => String(id)),
    withMessageIdOrLocalPart: (text) =>
      db
        .prepare(
          'SELECT id FROM message_ids m JOIN mails USING (seq) WHERE m.message_id = ? UNION SELECT id FROM message_ids m JOIN mails USING (seq) WHERE m.message_id > ? AND m.message_id < ? ORDER BY id DESC',
        )
        .all(text, `${text}@`, `${text}A`) // A follows @
        .map(({ id }) => String(id)),
    uploadOf: (id) => (db.prepare('SELECT id FROM uploads WHERE mail_id = ?').get(id) as { id: string } | undefined)?.id ?? null,
    after: (number, limit) =>
      db
        .prepare('SELECT * FROM mails WHERE seq > ? ORDER BY seq LIMIT ?')
        .all(number, limit)
        .map((row) => ({ ...mail(row), number: Number(row['seq']) })),
    last: () => Number(db.prepare('SELECT seq FROM last_mail').get()?.['seq']),
    remove(ids) {
      if (ids === undefined) return db.exec('DELETE FROM mails; DELETE FROM message_ids');
      for (const id of ids) {
        db.prepare('DELETE FROM message_ids WHERE seq = (SELECT seq FROM mails WHERE id = ?)').run(id);
        db.prepare('DELETE FROM mails WHERE id = ?').run(id);
      }
    },
    clear: () => db.exec('DELETE FROM mails; DELETE FROM message_ids'),
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

/** The Message-ID of a MIME message, without its angle brackets; '' for none. */
function messageIdOf(raw: Uint8Array): string {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  const end = bytes.indexOf('\r\n\r\n');
  const head = bytes.toString('latin1', 0, end < 0 ? bytes.length : end).replace(/\r\n(?=[ \t])/g, '');
  return /^message-id:[ \t]*<?([^<>\s]+)>?[ \t]*$/im.exec(head)?.[1] ?? '';
}
