import type { Mailbox } from '../../mail/model/config.ts';
import { toFailure } from '../../mail/model/failure.ts';
import { scopeFor } from '../../mail/model/scopes.ts';

import type { AccessToken } from '../../mail/model/secret.ts';
import { SecretString } from '../../mail/model/secret.ts';
import type { GoogleUrls } from '../../runtime/google-urls.ts';
import type { Exchange } from '../http/exchange.ts';
import { assertFor, signByIam, signWithKey } from './jwt-bearer.ts';
import { readCredential } from './refresh-token-secret.ts';
import type { Secrets } from './secret-manager.ts';
import type { Identity } from './service-identity.ts';
import { refresh } from './token-endpoint.ts';

/** What outlives an invocation: secret texts, the function's own identity, and the tokens of mailboxes that say `tokens: reuse`. */
export interface TokenSources {
  readonly secrets: Secrets;
  readonly identity: Identity;
  readonly urls: GoogleUrls;
  readonly tokenCache: Map<string, AccessToken>;
  /** Tells of something that went wrong without failing the mail. */
  readonly notice: (event: string, code: string) => void;
}

/** How one invocation calls Google: mints may be tried again, everything ends at the deadline. */
export interface InvocationCalls {
  readonly exchange: Exchange;
  readonly patient: Exchange;
  readonly now: () => number;
}

/** Mints an access token by the grant that the mailbox has. Throws MailFailure. */
export async function mintByGrant(mailbox: Mailbox, vault: TokenSources, calls: InvocationCalls): Promise<AccessToken> {
  if (mailbox.grant === 'delegation') return mintByDelegation(mailbox, vault, calls);
  const use = mailbox.grant === 'refresh-token' ? mintByRefreshToken : mintByKey;
  const self = await vault.identity(calls.exchange, calls.now());
  const read = (stale?: SecretString): Promise<SecretString> =>
    vault.secrets.read(mailbox.secret, calls.exchange, self, calls.now(), stale);
  const text = await read();
  try {
    return await use(mailbox, text, vault, calls);
  } catch (error) {
    if (!MAY_BE_ROTATED.has(toFailure(error).code)) throw error;
    const newer = await read(text); // the secret may have been rotated after we kept it
    if (newer.reveal() === text.reveal()) throw error;
    return use(mailbox, newer, vault, calls);
  }
}

const MAY_BE_ROTATED = new Set(['grant_revoked', 'client_refused', 'grant_malformed', 'delegate_refused']);

async function mintByRefreshToken(
  mailbox: Mailbox,
  text: SecretString,
  vault: TokenSources,
  { exchange, patient, now }: InvocationCalls,
): Promise<AccessToken> {
  const { token, refreshToken } = await refresh(vault.urls.token, readCredential(text, mailbox.address), patient, now);
  if (refreshToken) {
    const payload = new SecretString(JSON.stringify({ ...(JSON.parse(text.reveal()) as object), refresh_token: refreshToken.reveal() }));
    const self = await vault.identity(exchange, now());
    // The mail goes out with the token in hand; a grant that could not be written back is told, not thrown.
    await vault.secrets
      .add(mailbox.secret, payload, exchange, self, now())
      .catch((error: unknown) => vault.notice('grant_not_written_back', toFailure(error).code));
  }
  return token;
}

function mintByKey(mailbox: Mailbox, text: SecretString, { urls }: TokenSources, { patient, now }: InvocationCalls): Promise<AccessToken> {
  const { email, sign } = signWithKey(text);
  return assertFor({ iss: email, sub: mailbox.address, scope: scopeFor(mailbox.via) }, sign, urls.token, patient, now);
}

async function mintByDelegation(
  mailbox: Mailbox,
  { urls, identity }: TokenSources,
  { exchange, patient, now }: InvocationCalls,
): Promise<AccessToken> {
  const self = await identity(exchange, now());
  const sign = signByIam(urls.iamCredentials, mailbox.delegate, self, patient);
  return assertFor({ iss: mailbox.delegate, sub: mailbox.address, scope: scopeFor(mailbox.via) }, sign, urls.token, patient, now);
}
