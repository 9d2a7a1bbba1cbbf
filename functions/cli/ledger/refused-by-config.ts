import { connect } from '../../google/connect.ts';
import type { Entry, State } from '../../mail/delivery/ledger.ts';
import { normaliseAddress, withAsciiDomain } from '../../mail/model/address.ts';
import { isAmong } from '../../mail/model/address-pattern.ts';
import { callerOf } from '../../mail/model/caller.ts';
import type { Config, Mailbox } from '../../mail/model/config.ts';
import { toFailure } from '../../mail/model/failure.ts';
import type { Operator } from '../common/operator.ts';
import { createLedgerQuery, type LedgerQuery } from './ledger-query.ts';

/** Why a config would refuse an email that was accepted; `unclear`: its recipients are hashes, and a pattern cannot be compared. */
export type Refusal = 'key_invalid' | 'sender_not_allowed' | 'recipient_not_allowed' | 'unclear';

/** Emails of one caller that wait, and that the config would refuse for one reason. */
export interface RefusedEmails {
  readonly reason: Refusal;
  readonly caller: string;
  readonly count: number;
}

const WAITING: readonly State[] = ['queued', 'scheduled', 'waiting', 'parked'];
const READ_MAX = 10_000;

type Shown = (address: string) => readonly string[];

/** Counts the waiting emails that this config would refuse, by reason and caller, the largest first. */
export async function refusedByConfig(
  config: Config,
  query: LedgerQuery,
  hash: (address: string) => string,
  now: number,
): Promise<RefusedEmails[]> {
  const shown: Shown = (address) => [normaliseAddress(address), withAsciiDomain(address.trim()), hash(normaliseAddress(address))];
  const counted = new Map<string, RefusedEmails>();
  for (const entry of await query({ states: WAITING }, READ_MAX)) {
    const reason = entry.expireAt > now ? refusalOf(entry, config, shown, now) : null;
    if (reason === null) continue;
    const { caller } = entry;
    const count = (counted.get(`${reason} ${caller}`)?.count ?? 0) + 1;
    counted.set(`${reason} ${caller}`, { reason, caller, count });
  }
  return [...counted.values()].sort((a, b) => b.count - a.count);
}

function refusalOf(entry: Entry, config: Config, shown: Shown, now: number): Refusal | null {
  const caller = callerOf(entry.caller, config, Math.max(now, entry.notBefore ?? 0));
  if (!caller) return 'key_invalid';
  const mailbox = config.mailboxes.find(({ address }) => shown(address).includes(entry.mailbox));
  if (!mailbox) return 'sender_not_allowed';
  // The ledger keeps the mailbox, not the alias that the email is from.
  if (caller.from && !addressesOf(mailbox).some((one) => caller.from?.includes(one))) return 'sender_not_allowed';
  const { to } = caller;
  return to ? recipientsOf(entry, to, shown) : null;
}

const addressesOf = ({ address, aliases }: Mailbox): readonly string[] => [address, ...aliases];

function recipientsOf({ recipients }: Entry, patterns: readonly string[], shown: Shown): Refusal | null {
  const named = new Set(patterns.flatMap(shown));
  const others = recipients.filter((one) => !named.has(one));
  if (others.some((one) => one.includes('@') && !isAmong(patterns, one))) return 'recipient_not_allowed';
  const hashes = others.filter((one) => !one.includes('@'));
  if (hashes.length === 0) return null;
  return patterns.some((pattern) => pattern.startsWith('*@')) ? 'unclear' : 'recipient_not_allowed';
}

const MEANINGS: Readonly<Record<Refusal, string>> = {
  key_invalid: 'the caller is not in this config, or is disabled, or will have ended: keep it until they are out',
  sender_not_allowed: 'the mailbox is not in this config, or the caller may not send from it: keep both until they are out',
  recipient_not_allowed: 'the caller may not write to a recipient: widen its `to` until they are out',
  unclear: 'it may write to patterns only, and the ledger has hashes of the recipients: whether they are allowed is not known',
};

/** One sentence for each count, with what to do. */
export function refusedText(refused: readonly RefusedEmails[]): string[] {
  if (refused.length === 0) return [];
  const lines = refused.map(({ reason, caller, count }) =>
    reason === 'unclear'
      ? `${emails(count)} of ${caller}: ${MEANINGS.unclear}`
      : `${emails(count)} of ${caller} would be refused, ${reason}: ${MEANINGS[reason]}`,
  );
  return [...lines, 'npx mailgrant ledger list --state queued,scheduled,waiting,parked shows them; a refused email is a dead letter.'];
}

const emails = (count: number): string => (count === 1 ? '1 email that waits' : `${count} emails that wait`);

/** The warnings for the ledger that the operator reaches; no ledger means that nothing waits. */
export async function warnOfRefused(
  operator: Operator,
  config: Config,
): Promise<{ readonly refused: readonly RefusedEmails[]; readonly warnings: string[] }> {
  const { pseudonym } = connect(operator.settings, () => {}, operator.identity);
  try {
    const refused = await refusedByConfig(config, createLedgerQuery(operator), pseudonym, Date.now());
    return { refused, warnings: refusedText(refused) };
  } catch (error) {
    const { message } = toFailure(error);
    const warning = `Whether emails wait that this config would refuse is not known: ${message}.`;
    return { refused: [], warnings: /\b404\b/.test(message) ? [] : [warning] };
  }
}
