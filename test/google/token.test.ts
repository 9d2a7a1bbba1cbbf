import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { createExchange } from '../../functions/google/call.ts';
import { readCredential } from '../../functions/google/credential.ts';
import { createIdentity, readIdentity } from '../../functions/google/identity.ts';
import { createMinter, type Vault } from '../../functions/google/mint.ts';
import { createSecrets, readSecretReply } from '../../functions/google/secrets.ts';
import { readTokenReply } from '../../functions/google/token.ts';
import type { Fault } from '../../functions/local/faults.ts';
import { type Google, startGoogle } from '../../functions/local/google.ts';
import { Hidden } from '../../functions/mail/hidden.ts';
import { CONFIG, MAILBOX, PROJECT, SECRET } from '../support/laptop.ts';

const NOW = Date.UTC(2026, 10, 24, 8);
const reply = (status: number, body: unknown) => ({
  status,
  headers: {},
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
});
const [mailbox] = CONFIG.mailboxes;
const SENDER = { mailbox: mailbox as NonNullable<typeof mailbox>, from: { name: '', address: MAILBOX } };

const refusals = [
  { status: 400, body: { error: 'invalid_grant', error_description: 'Token has been expired or revoked.' }, code: 'grant_revoked' },
  { status: 400, body: { error: 'invalid_grant' }, code: 'grant_revoked' },
  { status: 401, body: { error: 'invalid_client' }, code: 'client_refused' },
  { status: 400, body: { error: 'invalid_client' }, code: 'client_refused' },
  { status: 401, body: { error: 'unauthorized_client' }, code: 'client_refused' },
  { status: 401, body: { error: 'deleted_client' }, code: 'client_refused' },
  { status: 400, body: { error: 'invalid_scope' }, code: 'scope_missing' },
  { status: 400, body: { error: 'admin_policy_enforced' }, code: 'mailbox_refused' },
  { status: 403, body: { error: 'rate_limit_exceeded' }, code: 'rate_limited' },
  { status: 500, body: '<html>', code: 'google_unavailable' },
  { status: 503, body: { error: 'internal_failure' }, code: 'google_unavailable' },
  { status: 429, body: '', code: 'google_unavailable' },
  { status: 400, body: { error: 'toString' }, code: 'unexpected' },
  { status: 200, body: '{}', code: 'unexpected' },
  { status: 200, body: '<html>', code: 'unexpected' },
];
for (const { status, body, code } of refusals)
  test(`the token endpoint's ${status} ${JSON.stringify(body).slice(0, 50)} is ${code}`, () =>
    assert.throws(() => readTokenReply(reply(status, body), NOW), { code }));

test('a token lasts the seconds that Google says, and cannot be printed', () => {
  const token = readTokenReply(reply(200, { access_token: 'ya29.canary', expires_in: 3599 }), NOW);
  assert.deepEqual([token.expiresAt, token.secret.reveal()], [NOW + 3_599_000, 'ya29.canary']);
  for (const shown of [JSON.stringify(token), `${token.secret}`, inspect(token, { depth: 9, showHidden: true })])
    assert.doesNotMatch(shown, /canary/);
});

const payloads = [
  { payload: '{', says: /not a JSON object/ },
  { payload: '"text"', says: /not a JSON object/ },
  { payload: '{}', says: /client_id/ },
  { payload: '{"client_id":"a","client_secret":"b","refresh_token":"c\\n"}', says: /refresh_token/ },
  { payload: '{"client_id":"a","client_secret":"","refresh_token":"c"}', says: /client_secret/ },
  { payload: '{"client_id":"a","client_secret":"b","refresh_token":"c","address":"other@example.com"}', says: /another address/ },
];
for (const { payload, says } of payloads)
  test(`the payload ${payload} is refused without being quoted`, () =>
    assert.throws(() => readCredential(new Hidden(payload), MAILBOX), { code: 'grant_malformed', message: says }));

const secretReplies = [
  { status: 404, body: { error: { status: 'NOT_FOUND' } }, code: 'grant_missing' },
  {
    status: 403,
    body: { error: { status: 'PERMISSION_DENIED', message: "Permission 'secretmanager.versions.access' denied" } },
    code: 'grant_unreadable',
  },
  { status: 400, body: { error: { status: 'FAILED_PRECONDITION', message: 'is in DISABLED state' } }, code: 'grant_unreadable' },
  {
    status: 403,
    body: { error: { status: 'PERMISSION_DENIED', message: 'Secret Manager API has not been used in project 1 before or it is disabled' } },
    code: 'api_disabled',
  },
  { status: 401, body: { error: { status: 'UNAUTHENTICATED' } }, code: 'identity_refused' },
  { status: 429, body: {}, code: 'google_unavailable' },
  { status: 503, body: '', code: 'google_unavailable' },
  { status: 200, body: {}, code: 'unexpected' },
];
for (const { status, body, code } of secretReplies)
  test(`Secret Manager's ${status} ${JSON.stringify(body).slice(0, 60)} is ${code}`, () =>
    assert.throws(() => readSecretReply(reply(status, body)), { code }));

for (const [status, code] of [
  [403, 'identity_refused'],
  [404, 'identity_refused'],
  [500, 'google_unavailable'],
] as const)
  test(`the metadata server's ${status} is ${code}`, () => assert.throws(() => readIdentity(reply(status, ''), NOW), { code }));

async function minting() {
  const google = await startGoogle();
  google.storeSecret(PROJECT, SECRET, JSON.stringify(google.oauth.enrol(MAILBOX)));
  const vault: Vault = {
    secrets: createSecrets(google.url, PROJECT),
    identity: createIdentity(google.url),
    tokenUrl: `${google.url}/token`,
  };
  const exchange = createExchange()(AbortSignal.timeout(20_000));
  const clock = { now: Date.now() };
  const invocation = () => createMinter(vault, exchange, () => clock.now);
  return { google, invocation, clock, [Symbol.asyncDispose]: () => google[Symbol.asyncDispose]() };
}
const counts = ({ calls }: Google) => [calls.identity, calls.secret, calls.token];

test('fifty mails of one invocation share one mint; the next invocation mints again, with the secret it knows', async () => {
  await using at = await minting();
  const token = at.invocation();
  const tokens = await Promise.all(Array.from({ length: 50 }, () => token(SENDER)));
  assert.deepEqual([new Set(tokens).size, counts(at.google)], [1, [1, 1, 1]]);
  await at.invocation()(SENDER);
  assert.deepEqual(counts(at.google), [1, 1, 2]);
});

test('a secret is read again after five minutes', async () => {
  await using at = await minting();
  await at.invocation()(SENDER);
  at.clock.now += 5 * 60_000;
  await at.invocation()(SENDER);
  assert.deepEqual(counts(at.google), [1, 2, 2]);
});

test('a rotated secret is picked up when Google refuses the old grant', async () => {
  await using at = await minting();
  await at.invocation()(SENDER);
  at.google.oauth.revoke(MAILBOX);
  at.google.storeSecret(PROJECT, SECRET, JSON.stringify(at.google.oauth.enrol(MAILBOX)));
  await at.invocation()(SENDER);
  assert.deepEqual(counts(at.google), [1, 2, 3]);
});

test('a dead grant is read once more, and tried only if it changed', async () => {
  await using at = await minting();
  at.google.oauth.revoke(MAILBOX);
  await assert.rejects(at.invocation()(SENDER), { code: 'grant_revoked' });
  assert.deepEqual(counts(at.google), [1, 2, 1]);
});

test('naming the refused token brings a new one, once for all who name it', async () => {
  await using at = await minting();
  const token = at.invocation();
  const old = await token(SENDER);
  const [one, two] = await Promise.all([token(SENDER, old), token(SENDER, old)]);
  assert.notEqual(one, old);
  assert.equal(one, two);
  assert.equal(at.google.calls.token, 2);
});

test('a failed mint is not shared with later mails', async () => {
  await using at = await minting();
  const token = at.invocation();
  at.google.faults.script({ on: 'token', answer: 'cloud_unavailable' });
  await assert.rejects(token(SENDER), { code: 'google_unavailable' });
  await token(SENDER);
});

const broken: { fault: Fault; code: string }[] = [
  { fault: { on: 'identity', status: 500 }, code: 'google_unavailable' },
  { fault: { on: 'identity', status: 404 }, code: 'identity_refused' },
  { fault: { on: 'identity', reset: 'before', times: 2 }, code: 'google_unavailable' },
  { fault: { on: 'secret', answer: 'permission_denied' }, code: 'grant_unreadable' },
  { fault: { on: 'secret', reset: 'before', times: 2 }, code: 'google_unavailable' },
  { fault: { on: 'token', answer: 'invalid_client', times: 2 }, code: 'client_refused' },
  { fault: { on: 'token', reset: 'before', times: 2 }, code: 'google_unavailable' },
];
for (const { fault, code } of broken)
  test(`${JSON.stringify(fault)} is ${code}`, async () => {
    await using at = await minting();
    at.google.faults.script(fault);
    await assert.rejects(at.invocation()(SENDER), { code });
  });
