import { type LedgerRecord, type State, step } from '../delivery/ledger.ts';
import type { Outcome } from '../delivery/outcome.ts';
import type { Ports, QueueMessage } from '../delivery/ports.ts';
import { type FailureCode, failureInfo, MailFailure, toFailure } from '../model/failure.ts';
import { deadLetterEmail } from './dead-letter.ts';
import { contentHash, deleteStoredContent, readContent, taskName, toQueueMessage } from './queue-message.ts';

/** What is done with a message, now that its mail has an outcome: `ack` and `nack` are the platform's words. */
export type MessageStep =
  | { readonly verb: 'ack' }
  | { readonly verb: 'nack' }
  /** Acknowledged, and published again at that time (milliseconds since the epoch). */
  | { readonly verb: 'put off'; readonly at: number }
  /** Published as a dead letter with the reason, and acknowledged. */
  | { readonly verb: 'bury'; readonly reason: FailureCode };

/** How often a subscription delivers before it gives up by itself; Terraform sets the same number. */
export const DELIVERIES_MAX = 8;
const IMMEDIATE_RETRIES = 4; // the platform's backoff, ten seconds and up, sees short troubles through
// After that its deliveries are kept, and a mail is put off: 10 minutes, doubled each time, to 6 hours; two days in all.
const MAX_ATTEMPTS = 16;
const RETRY_FOR_MS = 40 * 60 * 60_000; // attempts alone say little: a mail that waits for our own limit makes one a minute, and tries nothing
const BACKOFF_MIN_MS = 10 * 60_000;
const BACKOFF_MAX_MS = 6 * 60 * 60_000;
const JITTER_MAX_MS = 60_000;

/** What is known of a delivery: how often this message came, how often its mail was tried, and whether it can be put off. */
export interface Delivered {
  /** null where the platform does not say. */
  readonly delivery: number | null;
  readonly attempts: number;
  /** For how long the mail has been due. */
  readonly dueForMs: number;
  readonly canPostpone: boolean;
  /** 0 to 1, another one for each mail: so that those held back together do not all come back at once. */
  readonly jitter: number;
}

/** The verdict on a message. Exhaustive over the outcomes; the table in docs/delivery.md is held against it. */
export function nextStep(
  outcome: Outcome,
  { delivery, attempts, dueForMs, canPostpone: canPutOff, jitter: spread }: Delivered,
  now: number,
): MessageStep {
  if (outcome.unrecorded) return { verb: 'nack' }; // what happened is not written down: the redelivery asks, and writes it
  const exhausted = canPutOff ? attempts >= MAX_ATTEMPTS && dueForMs >= RETRY_FOR_MS : (delivery ?? 0) >= DELIVERIES_MAX;
  const growing = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** Math.max(0, attempts - IMMEDIATE_RETRIES - 1));
  switch (outcome.state) {
    case 'sent':
    case 'canceled':
    case 'queued': // another message of it is durable
      return { verb: 'ack' };
    case 'failed':
      // What its caller can mend is in the record; what an operator must mend would be lost, for its content is nowhere else.
      return failureInfo(outcome.failure.code).blame === 'caller' ? { verb: 'ack' } : { verb: 'bury', reason: outcome.failure.code };
    case 'unknown':
      if (!outcome.askable || exhausted) return { verb: 'bury', reason: outcome.failure.code }; // for a person, who may need its content
      return canPutOff && attempts > IMMEDIATE_RETRIES ? { verb: 'put off', at: now + growing } : { verb: 'nack' };
    case 'parked':
      if (!canPutOff) return exhausted ? { verb: 'bury', reason: 'deliveries_exhausted' } : { verb: 'nack' };
      return { verb: 'put off', at: Math.trunc(outcome.notBefore + spread * JITTER_MAX_MS) };
    case 'retry':
      if (exhausted) return { verb: 'bury', reason: 'deliveries_exhausted' };
      // Our own limit says when: no delivery is spent on waiting for it.
      if (canPutOff && outcome.failure.code === 'limit_minute')
        return { verb: 'put off', at: Math.trunc(outcome.notBefore + spread * JITTER_MAX_MS * attempts) };
      return canPutOff && attempts > IMMEDIATE_RETRIES ? { verb: 'put off', at: now + growing } : { verb: 'nack' };
  }
}

/**
 * Does with a message what the outcome of its mail asks for. True: it is acknowledged, for it is ended, or durable
 * elsewhere. False: it shall be delivered again, also where putting it off or burying it did not work.
 */
export async function settleMessage(outcome: Outcome, message: QueueMessage, delivery: number | null, ports: Ports): Promise<boolean> {
  try {
    const left = LEFT[outcome.state];
    const found = left ? await ports.ledger.read(outcome.id) : null;
    // Somebody has taken the mail over in the meantime: what becomes of it is theirs to say, and may be that it was sent.
    if (found && (found.entry.leaseUntil > ports.now() || !left?.includes(found.entry.state))) return false;
    const { attempts = 0, acceptedAt = 0, scheduledAt = 0 } = found?.entry ?? {};
    const dueForMs = ports.now() - Math.max(acceptedAt, scheduledAt);
    const spread = found ? Number.parseInt(ports.digest(`${outcome.id}${attempts}`).slice(0, 8), 16) / 2 ** 32 : 0;
    const decide = (canPutOff: boolean): MessageStep =>
      nextStep(outcome, { delivery, attempts, dueForMs, canPostpone: canPutOff, jitter: spread }, ports.now());
    let next = decide(ports.taskQueue !== null);
    if (next.verb === 'put off') {
      const done = await postpone(found, message, next.at, ports).catch(unlessTooLarge);
      if (done !== null) return done;
      next = decide(false);
    }
    if (next.verb === 'ack' && OVER.has(outcome.state)) await deleteStoredContent(message, ports);
    if (next.verb !== 'bury') return next.verb === 'ack';
    if (found && next.reason === 'deliveries_exhausted') await failExhausted(found, next.reason, ports);
    return await deadLetterEmail(outcome.id, message, next.reason, ports);
  } catch {
    return false;
  }
}

/** How the ledger stands where a mail has not come to an end, if nobody else has touched it since. */
const LEFT: Partial<Readonly<Record<Outcome['state'], readonly State[]>>> = {
  retry: ['waiting'],
  parked: ['parked'],
  unknown: ['unknown', 'sending'],
};

/** What the ledger answers by itself from then on: the content is asked for no more. */
const OVER: ReadonlySet<Outcome['state']> = new Set(['sent', 'canceled']);

/** Has the message published again at a time. A mail that came as an order is known by its id from then on. */
async function postpone(found: LedgerRecord | null, message: QueueMessage, at: number, ports: Ports): Promise<boolean> {
  const { taskQueue } = ports;
  if (!found || !taskQueue) return false;
  const { entry } = found;
  const content = await readContent(message, ports);
  const seal = contentHash(content, ports.digest);
  if (entry.content !== seal && !(await ports.ledger.replace(found, step(entry, entry.state, { content: seal })))) return false;
  await taskQueue.schedule(await toQueueMessage(entry.id, content, 'later', ports), at, taskName({ id: entry.id, content: seal }, at));
  return true;
}

/** Null for a message that is too large to wait anywhere: it is delivered to the end. */
function unlessTooLarge(error: unknown): null {
  if (toFailure(error).code !== 'queue_too_small') throw error;
  return null;
}

/** Puts a message off of which nothing could be found out just now; it must be known by the id of its mail. */
export async function postponeUnread(id: string, message: QueueMessage, ports: Ports): Promise<boolean> {
  if (!ports.taskQueue) return false;
  const content = await readContent(message, ports);
  const at = ports.now() + BACKOFF_MIN_MS;
  const slot = taskName({ id, content: contentHash(content, ports.digest) }, at);
  await ports.taskQueue.schedule(await toQueueMessage(id, content, 'later', ports), at, slot);
  return true;
}

async function failExhausted(found: LedgerRecord, code: FailureCode, ports: Ports): Promise<void> {
  const failed = step(found.entry, 'failed', { code, leaseUntil: 0, notBefore: null });
  if (!(await ports.ledger.replace(found, failed))) throw new MailFailure('in_flight', 'another invocation took the mail over');
}
