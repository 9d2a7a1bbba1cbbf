import { tokenCall } from '../../google/auth/token-endpoint.ts';
import { type Call, type HttpReply, json } from '../../google/http/exchange.ts';
import type { Mailbox } from '../../mail/model/config.ts';
import { bounceScopeFor, covers, readsBounces, scopeFor } from '../../mail/model/scopes.ts';
import { SecretString } from '../../mail/model/secret.ts';
import { CommandError } from '../common/refusal.ts';
import type { OAuthClient } from './oauth-client.ts';

/** What a person granted, by the token endpoint's answer. */
export interface TokenGrant {
  readonly refreshToken: SecretString | null;
  readonly scopes: readonly string[];
  /** The consenting account, in lower case; '' where Google did not name it. */
  readonly email: string;
  readonly emailVerified: boolean;
  /** Seconds until the grant ends, where Google sets an end, as for an app in Testing; else null. */
  readonly endsInS: number | null;
}

/** The exchange of a code for tokens (RFC 6749, 4.1.3, with RFC 7636's verifier). */
export const codeCall = (tokenUrl: string, client: OAuthClient, redirect: string, code: SecretString, verifier: SecretString): Call => ({
  ...tokenCall(tokenUrl, {
    grant_type: 'authorization_code',
    client_id: client.id,
    client_secret: client.secret.reveal(),
    redirect_uri: redirect,
    code: code.reveal(),
    code_verifier: verifier.reveal(),
  }),
  once: true, // a code can be used once
});

/**
 * Reads the answer. The id_token came directly from Google over TLS, so its claims are trusted without checking the signature
 * (OpenID Connect Core, 3.1.3.7); its audience must be this client. Throws CommandError: code_refused, client_unreadable.
 */
export function readTokenGrant(reply: HttpReply, clientId: string): TokenGrant {
  const body = json(reply) as Record<string, unknown> | null;
  if (reply.status !== 200 || typeof body?.['access_token'] !== 'string') {
    const error = /^[a-z_]{1,60}$/.exec(String(body?.['error']))?.[0] ?? 'no reason';
    throw new CommandError(
      error === 'invalid_client' || error === 'unauthorized_client' ? 'client_unreadable' : 'code_refused',
      `the token endpoint answered ${reply.status} ${error}`,
    );
  }
  const claims = readClaims(String(body['id_token'] ?? ''));
  const meant = claims['aud'] === clientId && /^(https:\/\/)?accounts\.google\.com$/.test(String(claims['iss']));
  return {
    refreshToken:
      typeof body['refresh_token'] === 'string' && body['refresh_token'] !== '' ? new SecretString(body['refresh_token']) : null,
    scopes: String(body['scope'] ?? '')
      .split(' ')
      .filter(Boolean),
    email: meant && typeof claims['email'] === 'string' ? claims['email'].toLowerCase() : '',
    emailVerified: meant && claims['email_verified'] === true,
    endsInS: Number(body['refresh_token_expires_in']) > 0 ? Number(body['refresh_token_expires_in']) : null,
  };
}

function readClaims(token: string): Record<string, unknown> {
  try {
    return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/**
 * What is wrong with the grant for this mailbox; null if nothing is. The account is checked first, because everything else depends
 * on it.
 */
export function faultOf(
  { refreshToken, scopes, email, emailVerified }: TokenGrant,
  { address, via, bounces }: Mailbox,
): CommandError | null {
  if (email === '') return new CommandError('account_unverified', 'Google did not say which account consented');
  if (email !== address) return new CommandError('account_mismatch', `${email} consented, and the mailbox is ${address}`);
  if (!emailVerified) return new CommandError('account_unverified', `${email} is not a verified address of its account`);
  if (!covers(scopes, via)) return new CommandError('scope_missing', `${scopeFor(via)} was not granted, which via: ${via} needs`);
  if (bounces && !readsBounces(scopes))
    return new CommandError('scope_missing', `${bounceScopeFor(via)} was not granted, which bounces: true needs`);
  if (!refreshToken) return new CommandError('refresh_token_missing', 'the consent brought no refresh token');
  return null;
}
