import { MailFailure } from '../model/failure.ts';

/**
 * queued: its message is in the queue. scheduled: due at `notBefore`, as its caller wants. claimed: someone works on it,
 * nothing of the letter has left. sending: the handle is stored, bytes may have left. waiting and parked: provably not
 * sent, due at `notBefore`. unknown: bytes left and Gmail gave no answer. canceled: its caller took it back.
 */
export type State = 'queued' | 'scheduled' | 'claimed' | 'sending' | 'sent' | 'failed' | 'waiting' | 'parked' | 'unknown' | 'canceled';

/** What the ledger keeps of one mail: never its content. Times are milliseconds since the epoch. */
export interface Entry {
  readonly id: string;
  readonly state: State;
  /** Fingerprint of the request (SHA-256). */
  readonly payload: string;
  readonly caller: string;
  /** Sender and recipients, hashed unless the config says `ledger: { addresses: plain }`. */
  readonly mailbox: string;
  readonly recipients: readonly string[];
  readonly acceptedAt: number;
  readonly attempts: number;
  /** Until then the entry belongs to the invocation that wrote it; 0 when nobody works on it. */
  readonly leaseUntil: number;
  /** Who took it over last, a name for that one time: two who take it at the same moment do not write the same. Absent before. */
  readonly holder?: string;
  /** What Gmail is asked by after a lost reply: the URI of the upload session. */
  readonly handle: string | null;
  /** SHA-256 of the letter that the handle stands for: only the same bytes may resume it. */
  readonly letter: string | null;
  /** How many bytes that letter has, by which Gmail is asked before it is composed again; absent before the handle. */
  readonly letterBytes?: number;
  readonly gmailId: string | null;
  /** Recipients that Gmail refused while it took the mail for the others; absent for none. */
  readonly rejected?: number;
  readonly code: string | null;
  /** Names of the request's fields that `code` is about; absent where it is about none. */
  readonly fields?: string;
  readonly notBefore: number | null;
  /** When its caller wanted it to go out; absent where it was wanted at once. */
  readonly scheduledAt?: number;
  /** Fingerprint of its message in the queue: any other one is not this mail. Absent where there is none. */
  readonly content?: string;
  /** When a dead letter of it was published: one is enough until the mail is let go or begun anew. Absent where there is none. */
  readonly buriedAt?: number;
  readonly expireAt: number;
}

/** An entry with the version that a later `replace` must still find. */
export interface LedgerRecord {
  readonly entry: Entry;
  readonly version: string;
  /** What the counters came to that were counted in the same step; absent where that is not known. */
  readonly counts?: readonly number[];
}

/** A caller's idempotency key, hashed together with the caller, and until when it maps to the mail. */
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
  /** True if the key stands for that mail alone. A second mail that asks makes it stand for none, for good. */
  reserve(key: LedgerKey, id: string): Promise<boolean>;
}

/** What is counted for one window of time; the ledger may forget it after `expireAt`. */
export interface Counter {
  readonly name: string;
  readonly expireAt: number;
}

/** Every step an entry may take, and why. Staying in a state means that its lease was taken over, or its time was moved. */
export const TRANSITIONS: Readonly<Record<State, Partial<Readonly<Record<State, string>>>>> = {
  queued: {
    queued: 'its message is put once more',
    claimed: 'a worker takes it',
    failed: 'it cannot be put into the queue, or its caller may no longer send it',
    canceled: 'its caller takes it back',
  },
  scheduled: {
    scheduled: 'its caller moves it',
    claimed: 'its time has come',
    failed: 'its time cannot be noted, or its caller may no longer send it',
    canceled: 'its caller takes it back',
  },
  claimed: {
    claimed: 'its holder is gone, another one begins anew',
    sending: 'the upload session is open, and its address is stored',
    failed: 'it is refused for good',
    waiting: 'it is provably not sent, and may go soon',
    parked: 'it is provably not sent, and may not go for hours',
  },
  sending: {
    sending: 'its holder is gone, another one asks Gmail',
    sent: 'Gmail took it',
    failed: 'Gmail refused it for good, or a person drops it',
    waiting: 'Gmail provably did not take it, and may soon; or a person lets it go out again',
    parked: 'Gmail provably did not take it, and will not for hours',
    unknown: 'Gmail does not say whether it took it',
  },
  waiting: {
    waiting: 'its message is put off',
    queued: 'it is handed over to the worker',
    claimed: 'it is tried again',
    failed: 'it was tried for two days, or its caller may no longer send it',
    canceled: 'its caller takes it back',
  },
  parked: {
    parked: 'its message is put off',
    claimed: 'its time has come',
    failed: 'its message cannot be put off, or its caller may no longer send it',
    canceled: 'its caller takes it back',
  },
  failed: {
    failed: 'a person drops it',
    waiting: 'a person lets it go out again',
    claimed: 'its caller asks for it again',
    queued: 'its caller asks for it again',
    scheduled: 'its caller asks for it again',
  },
  unknown: {
    unknown: 'its message is put off',
    sending: 'Gmail is asked once more; it never leads to a second letter',
    waiting: 'a person lets it go out again, knowing that it may be there already',
    failed: 'a person drops it',
  },
  sent: {},
  canceled: {},
};

/** The entry, changed; a step that is not in the table is a programming error and never reaches the ledger. */
export function step(entry: Entry, state: State, change: Partial<Entry> = {}): Entry {
  if (TRANSITIONS[entry.state][state] === undefined) throw new MailFailure('unexpected', `ledger step ${entry.state} to ${state}`);
  return { ...entry, ...change, state };
}
