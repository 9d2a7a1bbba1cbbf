import type { CallerKey } from '../../mail/model/config.ts';
import { MailFailure } from '../../mail/model/failure.ts';

import type { FunctionContext } from '../../runtime/function-context.ts';

type Headers = Readonly<Record<string, string | string[] | undefined>>;

const BEARER = /^Bearer +(\S+) *$/i;
const KEY = /^mg_([a-z0-9-]{1,40})_[A-Za-z0-9_-]{43,}$/;

/**
 * Authenticates the caller: by `Authorization: Bearer mg_<id>_<secret>`, or, behind IAM, by the identity that IAM has
 * verified. The config has only the hash of a key. The comparison takes constant time; for an unknown id it uses a dummy hash.
 * Wrong, expired and disabled keys get the same answer. Throws MailFailure: key_missing, key_invalid.
 */
export function authenticate(headers: Headers, context: Pick<FunctionContext, 'config' | 'digest' | 'now' | 'trustIam'>): CallerKey {
  const given = BEARER.exec(String(headers['authorization'] ?? ''))?.[1];
  const key = given !== undefined && KEY.test(given) ? byKey(given, context) : context.trustIam ? byIdentity(headers, context) : null;
  if (given === undefined && !key) throw new MailFailure('key_missing', 'Missing API key in the authorization header.');
  const lives = key && key.disabled !== true && (key.expires === undefined || context.now() < key.expires);
  if (!lives) throw new MailFailure('key_invalid', 'API key is invalid');
  return key;
}

function byKey(given: string, { config, digest }: Pick<FunctionContext, 'config' | 'digest'>): CallerKey | null {
  const id = KEY.exec(given)?.[1];
  const key = config.keys.find((one) => one.id === id);
  const matches = equal(digest(given), key?.sha256 || digest(''));
  return key && matches ? key : null;
}

/**
 * The identity in Google's ID token. If `X-Serverless-Authorization` is present, Cloud Run checks it and leaves `Authorization`
 * unchecked. Cloud Run removes the signature of the token that it has verified.
 */
function byIdentity(headers: Headers, { config, now }: Pick<FunctionContext, 'config' | 'now'>): CallerKey | null {
  const header = String(headers['x-serverless-authorization'] ?? headers['authorization'] ?? '');
  const { iss, exp, email, email_verified } = claimsIn(header);
  const ours = iss === 'https://accounts.google.com' || iss === 'accounts.google.com';
  if (!ours || email_verified !== true || typeof email !== 'string' || !(Number(exp) * 1_000 > now())) return null;
  return config.keys.find(({ identity }) => identity === email.toLowerCase()) ?? null;
}

function claimsIn(authorization: string): Record<string, unknown> {
  const payload = /^Bearer +[\w-]+\.([\w-]+)\.[\w.-]*$/i.exec(authorization)?.[1] ?? '';
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    return typeof claims === 'object' && claims !== null ? (claims as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function equal(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}
