import { consequence, type MailFailure } from './failure.ts';

/** How one attempt ended. `id` is the mail's UUID; times are milliseconds since the epoch. */
export type Outcome = Ending & {
  /** The ledger could not be told: the next claim of this mail asks Gmail before anything else. */
  readonly unrecorded?: true;
  readonly quota?: Quota;
};

/** What is left of a caller's limit in the window that ends at `until` (milliseconds since the epoch). */
export interface Quota {
  readonly limit: number;
  readonly remaining: number;
  readonly until: number;
  readonly windowMs: number;
}

type Ending =
  /** `rejected`: so many of its recipients were refused, absent for none; the others have it. */
  | { readonly state: 'sent'; readonly id: string; readonly gmailId: string; readonly rejected?: number }
  | { readonly state: 'failed'; readonly id: string; readonly failure: MailFailure }
  | { readonly state: 'retry'; readonly id: string; readonly failure: MailFailure; readonly notBefore: number }
  | { readonly state: 'parked'; readonly id: string; readonly failure: MailFailure; readonly notBefore: number }
  /** `askable`: Gmail can still be asked what became of it; else a person has to look. */
  | { readonly state: 'unknown'; readonly id: string; readonly failure: MailFailure; readonly askable: boolean };

const SOON_MS = 10_000;
const LATER_MS = 60 * 60_000; // Gmail's daily window rolls: an hour later some of it may have opened

/** What a failed attempt comes to, by the consequence of its code. */
export function outcomeOf(failure: MailFailure, id: string, now: number): Outcome {
  switch (consequence(failure.code).retry) {
    case 'never':
      return { state: 'failed', id, failure };
    case 'soon':
      return { state: 'retry', id, failure, notBefore: failure.retryAt ?? now + SOON_MS };
    case 'later':
      return { state: 'parked', id, failure, notBefore: failure.retryAt ?? now + LATER_MS };
    case 'ask':
      return { state: 'unknown', id, failure, askable: failure.code !== 'session_gone' };
  }
}
