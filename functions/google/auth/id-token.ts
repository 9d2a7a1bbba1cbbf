import { MailFailure } from '../../mail/model/failure.ts';
import { type Call, type Exchange, type HttpReply, json } from '../http/exchange.ts';
import { answerOf } from '../http/google-client.ts';

/** Google's signing certificates, as PEM by key id. `expiresAt` is in milliseconds since the epoch. */
interface Certificates {
  readonly byId: Readonly<Record<string, string>>;
  readonly expiresAt: number;
}

const ISSUERS = ['accounts.google.com', 'https://accounts.google.com'];
const AGAIN_MS = 60_000; // an unknown key id causes at most one request in this time, however many tokens name it
const AFTER_FAILURE_MS = 5_000; // the pause between requests while Google does not return the certificates
const USUAL_LIFE_MS = 10 * 60_000; // for an answer that does not say how long it is valid
const STALE_MS = 12 * 60 * 60_000; // certificates that cannot be renewed are used for this long after their end
const SKEW_MS = 5 * 60_000; // as Google's library allows for a token's times

/** Returns the verified email of a token; null for a token that proves nothing. Throws MailFailure: google_unavailable. */
export type VerifyIdToken = (token: string, audience: string, exchange: Exchange, now: number) => Promise<string | null>;

/**
 * Verifies identity tokens that Google signed. The certificates are cached for as long as Google allows, and fetched again for an
 * unknown key id. At most one request is in flight, and the number of requests does not depend on the number of tokens.
 */
export function createIdTokens(certsUrl: string): VerifyIdToken {
  let kept: Certificates | null = null;
  let nextFetch = Number.NEGATIVE_INFINITY;
  let failure: unknown = null;
  let pending: Promise<void> | null = null;

  const fetchAgain = async (exchange: Exchange, now: number): Promise<void> => {
    nextFetch = now + AGAIN_MS;
    try {
      kept = await fetchCertificates(certsUrl, exchange, now);
      failure = null;
    } catch (error) {
      nextFetch = now + AFTER_FAILURE_MS;
      failure = error;
    }
  };

  return async (token, audience, exchange, now) => {
    const keyId = keyIdOf(token);
    if (keyId === null) return null;
    const isKnown = (): boolean => kept !== null && Object.hasOwn(kept.byId, keyId);
    const isFresh = kept !== null && kept.expiresAt > now;
    if (pending || (!(isFresh && isKnown()) && nextFetch <= now)) {
      pending ??= fetchAgain(exchange, now).finally(() => {
        pending = null;
      });
      await pending;
    }
    if (failure !== null && (kept === null || kept.expiresAt + STALE_MS <= now)) throw failure;
    return kept !== null && isKnown() ? emailIn(token, kept.byId, audience, now) : null;
  };
}

/**
 * The key id in a token's header; null where the token does not have Google's form, or requires an extension (RFC 7515, 4.1.11).
 */
function keyIdOf(token: string): string | null {
  try {
    const [head = ''] = /^[\w-]+(?=\.[\w-]+\.[\w-]+$)/.exec(token) ?? [];
    const header: unknown = JSON.parse(Buffer.from(head, 'base64url').toString('utf8'));
    const { alg, kid, crit } = header as Readonly<Record<string, unknown>>;
    return alg === 'RS256' && typeof kid === 'string' && crit === undefined ? kid : null;
  } catch {
    return null;
  }
}

async function emailIn(token: string, certificates: Certificates['byId'], audience: string, now: number): Promise<string | null> {
  const library = await import('google-auth-library/build/src/auth/oauth2client.js'); // CommonJS: a bundle has it under `default` alone
  const client = new library.default.OAuth2Client();
  // The library's errors quote the token, so they are not passed on.
  const ticket = await client.verifySignedJwtWithCertsAsync(token, { ...certificates }, audience, ISSUERS).catch(() => null);
  const claims: Readonly<Record<string, unknown>> = { ...ticket?.getPayload() };
  const { email, email_verified: verified, nbf } = claims;
  // The library checks only `iat` and `exp`; a token must not be accepted before its `nbf` (RFC 7519, 4.1.5).
  const begun = nbf === undefined || (typeof nbf === 'number' && nbf * 1_000 <= now + SKEW_MS);
  return begun && verified === true && typeof email === 'string' ? email.toLowerCase() : null;
}

const fetchCertificates = async (url: string, exchange: Exchange, now: number): Promise<Certificates> =>
  readCertificates(await answerOf(exchange(certificatesCall(url)), 'the server of Google’s certificates', 'google_unavailable'), now);

const certificatesCall = (url: string): Call => ({ method: 'GET', url, timeoutMs: 5_000 });

/** Reads `oauth2/v1/certs`: PEM by key id, valid for `max-age` seconds. Throws MailFailure: google_unavailable. */
function readCertificates(reply: HttpReply, now: number): Certificates {
  const body = json<Record<string, unknown>>(reply);
  if (reply.status !== 200 || body === null)
    throw new MailFailure('google_unavailable', `Google's certificates: the server answered ${reply.status}`);
  const seconds = /max-age=(\d+)/.exec(reply.headers['cache-control'] ?? '')?.[1];
  const lifeMs = seconds === undefined ? USUAL_LIFE_MS : Math.max(Number(seconds) * 1_000, AGAIN_MS);
  const pems = Object.entries(body).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return { byId: Object.fromEntries(pems), expiresAt: now + lifeMs };
}
