import type { DatabaseSync } from 'node:sqlite';
import type { Bouncing } from '../faults/bouncing.ts';
import { ERROR_REPLIES, gmailError } from '../http/error-replies.ts';
import { bearerIn, type FakeReply, type FakeRequest, jsonOf } from '../http/server.ts';
import type { OAuth } from '../oauth/oauth.ts';
import { writeReport } from './bounce-reports.ts';
import { messageResource, type ReceivedMessage } from './message-resource.ts';
import type { MailStore, StoredMail } from './message-store.ts';
import type { PubSub } from './pubsub.ts';

/** What the fake Gmail's mailboxes receive, their history, and who is told of it. */
export interface Received {
  /** Puts a message into a mailbox, as one that came from outside; into the thread of the message that it answers. */
  receive(mailbox: string, raw: string, labels?: readonly string[]): string;
  /** Has a report about a sent email come back; null where there is no such email. */
  bounce(mailId: string, how?: Bouncing): string | null;
  /** The reports that came back about a sent email, oldest first. */
  about(mailId: string): ReceivedMessage[];
  /** Has changes of the mailbox published on the topic, as `users.watch` does. Answers the point of its history. */
  watch(mailbox: string, topic: string, labels?: readonly string[]): string;
  /** The point at which histories are now. */
  historyId(): string;
  /** Forgets the history up to now: who asks from a point before gets 404. */
  forgetHistory(): void;
  /** Says that a mailbox has sent an email. */
  sent(mail: StoredMail): void;
  /** `users.watch`, `history.list`, `getProfile`, `threads.get`, `messages.list` and `messages.get`; null for what is the search's. */
  answer(request: FakeRequest): FakeReply | null;
}

const METADATA = 'https://www.googleapis.com/auth/gmail.metadata';
const READING = [
  'https://mail.google.com/',
  'https://www.googleapis.com/auth/gmail.modify',
  'https://www.googleapis.com/auth/gmail.readonly',
  METADATA,
];
const FIRST = 1_000_000; // history ids do not begin at 1
const WEEK_MS = 7 * 24 * 60 * 60_000;
const PATH = /^\/gmail\/v1\/users\/([^/]+)\/(watch|stop|history|profile|threads|messages)(?:\/([^/]+))?$/;

export function createReceived(
  db: DatabaseSync,
  store: MailStore,
  oauth: OAuth,
  pubsub: Pick<PubSub, 'publish' | 'has'>,
  now: () => number,
): Received {
  db.exec(`CREATE TABLE IF NOT EXISTS received(seq INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, mailbox TEXT NOT NULL, thread TEXT NOT NULL, about TEXT, raw BLOB NOT NULL, labels TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
    CREATE INDEX IF NOT EXISTS received_about ON received(about);
    CREATE INDEX IF NOT EXISTS received_thread ON received(thread);
    CREATE INDEX IF NOT EXISTS received_mailbox ON received(mailbox, seq);
    CREATE TABLE IF NOT EXISTS history(n INTEGER PRIMARY KEY AUTOINCREMENT, mailbox TEXT NOT NULL, message TEXT NOT NULL, thread TEXT NOT NULL, labels TEXT NOT NULL) STRICT;
    CREATE INDEX IF NOT EXISTS history_of ON history(mailbox, n)`);
  const watches = new Map<string, { topic: string; labels: readonly string[]; until: number }>();
  let floor = 0;
  const current = (): number => Number(db.prepare('SELECT coalesce(max(n), 0) AS n FROM history').get()?.['n']);
  const idOf = (n: number): string => String(FIRST + n);
  const tell = (mailbox: string, labels: readonly string[] | null): void => {
    const watch = watches.get(mailbox);
    const wanted = labels === null || watch?.labels.length === 0 || labels.some((label) => watch?.labels.includes(label));
    if (watch && wanted && watch.until > now())
      pubsub.publish(watch.topic, JSON.stringify({ emailAddress: mailbox, historyId: FIRST + current() }));
  };
  const note = (mailbox: string, message: string, thread: string, labels: readonly string[]): void => {
    db.prepare('INSERT INTO history(mailbox, message, thread, labels) VALUES (?, ?, ?, ?)').run(mailbox, message, thread, labels.join(' '));
    tell(mailbox, labels);
  };
  const rowOf = (row: unknown): ReceivedMessage => {
    const { id, mailbox, thread, raw, labels, at } = row as {
      id: string;
      mailbox: string;
      thread: string;
      raw: Uint8Array;
      labels: string;
      at: number;
    };
    return { id, mailbox, threadId: thread, raw: Buffer.from(raw), labels: labels.split(' ').filter(Boolean), at };
  };
  const put = (mailbox: string, raw: string, labels: readonly string[], about: string | null): string => {
    const answers = /^(?:in-reply-to|references):[^<]*<([^>]+)>/im.exec(raw.split('\r\n\r\n', 1)[0] ?? '')?.[1];
    const thread = answers === undefined ? null : (about ?? store.withMessageId(mailbox, answers)[0] ?? null);
    const seq = Number(db.prepare('SELECT coalesce(max(seq), 0) + 1 AS n FROM received').get()?.['n']);
    const id = (0x19b0000000000000n + BigInt(seq)).toString(16);
    db.prepare('INSERT INTO received VALUES (?, ?, ?, ?, ?, ?, ?, ?)').run(
      seq,
      id,
      mailbox,
      thread ?? id,
      about,
      Buffer.from(raw, 'latin1'),
      labels.join(' '),
      now(),
    );
    note(mailbox, id, thread ?? id, labels);
    return id;
  };
  const find = (mailbox: string, id: string): ReceivedMessage | null => {
    const row = db.prepare('SELECT * FROM received WHERE id = ? AND mailbox = ?').get(id, mailbox);
    if (row) return rowOf(row);
    const mail = store.get(id);
    return mail?.mailbox === mailbox ? sentAs(mail) : null;
  };

  const history = (mailbox: string, query: URLSearchParams): FakeReply => {
    const start = query.get('startHistoryId') ?? '';
    if (!/^\d+$/.test(start)) return gmailError(400, 'invalidArgument', 'Missing/Invalid startHistoryId', 'INVALID_ARGUMENT');
    const from = Number(query.get('pageToken') ?? start) - FIRST;
    const max = Number(query.get('maxResults') ?? 100);
    if (from < floor) return ERROR_REPLIES.not_found;
    const rows = db.prepare('SELECT * FROM history WHERE mailbox = ? AND n > ? ORDER BY n LIMIT ?').all(mailbox, from, max + 1) as {
      n: number;
      message: string;
      thread: string;
      labels: string;
    }[];
    const records = rows.slice(0, max).map(({ n, message, thread, labels }) => {
      const added = { id: message, threadId: thread, labelIds: labels.split(' ') };
      return { id: idOf(n), messages: [{ id: message, threadId: thread }], messagesAdded: [{ message: added }] };
    });
    const next = rows.length > max ? records.at(-1)?.id : undefined;
    return {
      status: 200,
      body: { ...(records.length > 0 && { history: records }), ...(next && { nextPageToken: next }), historyId: idOf(current()) },
    };
  };

  const list = (mailbox: string, query: URLSearchParams): FakeReply => {
    const all = [
      ...db.prepare('SELECT id, thread, at, seq FROM received WHERE mailbox = ?').all(mailbox),
      ...store.list().flatMap((mail) => (mail.mailbox === mailbox ? [{ id: mail.id, thread: mail.id, at: mail.at, seq: 0 }] : [])),
    ].sort((a, b) => Number(b['at']) - Number(a['at']) || Number(b['seq']) - Number(a['seq'])) as { id: string; thread: string }[];
    const from = Number(query.get('pageToken') ?? 0);
    const to = from + Number(query.get('maxResults') ?? 100);
    const messages = all.slice(from, to).map(({ id, thread }) => ({ id, threadId: thread }));
    return {
      status: 200,
      body: {
        ...(messages.length > 0 && { messages }),
        ...(to < all.length && { nextPageToken: String(to) }),
        resultSizeEstimate: all.length,
      },
    };
  };

  const watch = (mailbox: string, topic: string, labels: readonly string[] = ['INBOX']): string => {
    watches.set(mailbox, { topic, labels, until: now() + WEEK_MS });
    tell(mailbox, null); // Gmail tries the topic at once
    return idOf(current());
  };

  return {
    receive: (mailbox, raw, labels = ['INBOX', 'UNREAD']) => put(mailbox, raw, labels, null),
    bounce(mailId, how = {}) {
      const mail = store.get(mailId);
      const recipient = how.recipient ?? mail?.recipients[0];
      if (!mail || recipient === undefined) return null;
      const number = Number(db.prepare('SELECT count(*) AS n FROM received').get()?.['n']) + 1;
      const raw = writeReport(how, { mailbox: mail.mailbox, recipient, original: mail.raw, at: now(), number });
      return put(mail.mailbox, raw, ['INBOX', 'UNREAD'], mailId);
    },
    about: (mailId) => db.prepare('SELECT * FROM received WHERE about = ? ORDER BY seq').all(mailId).map(rowOf),
    watch,
    historyId: () => idOf(current()),
    forgetHistory() {
      floor = current() + 1;
      db.prepare("INSERT INTO history(mailbox, message, thread, labels) VALUES ('', '', '', '')").run();
    },
    sent(mail) {
      if (watches.has(mail.mailbox)) note(mail.mailbox, mail.id, mail.id, ['SENT']);
    },
    answer(request) {
      const { method, path, query } = request;
      const [, user = '', what = '', id] = PATH.exec(path) ?? [];
      const session = oauth.session(bearerIn(request));
      if (!session) return ERROR_REPLIES.bad_token;
      if (user !== 'me' && user.toLowerCase() !== session.address) return ERROR_REPLIES.delegation_denied;
      const { address, scopes } = session;
      if (!scopes.some((scope) => READING.includes(scope))) return what === 'messages' ? null : ERROR_REPLIES.missing_scope;
      const narrow = scopes.includes(METADATA); // whatever else the token covers
      const refused = (text: string): FakeReply => gmailError(403, 'forbidden', text, 'PERMISSION_DENIED');
      if (what === 'profile')
        return { status: 200, body: { emailAddress: address, messagesTotal: 0, threadsTotal: 0, historyId: idOf(current()) } };
      if (what === 'watch' && method === 'POST') {
        const { topicName = '', labelIds = [] } = (jsonOf(request) ?? {}) as { topicName?: string; labelIds?: string[] };
        if (!/^projects\/[^/]+\/topics\/[^/]+$/.test(topicName))
          return gmailError(400, 'invalidArgument', 'Invalid topicName does not match projects/laptop/topics/*', 'INVALID_ARGUMENT');
        if (!pubsub.has(topicName))
          return gmailError(
            404,
            'notFound',
            `Error sending test message to Cloud PubSub ${topicName} : Resource not found (resource=${topicName.split('/').at(-1)}).`,
            'NOT_FOUND',
          );
        return { status: 200, body: { historyId: watch(address, topicName, labelIds), expiration: String(now() + WEEK_MS) } };
      }
      if (what === 'stop' && method === 'POST') {
        watches.delete(address);
        return { status: 204 };
      }
      if (what === 'history') return history(address, query);
      if (what === 'threads' && id !== undefined) {
        const mail = find(address, id);
        const replies = db.prepare('SELECT * FROM received WHERE thread = ? AND mailbox = ? ORDER BY seq').all(id, address).map(rowOf);
        const messages = [...(mail && !replies.some((one) => one.id === mail.id) ? [mail] : []), ...replies];
        if (messages.length === 0) return ERROR_REPLIES.not_found;
        const format = query.get('format') ?? 'full';
        if (narrow && format === 'full') return refused("Metadata scope doesn't allow format FULL");
        return {
          status: 200,
          body: { id, historyId: idOf(current()), messages: messages.map((one) => messageResource(one, format, query)) },
        };
      }
      if (what !== 'messages') return ERROR_REPLIES.not_found;
      if (id === undefined) {
        if (query.has('q')) return narrow ? refused("Metadata scope does not support 'q' parameter") : null;
        return list(address, query);
      }
      const format = query.get('format') ?? 'full';
      if (narrow && format !== 'metadata' && format !== 'minimal')
        return refused(`Metadata scope doesn't allow format ${format.toUpperCase()}`);
      const found = find(address, id);
      return found ? { status: 200, body: messageResource(found, format, query) } : ERROR_REPLIES.not_found;
    },
  };
}

const sentAs = ({ id, mailbox, raw, at }: StoredMail): ReceivedMessage => ({ id, mailbox, threadId: id, labels: ['SENT'], raw, at });
