import { MailFailure } from '../../mail/model/failure.ts';
import { type Call, type Exchange, json, NoReply, type Reply } from '../http/exchange.ts';

/** Google's signing certificates, as PEM by key id. `expiresAt` and `fetchedAt` are milliseconds since the epoch. */
export interface Certificates {
  readonly byId: Readonly<Record<string, string>>;
  readonly fetchedAt: number;
  readonly expiresAt: number;
}

const ISSUERS = ['accounts.google.com', 'https://accounts.google.com'];
const AGAIN_MS = 60_000; // a key id that nobody knows is looked up this often at most, however many tokens name it

/**
 * Verifies identity tokens that Google signed. The certificates are kept for as long as Google says, and fetched again
 * for a key id that is not among them. Answers the token's verified email; null for every token that proves nothing.
 * Throws MailFailure: google_unavailable.
 */
export function createIdTokens(
  certsUrl: string,
): (token: string, audience: string, exchange: Exchange, now: number) => Promise<string | null> {
  let kept: Certificates | null = null;
  return async (token, audience, exchange, now) => {
    const keyId = keyIdOf(token);
    if (keyId === null) return null;
    const known = kept && kept.expiresAt > now && (Object.hasOwn(kept.byId, keyId) || kept.fetchedAt + AGAIN_MS > now);
    if (!known || !kept) kept = await fetchCertificates(certsUrl, exchange, now);
    return Object.hasOwn(kept.byId, keyId) ? emailIn(token, kept.byId, audience) : null;
  };
}

/** The key id in a token's header; null where it is no token of Google's form. */
function keyIdOf(token: string): string | null {
  try {
    const [head = ''] = /^[\w-]+(?=\.[\w-]+\.[\w-]+$)/.exec(token) ?? [];
    const { alg, kid } = JSON.parse(Buffer.from(head, 'base64url').toString('utf8')) as { alg?: unknown; kid?: unknown };
    return alg === 'RS256' && typeof kid === 'string' ? kid : null;
  } catch {
    return null;
  }
}

async function emailIn(token: string, certificates: Certificates['byId'], audience: string): Promise<string | null> {
  const library = await import('google-auth-library/build/src/auth/oauth2client.js'); // CommonJS: a bundle has it under `default` alone
  const client = new library.default.OAuth2Client();
  // Its refusals quote the token: they end here.
  const ticket = await client.verifySignedJwtWithCertsAsync(token, { ...certificates }, audience, ISSUERS).catch(() => null);
  const { email, email_verified: verified } = ticket?.getPayload() ?? {};
  return verified === true && typeof email === 'string' ? email.toLowerCase() : null;
}

async function fetchCertificates(url: string, exchange: Exchange, now: number): Promise<Certificates> {
  const reply = await exchange(certificatesCall(url)).catch((error: unknown) => {
    throw unavailable(error instanceof NoReply ? error.message : 'error');
  });
  return readCertificates(reply, now);
}

const certificatesCall = (url: string): Call => ({ method: 'GET', url, timeoutMs: 5_000 });

/** Reads `oauth2/v1/certs`: PEM by key id, good for `max-age` seconds. Throws MailFailure: google_unavailable. */
function readCertificates(reply: Reply, now: number): Certificates {
  const body = json(reply);
  if (reply.status !== 200 || typeof body !== 'object' || body === null) throw unavailable(`it answered ${reply.status}`);
  const seconds = Number(/max-age=(\d+)/.exec(reply.headers['cache-control'] ?? '')?.[1] ?? 0);
  const pems = Object.entries(body).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return { byId: Object.fromEntries(pems), fetchedAt: now, expiresAt: now + seconds * 1_000 };
}

const unavailable = (why: string): MailFailure => new MailFailure('google_unavailable', `Google's certificates: ${why}`);
