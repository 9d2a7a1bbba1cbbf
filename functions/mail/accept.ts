import type { Outcome } from './delivery/outcome.ts';
import type { Ports } from './delivery/ports.ts';
import { sendNow } from './delivery/send.ts';
import type { Submission, SubmissionContext } from './delivery/submission.ts';
import { type PreparedEmail, prepareEmail } from './message/prepared-email.ts';
import { prepareTime } from './message/scheduled-at.ts';
import type { Config } from './model/config.ts';

/**
 * Accepts one email of a caller that waits for the answer: sends it, or hands it over to the queue, as the configuration says.
 * Returns the outcome; `queued` means that the queue message is durable and the worker will send the email. Throws MailFailure
 * for a request that is no valid email.
 */
export async function accept(order: Submission, config: Config, ports: Ports): Promise<Outcome> {
  await prepareTime(order.body);
  return acceptPrepared(prepareEmail(order.body, order.caller, config, ports), order, config, ports);
}

/**
 * As `accept`, for an email that is checked already. An email that a direct attempt could not send now goes to the queue, if there
 * is one.
 */
export async function acceptPrepared(draft: PreparedEmail, asking: SubmissionContext, config: Config, ports: Ports): Promise<Outcome> {
  if (config.delivery === 'queued' || draft.dueAt !== null) {
    const { enqueue } = await import('./queue/enqueue.ts');
    const put = await enqueue(draft, asking, config, ports);
    if (put) return put;
  }
  const outcome = await sendNow(draft, asking, config, ports);
  // Without Cloud Tasks, Pub/Sub would redeliver a parked email until it is a dead letter. So the caller gets the failure and must
  // repeat the request.
  const passing = outcome.state === 'retry' || (outcome.state === 'parked' && ports.taskQueue !== null);
  if (!ports.queue || !passing || outcome.own || outcome.unrecorded) return outcome;
  const { handOffToQueue } = await import('./queue/enqueue.ts');
  const handed = await handOffToQueue(outcome.id, draft, asking, config, ports).catch(() => null);
  return handed ? { ...handed, ...(outcome.quota && { quota: outcome.quota }) } : outcome;
}
