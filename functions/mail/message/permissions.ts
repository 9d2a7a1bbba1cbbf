import { type Address, normaliseAddress } from '../model/address.ts';
import { isAmong } from '../model/address-pattern.ts';
import type { Caller, Mailbox } from '../model/config.ts';
import { MailFailure } from '../model/failure.ts';
import type { EmailFields } from './email.ts';
import { notAllowed } from './sender.ts';

/** Refuses what this caller may not do. Throws MailFailure: sender_not_allowed, recipient_not_allowed. */
export function authorise(caller: Caller, request: Pick<EmailFields, 'from' | 'to' | 'cc' | 'bcc'>): void {
  if (caller.from && !caller.from.includes(normaliseAddress(request.from.address))) throw notAllowed(request.from);
  const { to } = caller;
  if (!to) return;
  for (const field of ['to', 'cc', 'bcc'] as const) {
    if (!request[field].every(({ address }) => isAmong(to, address)))
      throw new MailFailure('recipient_not_allowed', `\`${field}\` holds an address that this API key may not send to.`);
  }
}

// support.google.com/a/answer/166852: recipients of one email, over the Gmail API and over SMTP.
const RECIPIENTS_MAX = { api: 500, smtp: 100 } as const;
/** The most recipients that Gmail accepts in one email over any transport. */
export const GMAIL_RECIPIENTS_MAX = RECIPIENTS_MAX.api;

/**
 * Refuses more recipients than Gmail accepts in one email, and addresses that the transport cannot carry. Throws MailFailure:
 * request_invalid.
 */
export function checkRecipients(recipients: readonly Address[], { via }: Mailbox): void {
  const max = RECIPIENTS_MAX[via];
  if (recipients.length > max)
    throw new MailFailure('request_invalid', `${recipients.length} recipients are more than the ${max} that Gmail takes in one mail.`);
  // nodemailer's SMTP client and smtp-server do not support quoted local parts, and how Gmail's SMTP treats them is not known.
  if (via === 'smtp' && recipients.some(({ address }) => address.startsWith('"')))
    throw new MailFailure(
      'request_invalid',
      'A recipient has a quoted local part (before the @), and the mailbox sends `via: smtp`, by which mailgrant does not carry one; a mailbox with `via: api` does.',
    );
}
