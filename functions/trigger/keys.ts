import type { CallerKey } from '../mail/config.ts';
import { MailFailure } from '../mail/failure.ts';

const BEARER = /^Bearer +(\S+) *$/i;
const KEY = /^mg_([a-z0-9-]{1,40})_[A-Za-z0-9_-]{43,}$/;

/**
 * Finds who calls by `Authorization: Bearer mg_<id>_<secret>`. Only the key's hash is known here; it is compared in
 * constant time, against a hash of nothing where the id is unknown. Throws MailFailure: key_missing, key_invalid.
 */
export function authenticate(authorization: string | undefined, keys: readonly CallerKey[], digest: (text: string) => string): CallerKey {
  const given = BEARER.exec(authorization ?? '')?.[1];
  if (given === undefined) throw new MailFailure('key_missing', 'Missing API key in the authorization header.');
  const id = KEY.exec(given)?.[1];
  const key = keys.find((one) => one.id === id);
  const matches = equal(digest(given), key?.sha256 ?? digest(''));
  if (!key || !matches) throw new MailFailure('key_invalid', 'API key is invalid');
  return key;
}

function equal(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}
