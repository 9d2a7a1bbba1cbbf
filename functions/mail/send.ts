import { claimMail, recordRefusal } from './claim.ts';
import type { Caller, Config } from './config.ts';
import { deliver, settle } from './deliver.ts';
import { type Draft, draftMail } from './draft.ts';
import { consequence, type MailFailure } from './failure.ts';
import { admit } from './limits.ts';
import { type Outcome, outcomeOf } from './outcome.ts';
import type { Ports } from './ports.ts';

/** Who asks for a mail, and how it is known again when it is asked for twice. */
export interface Asking {
  readonly caller: Caller;
  /** The idempotency key, or null for a mail that is new each time. */
  readonly key: string | null;
  /** See Claim. */
  readonly retryFailed: boolean;
  readonly pinned?: boolean;
  readonly keyMs?: number;
  /** What two orders under one key must have in common, where it is not the mail: an event may be rendered anew. */
  readonly payload?: string;
}

/** One mail that somebody asks for. `body` is outside data in the shape of Resend's `POST /emails`. */
export interface Order extends Asking {
  readonly body: unknown;
}

/**
 * The journey of one mail, top to bottom. Answers how it ended; throws MailFailure for an order that never became a
 * mail (refused before the claim, or claimed by somebody else), so that nothing was sent and nothing is recorded.
 */
export async function send(order: Order, config: Config, ports: Ports): Promise<Outcome> {
  return dispatch(draftMail(order.body, order.caller, config, ports.digest), order, config, ports);
}

/** The journey from a checked draft on: claim, count, deliver. */
export async function dispatch(draft: Draft, { caller, ...asked }: Asking, config: Config, ports: Ports): Promise<Outcome> {
  const claim = await claimMail({ ...draft, ...asked, caller: caller.id }, config, ports);
  if (!('entry' in claim)) return claim;
  const { id, acceptedAt, handle } = claim.entry;
  // A letter that may be with Gmail already is asked about, whatever the limits say now.
  const admission = handle === null ? await admit(caller, draft.sender.mailbox, ports) : null;
  const { failure = null, quota = null } = admission ?? {};
  const outcome = failure
    ? await settle(claim, outcomeOf(failure, id, ports.now()), ports)
    : await deliver(claim, draft.sender, () => draft.compose({ id, acceptedAt }, ports), ports);
  if (outcome.state === 'retry' || outcome.state === 'parked') await admission?.giveBack(); // its next attempt counts anew
  return quota ? { ...outcome, quota } : outcome;
}

/**
 * Records an order that a platform delivered and that can never become a mail, so that its redelivery is only answered.
 * Rethrows what is not the order's own fault: when the set-up is mended, the same delivery becomes a mail.
 */
export async function refuse({ body, caller, key, keyMs }: Order, failure: MailFailure, ports: Ports): Promise<Outcome> {
  const { blame, retry } = consequence(failure.code);
  if (blame !== 'caller' || retry !== 'never') throw failure;
  return recordRefusal(
    { payload: ports.digest(JSON.stringify(body) ?? ''), caller: caller.id, key, ...(keyMs && { keyMs }) },
    failure,
    ports,
  );
}
