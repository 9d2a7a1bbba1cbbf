import { EventEmitter } from 'node:events';
import { openDatabase } from '../fake-google/database.ts';
import type { Google } from '../fake-google/google.ts';
import { createEmailTable, type EmailSummary, type EmailTable } from './email-table.ts';
import { type ParsedEmail, parseEmail } from './parse-email.ts';
import { type Condition, readSearch } from './search-query.ts';

/** An email with its MIME message and the parsed message. */
export interface OpenEmail {
  readonly summary: EmailSummary;
  readonly raw: Buffer;
  readonly parsed: ParsedEmail;
}

export interface FoundEmails {
  readonly emails: readonly EmailSummary[];
  /** The number of matches, and of unread ones among them. */
  readonly all: number;
  readonly unread: number;
}

/** The inbox of the local stack: every email that the fake Gmail accepted, for any recipient. */
export interface StoredInbox {
  /** Newest first; `query` is a search in Mailpit's form, '' for all. */
  list(options: {
    readonly query?: string;
    readonly limit: number;
    readonly offset?: number;
    readonly timeZone?: string;
  }): Promise<FoundEmails>;
  summary(id: string): Promise<EmailSummary | null>;
  open(id: string): Promise<OpenEmail | null>;
  /** Resolves with the newest match once `count` emails match; with null after the timeout, or when `signal` is aborted. */
  wait(query: string, count: number, timeoutMs: number, signal?: AbortSignal): Promise<EmailSummary | null>;
  totals(): Promise<{ readonly all: number; readonly unread: number }>;
  /** The ids of all matches, newest first. */
  ids(query: string, timeZone?: string): Promise<string[]>;
  /** Deletes these emails, or all. */
  remove(ids?: readonly string[]): Promise<void>;
  /** Marks these emails (null: all) as read or unread. */
  setRead(ids: readonly string[] | null, read: boolean): Promise<void>;
  setTags(ids: readonly string[], tags: readonly string[]): Promise<void>;
  tags(): Promise<ReadonlyMap<string, number>>;
  renameTag(tag: string, name: string): Promise<void>;
  deleteTag(tag: string): Promise<void>;
  /** Calls back after the inbox may have changed. Returns the function that stops it. */
  watch(listener: () => void): () => void;
  /** How its database was used since the last call. */
  usage(): { readonly plans: readonly string[]; readonly statements: number };
  close(): void;
}

const AT_ONCE = 20;
const IDLE_MS = 300;
const ALL: Condition = { sql: '1', values: [] };

/** Opens the inbox of a fake Google; `file` holds its index, in memory by default. */
export function openInbox(google: Google, file = ':memory:'): StoredInbox {
  const { db, usage } = openDatabase(file);
  const table: EmailTable = createEmailTable(db);
  if (table.last() > google.mails.last()) table.forget(); // the fake's file was deleted, and this one was not
  const changes = new EventEmitter().setMaxListeners(0);
  const changed = (): void => void changes.emit('change');
  let idle: NodeJS.Timeout | null = null;
  const unwatch = google.watch(() => {
    changed();
    idle?.refresh();
  });

  // An email is parsed once: when it is first read, or while nothing else happens, so that the first search after many emails is
  // fast.
  let reading: Promise<void> = Promise.resolve();
  const catchUp = (): Promise<void> => {
    reading = reading.then(async () => {
      for (;;) {
        const arrived = google.mails.after(table.last(), AT_ONCE);
        for (const one of arrived) table.add(one, await parseEmail(one.raw));
        if (arrived.length < AT_ONCE) return;
      }
    });
    return reading;
  };
  idle = setTimeout(() => catchUp().catch(() => {}), IDLE_MS).unref();
  const changing = async (change: () => void): Promise<void> => {
    await catchUp();
    change();
    changed();
  };

  return {
    usage,
    async list({ query = '', limit, offset = 0, timeZone }) {
      await catchUp();
      const condition = query.trim() === '' ? ALL : readSearch(query, timeZone);
      const counts = condition.sql === '1' ? table.totals() : table.count(condition);
      return { emails: table.list(condition, limit, offset), ...counts };
    },
    async summary(id) {
      await catchUp();
      return table.get(id);
    },
    async open(id) {
      await catchUp();
      const summary = table.get(id);
      const stored = summary && google.mails.get(id);
      return stored ? { summary, raw: stored.raw, parsed: await parseEmail(stored.raw) } : null;
    },
    async wait(query, count, timeoutMs, signal) {
      const condition = readSearch(query);
      let seen = 0;
      let matched = 0;
      // Emails that were counted are not read again: a waiting test costs the same for each email, however many there are.
      const enough = async (): Promise<EmailSummary | null> => {
        await catchUp();
        const newer = { sql: `number > ? AND ${condition.sql}`, values: [seen, ...condition.values] };
        matched += table.count(newer).all;
        seen = table.last();
        return matched >= count ? (table.list(condition, 1, 0)[0] ?? null) : null;
      };
      const { promise, resolve } = Promise.withResolvers<EmailSummary | null>();
      let asking: Promise<void> = Promise.resolve();
      const ask = (): void => {
        asking = asking.then(async () => {
          const found = await enough();
          if (found) resolve(found);
        });
        asking.catch(() => resolve(null)); // the stack has ended
      };
      const giveUp = (): void => resolve(null);
      const timer = setTimeout(giveUp, timeoutMs);
      changes.on('change', ask);
      signal?.addEventListener('abort', giveUp);
      ask();
      return promise.finally(() => {
        clearTimeout(timer);
        changes.off('change', ask);
        signal?.removeEventListener('abort', giveUp);
      });
    },
    async totals() {
      await catchUp();
      return table.totals();
    },
    async ids(query, timeZone) {
      await catchUp();
      return table.ids(query.trim() === '' ? ALL : readSearch(query, timeZone));
    },
    remove: (ids) =>
      changing(() => {
        table.remove(ids);
        google.mails.remove(ids);
      }),
    async setRead(ids, read) {
      await catchUp();
      if (table.setRead(ids, read) > 0) changed(); // a page that marks its email as read would otherwise reload for ever
    },
    setTags: (ids, tags) =>
      changing(() => {
        for (const id of ids) if (table.get(id)) table.setTags(id, tags);
      }),
    async tags() {
      await catchUp();
      return table.tags();
    },
    renameTag: (tag, name) => changing(() => table.renameTag(tag, name)),
    deleteTag: (tag) => changing(() => table.deleteTag(tag)),
    watch(listener) {
      changes.on('change', listener);
      return () => void changes.off('change', listener);
    },
    close() {
      unwatch();
      if (idle) clearTimeout(idle);
      db.close();
    },
  };
}
