import type { Entry } from '../delivery/ledger.ts';
import type { Outcome } from '../delivery/outcome.ts';
import { type FailureCode, failureInfo } from '../model/failure.ts';

/** What to do with a message, now that its email has an outcome: `ack` and `nack` are Pub/Sub's words. */
export type MessageStep =
  | { readonly verb: 'ack' }
  | { readonly verb: 'nack' }
  /** Acknowledge, and publish again at that time (milliseconds since the epoch). */
  | { readonly verb: 'postpone'; readonly at: number }
  /** Publish as a dead letter with the reason, and acknowledge. */
  | { readonly verb: 'dead-letter'; readonly reason: FailureCode };

/** How often a subscription delivers before Pub/Sub makes a dead letter by itself; Terraform sets the same number. */
export const DELIVERIES_MAX = 8;
export const IMMEDIATE_RETRIES = 4; // the subscription's backoff, ten seconds and up, outlasts short outages
// After that an email is postponed, which uses no deliveries: by 10 minutes, doubled each time up to 6 hours; 40 hours in all.
const MAX_ATTEMPTS = 16;
const RETRY_FOR_MS = 40 * 60 * 60_000; // attempts alone say little: an email that waits for our own limit makes one a minute, and sends nothing
export const BACKOFF_MIN_MS = 10 * 60_000;
const BACKOFF_MAX_MS = 6 * 60 * 60_000;
export const JITTER_MAX_MS = 60_000;

/**
 * What was delivered. An email's message may be acknowledged when its record says enough. An event has no caller who reads the
 * record, so each failed event becomes a dead letter, unless an operator dropped it. A document keeps its own content and outcome,
 * so it needs no dead letter.
 */
export type DeliverySource = 'email' | 'event' | 'document';

/** Facts about a delivery: its number, the attempts of its email, and whether it can be postponed. */
export interface DeliveryAttempts {
  /** null where the platform does not say. */
  readonly delivery: number | null;
  readonly attempts: number;
  /** For how long the email has been due. */
  readonly dueForMs: number;
  readonly canPostpone: boolean;
  /**
   * Whether the message is of an email that was accepted before. Such an email was valid then, and its caller is not told that it
   * no longer is.
   */
  readonly accepted?: boolean;
  /** An email where absent. */
  readonly source?: DeliverySource;
  /** 0 to 1, different for each email, so that emails held back together do not all come back at once. */
  readonly jitter: number;
}

/** 0 to 1, the same for the same attempt at an email, so that emails held back together do not all come back at once. */
export const jitterOf = ({ id, attempts }: Pick<Entry, 'id' | 'attempts'>, digest: (data: string) => string): number =>
  Number.parseInt(digest(`${id}${attempts}`).slice(0, 8), 16) / 2 ** 32;

/** When to publish the message of a waiting email: at the time that its caller wants, else after its `notBefore` plus jitter. */
export function publishTime(entry: Pick<Entry, 'id' | 'attempts' | 'state'>, notBefore: number, digest: (data: string) => string): number {
  return entry.state === 'scheduled' ? notBefore : Math.trunc(notBefore + JITTER_MAX_MS * jitterOf(entry, digest));
}

/** Failures that the email itself, or an operator's decision, causes under any configuration: the record is enough. */
const OF_THE_EMAIL: ReadonlySet<FailureCode> = new Set(['mail_refused', 'too_large', 'dropped', 'idempotency_mismatch']);

/**
 * A failure that the caller can fix is in the record. A failure that an operator must fix needs a dead letter, because the
 * content is nowhere else. So does an email that was valid when it was accepted and is refused by a configuration deployed since:
 * its caller is not told.
 */
function failedStep(code: FailureCode, source: DeliverySource, accepted: boolean): MessageStep {
  if (source === 'document' || (source === 'event' && code === 'dropped')) return { verb: 'ack' };
  if (source === 'event') return { verb: 'dead-letter', reason: code };
  const caller = failureInfo(code).blame === 'caller' && (!accepted || OF_THE_EMAIL.has(code));
  return caller ? { verb: 'ack' } : { verb: 'dead-letter', reason: code };
}

/**
 * What to do with the message of an email, an event or a document that has an outcome. Exhaustive over the outcomes; docs/delivery.md has
 * it as a table. A message without an outcome is decided where it is read: process-message.ts, digest-message.ts.
 */
export function nextStep(
  outcome: Outcome,
  { delivery, attempts, dueForMs, canPostpone, accepted = false, source = 'email', jitter }: DeliveryAttempts,
  now: number,
): MessageStep {
  if (outcome.unrecorded) return { verb: 'nack' }; // the outcome is not recorded: the redelivery queries Gmail, and records it
  const exhausted = canPostpone ? attempts >= MAX_ATTEMPTS && dueForMs >= RETRY_FOR_MS : (delivery ?? 0) >= DELIVERIES_MAX;
  const growing = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** Math.max(0, attempts - IMMEDIATE_RETRIES - 1));
  switch (outcome.state) {
    case 'sent':
    case 'canceled':
    case 'queued': // another message of the email is durable
      return { verb: 'ack' };
    case 'failed':
      return failedStep(outcome.failure.code, source, accepted);
    case 'unknown':
      if (source === 'document' && !outcome.askable) return { verb: 'ack' }; // the document says so, and keeps the content
      if (!outcome.askable || exhausted) return { verb: 'dead-letter', reason: outcome.failure.code }; // for an operator, who may need its content
      return canPostpone && attempts > IMMEDIATE_RETRIES ? { verb: 'postpone', at: now + growing } : { verb: 'nack' };
    case 'parked':
      if (!canPostpone) return exhausted ? { verb: 'dead-letter', reason: 'deliveries_exhausted' } : { verb: 'nack' };
      return { verb: 'postpone', at: Math.trunc(outcome.notBefore + jitter * JITTER_MAX_MS) };
    case 'retry':
      if (exhausted) return { verb: 'dead-letter', reason: 'deliveries_exhausted' };
      // Our own limit says when to try again: waiting for it uses no deliveries.
      if (canPostpone && outcome.failure.code === 'limit_minute')
        return { verb: 'postpone', at: Math.trunc(outcome.notBefore + jitter * JITTER_MAX_MS * attempts) };
      return canPostpone && attempts > IMMEDIATE_RETRIES ? { verb: 'postpone', at: now + growing } : { verb: 'nack' };
  }
}

/** The decision about a delivery that cannot be postponed by a task of its email: an event or a document. */
export const redeliveredStep = (outcome: Outcome, source: DeliverySource, delivery: number | null, now: number): MessageStep =>
  nextStep(outcome, { delivery, attempts: 0, dueForMs: 0, canPostpone: false, source, jitter: 0 }, now);
