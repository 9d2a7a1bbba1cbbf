import type { Config } from './config.ts';
import type { Outcome } from './outcome.ts';
import type { Ports } from './ports.ts';
import { type Order, send } from './send.ts';

/**
 * Takes an order from somebody who waits for the answer: sends it, or hands it over to the queue, as the config says.
 * Answers how it ended; `queued` once the message is durable, then the mail is the worker's. Throws MailFailure for an
 * order that never became a mail.
 */
export async function accept(order: Order, config: Config, ports: Ports): Promise<Outcome> {
  return send(order, config, ports);
}
