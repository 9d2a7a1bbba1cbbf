import type { Outcome } from '../delivery/outcome.ts';
import type { Ports, QueueMessage } from '../delivery/ports.ts';
import { refuse, sendNow } from '../delivery/send.ts';
import type { Submission } from '../delivery/submission.ts';
import { prepareEmail } from '../message/prepared-email.ts';
import { prepareTime } from '../message/scheduled-at.ts';
import type { Config } from '../model/config.ts';
import { type FailureCode, failureInfo, type MailFailure, toFailure } from '../model/failure.ts';
import { deadLetterEmail, detailOf, publishDeadLetter } from './dead-letter.ts';
import { emailIdOf, KEY_ATTRIBUTE, MAIL_ATTRIBUTE, withAttributes } from './queue-message.ts';
import { DELIVERIES_MAX } from './retry-policy.ts';
import { postponeUnread, settleMessage } from './settle-message.ts';

/** What a platform delivers until it is acknowledged: an order, or an email that was accepted before and is known by its message. */
export interface PlatformDelivery {
  readonly order: Submission;
  readonly message: QueueMessage;
  /** How often this message was delivered; null where the platform does not say. */
  readonly delivery: number | null;
}

/** What came of it: an outcome, or a refusal of what is no email; and whether the message is done with, so to be acknowledged. */
export interface ProcessedMessage {
  readonly outcome: Outcome | null;
  readonly failure: MailFailure | null;
  /** Who asked for the mail. */
  readonly caller: string;
  readonly acknowledged: boolean;
}

// A person has dropped it, or its key is another email's: no field of it is wrong.
const ANSWERED: ReadonlySet<FailureCode> = new Set(['dropped', 'idempotency_mismatch']);

// What is wrong with the message itself, and stays wrong.
const POISON: ReadonlySet<FailureCode> = new Set(['mail_unknown', 'message_foreign']);

/** Processes a delivered queue message. Throws MailFailure if nothing was recorded and the platform must redeliver. */
export async function processMessage(
  { order, message: given, delivery }: PlatformDelivery,
  config: Config,
  ports: Ports,
): Promise<ProcessedMessage> {
  const id = emailIdOf(given);
  const message = withAttributes(given, { [KEY_ATTRIBUTE]: order.key });
  try {
    const { outcome, caller } = id === null ? await sendOrRefuse(order, config, ports) : await resumed(id, message, config, ports);
    // A publisher hears no answer: what is wrong with an email of theirs is said with it, in a dead letter.
    const wrong = id === null && outcome.state === 'failed' && !ANSWERED.has(outcome.failure.code);
    const acknowledged = wrong
      ? await deadLetterEmail(outcome.id, message, outcome.failure.code, ports, detailOf(outcome.failure)).catch(() => false)
      : await settleMessage(outcome, message, delivery, ports);
    return { outcome, failure: null, caller, acknowledged };
  } catch (error) {
    const failure = toFailure(error);
    const last = (delivery ?? 0) >= DELIVERIES_MAX;
    // What passes by itself, as an outage of the ledger, ends no mail. A publisher's order would be another email by then.
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

async function sendOrRefuse(order: Submission, config: Config, ports: Ports): Promise<Ended> {
  const outcome = await send(order, config, ports).catch((error: unknown) => refuse(order, toFailure(error), ports));
  return { outcome, caller: order.caller.id };
}

let resuming: typeof import('./resume.ts') | undefined; // only a worker of a queue pays for it, and an instance once

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
