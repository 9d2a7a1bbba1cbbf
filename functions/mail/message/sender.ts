import { type Address, normaliseAddress } from '../model/address.ts';
import type { Config, Mailbox } from '../model/config.ts';
import { MailFailure } from '../model/failure.ts';

/** The mailbox of one email: whose grant is used, and what From says. */
export interface Sender {
  readonly mailbox: Mailbox;
  readonly from: Address;
}

/**
 * Finds the mailbox that owns `from`, by its address or by an alias. Gmail would silently rewrite any other From. Throws
 * MailFailure: sender_not_allowed.
 */
export function resolveSender(config: Config, from: Address): Sender {
  const wanted = normaliseAddress(from.address);
  const mailbox = config.mailboxes.find(({ address, aliases }) => address === wanted || aliases.includes(wanted));
  if (!mailbox) throw notAllowed(from);
  return { mailbox, from: { name: from.name || mailbox.name, address: wanted } };
}

/**
 * The same message whether the mailbox does not exist or the key may not use it, so that a caller learns nothing about other
 * mailboxes.
 */
export function notAllowed(from: Address): MailFailure {
  return new MailFailure(
    'sender_not_allowed',
    `The address ${from.address} is not verified for this key: \`from\` must be an address that this API key may send from.`,
  );
}
