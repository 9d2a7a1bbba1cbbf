import { type Exchange, json } from '../../google/http/exchange.ts';
import type { Config } from '../../mail/model/config.ts';
import { SecretString } from '../../mail/model/secret.ts';
import type { DiscardedGrant } from '../common/refusal.ts';
import type { SecretStore } from '../common/secret-store.ts';

/** Google's answer to the revocation of a token: `gone` if the token was not valid any more, `unknown` if no answer came. */
export type Revoked = 'revoked' | 'gone' | 'failed' | 'unknown';

/** What is said before the name of a version whose grant was not ended. */
export const NOT_ENDED = {
  failed: 'Google did not take the end of the grant in',
  unknown: 'Google did not answer, so it is not known whether it ended the grant in',
} as const;

/**
 * Revokes at Google everything that the token's account granted to the token's client (RFC 7009). After a lost answer the request
 * is repeated once: `gone` then means that the first request worked.
 */
export async function revokeToken(url: string, token: SecretString, exchange: Exchange): Promise<Revoked> {
  const first = await askToRevoke(url, token, exchange);
  if (first !== 'lost') return first;
  const second = await askToRevoke(url, token, exchange);
  return second === 'gone' ? 'revoked' : second === 'lost' ? 'unknown' : second;
}

async function askToRevoke(url: string, token: SecretString, exchange: Exchange): Promise<Revoked | 'lost'> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const body = new URLSearchParams({ token: token.reveal() }).toString();
  const reply = await exchange({ method: 'POST', url, headers, body, timeoutMs: 10_000, once: true }).catch(() => null);
  if (reply === null) return 'lost';
  if (reply.status === 200) return 'revoked';
  return reply?.status === 400 && (json(reply) as { error?: unknown } | null)?.error === 'invalid_token' ? 'gone' : 'failed';
}

/** The refresh token and client of a stored payload; none if it holds something else. */
export function refreshTokenOf(text: SecretString): { readonly token: SecretString; readonly clientId: string }[] {
  try {
    const { refresh_token, client_id } = JSON.parse(text.reveal()) as Record<string, unknown>;
    return typeof refresh_token === 'string' ? [{ token: new SecretString(refresh_token), clientId: String(client_id) }] : [];
  } catch {
    return [];
  }
}

interface UnstoredGrant {
  readonly refreshToken: SecretString;
  readonly clientId: string;
  /** The consenting account; '' where it is unknown. */
  readonly email: string;
}

/**
 * Revokes a grant that will not be stored, unless that could end another grant: Google revokes by client and account, not by
 * token. The grant is kept if the account is unknown, or if a stored version of a mailbox of that address has the same client or
 * cannot be read.
 */
export async function discard(
  { refreshToken, clientId, email }: UnstoredGrant,
  { mailboxes }: Config,
  store: SecretStore,
  revoke: (token: SecretString) => Promise<Revoked>,
): Promise<DiscardedGrant> {
  if (email === '') return 'kept';
  for (const { secret } of mailboxes.filter(({ address, grant }) => address === email && grant === 'refresh-token'))
    if (await mayHold(store, secret, clientId)) return 'kept';
  const said = await revoke(refreshToken);
  return said === 'gone' ? 'revoked' : said;
}

async function mayHold(store: SecretStore, secret: string, clientId: string): Promise<boolean> {
  try {
    for (const version of await store.enabled(secret))
      if ((JSON.parse((await store.read(secret, version)).reveal()) as { client_id?: unknown }).client_id === clientId) return true;
    return false;
  } catch {
    return true; // a version that cannot be read may have the same client
  }
}
