import { MailFailure } from '../mail/failure.ts';
import { Hidden } from '../mail/hidden.ts';
import type { AccessToken } from '../mail/ports.ts';
import { type Call, type Exchange, json, NoReply, type Reply } from './call.ts';
import type { Credential } from './credential.ts';

/** Trades a refresh token for an access token (RFC 6749, 6). Throws MailFailure, see `readTokenReply`. */
export async function refresh(tokenUrl: string, credential: Credential, exchange: Exchange, now: () => number): Promise<AccessToken> {
  const reply = await exchange(refreshCall(tokenUrl, credential)).catch((error: unknown) => {
    throw new MailFailure('google_unavailable', `the token endpoint did not answer: ${error instanceof NoReply ? error.message : 'error'}`);
  });
  return readTokenReply(reply, now());
}

function refreshCall(url: string, { clientId, clientSecret, refreshToken }: Credential): Call {
  const form = {
    grant_type: 'refresh_token',
    client_id: clientId,
    client_secret: clientSecret.reveal(),
    refresh_token: refreshToken.reveal(),
  };
  return {
    method: 'POST',
    url,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(form).toString(),
    timeoutMs: 10_000,
  };
}

const BY_ERROR: Readonly<Record<string, 'grant_revoked' | 'client_refused' | 'scope_missing' | 'mailbox_refused' | 'rate_limited'>> = {
  invalid_grant: 'grant_revoked',
  invalid_client: 'client_refused',
  unauthorized_client: 'client_refused',
  deleted_client: 'client_refused',
  invalid_scope: 'scope_missing',
  access_denied: 'mailbox_refused',
  admin_policy_enforced: 'mailbox_refused',
  org_internal: 'mailbox_refused',
  rate_limit_exceeded: 'rate_limited',
};

/**
 * Reads the token endpoint's answer (RFC 6749, 5.1 and 5.2). `now` and `expiresAt` are milliseconds since the epoch;
 * Google's `expires_in` is seconds. `error_description` is left out of the failure: it may name the account.
 * Throws MailFailure: grant_revoked, client_refused, scope_missing, mailbox_refused, rate_limited, google_unavailable, unexpected.
 */
export function readTokenReply(reply: Reply, now: number): AccessToken {
  const body = json(reply) as { access_token?: unknown; expires_in?: unknown; error?: unknown } | null;
  if (reply.status === 200 && typeof body?.access_token === 'string')
    return { secret: new Hidden(body.access_token), expiresAt: now + Number(body.expires_in ?? 0) * 1_000 };
  const error = typeof body?.error === 'string' ? body.error : '';
  const known = Object.hasOwn(BY_ERROR, error) ? BY_ERROR[error] : undefined;
  const detail = `the token endpoint answered ${reply.status} ${known ? error : ''}`.trim();
  if (known) throw new MailFailure(known, detail);
  throw new MailFailure(reply.status === 429 || reply.status >= 500 ? 'google_unavailable' : 'unexpected', detail);
}
