import type { PreparedEmail } from '../message/prepared-email.ts';
import { normaliseAddress } from '../model/address.ts';
import { MailFailure } from '../model/failure.ts';
import type { Ports } from './ports.ts';

const FIELDS = ['to', 'cc', 'bcc'] as const;

/**
 * Why the email is refused for a recipient that is suppressed; null where nobody is, and where the config suppresses nobody: then
 * nothing is asked. The whole email is refused, and the fields are named, not the addresses. Throws MailFailure: ledger_unavailable.
 */
export async function suppressedFailure(
  { recipients, named }: Pick<PreparedEmail, 'recipients' | 'named'>,
  { suppressed }: Pick<Ports, 'suppressed'>,
): Promise<MailFailure | null> {
  if (!suppressed) return null;
  const refused = await suppressed(recipients.map(({ address }) => normaliseAddress(address)));
  if (refused.size === 0) return null;
  const about = named
    ? FIELDS.filter((field) => named[field].some(({ address }) => refused.has(normaliseAddress(address))))
        .map((field) => `\`${field}\``)
        .join(', ')
    : 'The envelope'; // of a raw message: which header names a recipient is not known
  return new MailFailure('recipient_suppressed', `${about} holds an address to which an email has bounced for good.`);
}
