import type { LedgerRecord, State } from '../delivery/ledger.ts';
import type { Outcome } from '../delivery/outcome.ts';
import type { Ports, QueueMessage } from '../delivery/ports.ts';
import { apply } from '../delivery/transitions.ts';
import { type FailureCode, MailFailure, toFailure } from '../model/failure.ts';
import { deadLetterEmail, detailOf } from './dead-letter.ts';
import { publishLater } from './publish-later.ts';
import { contentHash, deleteStoredContent, emailIdOf, readContent, taskName, toQueueMessage } from './queue-message.ts';
import { BACKOFF_MIN_MS, JITTER_MAX_MS, jitterOf, type MessageStep, nextStep, redeliveredStep } from './retry-policy.ts';

/**
 * Carries out the decision of `nextStep`. True: acknowledge the message, because the email has ended or is durable elsewhere.
 * False: the platform must redeliver the message, also if postponing or dead-lettering failed.
 */
export async function settleMessage(outcome: Outcome, message: QueueMessage, delivery: number | null, ports: Ports): Promise<boolean> {
  try {
    const left = LEFT[outcome.state];
    const found = left ? await ports.ledger.read(outcome.id) : null;
    // Another invocation has taken the email over and decides its outcome, which may be that the email was sent.
    if (found && (found.entry.leaseUntil > ports.now() || !left?.includes(found.entry.state))) return false;
    const { attempts = 0, acceptedAt = 0, scheduledAt = 0 } = found?.entry ?? {};
    const dueForMs = ports.now() - Math.max(acceptedAt, scheduledAt);
    const jitter = jitterOf({ id: outcome.id, attempts }, ports.digest);
    const decide = (canPostpone: boolean): MessageStep =>
      nextStep(outcome, { delivery, attempts, dueForMs, canPostpone, accepted: emailIdOf(message) !== null, jitter }, ports.now());
    let next = decide(ports.taskQueue !== null);
    if (next.verb === 'postpone') {
      const done = await postpone(found, message, next.at, ports).catch(unlessTooLarge);
      if (done !== null) return done;
      next = decide(false);
    }
    if (next.verb === 'ack' && OVER.has(outcome.state)) await deleteStoredContent(message, ports);
    if (next.verb !== 'dead-letter') return next.verb === 'ack';
    if (found && next.reason === 'deliveries_exhausted') await failExhausted(found, next.reason, ports);
    return await deadLetterEmail(outcome.id, message, next.reason, ports);
  } catch {
    return false;
  }
}

/** As `settleMessage`, for an event or a digest: the subscription redelivers it, and a failed one becomes a dead letter. */
export async function settleEvent(outcome: Outcome, message: QueueMessage, delivery: number | null, ports: Ports): Promise<boolean> {
  const next = redeliveredStep(outcome, 'event', delivery, ports.now());
  if (next.verb !== 'dead-letter') return next.verb === 'ack';
  const detail = outcome.state === 'failed' ? detailOf(outcome.failure) : '';
  return await deadLetterEmail(outcome.id, message, next.reason, ports, detail).catch(() => false);
}

/** The state of an entry whose email has not ended, if nobody else has changed it since. */
const LEFT: Partial<Readonly<Record<Outcome['state'], readonly State[]>>> = {
  retry: ['waiting'],
  parked: ['parked'],
  unknown: ['unknown', 'sending'],
};

/** Outcomes that the ledger can answer alone: the content is no longer needed. */
const OVER: ReadonlySet<Outcome['state']> = new Set(['sent', 'canceled']);

/** Publishes the message again at a time. From then on, a message that came as a new request names its email by id. */
async function postpone(found: LedgerRecord | null, message: QueueMessage, at: number, ports: Ports): Promise<boolean> {
  const { taskQueue } = ports;
  if (!found || !taskQueue) return false;
  const { entry } = found;
  const content = await readContent(message, ports);
  const hash = contentHash(content, ports.digest);
  if (entry.messageHash !== hash && !(await ports.ledger.replace(found, apply(entry, { type: 'republish', contentHash: hash }))))
    return false;
  await publishLater(
    await toQueueMessage(entry.id, content, 'later', ports),
    at,
    taskName({ id: entry.id, messageHash: hash }, at),
    taskQueue,
  );
  return true;
}

/** Null for a message that is too large to postpone: the subscription delivers it until its last delivery. */
function unlessTooLarge(error: unknown): null {
  if (toFailure(error).code !== 'queue_too_small') throw error;
  return null;
}

/** Postpones a message whose email could not be processed at all; the message must name the email by its id. */
export async function postponeUnread(id: string, message: QueueMessage, ports: Ports): Promise<boolean> {
  if (!ports.taskQueue) return false;
  const content = await readContent(message, ports);
  const at = Math.trunc(ports.now() + BACKOFF_MIN_MS + JITTER_MAX_MS * jitterOf({ id, attempts: 0 }, ports.digest));
  const name = taskName({ id, messageHash: contentHash(content, ports.digest) }, at);
  await publishLater(await toQueueMessage(id, content, 'later', ports), at, name, ports.taskQueue);
  return true;
}

async function failExhausted(found: LedgerRecord, code: FailureCode, ports: Ports): Promise<void> {
  const failed = apply(found.entry, { type: 'fail', code });
  if (!(await ports.ledger.replace(found, failed))) throw new MailFailure('in_flight', 'another invocation took the email over');
}
