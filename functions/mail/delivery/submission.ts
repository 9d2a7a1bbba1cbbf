import type { Caller } from '../model/config.ts';

/** Who asks for an email, and how it is known again when it is asked for twice. */
export interface SubmissionContext {
  readonly caller: Caller;
  /** The idempotency key, or null for an email that is new each time. */
  readonly key: string | null;
  /** See Claim, in claim.ts. */
  readonly retryFailed: boolean;
  readonly pinned?: boolean;
  readonly keyMs?: number;
  /** What two orders under one key must have in common, where it is not the mail: an event may be rendered anew. */
  readonly requestHash?: string;
}

/** One email that somebody asks for. `body` is outside data in the shape of Resend's `POST /emails`. */
export interface Submission extends SubmissionContext {
  readonly body: unknown;
}
