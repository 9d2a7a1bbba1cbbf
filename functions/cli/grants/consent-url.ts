import { createHash, randomBytes } from 'node:crypto';
import { SecretString } from '../../mail/model/secret.ts';
import { CommandError } from '../common/refusal.ts';

/** What binds a consent page to this run: anybody else who opens the page gets a code that cannot be used. */
export interface ConsentBinding {
  readonly state: string;
  /** PKCE (RFC 7636): the URL contains only its hash. */
  readonly verifier: SecretString;
}

export const newBinding = (): ConsentBinding => ({
  state: randomBytes(24).toString('base64url'),
  verifier: new SecretString(randomBytes(48).toString('base64url')),
});

export interface ConsentQuestion {
  readonly clientId: string;
  readonly redirect: string;
  readonly scopes: readonly string[];
  /** The mailbox; Google proposes that account. */
  readonly address: string;
}

/**
 * The URL of the consent page. It asks for consent even if consent was given before: only then Google always returns a refresh
 * token.
 */
export function consentUrl(
  page: string,
  { clientId, redirect, scopes, address }: ConsentQuestion,
  { state, verifier }: ConsentBinding,
): string {
  const query = {
    client_id: clientId,
    redirect_uri: redirect,
    response_type: 'code',
    scope: scopes.join(' '),
    access_type: 'offline',
    prompt: 'consent',
    login_hint: address,
    state,
    code_challenge: createHash('sha256').update(verifier.reveal()).digest('base64url'),
    code_challenge_method: 'S256',
  };
  return `${page}?${new URLSearchParams(query)}`;
}

/**
 * Reads the URL that Google redirected the browser to. The state is checked first; with a wrong state nothing else is read.
 * Throws CommandError: redirect_unreadable, state_mismatch, consent_denied, consent_blocked.
 */
export function readRedirect(text: string, state: string): SecretString {
  const query = URL.canParse(text.trim()) ? new URL(text.trim()).searchParams : new URLSearchParams();
  const code = query.get('code');
  const error = query.get('error');
  if (!code && !error && /^4(?:\/|%2F)[\w-]+$/i.test(text.trim()))
    throw new CommandError(
      'redirect_unreadable',
      'only the code was pasted; the whole address is needed, since it says which page it belongs to',
    );
  if (!code && !error) throw new CommandError('redirect_unreadable', 'the address has neither a code nor an error in it');
  if (query.get('state') !== state)
    throw new CommandError('state_mismatch', 'the answer does not belong to the consent page that was opened');
  if (error === 'access_denied') throw new CommandError('consent_denied', 'consent was denied');
  if (error)
    throw new CommandError(
      'consent_blocked',
      `Google refused the consent: ${/^[a-z_]{1,60}$/.test(error) ? error : 'for a reason it did not name'}`,
    );
  return new SecretString(code ?? '');
}
