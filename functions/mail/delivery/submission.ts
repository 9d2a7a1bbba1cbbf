import type { Caller } from '../model/config.ts';

/** Who requests an email, and how a repeated request is recognised. */
export interface SubmissionContext {
  readonly caller: Caller;
  /** The idempotency key, or null for an email that is new each time. */
  readonly key: string | null;
  /** See Claim, in claim.ts. */
  readonly retryFailed: boolean;
  readonly pinned?: boolean;
  readonly keyMs?: number;
  /**
   * The hash that two requests under one key must share, where it is not the hash of the email: a redelivered event may be
   * rendered differently.
   */
  readonly requestHash?: string;
}

/** One requested email. `body` is outside data in the form of Resend's `POST /emails`. */
export interface Submission extends SubmissionContext {
  readonly body: unknown;
}
