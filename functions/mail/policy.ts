import { normalise } from './address.ts';
import type { Caller } from './config.ts';
import { MailFailure } from './failure.ts';
import type { SendRequest } from './request.ts';
import { notAllowed } from './sender.ts';

/** Refuses what this caller may not do. Throws MailFailure: sender_not_allowed, recipient_not_allowed. */
export function authorise(caller: Caller, request: SendRequest): void {
  if (caller.from && !caller.from.includes(normalise(request.from.address))) throw notAllowed(request.from);
  const { to } = caller;
  if (!to) return;
  for (const field of ['to', 'cc', 'bcc'] as const) {
    if (!request[field].every(({ address }) => to.some((pattern) => matches(pattern, normalise(address)))))
      throw new MailFailure('recipient_not_allowed', `\`${field}\` holds an address that this API key may not send to.`);
  }
}

/** `*@example.com` is every address of that domain, anything else one address. */
function matches(pattern: string, address: string): boolean {
  return pattern.startsWith('*@') ? address.endsWith(pattern.slice(1)) : address === pattern;
}
