import type { DatabaseSync } from 'node:sqlite';
import type { ParsedAddress, ParsedEmail } from './parse-email.ts';
import { type Condition, searchable } from './search-query.ts';

/** An email in a list. Times are milliseconds since the epoch. */
export interface EmailSummary {
  /** Increases with each email. */
  readonly number: number;
  /** Gmail's id. */
  readonly id: string;
  readonly messageId: string;
  readonly mailbox: string;
  /** Every recipient, Bcc included. */
  readonly recipients: readonly string[];
  readonly created: number;
  readonly size: number;
  readonly read: boolean;
  readonly attachments: number;
  readonly snippet: string;
  readonly subject: string;
  readonly from: ParsedAddress | null;
  readonly to: readonly ParsedAddress[];
  readonly cc: readonly ParsedAddress[];
  readonly bcc: readonly ParsedAddress[];
  readonly replyTo: readonly ParsedAddress[];
  readonly tags: readonly string[];
}

export interface Arrived {
  readonly number: number;
  readonly id: string;
  readonly mailbox: string;
  readonly recipients: readonly string[];
  readonly at: number;
  readonly raw: Buffer;
}

/** The data of each email that lists and searches need, in SQLite: no list reads a MIME message. */
export interface EmailTable {
  /** The number of the newest email. */
  last(): number;
  add(arrived: Arrived, parsed: ParsedEmail): void;
  get(id: string): EmailSummary | null;
  /** Newest first. */
  list(condition: Condition, limit: number, offset: number): EmailSummary[];
  count(condition: Condition): { readonly all: number; readonly unread: number };
  totals(): { readonly all: number; readonly unread: number };
  /** Returns how many emails it changed. */
  setRead(ids: readonly string[] | null, read: boolean): number;
  setTags(id: string, tags: readonly string[]): void;
  /** Each tag with the number of its emails. */
  tags(): ReadonlyMap<string, number>;
  renameTag(tag: string, name: string): void;
  deleteTag(tag: string): void;
  /** Deletes these emails, or all. */
  remove(ids?: readonly string[]): void;
  ids(condition: Condition): string[];
  /** Deletes all emails, and numbers from 1 again. */
  forget(): void;
}

const SNIPPET = 250;

export function createEmailTable(db: DatabaseSync): EmailTable {
  db.exec(`CREATE TABLE IF NOT EXISTS last(number INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS emails(number INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, summary TEXT NOT NULL, created INTEGER NOT NULL, size INTEGER NOT NULL, read INTEGER NOT NULL DEFAULT 0,
      attachments INTEGER NOT NULL, inline_parts INTEGER NOT NULL, find_to TEXT NOT NULL, find_from TEXT NOT NULL, find_cc TEXT NOT NULL, find_bcc TEXT NOT NULL, find_reply_to TEXT NOT NULL,
      find_subject TEXT NOT NULL, find_message_id TEXT NOT NULL, find_all TEXT NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS tags(tag TEXT NOT NULL COLLATE NOCASE, id TEXT NOT NULL, PRIMARY KEY(tag, id)) STRICT, WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS tags_of ON tags(id);
    CREATE TABLE IF NOT EXISTS totals(emails INTEGER NOT NULL, unread INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS tag_totals(tag TEXT PRIMARY KEY COLLATE NOCASE, emails INTEGER NOT NULL) STRICT;
    CREATE TRIGGER IF NOT EXISTS email_added AFTER INSERT ON emails BEGIN UPDATE totals SET emails = emails + 1, unread = unread + (1 - new.read); END;
    CREATE TRIGGER IF NOT EXISTS email_read AFTER UPDATE OF read ON emails BEGIN UPDATE totals SET unread = unread + old.read - new.read; END;
    CREATE TRIGGER IF NOT EXISTS email_deleted AFTER DELETE ON emails BEGIN UPDATE totals SET emails = emails - 1, unread = unread - (1 - old.read); DELETE FROM tags WHERE id = old.id; END;
    CREATE TRIGGER IF NOT EXISTS tag_added AFTER INSERT ON tags BEGIN INSERT INTO tag_totals VALUES (new.tag, 1) ON CONFLICT(tag) DO UPDATE SET emails = emails + 1; END;
    CREATE TRIGGER IF NOT EXISTS tag_deleted AFTER DELETE ON tags BEGIN UPDATE tag_totals SET emails = emails - 1 WHERE tag = old.tag; DELETE FROM tag_totals WHERE tag = old.tag AND emails = 0; END;
    INSERT INTO last SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM last);
    INSERT INTO totals SELECT 0, 0 WHERE NOT EXISTS (SELECT 1 FROM totals)`);

  const tagsOf = (id: string): string[] =>
    db
      .prepare('SELECT tag FROM tags WHERE id = ?')
      .all(id)
      .map(({ tag }) => String(tag))
      .sort();
  const summary = (row: unknown): EmailSummary => {
    const { number, id, read, summary: text } = row as { number: number; id: string; read: number; summary: string };
    return { ...(JSON.parse(text) as EmailSummary), number, id, read: read === 1, tags: tagsOf(id) };
  };
  const setTags = (id: string, tags: readonly string[]): void => {
    db.prepare('DELETE FROM tags WHERE id = ?').run(id);
    for (const tag of tags) db.prepare('INSERT OR IGNORE INTO tags(tag, id) VALUES (?, ?)').run(tag, id);
  };

  return {
    last: () => Number(db.prepare('SELECT number FROM last').get()?.['number']),
    add({ number, id, mailbox, recipients, at, raw }, parsed) {
      const { from, to, cc, replyTo, subject, messageId, attachments, inline, words } = parsed;
      const bcc = blindCopies(parsed, recipients);
      const named = (all: readonly ParsedAddress[]): string => searchable(all.map(({ Name, Address }) => `${Name} ${Address}`).join(' '));
      const fields = { from, to, cc, bcc, replyTo, subject, messageId, mailbox, recipients };
      const text = words.replace(/\s+/g, ' ').trim();
      const shown = { ...fields, created: at, size: raw.length, attachments: attachments.length, snippet: text.slice(0, SNIPPET) };
      const find = [named(to), named(from ? [from] : []), named(cc), named(bcc), named(replyTo), searchable(subject)];
      const all = [...find, searchable(words), ...attachments.map(({ filename }) => searchable(filename))].join(' ');
      db.prepare('UPDATE last SET number = ?').run(number);
      db.prepare(
        'INSERT OR IGNORE INTO emails(number, id, summary, created, size, attachments, inline_parts, find_to, find_from, find_cc, find_bcc, find_reply_to, find_subject, find_message_id, find_all) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      ).run(
        number,
        id,
        JSON.stringify(shown),
        at,
        raw.length,
        attachments.length,
        inline.length,
        ...(find as [string, string, string, string, string, string]),
        searchable(messageId),
        all,
      );
      setTags(id, tagsIn(parsed));
    },
    get(id) {
      const row = db.prepare('SELECT number, id, read, summary FROM emails WHERE id = ?').get(id);
      return row ? summary(row) : null;
    },
    list: ({ sql, values }, limit, offset) =>
      db
        .prepare(`SELECT number, id, read, summary FROM emails WHERE ${sql} ORDER BY number DESC LIMIT ? OFFSET ?`)
        .all(...values, limit, offset)
        .map(summary),
    count({ sql, values }) {
      const row = db.prepare(`SELECT count(*) AS n, coalesce(sum(1 - read), 0) AS unread FROM emails WHERE ${sql}`).get(...values);
      return { all: Number(row?.['n']), unread: Number(row?.['unread']) };
    },
    totals() {
      const row = db.prepare('SELECT emails, unread FROM totals').get();
      return { all: Number(row?.['emails']), unread: Number(row?.['unread']) };
    },
    setRead(ids, read) {
      const [now, before] = read ? [1, 0] : [0, 1];
      if (ids === null) return Number(db.prepare('UPDATE emails SET read = ? WHERE read = ?').run(now, before).changes);
      return ids.reduce(
        (sum, id) => sum + Number(db.prepare('UPDATE emails SET read = ? WHERE id = ? AND read = ?').run(now, id, before).changes),
        0,
      );
    },
    setTags,
    tags: () =>
      new Map(
        db
          .prepare('SELECT tag, emails FROM tag_totals ORDER BY tag')
          .all()
          .map(({ tag, emails }) => [String(tag), Number(emails)]),
      ),
    renameTag(tag, name) {
      db.prepare('INSERT OR IGNORE INTO tags(tag, id) SELECT ?, id FROM tags WHERE tag = ?').run(name, tag);
      if (tag.toLowerCase() !== name.toLowerCase()) db.prepare('DELETE FROM tags WHERE tag = ?').run(tag);
    },
    deleteTag: (tag) => void db.prepare('DELETE FROM tags WHERE tag = ?').run(tag),
    remove(ids) {
      if (ids === undefined) db.prepare('DELETE FROM emails').run();
      else for (const id of ids) db.prepare('DELETE FROM emails WHERE id = ?').run(id);
    },
    forget() {
      db.prepare('DELETE FROM emails').run();
      db.prepare('UPDATE last SET number = 0').run();
    },
    ids: ({ sql, values }) =>
      db
        .prepare(`SELECT id FROM emails WHERE ${sql} ORDER BY number DESC`)
        .all(...values)
        .map(({ id }) => String(id)),
  };
}

/** Over SMTP a Bcc recipient is only in the envelope. */
function blindCopies({ to, cc, bcc }: ParsedEmail, recipients: readonly string[]): ParsedAddress[] {
  const named = new Set([...to, ...cc, ...bcc].map(({ Address }) => Address.toLowerCase()));
  return [...bcc, ...recipients.filter((one) => !named.has(one.toLowerCase())).map((Address) => ({ Name: '', Address }))];
}

/** As Mailpit reads them: from the header X-Tags, separated by commas. */
function tagsIn({ headers }: ParsedEmail): string[] {
  return headers
    .filter(([name]) => name.toLowerCase() === 'x-tags')
    .flatMap(([, value]) => value.split(','))
    .map((tag) => tag.trim())
    .filter(isTag);
}

export const isTag = (tag: string): boolean => /^[\p{L}\p{N} ._@-]{1,100}$/u.test(tag) && tag === tag.trim();
