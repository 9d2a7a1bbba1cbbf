import { type PreparedEmail, prepareEmail } from '../message/prepared-email.ts';
import type { Config, Mailbox } from '../model/config.ts';
import { MailFailure, toFailure } from '../model/failure.ts';
import { mayRepeat, notFoundFailure, queryOutcome } from './attempt.ts';
import { takeOver } from './claim.ts';
import type { Entry, LedgerRecord } from './ledger.ts';
import type { Outcome } from './outcome.ts';
import type { Ports } from './ports.ts';
import { countersOf, limitsFor } from './rate-limits.ts';
import { sendClaimed } from './send.ts';
import { allows, apply, type Event } from './transitions.ts';

/** What an operator may decide about an email. */
export type Decision = 'resend' | 'drop';

/** Decisions that are allowed for an email now; none while an invocation works on it. */
export function decisionsFor(entry: Entry, now: number): Decision[] {
  if (entry.leaseUntil > now) return [];
  return [...(allows(entry, 'release') ? (['resend'] as const) : []), ...(allows(entry, 'drop') ? (['drop'] as const) : [])];
}

/**
 * Queries Gmail once more for the outcome of an email that Gmail may have, and records the answer. Sends nothing. Throws
 * MailFailure: in_flight, and what the ledger and the token endpoint throw.
 */
export async function reconcile(found: LedgerRecord, mailbox: Mailbox, ports: Ports): Promise<LedgerRecord> {
  const { sessionUri, code, state, leaseUntil } = found.entry;
  if ((state !== 'unknown' && state !== 'sending') || sessionUri === null || code === 'session_gone') return found;
  if (leaseUntil > ports.now()) throw inFlight(leaseUntil);
  await ports.token({ mailbox }); // fails before the lease is taken if Gmail cannot be queried
  const held = await takeOver(found, [], ports);
  const progress = await queryOutcome(held, mailbox, ports).catch((error: unknown) => toFailure(error));
  if (progress instanceof MailFailure) return change(held, { type: 'lose', code: 'delivery_unknown' }, ports);
  if (progress.state === 'accepted') return change(held, { ...progress, type: 'accept' }, ports);
  if (progress.state === 'gone') return change(held, { type: 'lose', code: 'session_gone' }, ports);
  if (!mayRepeat(held, ports.transport(mailbox))) return change(held, { type: 'lose', code: notFoundFailure(held, ports) }, ports);
  // Gmail waits for the rest of the email, so the next invocation continues in the same session. A new session could make a second
  // email, if bytes of a suspended invocation still arrived in the old one.
  return change(held, { type: 'ask' }, ports);
}

/** True where Gmail waits for the rest: the next invocation completes the email in the same session. */
export const waitsForRest = ({ entry: { state, leaseUntil } }: LedgerRecord): boolean => state === 'sending' && leaseUntil === 0;

/**
 * Releases an email: the next delivery of it, or the next request with its key, sends it again under the same id and Message-ID.
 * A waiting email stays as it is; null where there is nothing to decide. Throws MailFailure: in_flight.
 */
export async function release(found: LedgerRecord, ports: Ports): Promise<LedgerRecord | null> {
  const { state, leaseUntil } = found.entry;
  if (state === 'waiting') return found;
  if (leaseUntil > ports.now()) throw inFlight(leaseUntil);
  return allows(found.entry, 'release') ? change(found, { type: 'release' }, ports) : null;
}

/**
 * Clears the mark of a dead letter when its message goes back to the queue, so that a second dead letter is published if the
 * email fails again. Throws MailFailure: in_flight.
 */
export async function clearDeadLetter(found: LedgerRecord, ports: Ports): Promise<void> {
  if (found.entry.deadLetterAt !== undefined) await change(found, { type: 'clearDeadLetter' }, ports);
}

/** Ends an email: no later delivery or request sends it. A dropped email stays dropped; null as in `release`. */
export async function drop(found: LedgerRecord, ports: Ports): Promise<LedgerRecord | null> {
  const { state, leaseUntil, code } = found.entry;
  if (state === 'failed' && code === 'dropped') return found;
  if (leaseUntil > ports.now()) throw inFlight(leaseUntil);
  return allows(found.entry, 'drop') ? change(found, { type: 'drop' }, ports) : null;
}

async function change(found: LedgerRecord, event: Event, { ledger, now, leaseMs }: Ports): Promise<LedgerRecord> {
  const written = await ledger.replace(found, apply(found.entry, event));
  if (!written) throw inFlight(now() + leaseMs);
  return written;
}

const inFlight = (until: number): MailFailure => new MailFailure('in_flight', 'Somebody else has changed the email just now.', until);

/**
 * Reads the original request again. A request with different content is refused by its hash in the ledger. Throws MailFailure:
 * idempotency_mismatch, and the codes of an invalid request.
 */
export function prepareForDecision(
  { entry: { requestHash, caller } }: LedgerRecord,
  body: unknown,
  config: Config,
  ports: Ports,
): PreparedEmail {
  const draft = prepareEmail(body, { id: caller, from: null, to: null }, config, ports);
  if (draft.requestHash === requestHash) return draft;
  throw new MailFailure('idempotency_mismatch', 'The file holds another email than the one that was asked for.');
}

/** Sends a released email now. Throws MailFailure: in_flight. */
export async function sendReleased(found: LedgerRecord, draft: PreparedEmail, ports: Ports): Promise<Outcome> {
  const rules = limitsFor(null, draft.sender.mailbox, ports);
  return sendClaimed(await takeOver(found, countersOf(rules), ports), draft, rules, ports);
}
