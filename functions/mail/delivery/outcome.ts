import { failureInfo, type MailFailure } from '../model/failure.ts';

/** How an order or one attempt to send it ended. `id` is the mail's UUID; times are milliseconds since the epoch. */
export type Outcome = (Ending | Put) & Marks;

/** How one attempt to send ended. */
export type Attempted = Ending & Marks;

interface Marks {
  /** The ledger could not be told: the next claim of this email asks Gmail before anything else. */
  readonly unrecorded?: true;
  /** It was sent by an earlier call: this one is answered from the ledger. */
  readonly repeated?: true;
  /** It is its caller's own limit that holds it back. */
  readonly own?: true;
  readonly quota?: Quota;
}

/** What is left of a caller's limit in the window that ends at `until` (milliseconds since the epoch). */
export interface Quota {
  readonly limit: number;
  readonly remaining: number;
  readonly until: number;
  readonly windowMs: number;
}

/** No attempt was made now. */
type Put =
  /** Accepted: its message is durable, and a worker sends it, not before `dueAt` if that is set. */
  | { readonly state: 'queued'; readonly id: string; readonly dueAt: number | null }
  /** Taken back by who asked for it, before anything left. */
  | { readonly state: 'canceled'; readonly id: string };

type Ending =
  /** `rejected`: so many of its recipients were refused, absent for none; the others have it. */
  | { readonly state: 'sent'; readonly id: string; readonly gmailId: string; readonly threadId?: string; readonly rejected?: number }
  | { readonly state: 'failed'; readonly id: string; readonly failure: MailFailure }
  | { readonly state: 'retry'; readonly id: string; readonly failure: MailFailure; readonly notBefore: number }
  | { readonly state: 'parked'; readonly id: string; readonly failure: MailFailure; readonly notBefore: number }
  /** `askable`: Gmail can still be asked what became of it; else a person has to look. */
  | { readonly state: 'unknown'; readonly id: string; readonly failure: MailFailure; readonly askable: boolean };

/** True where the email is out or on its way, or its caller wanted it gone: nobody has to ask for it again. */
export const isTaken = (outcome: Outcome): outcome is Extract<Outcome, { state: 'sent' | 'queued' | 'canceled' }> =>
  outcome.state === 'sent' || outcome.state === 'queued' || outcome.state === 'canceled';

const SOON_MS = 10_000;
const LATER_MS = 60 * 60_000; // Gmail's daily window rolls: an hour later some of it may have opened

/** What a failed attempt comes to, by the consequence of its code. */
export function outcomeOf(failure: MailFailure, id: string, now: number): Attempted {
  switch (failureInfo(failure.code).retry) {
    case 'never':
      return { state: 'failed', id, failure };
    case 'soon':
      return { state: 'retry', id, failure, notBefore: failure.retryAt ?? now + SOON_MS };
    case 'later':
      return { state: 'parked', id, failure, notBefore: failure.retryAt ?? now + LATER_MS };
    case 'ask':
      return { state: 'unknown', id, failure, askable: true };
    case 'person':
      return { state: 'unknown', id, failure, askable: false };
  }
}
