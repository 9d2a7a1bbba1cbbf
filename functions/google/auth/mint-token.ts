import type { Mailbox } from '../../mail/model/config.ts';
import { toFailure } from '../../mail/model/failure.ts';
import { scopeFor } from '../../mail/model/scopes.ts';
import type { AccessToken, SecretString } from '../../mail/model/secret.ts';
import type { GoogleUrls } from '../../runtime/google-urls.ts';
import type { Exchange } from '../http/exchange.ts';
import type { TokenSource } from '../http/google-client.ts';
import { assertFor, signByIam, signWithKey } from './jwt-bearer.ts';
import { readCredential } from './refresh-token-secret.ts';
import type { Secrets } from './secret-manager.ts';
import { refresh } from './token-endpoint.ts';
import type { WriteBack } from './write-back.ts';

/**
 * State that outlives an invocation: secret texts, the function's own access token, and the tokens of mailboxes with `tokens:
 * reuse`.
 */
export interface TokenSources {
  readonly secrets: Secrets;
  readonly writeBack: WriteBack;
  readonly identity: TokenSource;
  readonly urls: GoogleUrls;
  readonly tokenCache: Map<string, AccessToken>;
  /** Dead grants, by secret: the text that Google refused. */
  readonly dead: Map<string, SecretString>;
}

/** How one invocation calls Google for tokens: calls may reach Google twice, and all of them end at the deadline. */
export interface InvocationCalls {
  readonly exchange: Exchange;
  readonly pause: (ms: number) => Promise<void>;
  readonly now: () => number;
}

/**
 * Mints an access token with the mailbox's grant. `scope` is what a service account requests; a refresh token has its own scopes. Throws
 * MailFailure.
 */
export async function mintByGrant(
  mailbox: Mailbox,
  sources: TokenSources,
  calls: InvocationCalls,
  scope = scopeFor(mailbox.via),
): Promise<AccessToken> {
  if (mailbox.grant === 'delegation') return mintByDelegation(mailbox, sources, calls, scope);
  const use = mailbox.grant === 'refresh-token' ? mintByRefreshToken : mintByKey;
  const { secret } = mailbox;
  const read = (stale?: SecretString): Promise<SecretString> => sources.secrets.read(secret, calls.exchange, calls.now(), stale);
  const text = await read();
  try {
    return await use(mailbox, text, sources, calls, scope);
  } catch (error) {
    const { code } = toFailure(error);
    if (!MAY_BE_ROTATED.has(code)) throw error;
    let newer = await read(text); // the secret may have been rotated since it was cached
    if (newer.reveal() === text.reveal() && code === 'grant_revoked' && sources.dead.get(secret)?.reveal() !== text.reveal()) {
      // Google may have replaced the refresh token for another instance, which is about to store the new one.
      await calls.pause(WRITE_BACK_MS).catch(() => {});
      newer = await read(newer);
    }
    if (newer.reveal() !== text.reveal()) return use(mailbox, newer, sources, calls, scope);
    if (code === 'grant_revoked') sources.dead.set(secret, text);
    throw error;
  }
}

const MAY_BE_ROTATED = new Set(['grant_revoked', 'client_refused', 'grant_malformed', 'delegate_refused']);
const WRITE_BACK_MS = 2_000;

async function mintByRefreshToken(
  mailbox: Mailbox,
  text: SecretString,
  { urls, writeBack }: TokenSources,
  { exchange, now }: InvocationCalls,
): Promise<AccessToken> {
  const { token, refreshToken } = await refresh(urls.token, readCredential(text, mailbox.address), exchange, now);
  // The email is sent with this token, whether or not the new grant can be stored.
  await writeBack(mailbox.secret, text, refreshToken, exchange, now());
  return token;
}

function mintByKey(
  mailbox: Mailbox,
  text: SecretString,
  { urls }: TokenSources,
  { exchange, now }: InvocationCalls,
  scope: string,
): Promise<AccessToken> {
  const { email, sign } = signWithKey(text);
  return assertFor({ iss: email, sub: mailbox.address, scope }, sign, urls.token, exchange, now);
}

function mintByDelegation(
  mailbox: Mailbox,
  { urls, identity }: TokenSources,
  { exchange, now }: InvocationCalls,
  scope: string,
): Promise<AccessToken> {
  const sign = signByIam(urls.iamCredentials, mailbox.delegate, identity, exchange);
  return assertFor({ iss: mailbox.delegate, sub: mailbox.address, scope }, sign, urls.token, exchange, now);
}
