import { createPrivateKey, sign } from 'node:crypto';
import type { iamcredentials_v1 } from 'googleapis/build/src/apis/iamcredentials/v1.js';
import { MailFailure } from '../../mail/model/failure.ts';
import { type AccessToken, SecretString } from '../../mail/model/secret.ts';
import { type Exchange, json } from '../http/exchange.ts';
import { answerOf, callGoogle, isApiDisabled, isTransient, refusalDetail, type TokenSource } from '../http/google-client.ts';
import { readTokenReply, tokenCall } from './token-endpoint.ts';

/** The claims of a service account that requests a token for a mailbox (RFC 7523). Times are seconds since the epoch. */
export interface Claims {
  readonly iss: string;
  readonly sub: string;
  readonly scope: string;
  readonly aud: string;
  readonly iat: number;
  readonly exp: number;
}

/** Turns claims into a signed JWT. */
export type Sign = (claims: Claims) => Promise<SecretString>;

const LIFE_S = 3_600; // the longest lifetime that Google accepts
const AUDIENCE = 'https://oauth2.googleapis.com/token';
const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/**
 * Exchanges a signed assertion for an access token of the mailbox (domain-wide delegation). If the local clock is wrong, the time
 * is corrected once by Google's own Date header. Throws MailFailure: delegation_missing, mailbox_refused, delegate_refused, and
 * as `readTokenReply`.
 */
export async function assertFor(
  subject: { iss: string; sub: string; scope: string },
  signer: Sign,
  tokenUrl: string,
  exchange: Exchange,
  now: () => number,
): Promise<AccessToken> {
  const attempt = async (skewMs: number) => {
    const iat = Math.floor((now() + skewMs) / 1_000);
    const assertion = await signer({ ...subject, aud: AUDIENCE, iat, exp: iat + LIFE_S });
    const call = tokenCall(tokenUrl, { grant_type: GRANT_TYPE, assertion: assertion.reveal() });
    return answerOf(exchange(call), 'the token endpoint', 'google_unavailable');
  };
  const reply = await attempt(0);
  const theirs = Date.parse(reply.headers.date ?? '');
  const clockIsOff = reply.status === 400 && /short-lived token|iat and exp/i.test(reply.body.toString('utf8')) && !Number.isNaN(theirs);
  return readTokenReply(clockIsOff ? await attempt(theirs - now()) : reply, now(), 'assertion').token;
}

/** Signs with the key in a secret: the JSON that the console creates for a service account. Throws MailFailure: grant_malformed. */
export function signWithKey(payload: SecretString): { readonly email: string; readonly sign: Sign } {
  const malformed = (detail: string): MailFailure => new MailFailure('grant_malformed', detail);
  let key: Record<string, unknown>;
  try {
    key = JSON.parse(payload.reveal().replace(/^\uFEFF/, '')) as Record<string, unknown>;
  } catch {
    throw malformed("the secret's payload is not a JSON object");
  }
  if (key?.['installed'] !== undefined || key?.['web'] !== undefined || key?.['refresh_token'] !== undefined)
    throw malformed('the secret holds no key file of a service account, but a file of OAuth');
  const { client_email: email, private_key: pem, private_key_id: kid } = key ?? {};
  if (typeof email !== 'string' || typeof pem !== 'string')
    throw malformed('the service account key needs "client_email" and "private_key"');
  let privateKey: ReturnType<typeof createPrivateKey>;
  try {
    privateKey = createPrivateKey(pem);
  } catch {
    throw malformed('the "private_key" of the service account key is no PEM key; its line breaks may be lost');
  }
  const kind = privateKey.asymmetricKeyType;
  if (kind !== 'rsa') throw malformed(`the "private_key" of the service account key is of the kind ${kind}; Google gives RSA keys`);
  return {
    email,
    sign: async (claims) => {
      const text = `${part({ alg: 'RS256', typ: 'JWT', ...(typeof kid === 'string' && { kid }) })}.${part(claims)}`;
      return new SecretString(`${text}.${sign('RSA-SHA256', Buffer.from(text), privateKey).toString('base64url')}`);
    },
  };
}

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/**
 * Signs as the service account `delegate` by IAM Credentials, so that no key exists. Google's Node libraries lack this. Throws
 * MailFailure: api_disabled, delegate_refused, google_unavailable, unexpected.
 */
export function signByIam(baseUrl: string, delegate: string, token: TokenSource, exchange: Exchange): Sign {
  const iam = { service: 'IAM Credentials', baseUrl, exchange, token, unavailable: 'google_unavailable' } as const;
  const path = `/v1/projects/-/serviceAccounts/${encodeURIComponent(delegate)}:signJwt`;
  return async (claims) => {
    const body: iamcredentials_v1.Schema$SignJwtRequest = { payload: JSON.stringify(claims) };
    const reply = await callGoogle(iam, { method: 'POST', path, body, timeoutMs: 10_000 });
    const { signedJwt } = json<iamcredentials_v1.Schema$SignJwtResponse>(reply) ?? {};
    if (reply.status === 200 && typeof signedJwt === 'string') return new SecretString(signedJwt);
    const detail = refusalDetail(iam.service, reply);
    if (isApiDisabled(reply)) throw new MailFailure('api_disabled', detail);
    if (reply.status === 403 || reply.status === 404) throw new MailFailure('delegate_refused', detail);
    throw new MailFailure(isTransient(reply) ? 'google_unavailable' : 'unexpected', detail);
  };
}
