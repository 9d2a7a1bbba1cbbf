import type { PreparedEmail } from '../message/prepared-email.ts';
import type { Sender } from '../message/sender.ts';
import type { Config } from '../model/config.ts';
import { failureInfo, type MailFailure } from '../model/failure.ts';
import type { AccessToken } from '../model/secret.ts';
import { attempt, recordOutcome } from './attempt.ts';
import { claimMail, recordRejected } from './claim.ts';
import type { LedgerRecord } from './ledger.ts';
import { type Outcome, outcomeOf } from './outcome.ts';
import type { Ports } from './ports.ts';
import { checkLimits, countersOf, limitsFor, type RateLimit } from './rate-limits.ts';
import type { Submission, SubmissionContext } from './submission.ts';

/**
 * Starts the token beside the claim: neither needs the other, and each is a round trip or two. A mail that turns out to be known
 * has then cost a token that nobody uses: so not for a platform, whose deliveries are often repetitions and wait for nothing, and
 * not for a caller with its own limits: each of its rate-limited requests would cost a token request.
 */
function prefetchToken(sender: Sender, ports: Ports): Promise<AccessToken> {
  const early = ports.token(sender);
  early.catch(() => {}); // it is looked at only if the mail is ours
  return early;
}

/** The journey of a mail that is ours: it was counted with its claim, unless it may be with Gmail already. */
export async function work(
  claim: LedgerRecord,
  draft: PreparedEmail,
  rules: readonly RateLimit[],
  ports: Ports,
  early: Promise<AccessToken> | null = null,
): Promise<Outcome> {
  const { id, acceptedAt, idHeader, state } = claim.entry;
  const admission = state === 'claimed' ? await checkLimits(rules, claim.counts ?? [], ports) : null;
  const { failure = null, quota = null, own = false } = admission ?? {};
  const outcome = failure
    ? await recordOutcome(claim, outcomeOf(failure, id, ports.now()), ports)
    : await attempt(claim, draft.sender, () => draft.compose({ id, acceptedAt, idHeader: idHeader !== undefined }, ports), ports, early);
  if (outcome.state === 'retry' || outcome.state === 'parked') await admission?.refund(); // its next attempt counts anew
  return { ...outcome, ...(own && { own }), ...(quota && { quota }) };
}

/**
 * Records an order that a platform delivered and that can never become a mail, so that its redelivery is only answered.
 * Rethrows a failure that the request did not cause: once the set-up is fixed, the same delivery becomes an email.
 */
export async function refuse({ body, caller, key, keyMs }: Submission, failure: MailFailure, ports: Ports): Promise<Outcome> {
  const { blame, retry } = failureInfo(failure.code);
  if (blame !== 'caller' || retry !== 'never') throw failure;
  return recordRejected(
    { requestHash: ports.digest(JSON.stringify(body) ?? ''), caller: caller.id, key, ...(keyMs && { keyMs }) },
    failure,
    ports,
  );
}

/** The journey from a checked draft on: claim and count, deliver. */
export async function sendNow(draft: PreparedEmail, asking: SubmissionContext, config: Config, ports: Ports): Promise<Outcome> {
  const { caller, ...asked } = asking;
  const rules = limitsFor(caller, draft.sender.mailbox, ports);
  const early = asked.retryFailed && caller.limits === undefined ? prefetchToken(draft.sender, ports) : null;
  const claim = await claimMail({ ...draft, ...asked, caller: caller.id }, countersOf(rules), config, ports);
  return 'entry' in claim ? work(claim, draft, rules, ports, early) : claim;
}
