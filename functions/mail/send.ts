import type { Asking } from './caller.ts';
import { claimMail, recordRefusal } from './claim.ts';
import type { Config } from './config.ts';
import { deliver, settle } from './deliver.ts';
import { type Draft, draftMail } from './draft.ts';
import { consequence, type MailFailure } from './failure.ts';
import type { Found } from './ledger.ts';
import { countersOf, judge, type Rule, rulesOf } from './limits.ts';
import { type Outcome, outcomeOf } from './outcome.ts';
import type { AccessToken, Ports } from './ports.ts';
import type { Sender } from './sender.ts';

/** One mail that somebody asks for. `body` is outside data in the shape of Resend's `POST /emails`. */
export interface Order extends Asking {
  readonly body: unknown;
}

/**
 * The journey of one mail, top to bottom. Answers how it ended; throws MailFailure for an order that never became a
 * mail (refused before the claim, or claimed by somebody else), so that nothing was sent and nothing is recorded.
 */
export async function send(order: Order, config: Config, ports: Ports): Promise<Outcome> {
  return dispatch(draftMail(order.body, order.caller, config, ports), order, config, ports);
}

/** The journey from a checked draft on: claim and count, deliver; one of a later time is put by for then. */
export async function dispatch(draft: Draft, asking: Asking, config: Config, ports: Ports): Promise<Outcome> {
  if (draft.dueAt !== null) {
    const { enqueue } = await import('./enqueue.ts');
    const put = await enqueue(draft, asking, config, ports);
    if (put) return put;
  }
  const { caller, ...asked } = asking;
  const rules = rulesOf(caller, draft.sender.mailbox, ports);
  const early = asked.retryFailed && caller.limits === undefined ? mintEarly(draft.sender, ports) : null;
  const claim = await claimMail({ ...draft, ...asked, caller: caller.id }, countersOf(rules), config, ports);
  return 'entry' in claim ? work(claim, draft, rules, ports, early) : claim;
}

/**
 * Starts the token beside the claim: neither needs the other, and each is a round trip or two. A mail that turns out to be known
 * has then cost a token that nobody uses: so not for a platform, whose deliveries are often repetitions and wait for nothing, and
 * not for a caller with limits of its own, who may knock on a closed door for long and would have us knock on Google's.
 */
function mintEarly(sender: Sender, ports: Ports): Promise<AccessToken> {
  const early = ports.token(sender);
  early.catch(() => {}); // it is looked at only if the mail is ours
  return early;
}

/** The journey of a mail that is ours: it was counted with its claim, unless it may be with Gmail already. */
export async function work(
  claim: Found,
  draft: Draft,
  rules: readonly Rule[],
  ports: Ports,
  early: Promise<AccessToken> | null = null,
): Promise<Outcome> {
  const { id, acceptedAt, handle } = claim.entry;
  const admission = handle === null ? await judge(rules, claim.counts ?? [], ports) : null;
  const { failure = null, quota = null, own = false } = admission ?? {};
  const outcome = failure
    ? await settle(claim, outcomeOf(failure, id, ports.now()), ports)
    : await deliver(claim, draft.sender, () => draft.compose({ id, acceptedAt }, ports), ports, early);
  if (outcome.state === 'retry' || outcome.state === 'parked') await admission?.giveBack(); // its next attempt counts anew
  return { ...outcome, ...(own && { own }), ...(quota && { quota }) };
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
