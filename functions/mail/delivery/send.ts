import type { PreparedEmail } from '../message/prepared-email.ts';
import type { Config } from '../model/config.ts';
import { failureInfo, type MailFailure, toFailure } from '../model/failure.ts';
import { attempt, recordOutcome } from './attempt.ts';
import { claimMail, recordRejected } from './claim.ts';
import { beginBesideClaim, type HeadStart, isFor, stampForHeadStart } from './head-start.ts';
import type { LedgerRecord } from './ledger.ts';
import { type Outcome, outcomeOf } from './outcome.ts';
import type { Ports } from './ports.ts';
import { checkLimits, countersOf, limitsFor, type RateLimit } from './rate-limits.ts';
import type { Submission, SubmissionContext } from './submission.ts';
import { suppressedFailure } from './suppressed.ts';

/** Sends a claimed email. The claim counted the email, unless Gmail may have it already. */
export async function sendClaimed(
  claim: LedgerRecord,
  draft: PreparedEmail,
  rules: readonly RateLimit[],
  ports: Ports,
  early: HeadStart | null = null,
): Promise<Outcome> {
  const { id, acceptedAt, idHeader, state } = claim.entry;
  const admission = state === 'claimed' ? await checkLimits(rules, claim.counts ?? [], ports) : null;
  const refused = admission && !admission.failure ? await suppressedFailure(draft, ports).catch(toFailure) : null;
  const { quota = null, own = false } = admission ?? {};
  const failure = admission?.failure ?? refused;
  const opening = early && isFor(early, claim.entry) ? early.opened : null;
  const make = () => draft.compose({ id, acceptedAt, idHeader: idHeader !== undefined }, ports);
  const outcome = failure
    ? await recordOutcome(claim, outcomeOf(failure, id, ports.now()), ports)
    : await attempt(claim, draft.sender, make, ports, opening);
  if (outcome.state !== 'sent') early?.waste();
  if (refused || outcome.state === 'retry' || outcome.state === 'parked') await admission?.refund(); // the next attempt is counted again
  return { ...outcome, ...(own && { own }), ...(quota && { quota }) };
}

/**
 * Records a platform's delivery that can never become an email, so that a redelivery is only answered. Rethrows a failure that
 * the request did not cause: once an operator has fixed the set-up, the same delivery becomes an email.
 */
export async function recordRefusal({ body, caller, key, keyMs }: Submission, failure: MailFailure, ports: Ports): Promise<Outcome> {
  const { blame, retry } = failureInfo(failure.code);
  if (blame !== 'caller' || retry !== 'never') throw failure;
  return recordRejected(
    { requestHash: ports.digest(JSON.stringify(body) ?? ''), caller: caller.id, key, ...(keyMs && { keyMs }) },
    failure,
    ports,
  );
}

/** From a checked email to its outcome: claim and count, then send. Work that does not need the claim begins beside it. */
export async function sendNow(draft: PreparedEmail, asking: SubmissionContext, config: Config, ports: Ports): Promise<Outcome> {
  const { caller, ...asked } = asking;
  const rules = limitsFor(caller, draft.sender.mailbox, ports);
  const stamp = stampForHeadStart(asking, draft, ports);
  const claiming = claimMail({ ...draft, ...asked, caller: caller.id, ...(stamp && { stamp }) }, countersOf(rules), config, ports);
  const early = stamp && beginBesideClaim(stamp, draft, ports);
  try {
    const claim = await claiming;
    if ('entry' in claim) return await sendClaimed(claim, draft, rules, ports, early);
    early?.waste();
    return claim;
  } catch (error) {
    early?.waste();
    throw error;
  }
}
