import { createOrFind, KEEP_MS, recordFailure } from '../delivery/claim.ts';
import type { Entry, LedgerRecord } from '../delivery/ledger.ts';
import { type Outcome, outcomeOf } from '../delivery/outcome.ts';
import type { Ports } from '../delivery/ports.ts';
import { checkLimits, countersOf, limitsFor } from '../delivery/rate-limits.ts';
import type { SubmissionContext } from '../delivery/submission.ts';
import { allows, apply } from '../delivery/transitions.ts';
import type { PreparedEmail, QueuedContent } from '../message/prepared-email.ts';
import { isKey } from '../model/caller.ts';
import type { Caller, Config } from '../model/config.ts';
import { MailFailure, toFailure } from '../model/failure.ts';
import { publishLater } from './publish-later.ts';
import { contentHash, taskName, toQueueMessage } from './queue-message.ts';
import { publishTime } from './retry-policy.ts';

/**
 * Puts an email by for a worker: its entry first, then its message, which is asked for anew whenever the email is; a worker
 * tells repetitions apart by the ledger. Answers once the message is durable; null where somebody sends it directly.
 * An email whose message cannot be put is failed, so that a message that got through after all is not sent.
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
  const outcome = await put(claimed.begun, content, asking.key, ports);
  if (outcome.state === 'failed') await giveBack();
  return quota ? { ...outcome, quota } : outcome;
}

/** An email that a direct attempt could not send just now becomes the worker's; null where the queue cannot take it either. */
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
  if (before !== undefined && before !== hash) return null; // in other words the message that is there would be foreign
  const counters = countersOf(limitsFor(callerIfKey(caller, config), null, ports)); // the attempt gave its count back
  const held = await ports.ledger.replace(
    found,
    apply(found.entry, { type: 'enqueue', contentHash: hash, claimId: ports.newId() }),
    counters,
  );
  if (!held) return null;
  if (before !== undefined) return publish(held.entry, content, ports); // a message of it may be there: so it is never failed
  const outcome = await put(held, content, key, ports);
  return outcome.state === 'failed' ? null : outcome;
}

/** An API key's own limits count at the door; those of a platform's identity when its email goes out. */
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
      // Under a key it may be another request that has it, and may yet come to nothing. Else it is a worker: the message got through.
      if (key !== null || there?.entry.attempts === found.entry.attempts) throw told;
      return { state: 'queued', id, dueAt: null };
    });
  }
}

/** Has the mail's message published: now, or at its time. */
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
 * The same email, asked for again: its message may never have been put, so it is put once more. Where it was asked for in
 * other words (an event rendered anew, another one of the same `dedupe`), the message that there is stands for it: whoever
 * got no answer for that one asks again by itself. Null where the email never had a message.
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

/** How an email stands that needs no message any more; null for any other. */
function ended({ id, state, gmailId }: Entry): Outcome | null {
  if (state === 'sent') return { state, id, gmailId: gmailId ?? '' };
  return state === 'canceled' ? { state, id } : null;
}

/** Marks the entry before the message is published again: the first publisher, if it gives up now, must not fail an email that has a message. */
async function mark(found: LedgerRecord, ports: Ports): Promise<void> {
  const { entry } = found;
  if (await ports.ledger.replace(found, apply(entry, { type: 'republish', claimId: ports.newId() }))) return;
  const there = await ports.ledger.read(entry.id);
  if (there?.entry.state === 'failed') throw new MailFailure('in_flight', 'The email is being asked for by another request.');
}
