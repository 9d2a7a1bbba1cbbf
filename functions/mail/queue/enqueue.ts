import { createOrFind, KEEP_MS, recordFailure } from '../delivery/claim.ts';
import type { Entry, LedgerRecord } from '../delivery/ledger.ts';
import { type Outcome, outcomeOf } from '../delivery/outcome.ts';
import type { Ports } from '../delivery/ports.ts';
import { checkLimits, countersOf, limitsFor } from '../delivery/rate-limits.ts';
import type { SubmissionContext } from '../delivery/submission.ts';
import { suppressedFailure } from '../delivery/suppressed.ts';
import { allows, apply } from '../delivery/transitions.ts';
import type { PreparedEmail, QueuedContent } from '../message/prepared-email.ts';
import { isKey } from '../model/caller.ts';
import type { Caller, Config } from '../model/config.ts';
import { MailFailure, toFailure } from '../model/failure.ts';
import { publishLater } from './publish-later.ts';
import { contentHash, taskName, toQueueMessage } from './queue-message.ts';
import { publishTime } from './retry-policy.ts';

/**
 * Hands an email to the worker: writes the ledger entry, then publishes the queue message. A repeated request publishes again; a
 * worker recognises repetitions by the ledger. Returns when the message is durable; null where another invocation sends the email
 * directly. If the message cannot be published, the email fails, so that a message that was stored after all is not sent.
 */
export async function enqueue(draft: PreparedEmail, asking: SubmissionContext, config: Config, ports: Ports): Promise<Outcome | null> {
  const { dueAt } = draft;
  if (!ports.queue) throw new MailFailure('queue_missing', 'MAILGRANT_TOPIC is not set');
  const content = draft.content();
  const rules = limitsFor(callerIfKey(asking.caller, config), null, ports);
  const beginning = {
    state: dueAt === null ? ('queued' as const) : ('scheduled' as const),
    attempts: 0,
    leaseUntil: 0,
    messageHash: contentHash(content, ports.digest),
    notBefore: dueAt,
    ...(dueAt !== null && { scheduledAt: dueAt, expireAt: dueAt + KEEP_MS }),
  };
  const claim = { ...draft, ...asking, caller: asking.caller.id };
  const claimed = await createOrFind(claim, beginning, countersOf(rules), config, ports);
  if ('there' in claimed) return again(claimed.there, content, ports);
  const { failure, quota, refund: giveBack } = await checkLimits(rules, claimed.begun.counts ?? [], ports);
  if (failure) {
    await recordFailure(claimed.begun, failure, ports);
    return { ...outcomeOf(failure, claimed.begun.entry.id, ports.now()), own: true, ...(quota && { quota }) };
  }
  // If the list cannot be read now, the email is accepted: the list is read again before the email is sent.
  const refused = await suppressedFailure(draft, ports).catch(() => null);
  if (refused) {
    await recordFailure(claimed.begun, refused, ports);
    await giveBack();
    return { state: 'failed', id: claimed.begun.entry.id, failure: refused, ...(quota && { quota }) };
  }
  const outcome = await put(claimed.begun, content, asking.key, ports);
  if (outcome.state === 'failed') await giveBack();
  return quota ? { ...outcome, quota } : outcome;
}

/** Hands an email that a direct attempt could not send now to the worker; null where the queue cannot take it either. */
export async function handOffToQueue(
  id: string,
  draft: PreparedEmail,
  { caller, key }: Pick<SubmissionContext, 'caller' | 'key'>,
  config: Config,
  ports: Ports,
): Promise<Outcome | null> {
  const found = await ports.ledger.read(id);
  if (!found || !allows(found.entry, 'enqueue')) return null;
  const content = draft.content();
  const before = found.entry.messageHash;
  const hash = contentHash(content, ports.digest);
  if (before !== undefined && before !== hash) return null; // if the content differs, the earlier message would be refused as message_foreign
  const counters = countersOf(limitsFor(callerIfKey(caller, config), null, ports)); // the attempt refunded its count
  const held = await ports.ledger.replace(
    found,
    apply(found.entry, { type: 'enqueue', contentHash: hash, claimId: ports.newId() }),
    counters,
  );
  if (!held) return null;
  if (before !== undefined) return publish(held.entry, content, ports); // an earlier message of the email may exist, so the email must not fail here
  const outcome = await put(held, content, key, ports);
  return outcome.state === 'failed' ? null : outcome;
}

/**
 * The limits of an API key count when the request is accepted; the limits of a platform's identity count when the email is sent.
 */
const callerIfKey = (caller: Caller, config: Config): Caller | null => (isKey(caller.id, config) ? caller : null);

async function put(found: LedgerRecord, content: QueuedContent, key: string | null, ports: Ports): Promise<Outcome> {
  const { id } = found.entry;
  try {
    return await publish(found.entry, content, ports);
  } catch (error) {
    const failure = toFailure(error);
    return recordFailure(found, failure, ports).catch(async (told: unknown) => {
      if (toFailure(told).code !== 'in_flight') return { state: 'failed', id, failure, unrecorded: true };
      const there = await ports.ledger.read(id);
      const past = there && ended(there.entry);
      if (past) return past;
      // Under an idempotency key another request may hold the email, and may still fail. Without a key only a worker can hold it:
      // so its message was published.
      if (key !== null || there?.entry.attempts === found.entry.attempts) throw told;
      return { state: 'queued', id, dueAt: null };
    });
  }
}

/** Publishes the email's queue message: now, or at its time. */
export async function publish(entry: Entry, content: QueuedContent, ports: Ports): Promise<Outcome> {
  const { queue, taskQueue } = ports;
  const { id, notBefore } = entry;
  if (!queue) throw new MailFailure('queue_missing', 'MAILGRANT_TOPIC is not set');
  if (notBefore === null || notBefore <= ports.now() || !taskQueue) {
    await queue.publish(await toQueueMessage(id, content, 'now', ports));
    return { state: 'queued', id, dueAt: null };
  }
  const at = publishTime(entry, notBefore, ports.digest);
  await publishLater(await toQueueMessage(id, content, 'later', ports), at, taskName(entry, at), taskQueue);
  return { state: 'queued', id, dueAt: notBefore };
}

/**
 * The same email, requested again. Its message may not have been published, so it is published again. If the content differs (an
 * event rendered again, another event of the same `dedupe`), the existing message counts: the publisher that got no answer for
 * that message repeats it. Null where the email never had a message.
 */
async function again(found: LedgerRecord, content: QueuedContent, ports: Ports): Promise<Outcome | null> {
  const { entry } = found;
  const { id, state, notBefore } = entry;
  const past = ended(entry);
  if (past) return past;
  if (state === 'failed' || entry.messageHash === undefined) return null;
  if (entry.leaseUntil > ports.now()) return { state: 'queued', id, dueAt: null };
  if (entry.messageHash === contentHash(content, ports.digest)) {
    if (state === 'queued' || state === 'scheduled') await mark(found, ports);
    return publish(entry, content, ports);
  }
  return { state: 'queued', id, dueAt: notBefore !== null && notBefore > ports.now() ? notBefore : null };
}

/** The outcome of an email that needs no message any more; null for any other. */
function ended({ id, state, gmailId }: Entry): Outcome | null {
  if (state === 'sent') return { state, id, gmailId: gmailId ?? '' };
  return state === 'canceled' ? { state, id } : null;
}

/**
 * Marks the entry before the message is published again: if the first publisher fails now, it must not fail an email that has a
 * message.
 */
async function mark(found: LedgerRecord, ports: Ports): Promise<void> {
  const { entry } = found;
  if (await ports.ledger.replace(found, apply(entry, { type: 'republish', claimId: ports.newId() }))) return;
  const there = await ports.ledger.read(entry.id);
  if (there?.entry.state === 'failed') throw new MailFailure('in_flight', 'The email is being asked for by another request.');
}
