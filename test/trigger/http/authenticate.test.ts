import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { CallerKey, Config } from '../../../functions/mail/model/config.ts';
import { authenticate } from '../../../functions/trigger/http/authenticate.ts';
import { CONFIG, KEY, MAILBOX } from '../../support/stack/laptop.ts';

const NOW = Date.UTC(2026, 10, 24, 8);
const CI = 'ci@project.iam.gserviceaccount.com';
const digest = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('hex');
const shop = CONFIG.keys[0] as CallerKey;
const edge = (change: Partial<CallerKey> = {}, trustIam = false) => {
  const ci: CallerKey = { id: 'ci', sha256: '', identity: CI, from: [MAILBOX], to: null, ...change };
  const config: Config = { ...CONFIG, keys: [{ ...shop, ...change }, ci] };
  return { config, digest, trustIam, now: () => NOW };
};
const claims = { iss: 'https://accounts.google.com', exp: NOW / 1_000 + 60, email: CI, email_verified: true };
const jwt = (change: object = {}): string =>
  ['{"alg":"RS256"}', JSON.stringify({ ...claims, ...change })].map((part) => Buffer.from(part).toString('base64url')).join('.') +
  '.SIGNATURE_REMOVED_BY_GOOGLE';

test('a key names its caller', () => assert.equal(authenticate({ authorization: `Bearer ${KEY}` }, edge()).id, 'shop'));

const refused: { name: string; headers: Record<string, string>; at?: ReturnType<typeof edge>; code: string }[] = [
  { name: 'no header', headers: {}, code: 'key_missing' },
  { name: 'another scheme', headers: { authorization: `Basic ${KEY}` }, code: 'key_missing' },
  { name: 'a wrong secret', headers: { authorization: `Bearer ${KEY}x` }, code: 'key_invalid' },
  { name: 'an unknown id', headers: { authorization: `Bearer ${KEY.replace('shop', 'nobody')}` }, code: 'key_invalid' },
  { name: 'the id of a key that is an identity', headers: { authorization: `Bearer ${KEY.replace('shop', 'ci')}` }, code: 'key_invalid' },
  { name: 'a short secret', headers: { authorization: 'Bearer mg_shop_short' }, code: 'key_invalid' },
  { name: 'a disabled key', headers: { authorization: `Bearer ${KEY}` }, at: edge({ disabled: true }), code: 'key_invalid' },
  { name: 'a key that has run out', headers: { authorization: `Bearer ${KEY}` }, at: edge({ expires: NOW }), code: 'key_invalid' },
  { name: 'an identity where IAM is not trusted', headers: { 'x-serverless-authorization': `Bearer ${jwt()}` }, code: 'key_missing' },
  { name: 'the same in Authorization', headers: { authorization: `Bearer ${jwt()}` }, code: 'key_invalid' },
  { name: 'a token of another issuer', headers: bearer(jwt({ iss: 'https://example.com' })), at: edge({}, true), code: 'key_invalid' },
  { name: 'a token that has run out', headers: bearer(jwt({ exp: NOW / 1_000 })), at: edge({}, true), code: 'key_invalid' },
  { name: 'a token without an end', headers: bearer(jwt({ exp: undefined })), at: edge({}, true), code: 'key_invalid' },
  { name: 'an address that is not verified', headers: bearer(jwt({ email_verified: false })), at: edge({}, true), code: 'key_invalid' },
  { name: 'an identity nobody configured', headers: bearer(jwt({ email: 'x@example.com' })), at: edge({}, true), code: 'key_invalid' },
  { name: 'an identity that is disabled', headers: bearer(jwt()), at: edge({ disabled: true }, true), code: 'key_invalid' },
  {
    name: 'a token in Authorization beside one that IAM checked in its place',
    headers: { ...bearer(jwt()), 'x-serverless-authorization': `Bearer ${jwt({ email: 'x@example.com' })}` },
    at: edge({}, true),
    code: 'key_invalid',
  },
  { name: 'no token behind IAM', headers: {}, at: edge({}, true), code: 'key_missing' },
];
function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}
for (const { name, headers, at = edge(), code } of refused)
  test(`${name} is ${code}`, () => assert.throws(() => authenticate(headers, at), { code }));

test('what is wrong with a key is not told: one message for all of it', () => {
  const messages = refused.filter(({ code }) => code === 'key_invalid').map(({ headers, at = edge() }) => said(headers, at));
  assert.deepEqual([...new Set(messages)], ['API key is invalid']);
});
function said(headers: Record<string, string>, at: ReturnType<typeof edge>): string {
  try {
    return authenticate(headers, at).id;
  } catch (error) {
    return (error as Error).message;
  }
}

test('behind IAM a verified identity is its key, in either header; an API key beside it comes first', () => {
  const at = edge({}, true);
  assert.equal(authenticate({ authorization: `Bearer ${jwt()}` }, at).id, 'ci');
  assert.equal(authenticate({ 'x-serverless-authorization': `Bearer ${jwt({ email: CI.toUpperCase() })}` }, at).id, 'ci');
  assert.equal(authenticate({ authorization: `Bearer ${KEY}`, 'x-serverless-authorization': `Bearer ${jwt()}` }, at).id, 'shop');
});
