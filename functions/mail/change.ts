import { KEEP_MS } from './delivery/claim.ts';
import type { LedgerRecord } from './delivery/ledger.ts';
import type { Ports } from './delivery/ports.ts';
import { allows, apply } from './delivery/transitions.ts';
import { dueAt } from './message/prepared-email.ts';
import { prepareTime } from './message/scheduled-at.ts';
import { MailFailure } from './model/failure.ts';
import { publishLater } from './queue/publish-later.ts';
import { objectName, readContent, taskName, toQueueMessage } from './queue/queue-message.ts';
import { publishTime } from './queue/retry-policy.ts';

/**
 * An email of this caller. The email of another caller is answered as unknown, so that nobody learns which ids exist. Throws
 * MailFailure: mail_unknown.
 */
export async function ownMail(id: string, caller: string, { ledger }: Pick<Ports, 'ledger'>): Promise<LedgerRecord> {
  const found = UUID.test(id) ? await ledger.read(id) : null;
  if (found?.entry.caller !== caller) throw new MailFailure('mail_unknown', 'Email not found');
  return found;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Cancels an email of which nothing has been sent; a canceled email stays canceled. Its queue message may still arrive, and is
 * then acknowledged without being sent. Throws MailFailure: not_scheduled, in_flight.
 */
export async function cancel({ entry, version }: LedgerRecord, ports: Ports): Promise<void> {
  const { state, leaseUntil, notBefore } = entry;
  if (state === 'canceled') return;
  if (!allows(entry, 'cancel') || leaseUntil > ports.now()) throw notScheduled(state);
  if (!(await ports.ledger.replace({ entry, version }, apply(entry, { type: 'cancel' })))) throw notScheduled('changing');
  if (notBefore === null) return;
  await ports.taskQueue?.cancel(taskName(entry, publishTime(entry, notBefore, ports.digest))).catch(() => {}); // best effort: a task that still runs finds the email canceled
  await ports.contentStore?.remove(objectName(entry.id)).catch(() => {});
}

/**
 * Moves a scheduled email to another time: first a new queue message, then the time in the ledger, by which a worker tells the
 * old message from the new one. The old task is not deleted, because Cloud Tasks does not accept its name again. Throws
 * MailFailure: not_scheduled, request_invalid, and what the task queue throws.
 */
export async function reschedule({ entry, version }: LedgerRecord, text: string, ports: Ports): Promise<void> {
  const { id, state, notBefore } = entry;
  if (!ports.taskQueue || state !== 'scheduled' || notBefore === null || notBefore <= ports.now()) throw notScheduled(state);
  await prepareTime({ scheduled_at: text });
  const at = dueAt(text, ports.now()) ?? ports.now();
  if (at === notBefore) return;
  const message = await ports.taskQueue.get(taskName(entry, notBefore));
  if (!message) throw notScheduled('changing');
  // The content is written to the bucket again, and the entry expires later: both would be deleted before a time that is far
  // ahead.
  const content = await readContent(message, ports);
  const moving = await toQueueMessage(id, content, 'later', ports);
  await publishLater(moving, at, taskName(entry, at), ports.taskQueue);
  const moved = apply(entry, { type: 'reschedule', notBefore: at, expireAt: at + KEEP_MS });
  if (!(await ports.ledger.replace({ entry, version }, moved))) throw notScheduled('changing');
  // The new message may have arrived before the entry was written; the worker then acknowledged it as too early. So the message is
  // published again.
  if (at > ports.now()) return;
  const { publish } = await import('./queue/enqueue.ts');
  await publish(moved, content, ports).catch(() => {});
}

const notScheduled = (state: string): MailFailure =>
  new MailFailure('not_scheduled', `The email can no longer be changed: it is ${state}, not waiting for its time.`);
