import type { Bounce, EmailEvent, Tag } from '../model/email-event.ts';

/**
 * queued: the queue holds its message. scheduled: due at `notBefore`, as the caller wants. claimed: an invocation works on the
 * email, and Gmail has no byte of it. sending: the session URI is stored, bytes may have left. waiting and parked: provably not
 * sent, due at `notBefore`. unknown: bytes left and the session does not say what happened to them. canceled: the caller canceled
 * the email.
 */
export const STATES = ['queued', 'scheduled', 'claimed', 'sending', 'sent', 'failed', 'waiting', 'parked', 'unknown', 'canceled'] as const;
export type State = (typeof STATES)[number];

const OVER: ReadonlySet<State> = new Set(['sent', 'failed', 'canceled']);

/** States in which an email waits for its queue message. */
export const AWAITED: readonly State[] = ['queued', 'scheduled'];
const LATE_MS = 30 * 60_000; // a long queue may take this long

/** Whether the queue message of an email is long overdue. No other message sends the email, so an operator must be told. */
export const isOverdue = ({ state, acceptedAt, notBefore }: Entry, now: number): boolean =>
  AWAITED.includes(state) && Math.max(acceptedAt, notBefore ?? 0) < now - LATE_MS;

/** Whether the email has reached a final state. Until then its idempotency key does not expire. */
export const isOver = ({ state }: Pick<Entry, 'state'>): boolean => OVER.has(state);

/**
 * The ledger's record of one email, without its content. Only the events of transitions.ts change an entry. Times are milliseconds
 * since the epoch.
 */
export interface Entry {
  readonly id: string;
  readonly state: State;
  /** Hash of the request (SHA-256). */
  readonly requestHash: string;
  readonly caller: string;
  /** Sender and recipients, hashed unless the config says `ledger: { addresses: plain }`. */
  readonly mailbox: string;
  readonly recipients: readonly string[];
  readonly acceptedAt: number;
  readonly attempts: number;
  /** The message carries the email's id in a header (`X-Mailgrant-Id`); absent in records that are older than the header. */
  readonly idHeader?: 1;
  /** Until this time the entry belongs to the invocation that wrote it; 0 when no invocation works on it. */
  readonly leaseUntil: number;
  /**
   * Random id of the last claim, handover, republication or resubmission: two invocations that change the entry at the same moment do
   * not write the same entry. Absent before the first of them.
   */
  readonly claimId?: string;
  /** The URI of the upload session, by which Gmail is queried after a lost reply. */
  readonly sessionUri: string | null;
  /** SHA-256 of the MIME message of the upload session: only the same bytes may resume it. */
  readonly mimeHash: string | null;
  /** Length of that MIME message in bytes, so that the session can be queried before the message is composed again; absent without a session. */
  readonly mimeBytes?: number;
  /** Gmail's ids of the sent message and of its thread. They find the message even where Gmail has replaced the Message-ID. */
  readonly gmailId: string | null;
  readonly threadId?: string;
  /**
   * When the email was sent a second time because Gmail's search did not find it (SMTP only); absent for never. It is never sent a
   * third time.
   */
  readonly repeatedAt?: number;
  /** Hash of the idempotency key that maps to the email, where there is one. */
  readonly key?: string;
  /** Recipients that Gmail refused while it took the email for the others; absent for none. */
  readonly rejected?: number;
  readonly code: string | null;
  /** Names of the request's fields that `code` is about; absent where it is about none. */
  readonly fields?: string;
  readonly notBefore: number | null;
  /** When the caller wanted the email to be sent; absent for immediately. */
  readonly scheduledAt?: number;
  /** Hash of its queued content: a message with different content is not accepted. Absent where there is none. */
  readonly messageHash?: string;
  /**
   * When a dead letter of the email was published. There is only one until the email is released or begins again. Absent where
   * there is none.
   */
  readonly deadLetterAt?: number;
  /** Tags that the caller gave; absent for none. */
  readonly tags?: readonly Tag[];
  /** What came back after it was sent; absent for nothing. */
  readonly lastEvent?: 'bounced';
  readonly bounces?: readonly Bounce[];
  /** State changes that are not handed over yet, and since when the oldest of them waits; absent for none. */
  readonly outbox?: readonly EmailEvent[];
  readonly outboxAt?: number;
  readonly expireAt: number;
}

/** An entry with the version that `replace` compares. */
export interface LedgerRecord {
  readonly entry: Entry;
  readonly version: string;
  /** The values of the counters that were counted in the same step; absent where they are not known. */
  readonly counts?: readonly number[];
}

/**
 * A caller's idempotency key, hashed together with the caller. It maps to the email until `expireAt`, and until the email has
 * reached a final state.
 */
export interface LedgerKey {
  readonly hash: string;
  readonly expireAt: number;
}

/** The durable record of every email. Throws MailFailure: ledger_unavailable. */
export interface Ledger {
  /**
   * Creates the entry and the key that maps to it, and counts the email, in one step. If the key maps to an entry already,
   * returns that entry and counts nothing.
   */
  create(
    entry: Entry,
    key: LedgerKey | null,
    now: number,
    counters?: readonly Counter[],
  ): Promise<{ readonly created: boolean; readonly found: LedgerRecord }>;
  read(id: string): Promise<LedgerRecord | null>;
  /** Writes the entry, and counts, in one step, if nobody has changed the entry since `found`; else returns null. */
  replace(found: LedgerRecord, entry: Entry, counters?: readonly Counter[]): Promise<LedgerRecord | null>;
  /** Adds `by` to each counter in one step; a missing counter begins at 0. Returns the new values. */
  count(counters: readonly Counter[], by: number): Promise<number[]>;
  /** True if the key belongs to this email alone. When a second email reserves the key, it belongs to no email from then on. */
  reserve(key: LedgerKey, id: string): Promise<boolean>;
}

/** A count for one window of time; the ledger may delete it after `expireAt`. */
export interface Counter {
  readonly name: string;
  readonly expireAt: number;
}
