import { failureInfo, type MailFailure } from '../model/failure.ts';

/** The outcome of a request, or of one attempt to send it. `id` is the email's UUID; times are milliseconds since the epoch. */
export type Outcome = (Ending | Put) & Marks;

/** The outcome of one attempt to send. */
export type Attempted = Ending & Marks;

interface Marks {
  /**
   * The outcome could not be written to the ledger. The next claim queries Gmail first, if the ledger holds a session URI; else it
   * opens a new session.
   */
  readonly unrecorded?: true;
  /** An earlier call sent the email: this call is answered from the ledger. */
  readonly repeated?: true;
  /** The caller's own limit holds the email back. */
  readonly own?: true;
  readonly quota?: Quota;
}

/** What remains of a caller's limit in the window that ends at `until` (milliseconds since the epoch). */
export interface Quota {
  readonly limit: number;
  readonly remaining: number;
  readonly until: number;
  readonly windowMs: number;
}

/** No attempt was made now. */
type Put =
  /** Accepted: the queue message is durable, and a worker sends the email, not before `dueAt` if that is set. */
  | { readonly state: 'queued'; readonly id: string; readonly dueAt: number | null }
  /** The caller canceled the email before anything left. */
  | { readonly state: 'canceled'; readonly id: string };

type Ending =
  /** `rejected`: how many recipients were refused, absent for none; the others have the email. */
  | { readonly state: 'sent'; readonly id: string; readonly gmailId: string; readonly threadId?: string; readonly rejected?: number }
  | { readonly state: 'failed'; readonly id: string; readonly failure: MailFailure }
  | { readonly state: 'retry'; readonly id: string; readonly failure: MailFailure; readonly notBefore: number }
  | { readonly state: 'parked'; readonly id: string; readonly failure: MailFailure; readonly notBefore: number }
  /** `askable`: Gmail can still be queried for the outcome; else a person must decide. */
  | { readonly state: 'unknown'; readonly id: string; readonly failure: MailFailure; readonly askable: boolean };

/** True where the email is sent, queued or canceled: the caller need not repeat the request. */
export const isAccepted = (outcome: Outcome): outcome is Extract<Outcome, { state: 'sent' | 'queued' | 'canceled' }> =>
  outcome.state === 'sent' || outcome.state === 'queued' || outcome.state === 'canceled';

const SOON_MS = 10_000;
const LATER_MS = 60 * 60_000; // Gmail's daily window is rolling: an hour later it may allow some more

/** The outcome of a failed attempt, by the consequence of its code. */
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
