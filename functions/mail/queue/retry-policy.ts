import type { Entry } from '../delivery/ledger.ts';
import type { Outcome } from '../delivery/outcome.ts';
import { type FailureCode, failureInfo } from '../model/failure.ts';

/** What is done with a message, now that its email has an outcome: `ack` and `nack` are the platform's words. */
export type MessageStep =
  | { readonly verb: 'ack' }
  | { readonly verb: 'nack' }
  /** Acknowledged, and published again at that time (milliseconds since the epoch). */
  | { readonly verb: 'postpone'; readonly at: number }
  /** Published as a dead letter with the reason, and acknowledged. */
  | { readonly verb: 'dead-letter'; readonly reason: FailureCode };

/** How often a subscription delivers before it gives up by itself; Terraform sets the same number. */
export const DELIVERIES_MAX = 8;
export const IMMEDIATE_RETRIES = 4; // the platform's backoff, ten seconds and up, sees short troubles through
// After that an email is postponed, which uses up no deliveries: by 10 minutes, doubled each time up to 6 hours; two days in all.
const MAX_ATTEMPTS = 16;
const RETRY_FOR_MS = 40 * 60 * 60_000; // attempts alone say little: an email that waits for our own limit makes one a minute, and tries nothing
export const BACKOFF_MIN_MS = 10 * 60_000;
const BACKOFF_MAX_MS = 6 * 60 * 60_000;
export const JITTER_MAX_MS = 60_000;

/** Facts about a delivery: its number, the attempts of its email, and whether it can be postponed. */
export interface DeliveryAttempts {
  /** null where the platform does not say. */
  readonly delivery: number | null;
  readonly attempts: number;
  /** For how long the email has been due. */
  readonly dueForMs: number;
  readonly canPostpone: boolean;
  /** Whether the message is of an email that was accepted before: then it was valid, and nobody hears that it no longer is. */
  readonly accepted?: boolean;
  /** 0 to 1, another one for each mail: so that those held back together do not all come back at once. */
  readonly jitter: number;
}

/** 0 to 1, the same for the same attempt at an email: so that emails that are held back together do not all come back at once. */
export const jitterOf = ({ id, attempts }: Pick<Entry, 'id' | 'attempts'>, digest: (data: string) => string): number =>
  Number.parseInt(digest(`${id}${attempts}`).slice(0, 8), 16) / 2 ** 32;

/** When the message of an email that waits is published: at the time its caller wants, else with a random delay after its time. */
export function publishTime(entry: Pick<Entry, 'id' | 'attempts' | 'state'>, notBefore: number, digest: (data: string) => string): number {
  return entry.state === 'scheduled' ? notBefore : Math.trunc(notBefore + JITTER_MAX_MS * jitterOf(entry, digest));
}

/** What the email itself, or a person, is to blame for, whatever the config says: the record is enough. */
const OF_THE_EMAIL: ReadonlySet<FailureCode> = new Set(['mail_refused', 'too_large', 'dropped', 'idempotency_mismatch']);

/**
 * What its caller can fix is in the record; what an operator must fix would be lost, for its content is nowhere else. So would an
 * email that was valid when it was accepted, and is refused by a config that was deployed since: its caller does not hear of it.
 */
function failedStep(code: FailureCode, accepted: boolean): MessageStep {
  const caller = failureInfo(code).blame === 'caller' && (!accepted || OF_THE_EMAIL.has(code));
  return caller ? { verb: 'ack' } : { verb: 'dead-letter', reason: code };
}

/** The verdict on a message. Exhaustive over the outcomes; the table in docs/delivery.md is held against it. */
export function nextStep(
  outcome: Outcome,
  { delivery, attempts, dueForMs, canPostpone, accepted = false, jitter }: DeliveryAttempts,
  now: number,
): MessageStep {
  if (outcome.unrecorded) return { verb: 'nack' }; // what happened is not written down: the redelivery asks, and writes it
  const exhausted = canPostpone ? attempts >= MAX_ATTEMPTS && dueForMs >= RETRY_FOR_MS : (delivery ?? 0) >= DELIVERIES_MAX;
  const growing = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** Math.max(0, attempts - IMMEDIATE_RETRIES - 1));
  switch (outcome.state) {
    case 'sent':
    case 'canceled':
    case 'queued': // another message of it is durable
      return { verb: 'ack' };
    case 'failed':
      return failedStep(outcome.failure.code, accepted);
    case 'unknown':
      if (!outcome.askable || exhausted) return { verb: 'dead-letter', reason: outcome.failure.code }; // for a person, who may need its content
      return canPostpone && attempts > IMMEDIATE_RETRIES ? { verb: 'postpone', at: now + growing } : { verb: 'nack' };
    case 'parked':
      if (!canPostpone) return exhausted ? { verb: 'dead-letter', reason: 'deliveries_exhausted' } : { verb: 'nack' };
      return { verb: 'postpone', at: Math.trunc(outcome.notBefore + jitter * JITTER_MAX_MS) };
    case 'retry':
      if (exhausted) return { verb: 'dead-letter', reason: 'deliveries_exhausted' };
      // Our own limit says when: no delivery is spent on waiting for it.
      if (canPostpone && outcome.failure.code === 'limit_minute')
        return { verb: 'postpone', at: Math.trunc(outcome.notBefore + jitter * JITTER_MAX_MS * attempts) };
      return canPostpone && attempts > IMMEDIATE_RETRIES ? { verb: 'postpone', at: now + growing } : { verb: 'nack' };
  }
}
