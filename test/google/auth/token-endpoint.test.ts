import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import type { Fault } from '../../../functions/fake-google/faults/faults.ts';
import { type Google, startGoogle } from '../../../functions/fake-google/google.ts';
import type { TokenSources } from '../../../functions/google/auth/mint-token.ts';
import { readCredential } from '../../../functions/google/auth/refresh-token-secret.ts';
import { createSecrets, readSecretReply } from '../../../functions/google/auth/secret-manager.ts';
import { createIdentity, readIdentity } from '../../../functions/google/auth/service-identity.ts';
import { createMinter } from '../../../functions/google/auth/token-cache.ts';
import { readTokenReply } from '../../../functions/google/auth/token-endpoint.ts';
import { createWriteBack } from '../../../functions/google/auth/write-back.ts';
import { createExchange } from '../../../functions/google/http/exchange.ts';
import { withRetry } from '../../../functions/google/http/retry.ts';
import { SecretString } from '../../../functions/mail/model/secret.ts';
import { googleUrls } from '../../../functions/runtime/google-urls.ts';
import { CONFIG, MAILBOX, PROJECT, SECRET } from '../../support/stack/laptop.ts';

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
    assert.throws(() => readTokenReply(reply(status, body), NOW, 'refresh'), { code }));

test('a token lasts the seconds that Google says, and cannot be printed', () => {
  const { token } = readTokenReply(reply(200, { access_token: 'ya29.canary', expires_in: 3599 }), NOW, 'refresh');
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
  { payload: '{"installed":{"client_id":"a","client_secret":"canary"}}', says: /file of an OAuth client/ },
  { payload: '{"web":{"client_id":"a"}}', says: /file of an OAuth client/ },
  { payload: '{"type":"service_account","private_key":"canary"}', says: /key file of a service account/ },
  { payload: '{"client_id":"a","client_secret":"b","refresh_token":"c","address":"other@example.com"}', says: /another address/ },
];
for (const { payload, says } of payloads)
  test(`the payload ${payload} is refused without being quoted`, () =>
    assert.throws(() => readCredential(new SecretString(payload), MAILBOX), { code: 'grant_malformed', message: says }));

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
  const notices: string[] = [];
  const urls = googleUrls(google.url);
  const identity = createIdentity(urls.metadata);
  const instance = (): TokenSources => {
    const secrets = createSecrets(urls.secrets, PROJECT, identity);
    const writeBack = createWriteBack(secrets, (event, code) => void notices.push(`${event} ${code}`));
    return { secrets, writeBack, identity, urls, tokenCache: new Map(), dead: new Map() };
  };
  const vault = instance();
  const exchange = createExchange()(AbortSignal.timeout(300_000));
  const clock = { now: Date.now() };
  const waits: number[] = [];
  const pause = async (ms: number): Promise<void> => void waits.push(ms);
  const calls = { exchange: withRetry(exchange, pause, () => 0.5), pause, now: () => clock.now };
  const invocation = () => createMinter(vault, calls);
  return { google, instance, calls, notices, waits, invocation, clock, [Symbol.asyncDispose]: () => google[Symbol.asyncDispose]() };
}
const counts = ({ calls }: Google) => [calls.identity, calls.secret, calls.token];

test('fifty emails of one invocation share one mint; the next invocation mints again, with the secret it knows', async () => {
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

test('a dead grant is read once more, and once after a wait for another instance, and tried only if it changed', async () => {
  await using at = await minting();
  at.google.oauth.revoke(MAILBOX);
  await assert.rejects(at.invocation()(SENDER), { code: 'grant_revoked' });
  assert.deepEqual([counts(at.google), at.waits], [[1, 3, 1], [2_000]]);
  await assert.rejects(at.invocation()(SENDER), { code: 'grant_revoked' }); // known to be dead: nobody waits again
  assert.deepEqual([counts(at.google), at.waits], [[1, 4, 2], [2_000]]);
});

test('a grant that another instance replaces while we wait is not dead', async () => {
  await using at = await minting();
  await at.invocation()(SENDER);
  const before = at.google.oauth.enrol(MAILBOX);
  at.google.oauth.revoke(MAILBOX);
  const pause = async (ms: number): Promise<void> => {
    at.waits.push(ms);
    at.google.storeSecret(PROJECT, SECRET, JSON.stringify(at.google.oauth.enrol(MAILBOX)));
  };
  assert.ok(before);
  await createMinter(at.instance(), { ...at.calls, pause })(SENDER);
  assert.deepEqual(at.waits, [2_000]);
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
  at.google.faults.script({ on: 'token', answer: 'cloud_unavailable', times: 3 });
  await assert.rejects(token(SENDER), { code: 'google_unavailable' });
  await token(SENDER);
});

const broken: { fault: Fault; code: string }[] = [
  { fault: { on: 'identity', status: 500, times: 3 }, code: 'google_unavailable' },
  { fault: { on: 'identity', status: 404 }, code: 'identity_refused' },
  { fault: { on: 'identity', reset: 'before', times: 9 }, code: 'google_unavailable' },
  { fault: { on: 'secret', answer: 'permission_denied' }, code: 'grant_unreadable' },
  { fault: { on: 'secret', reset: 'before', times: 9 }, code: 'google_unavailable' },
  { fault: { on: 'token', answer: 'invalid_client', times: 2 }, code: 'client_refused' },
  { fault: { on: 'token', reset: 'before', times: 9 }, code: 'google_unavailable' },
  { fault: { on: 'token', answer: 'backend', times: 3 }, code: 'google_unavailable' },
];
for (const { fault, code } of broken)
  test(`${JSON.stringify(fault)} is ${code}`, async () => {
    await using at = await minting();
    at.google.faults.script(fault);
    await assert.rejects(at.invocation()(SENDER), { code });
  });

// After a reset the kept connection is tried anew at once, before there is anything to wait for.
for (const [fault, waits] of [
  [{ answer: 'backend' }, [200, 600]],
  [{ reset: 'before' }, [200]],
  [{ reset: 'after' }, [200]],
] as const)
  test(`two failures of the token endpoint (${JSON.stringify(fault)}) are waited out, with growing pauses`, async () => {
    await using at = await minting();
    at.google.faults.script({ on: 'token', ...fault, times: 2 });
    await at.invocation()(SENDER);
    assert.deepEqual([at.waits, at.google.calls.token], [waits, 3]);
  });

test('a refusal is not tried again', async () => {
  await using at = await minting();
  at.google.faults.script({ on: 'token', answer: 'invalid_client', times: 2 });
  await assert.rejects(at.invocation()(SENDER), { code: 'client_refused' });
  assert.deepEqual(at.waits, []);
});

const REUSING = { ...SENDER, mailbox: { ...SENDER.mailbox, tokens: 'reuse' as const } };
test('tokens: reuse keeps a token over invocations until five minutes before its end', async () => {
  await using at = await minting();
  const first = await at.invocation()(REUSING);
  at.clock.now = first.expiresAt - 5 * 60_000 - 1;
  assert.equal(await at.invocation()(REUSING), first);
  at.clock.now += 1;
  assert.notEqual(await at.invocation()(REUSING), first);
});

test('a kept token that Gmail refuses is replaced for all later invocations', async () => {
  await using at = await minting();
  const first = await at.invocation()(REUSING);
  const second = await at.invocation()(REUSING, first);
  assert.notEqual(second, first);
  assert.equal(await at.invocation()(REUSING), second);
});

test('a new refresh token is written back as a new version, and used from then on', async () => {
  await using at = await minting();
  at.google.oauth.rotateNext(MAILBOX);
  await at.invocation()(SENDER);
  await at.invocation()(SENDER);
  assert.deepEqual([counts(at.google), at.notices], [[1, 3, 2], []]); // read, read again before the new version is added, added
  await createMinter(at.instance(), at.calls)(SENDER); // another instance reads the new version
});

test('a new refresh token that cannot be written back does not fail the email, and is told', async () => {
  await using at = await minting();
  await at.invocation()(SENDER);
  at.google.oauth.rotateNext(MAILBOX);
  at.google.faults.script({ on: 'secret', answer: 'permission_denied' });
  await at.invocation()(SENDER);
  assert.deepEqual(at.notices, ['grant_not_written_back grant_unreadable']);
  // It is used from memory meanwhile, and stored with the next mint.
  await at.invocation()(SENDER);
  assert.deepEqual(at.notices, ['grant_not_written_back grant_unreadable']);
  await createMinter(at.instance(), at.calls)(SENDER);
});

test('a new refresh token that Google gave while an operator rotated the grant does not undo the rotation', async () => {
  await using at = await minting();
  await at.invocation()(SENDER);
  const rotated = JSON.stringify(at.google.oauth.enrol(MAILBOX));
  at.google.oauth.rotateNext(MAILBOX);
  at.google.storeSecret(PROJECT, SECRET, rotated);
  await at.invocation()(SENDER); // with the text in memory, which Google replaces
  assert.deepEqual(at.notices, ['grant_not_written_back grant_rotated']);
  const { secrets } = at.instance();
  assert.equal((await secrets.latest(SECRET, at.calls.exchange)).reveal(), rotated);
});
