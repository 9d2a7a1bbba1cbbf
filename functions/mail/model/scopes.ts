import type { Mailbox } from './config.ts';

/** Sensitive, not restricted: consent needs no security assessment. Enough for the upload session, not for SMTP. */
export const SCOPE_SEND = 'https://www.googleapis.com/auth/gmail.send';
/** Restricted, the whole mailbox: the only scope that Gmail's SMTP takes. */
export const SCOPE_MAIL = 'https://mail.google.com/';

/** The scope that a mailbox's grant must hold. */
export const scopeFor = (via: Mailbox['via']): string => (via === 'smtp' ? SCOPE_MAIL : SCOPE_SEND);

/** True if a grant of these scopes may send over that transport. */
export function covers(scopes: readonly string[], via: Mailbox['via']): boolean {
  return scopes.includes(SCOPE_MAIL) || (via === 'api' && SENDING.some((scope) => scopes.includes(scope)));
}

// users.messages.send accepts any one of these scopes.
const SENDING = [SCOPE_SEND, 'https://www.googleapis.com/auth/gmail.compose', 'https://www.googleapis.com/auth/gmail.modify'];
