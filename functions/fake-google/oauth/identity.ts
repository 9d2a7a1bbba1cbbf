import { createHash, randomBytes } from 'node:crypto';
import { ERROR_REPLIES, oauthError } from '../http/error-replies.ts';
import { bearerIn, type FakeReply, type FakeRequest } from '../http/server.ts';
import type { OAuth } from './oauth.ts';

const EMAIL = ['email', 'https://www.googleapis.com/auth/userinfo.email'];

/** An account's number, always the same for an address, like Google's `sub`. */
const subjectOf = (address: string): string =>
  BigInt(`0x${createHash('sha256').update(address).digest('hex').slice(0, 16)}`)
    .toString()
    .padStart(21, '1');
/** An address that starts with `unverified` stands for an account that never proved to own its address. */
const isVerified = (address: string): boolean => !address.startsWith('unverified');

/** The id_token of the token endpoint. It has Google's claims and no genuine signature. */
export function idToken(client: string, address: string, withEmail: boolean, now: number): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const iat = Math.floor(now / 1_000);
  const claims = { iss: 'https://accounts.google.com', azp: client, aud: client, sub: subjectOf(address), iat, exp: iat + 3_600 };
  const email = withEmail ? { email: address, email_verified: isVerified(address) } : {};
  const signature = `canary-${randomBytes(24).toString('base64url')}`;
  return `${part({ alg: 'RS256', kid: 'laptop', typ: 'JWT' })}.${part({ ...claims, ...email })}.${signature}`;
}

/** The fake of OpenID Connect's userinfo. */
export function userInfo(request: FakeRequest, oauth: OAuth): FakeReply {
  const session = oauth.session(bearerIn(request));
  if (!session?.scopes.includes('openid')) return oauthError(401, 'invalid_request', 'Invalid Credentials');
  const { address, scopes } = session;
  const email = scopes.some((scope) => EMAIL.includes(scope)) ? { email: address, email_verified: isVerified(address) } : {};
  return { status: 200, body: { sub: subjectOf(address), ...email } };
}

/** The fake of `/revoke`: either token of a grant revokes everything that the account granted to that client. */
export function revokeGrant(request: FakeRequest, oauth: OAuth): FakeReply {
  const token = new URLSearchParams(request.body.toString('utf8')).get('token') ?? request.query.get('token') ?? '';
  if (request.method !== 'POST') return ERROR_REPLIES.not_found;
  return oauth.end(token) ? { status: 200, body: {} } : oauthError(400, 'invalid_token', 'Token expired or revoked');
}
