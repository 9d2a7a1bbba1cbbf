import { type FailureCode, MailFailure } from '../../mail/model/failure.ts';
import { type AccessToken, SecretString } from '../../mail/model/secret.ts';
import { type Call, type Exchange, type HttpReply, json } from '../http/exchange.ts';
import { answerOf, isTransient } from '../http/google-client.ts';
import type { Credential } from './refresh-token-secret.ts';

/** The answer of a token endpoint (RFC 6749, 5.1 and 5.2), also of the metadata server; Google publishes no schema of it. */
export interface TokenResponse {
  readonly access_token?: string;
  readonly expires_in?: number;
  readonly refresh_token?: string;
  readonly error?: string;
  readonly error_description?: string;
  readonly error_subtype?: string;
}

/** The tokens that the endpoint returned; `refreshToken` only where Google replaced the refresh token. */
export interface Minted {
  readonly token: AccessToken;
  readonly refreshToken: SecretString | null;
}

/** Exchanges a refresh token for an access token (RFC 6749, 6). Throws MailFailure, see `readTokenReply`. */
export async function refresh(tokenUrl: string, credential: Credential, exchange: Exchange, now: () => number): Promise<Minted> {
  const { clientId, clientSecret, refreshToken } = credential;
  const form = {
    grant_type: 'refresh_token',
    client_id: clientId,
    client_secret: clientSecret.reveal(),
    refresh_token: refreshToken.reveal(),
  };
  const reply = await answerOf(exchange(tokenCall(tokenUrl, form)), 'the token endpoint', 'google_unavailable');
  return readTokenReply(reply, now(), 'refresh');
}

/** A call of the token endpoint; every field of the form is secret. */
export const tokenCall = (url: string, form: Readonly<Record<string, string>>): Call => ({
  method: 'POST',
  url,
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: new URLSearchParams(form).toString(),
  timeoutMs: 10_000,
});

type Meanings = Readonly<Record<string, FailureCode>>;

const COMMON: Meanings = {
  admin_policy_enforced: 'mailbox_refused',
  org_internal: 'mailbox_refused',
  rate_limit_exceeded: 'rate_limited',
  deleted_client: 'client_refused',
};
const MEANINGS: Readonly<Record<'refresh' | 'assertion', Meanings>> = {
  refresh: {
    ...COMMON,
    invalid_grant: 'grant_revoked',
    invalid_client: 'client_refused',
    unauthorized_client: 'client_refused',
    invalid_scope: 'scope_missing',
    access_denied: 'mailbox_refused',
  },
  // The same error codes have another meaning where a service account requests a mailbox's token.
  assertion: {
    ...COMMON,
    invalid_grant: 'mailbox_refused',
    invalid_request: 'mailbox_refused',
    unauthorized_client: 'delegation_missing',
    access_denied: 'delegation_missing',
    invalid_scope: 'delegation_missing',
    invalid_client: 'delegate_refused',
  },
};

/**
 * Reads the token endpoint's answer (RFC 6749, 5.1 and 5.2). `now` and `expiresAt` are milliseconds since the epoch; Google's
 * `expires_in` is seconds. The failure leaves out `error_description`, which may name the account. Throws MailFailure: as in
 * MEANINGS, and google_unavailable, delegate_refused, unexpected.
 */
export function readTokenReply(reply: HttpReply, now: number, asked: 'refresh' | 'assertion'): Minted {
  const body = json<TokenResponse>(reply);
  if (reply.status === 200 && typeof body?.access_token === 'string') {
    const token = { secret: new SecretString(body.access_token), expiresAt: now + Number(body.expires_in ?? 0) * 1_000 };
    return { token, refreshToken: typeof body.refresh_token === 'string' ? new SecretString(body.refresh_token) : null };
  }
  const error = typeof body?.error === 'string' ? body.error : '';
  const meanings = MEANINGS[asked];
  const known = Object.hasOwn(meanings, error) ? meanings[error] : undefined;
  // Session control of a Workspace ends the grant until the person signs in again; the code is the same.
  const rapt = /\b(?:invalid_rapt|rapt_required)\b/.test(`${body?.error_subtype} ${body?.error_description}`) ? ' (invalid_rapt)' : '';
  const detail = `the token endpoint answered ${reply.status} ${known ? error + rapt : ''}`.trim();
  // An unknown signature or issuer is a problem of the service account, not of the mailbox.
  if (asked === 'assertion' && /invalid jwt/i.test(String(body?.error_description ?? '')))
    throw new MailFailure('delegate_refused', detail);
  if (known) throw new MailFailure(known, detail);
  throw new MailFailure(isTransient(reply) ? 'google_unavailable' : 'unexpected', detail);
}
