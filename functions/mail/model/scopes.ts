import type { Mailbox } from './config.ts';

/** Sensitive, not restricted: consent needs no security assessment. Enough for the upload session, not for SMTP. */
export const SCOPE_SEND = 'https://www.googleapis.com/auth/gmail.send';
/** Restricted, the whole mailbox: the only scope that Gmail's SMTP takes. */
export const SCOPE_MAIL = 'https://mail.google.com/';

/** Restricted too: labels, history and headers of every message, no body and no search. */
export const SCOPE_METADATA = 'https://www.googleapis.com/auth/gmail.metadata';

/** For each transport: the scope to send, the scope by which bounces are found, and every scope that a grant may send with. */
const SCOPES: Readonly<Record<Mailbox['via'], { readonly send: string; readonly bounces: string; readonly sending: readonly string[] }>> = {
  // users.messages.send accepts any one of these scopes.
  api: {
    send: SCOPE_SEND,
    bounces: SCOPE_METADATA,
    sending: [SCOPE_MAIL, SCOPE_SEND, 'https://www.googleapis.com/auth/gmail.compose', 'https://www.googleapis.com/auth/gmail.modify'],
  },
  smtp: { send: SCOPE_MAIL, bounces: SCOPE_MAIL, sending: [SCOPE_MAIL] }, // its one scope reads the mailbox too
};

/** The scope that a mailbox's grant must hold. */
export const scopeFor = (via: Mailbox['via']): string => SCOPES[via].send;

/** The scope by which bounces are found in the mailbox. */
export const bounceScopeFor = (via: Mailbox['via']): string => SCOPES[via].bounces;

/** Every scope that a mailbox's grant must hold. */
export const scopesOf = ({ via, bounces }: Pick<Mailbox, 'via' | 'bounces'>): string[] => [
  ...new Set([scopeFor(via), ...(bounces ? [bounceScopeFor(via)] : [])]),
];

/**
 * How bounces are read with these scopes: whole messages, headers alone, or not at all. Gmail holds a token with gmail.metadata to
 * that scope's limits, whatever else it covers.
 */
export function readsBounces(scopes: readonly string[]): 'messages' | 'headers' | null {
  if (scopes.includes(SCOPE_METADATA)) return 'headers';
  return READING.some((scope) => scopes.includes(scope)) ? 'messages' : null;
}

const READING = [SCOPE_MAIL, 'https://www.googleapis.com/auth/gmail.modify', 'https://www.googleapis.com/auth/gmail.readonly'];

/** True if a grant of these scopes may send over that transport. */
export const covers = (scopes: readonly string[], via: Mailbox['via']): boolean =>
  SCOPES[via].sending.some((scope) => scopes.includes(scope));
