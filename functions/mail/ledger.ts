import { MailFailure } from './failure.ts';

/**
 * claimed: someone works on it, nothing of the letter has left. sending: the handle is stored, bytes may have left.
 * waiting and parked: provably not sent, due at `notBefore`. unknown: bytes left and Gmail gave no answer.
 */
export type State = 'claimed' | 'sending' | 'sent' | 'failed' | 'waiting' | 'parked' | 'unknown';

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
  /** What Gmail is asked by after a lost reply: the URI of the upload session. */
  readonly handle: string | null;
  /** SHA-256 of the letter that the handle stands for: only the same bytes may resume it. */
  readonly letter: string | null;
  readonly gmailId: string | null;
  /** Recipients that Gmail refused while it took the mail for the others; absent for none. */
  readonly rejected?: number;
  readonly code: string | null;
  readonly notBefore: number | null;
  readonly expireAt: number;
}

/** An entry with the version that a later `replace` must still find. */
export interface Found {
  readonly entry: Entry;
  readonly version: string;
}

/** A caller's idempotency key, hashed together with the caller, and until when it maps to the mail. */
export interface LedgerKey {
  readonly hash: string;
  readonly expireAt: number;
}

/** The durable record of every mail. Throws MailFailure: ledger_unavailable. */
export interface Ledger {
  /** Creates the entry, and the key that maps to it, in one step; or answers the entry that the key maps to already. */
  create(entry: Entry, key: LedgerKey | null, now: number): Promise<{ readonly created: boolean; readonly found: Found }>;
  read(id: string): Promise<Found | null>;
  /** Writes the entry if nobody changed it since `found`; null if somebody did. */
  replace(found: Found, entry: Entry): Promise<Found | null>;
  /** Adds `by` to each counter, all in one step; a counter that is not there begins at 0. Answers what they come to. */
  count(counters: readonly Counter[], by: number): Promise<number[]>;
}

/** What is counted for one window of time; the ledger may forget it after `expireAt`. */
export interface Counter {
  readonly name: string;
  readonly expireAt: number;
}

/** Every step an entry may take. Staying in a state means that its lease was taken over. */
export const TRANSITIONS: Readonly<Record<State, readonly State[]>> = {
  claimed: ['claimed', 'sending', 'failed', 'waiting', 'parked'],
  sending: ['sending', 'sent', 'failed', 'waiting', 'parked', 'unknown'],
  waiting: ['claimed'],
  parked: ['claimed'],
  failed: ['claimed'], // only when the caller asks for it again
  unknown: ['sending'], // Gmail is asked once more; it never leads to a second letter
  sent: [],
};

/** The entry, changed; a step that is not in the table is a programming error and never reaches the ledger. */
export function step(entry: Entry, state: State, change: Partial<Entry> = {}): Entry {
  if (!TRANSITIONS[entry.state].includes(state)) throw new MailFailure('unexpected', `ledger step ${entry.state} to ${state}`);
  return { ...entry, ...change, state };
}
