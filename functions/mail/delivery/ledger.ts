import type { EmailEvent, Tag } from '../model/email-event.ts';

/**
 * queued: its message is in the queue. scheduled: due at `notBefore`, as its caller wants. claimed: an invocation works on it,
 * and nothing of the email is with Gmail. sending: the session is stored, bytes may have left. waiting and parked: provably not
 * sent, due at `notBefore`. unknown: bytes left and the session does not say what became of them. canceled: its caller took it back.
 */
export const STATES = ['queued', 'scheduled', 'claimed', 'sending', 'sent', 'failed', 'waiting', 'parked', 'unknown', 'canceled'] as const;
export type State = (typeof STATES)[number];

const OVER: ReadonlySet<State> = new Set(['sent', 'failed', 'canceled']);

/** States in which an email only waits for its message. */
export const AWAITED: readonly State[] = ['queued', 'scheduled'];
const LATE_MS = 30 * 60_000; // a queue that has many to send may take so long

/** Whether the message of an email has not come long after its time: nothing else sends it, and nothing else would tell. */
export const isOverdue = ({ state, acceptedAt, notBefore }: Entry, now: number): boolean =>
  AWAITED.includes(state) && Math.max(acceptedAt, notBefore ?? 0) < now - LATE_MS;

/** Whether nothing more becomes of the email by itself. Until then its idempotency key does not lapse, whatever the time. */
export const isOver = ({ state }: Pick<Entry, 'state'>): boolean => OVER.has(state);

/** What the ledger keeps of one mail: never its content. Changed by the events of transitions.ts only. Times are milliseconds since the epoch. */
export interface Entry {
  readonly id: string;
  readonly state: State;
  /** Fingerprint of the request (SHA-256). */
  readonly requestHash: string;
  readonly caller: string;
  /** Sender and recipients, hashed unless the config says `ledger: { addresses: plain }`. */
  readonly mailbox: string;
  readonly recipients: readonly string[];
  readonly acceptedAt: number;
  readonly attempts: number;
  /** Its message carries our id in a header (`X-Mailgrant-Id`); absent in records from before there was one. */
  readonly idHeader?: 1;
  /** Until then the entry belongs to the invocation that wrote it; 0 when nobody works on it. */
  readonly leaseUntil: number;
  /** Who took it over last, a name for that one time: two who take it at the same moment do not write the same. Absent before. */
  readonly claimId?: string;
  /** What Gmail is asked by after a lost reply: the URI of the upload session. */
  readonly sessionUri: string | null;
  /** SHA-256 of the MIME message of the upload session: only the same bytes may resume it. */
  readonly mimeHash: string | null;
  /** Length of that MIME message in bytes, so that the session can be queried before the message is composed again; absent without a session. */
  readonly mimeBytes?: number;
  /** Gmail's id of the sent message, and of its thread; by them it is found even where Gmail has replaced the Message-ID. */
  readonly gmailId: string | null;
  readonly threadId?: string;
  /** When it was sent a second time because Gmail's search did not find it (SMTP only); absent for never. There is no third time. */
  readonly repeatedAt?: number;
  /** Hash of the idempotency key that maps to it, where there is one. */
  readonly key?: string;
  /** Recipients that Gmail refused while it took the email for the others; absent for none. */
  readonly rejected?: number;
  readonly code: string | null;
  /** Names of the request's fields that `code` is about; absent where it is about none. */
  readonly fields?: string;
  readonly notBefore: number | null;
  /** When its caller wanted it to go out; absent where it was wanted at once. */
  readonly scheduledAt?: number;
  /** Fingerprint of its message in the queue: any other one is not this mail. Absent where there is none. */
  readonly messageHash?: string;
  /** When a dead letter of it was published: one is enough until the email is let go or begun anew. Absent where there is none. */
  readonly deadLetterAt?: number;
  /** Tags that its caller gave it; absent for none. */
  readonly tags?: readonly Tag[];
  /** State changes that were not told yet, and since when the first of them waits; absent for none. */
  readonly outbox?: readonly EmailEvent[];
  readonly outboxAt?: number;
  readonly expireAt: number;
}

/** An entry with the version that a later `replace` must still find. */
export interface LedgerRecord {
  readonly entry: Entry;
  readonly version: string;
  /** What the counters came to that were counted in the same step; absent where that is not known. */
  readonly counts?: readonly number[];
}

/** A caller's idempotency key, hashed together with the caller; it maps to the email until `expireAt`, and until the email is over. */
export interface LedgerKey {
  readonly hash: string;
  readonly expireAt: number;
}

/** The durable record of every mail. Throws MailFailure: ledger_unavailable. */
export interface Ledger {
  /**
   * Creates the entry, the key that maps to it, and counts it, in one step; or answers the entry that the key maps to
   * already, and counts nothing.
   */
  create(
    entry: Entry,
    key: LedgerKey | null,
    now: number,
    counters?: readonly Counter[],
  ): Promise<{ readonly created: boolean; readonly found: LedgerRecord }>;
  read(id: string): Promise<LedgerRecord | null>;
  /** Writes the entry if nobody changed it since `found`, and counts it in the same step; null if somebody did. */
  replace(found: LedgerRecord, entry: Entry, counters?: readonly Counter[]): Promise<LedgerRecord | null>;
  /** Adds `by` to each counter, all in one step; a counter that is not there begins at 0. Answers what they come to. */
  count(counters: readonly Counter[], by: number): Promise<number[]>;
  /** True if the key stands for that email alone. A second email that asks makes it stand for none, for good. */
  reserve(key: LedgerKey, id: string): Promise<boolean>;
}

/** What is counted for one window of time; the ledger may forget it after `expireAt`. */
export interface Counter {
  readonly name: string;
  readonly expireAt: number;
}
