import type { Stamp } from '../message/mime-message.ts';
import type { Sender } from '../message/sender.ts';
import { type Address, normaliseAddress, pseudonym } from '../model/address.ts';
import type { Config } from '../model/config.ts';
import type { Tag } from '../model/email-event.ts';
import { type FailureCode, failureInfo, fieldsIn, MailFailure } from '../model/failure.ts';
import type { Counter, Entry, LedgerKey, LedgerRecord, State } from './ledger.ts';
import { type Outcome, outcomeOf } from './outcome.ts';
import type { Ports } from './ports.ts';
import { apply } from './transitions.ts';

const DAY_MS = 24 * 60 * 60_000;
const CALLER_KEY_MS = DAY_MS; // Resend keeps idempotency keys for 24 hours
const DELIVERY_KEY_MS = 32 * DAY_MS; // a platform may deliver for as long as it keeps a message, 31 days in Pub/Sub
/** How long an entry is kept after the time at which its email was due: an email whose entry is gone is never sent. */
export const KEEP_MS = 33 * DAY_MS;
/** Clock-skew tolerance: a message that arrives this little before its time counts as due. */
const CLOCK_SKEW_MS = 5_000;

/** An email to claim. `key` is the raw idempotency key, which is unique only together with the caller. */
export interface Claim {
  readonly sender: Sender;
  readonly recipients: readonly Address[];
  readonly caller: string;
  readonly requestHash: string;
  readonly tags?: readonly Tag[];
  readonly key: string | null;
  /**
   * True where a caller repeats the request for a failed email: the email is tried again. A platform's redelivery is only
   * answered.
   */
  readonly retryFailed: boolean;
  /** One of several emails under one idempotency key: a different request is refused even after a failure. */
  readonly pinned?: boolean;
  /**
   * How long the key maps to this email at least, in milliseconds; the default is one day for callers and 32 days for platforms.
   */
  readonly keyMs?: number;
  /** Id and time of acceptance, where work on the email began before the claim. */
  readonly stamp?: Stamp;
}

/** The initial state of an entry: claimed by the invocation that writes it, or queued for a worker. */
export type Beginning = Pick<Entry, 'state' | 'attempts' | 'leaseUntil'> & Partial<Entry>;

/** The result of a claim: `begun` is a new entry, or a failed email that begins again; `there` is the existing entry. */
export type Claimed = { readonly begun: LedgerRecord } | { readonly there: LedgerRecord };

/**
 * Creates the entry of the email and counts the email in the same step, or returns the entry that the key maps to. Throws
 * MailFailure: idempotency_mismatch, in_flight, ledger_unavailable.
 */
export async function createOrFind(
  claim: Claim,
  beginning: Beginning,
  counters: readonly Counter[],
  config: Config,
  ports: Ports,
): Promise<Claimed> {
  const shown = (address: string): string => (config.ledger.addresses === 'plain' ? address : pseudonym(normaliseAddress(address), ports));
  const people = { mailbox: shown(claim.sender.mailbox.address), recipients: claim.recipients.map(({ address }) => shown(address)) };
  const key = ledgerKey(claim, ports, claim.keyMs ?? (claim.retryFailed ? CALLER_KEY_MS : DELIVERY_KEY_MS));
  const fresh = { ...newEntry(claim, key, ports), ...people, ...beginning };
  const { created, found } = await ports.ledger.create(fresh, key, ports.now(), counters);
  if (created) return { begun: found };
  const same = found.entry.requestHash === claim.requestHash;
  if (found.entry.state === 'failed' && found.entry.code !== 'dropped' && claim.retryFailed && (same || !claim.pinned)) {
    const anew = apply(found.entry, { type: 'resubmit', fresh, claimId: ports.newId() });
    const begun = await ports.ledger.replace(found, anew, counters);
    if (!begun) throw inFlight(found.entry, ports.now() + ports.leaseMs);
    return { begun };
  }
  if (!same) throw new MailFailure('idempotency_mismatch', 'This idempotency key was used before with another payload.');
  return { there: found };
}

/**
 * Claims the email for this invocation, or returns its known outcome. A claim whose lease has run out is taken over: in state
 * `sending` the new holder must query Gmail first. Throws MailFailure: in_flight, idempotency_mismatch, ledger_unavailable.
 */
export async function claimMail(claim: Claim, counters: readonly Counter[], config: Config, ports: Ports): Promise<LedgerRecord | Outcome> {
  const mine = { state: 'claimed' as const, attempts: 1, leaseUntil: ports.now() + ports.leaseMs };
  const claimed = await createOrFind(claim, mine, counters, config, ports);
  if ('begun' in claimed) return claimed.begun;
  return knownOutcome(claimed.there.entry, ports.now()) ?? takeOver(claimed.there, counters, ports);
}

/**
 * The outcome of an email that needs no work now, or must not be worked on; null if the email may be taken over. Throws:
 * in_flight.
 */
export function knownOutcome(entry: Entry, now: number): Outcome | null {
  const { id, state, notBefore } = entry;
  if (state === 'sent') return { state, id, gmailId: entry.gmailId ?? '', ...refusedBy(entry), repeated: true };
  if (state === 'canceled') return { state, id };
  if (entry.leaseUntil > now) throw inFlight(entry, entry.leaseUntil);
  const early = (notBefore ?? 0) > now + CLOCK_SKEW_MS;
  if (state === 'scheduled' && early) return { state: 'queued', id, dueAt: notBefore };
  const code = (entry.code ?? 'unexpected') as FailureCode;
  const about = entry.fields ? ` It is about \`${entry.fields.replaceAll(', ', '`, `')}\`.` : '';
  const failure = new MailFailure(code, `${failureInfo(code).summary}${about}`, notBefore);
  if (state === 'failed') return { state, id, failure };
  return (state === 'parked' && early) || failureInfo(code).retry === 'person' ? outcomeOf(failure, id, now) : null;
}

const refusedBy = ({ rejected }: Entry): { readonly rejected?: number } => (rejected ? { rejected } : {});

const ASKING: ReadonlySet<State> = new Set(['sending', 'unknown']);

/** Takes the lease on an entry, and counts the email. An email that Gmail may have is only queried, whatever the limits say. */
export async function takeOver(found: LedgerRecord, counters: readonly Counter[], ports: Ports): Promise<LedgerRecord> {
  const leaseUntil = ports.now() + ports.leaseMs;
  const claimed = apply(found.entry, { type: 'claim', claimId: ports.newId(), leaseUntil });
  const taken = await ports.ledger.replace(found, claimed, ASKING.has(claimed.state) ? [] : counters);
  if (!taken) throw inFlight(found.entry, leaseUntil);
  return taken;
}

const inFlight = ({ id }: Entry, until: number): MailFailure =>
  new MailFailure('in_flight', 'An email with this idempotency key is being sent.', until, id);

function newEntry(
  { caller, requestHash, tags, stamp }: Pick<Claim, 'caller' | 'requestHash' | 'tags' | 'stamp'>,
  key: LedgerKey | null,
  ports: Ports,
): Entry {
  const { id, acceptedAt: now } = stamp ?? { id: ports.newId(), acceptedAt: ports.now() };
  return {
    id,
    state: 'claimed',
    requestHash,
    caller,
    mailbox: '',
    recipients: [],
    acceptedAt: now,
    attempts: 1,
    idHeader: 1,
    leaseUntil: 0,
    sessionUri: null,
    mimeHash: null,
    gmailId: null,
    ...(key && { key: key.hash }),
    code: null,
    notBefore: null,
    ...(tags && { tags }),
    expireAt: now + KEEP_MS,
  };
}

function ledgerKey({ caller, key }: Pick<Claim, 'caller' | 'key'>, ports: Ports, lifeMs: number): LedgerKey | null {
  return key === null ? null : { hash: ports.digest(`${caller}\n${key}`), expireAt: ports.now() + lifeMs };
}

/** Records a request that can never become an email. A redelivery of the request is answered from the record. */
export async function recordRejected(
  order: Pick<Claim, 'caller' | 'requestHash' | 'key' | 'keyMs'>,
  failure: MailFailure,
  ports: Ports,
): Promise<Outcome> {
  const key = ledgerKey(order, ports, order.keyMs ?? DELIVERY_KEY_MS);
  const entry = apply(newEntry(order, key, ports), { type: 'fail', code: failure.code, fields: fieldsIn(failure) });
  const refused = { state: 'failed', id: entry.id, failure } as const;
  const { created, found } = await ports.ledger.create(entry, key, ports.now());
  if (created) return refused;
  const past = knownOutcome(found.entry, ports.now());
  if (failure.code !== 'idempotency_mismatch') return past ?? recordFailure(found, failure, ports);
  if (past?.state === 'sent' || past?.state === 'canceled') return past;
  // The key belongs to another email, which has ended or still waits for its own queue message. That email is not changed, and
  // this request is recorded under a new id.
  const { key: _, ...keyless } = entry;
  await ports.ledger.create(keyless, null, ports.now());
  return refused;
}

/** Fails an email. An email of which bytes may have left becomes unknown; an email that provably was not sent becomes failed. */
export async function recordFailure(found: LedgerRecord, failure: MailFailure, ports: Ports): Promise<Outcome> {
  const { id, state } = found.entry;
  if (ASKING.has(state)) return outcomeOf(new MailFailure('delivery_unknown', `not asked: ${failure.code}`), id, ports.now());
  const ended = apply(found.entry, { type: 'fail', code: failure.code });
  if (!(await ports.ledger.replace(found, ended))) throw inFlight(found.entry, ports.now() + ports.leaseMs);
  return { state: 'failed', id, failure };
}
