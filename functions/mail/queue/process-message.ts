import type { Outcome } from '../delivery/outcome.ts';
import type { Ports, QueueMessage } from '../delivery/ports.ts';
import { recordRefusal, sendNow } from '../delivery/send.ts';
import type { Submission } from '../delivery/submission.ts';
import { prepareEmail } from '../message/prepared-email.ts';
import { prepareTime } from '../message/scheduled-at.ts';
import type { Config } from '../model/config.ts';
import { type FailureCode, failureInfo, type MailFailure, toFailure } from '../model/failure.ts';
import { deadLetterEmail, detailOf, publishDeadLetter } from './dead-letter.ts';
import { emailIdOf, KEY_ATTRIBUTE, MAIL_ATTRIBUTE, withAttributes } from './queue-message.ts';
import { DELIVERIES_MAX } from './retry-policy.ts';
import { postponeUnread, settleMessage } from './settle-message.ts';

/** A message that a platform delivers until it is acknowledged: a new request, or an email that was accepted before. */
export interface PlatformDelivery {
  readonly order: Submission;
  readonly message: QueueMessage;
  /** How often this message was delivered; null where the platform does not say. */
  readonly delivery: number | null;
  /** Why the message holds no email, where its data cannot be read as one. */
  readonly unreadable?: MailFailure;
}

/** The result: an outcome, or a refusal of a message that holds no valid email; and whether to acknowledge the message. */
export interface ProcessedMessage {
  readonly outcome: Outcome | null;
  readonly failure: MailFailure | null;
  /** Who requested the email. */
  readonly caller: string;
  readonly acknowledged: boolean;
}

// An operator has dropped the email, or its key belongs to another email: no field of the message is wrong.
const ANSWERED: ReadonlySet<FailureCode> = new Set(['dropped', 'idempotency_mismatch']);

// Failures of the message itself, which every delivery would meet.
const POISON: ReadonlySet<FailureCode> = new Set(['mail_unknown', 'message_foreign']);

/** Processes a delivered queue message. Throws MailFailure if nothing was recorded and the platform must redeliver. */
export async function processMessage(
  { order, message: given, delivery, unreadable }: PlatformDelivery,
  config: Config,
  ports: Ports,
): Promise<ProcessedMessage> {
  const id = emailIdOf(given);
  const message = withAttributes(given, { [KEY_ATTRIBUTE]: order.key });
  try {
    const { outcome, caller } =
      id === null ? await sendOrRefuse(order, unreadable, config, ports) : await resumed(id, message, config, ports);
    // A publisher gets no answer: the dead letter says what is wrong with the email.
    const wrong = id === null && outcome.state === 'failed' && !ANSWERED.has(outcome.failure.code);
    const acknowledged = wrong
      ? await deadLetterEmail(outcome.id, message, outcome.failure.code, ports, detailOf(outcome.failure)).catch(() => false)
      : await settleMessage(outcome, message, delivery, ports);
    return { outcome, failure: null, caller, acknowledged };
  } catch (error) {
    const failure = toFailure(error);
    const last = (delivery ?? 0) >= DELIVERIES_MAX;
    // A failure that may pass, such as an outage of the ledger, does not fail an email. A publisher's order without a known id
    // would become a second email when published again.
    if (last && id !== null && failureInfo(failure.code).retry === 'soon' && (await postponeUnread(id, message, ports).catch(() => false)))
      return { outcome: null, failure, caller: order.caller.id, acknowledged: true };
    if (!ports.deadLetters || !(last || POISON.has(failure.code))) throw failure;
    const named = withAttributes(message, { [MAIL_ATTRIBUTE]: failure.emailId });
    const acknowledged = await publishDeadLetter(named, failure.code, ports).catch(() => false);
    return { outcome: null, failure, caller: order.caller.id, acknowledged };
  }
}

interface Ended {
  readonly outcome: Outcome;
  readonly caller: string;
}

async function sendOrRefuse(order: Submission, unreadable: MailFailure | undefined, config: Config, ports: Ports): Promise<Ended> {
  const sending = unreadable ? Promise.reject(unreadable) : send(order, config, ports);
  const outcome = await sending.catch((error: unknown) => recordRefusal(order, toFailure(error), ports));
  return { outcome, caller: order.caller.id };
}

let resuming: typeof import('./resume.ts') | undefined; // loaded only by a worker that has a queue, once per instance

async function resumed(id: string, message: QueueMessage, config: Config, ports: Ports): Promise<Ended> {
  resuming ??= await import('./resume.ts');
  return resuming.resume(id, message, config, ports);
}

/** One email that a platform delivered: sent now, or queued until its time. */
export async function send(order: Submission, config: Config, ports: Ports): Promise<Outcome> {
  await prepareTime(order.body);
  const draft = prepareEmail(order.body, order.caller, config, ports);
  if (draft.dueAt !== null) {
    const { enqueue } = await import('./enqueue.ts');
    const put = await enqueue(draft, order, config, ports);
    if (put) return put;
  }
  return sendNow(draft, order, config, ports);
}
