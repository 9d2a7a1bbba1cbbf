import { claimMail, recordRefusal } from './claim.ts';
import type { Caller, Config } from './config.ts';
import { deliver } from './deliver.ts';
import { consequence, type MailFailure } from './failure.ts';
import { compose } from './mime.ts';
import type { Outcome } from './outcome.ts';
import { authorise } from './policy.ts';
import type { Ports } from './ports.ts';
import { fingerprint, parseRequest } from './request.ts';
import { resolveSender } from './sender.ts';

/** One mail that somebody asks for. `body` is outside data in the shape of Resend's `POST /emails`. */
export interface Order {
  readonly body: unknown;
  readonly caller: Caller;
  /** The idempotency key, or null for a mail that is new each time. */
  readonly key: string | null;
  /** See Claim. */
  readonly retryFailed: boolean;
}

/**
 * The journey of one mail, top to bottom. Answers how it ended; throws MailFailure for an order that never became a
 * mail (refused before the claim, or claimed by somebody else), so that nothing was sent and nothing is recorded.
 */
export async function send({ body, caller, key, retryFailed }: Order, config: Config, ports: Ports): Promise<Outcome> {
  const request = parseRequest(body);
  authorise(caller, request);
  const sender = resolveSender(config, request.from);
  const payload = fingerprint(request, ports.digest);
  const claim = await claimMail({ request, sender, caller: caller.id, payload, key, retryFailed }, config, ports);
  if (!('entry' in claim)) return claim;
  const { id, acceptedAt } = claim.entry;
  return deliver(claim, sender, () => compose(request, sender, { id, acceptedAt }), ports);
}

/**
 * Records an order that a platform delivered and that can never become a mail, so that its redelivery is only answered.
 * Rethrows what is not the order's own fault: when the set-up is mended, the same delivery becomes a mail.
 */
export async function refuse({ body, caller, key }: Order, failure: MailFailure, ports: Ports): Promise<Outcome> {
  const { blame, retry } = consequence(failure.code);
  if (blame !== 'caller' || retry !== 'never') throw failure;
  return recordRefusal({ payload: ports.digest(JSON.stringify(body) ?? ''), caller: caller.id, key }, failure, ports);
}
