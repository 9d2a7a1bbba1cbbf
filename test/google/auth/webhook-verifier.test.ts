import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { OAuth2Client } from 'google-auth-library';
import { type Google, startGoogle } from '../../../functions/fake-google/google.ts';
import { createIdentity } from '../../../functions/google/auth/service-identity.ts';
import { createWebhookVerifier } from '../../../functions/google/auth/webhook-verifier.ts';
import type { WebhookVerifier } from '../../../functions/runtime/function-context.ts';
import { googleUrls } from '../../../functions/runtime/google-urls.ts';
import { PROJECT } from '../../support/stack/laptop.ts';

let google: Google;
before(async () => {
  google = await startGoogle();
});
after(() => google[Symbol.asyncDispose]());

const AUDIENCE = 'https://hooks.example.com';
const CALLER = 'scheduler@laptop.iam.gserviceaccount.com';
let clock = Date.now();

function witness(): WebhookVerifier {
  clock = Date.now();
  const urls = googleUrls(google.url);
  return createWebhookVerifier({ urls, project: PROJECT, deadlineMs: 5_000 }, createIdentity(urls.metadata), () => clock);
}

const seconds = (from: number): number => Math.floor(Date.now() / 1_000) + from;
const tokens: readonly { name: string; token: () => string; email: string | null }[] = [
  { name: 'a genuine token', token: () => google.signer.token(CALLER, AUDIENCE), email: CALLER },
  { name: 'the older issuer', token: () => google.signer.token(CALLER, AUDIENCE, { iss: 'accounts.google.com' }), email: CALLER },
  { name: 'an address in capitals', token: () => google.signer.token(CALLER.toUpperCase(), AUDIENCE), email: CALLER },
  { name: 'another audience', token: () => google.signer.token(CALLER, 'https://other.example.com'), email: null },
  { name: 'another issuer', token: () => google.signer.token(CALLER, AUDIENCE, { iss: 'https://evil.example.com' }), email: null },
  {
    name: 'a token that has run out',
    token: () => google.signer.token(CALLER, AUDIENCE, { iat: seconds(-7_200), exp: seconds(-3_600) }),
    email: null,
  },
  {
    name: 'a token of the future',
    token: () => google.signer.token(CALLER, AUDIENCE, { iat: seconds(3_600), exp: seconds(7_200) }),
    email: null,
  },
  { name: 'a token that begins later', token: () => google.signer.token(CALLER, AUDIENCE, { nbf: seconds(600) }), email: null },
  { name: 'a token that began', token: () => google.signer.token(CALLER, AUDIENCE, { nbf: seconds(-1) }), email: CALLER },
  { name: 'a beginning that is no time', token: () => google.signer.token(CALLER, AUDIENCE, { nbf: 'now' }), email: null },
  { name: 'a critical header', token: () => google.signer.token(CALLER, AUDIENCE, {}, { crit: ['b64'], b64: true }), email: null },
  { name: 'an empty list of critical headers', token: () => google.signer.token(CALLER, AUDIENCE, {}, { crit: [] }), email: null },
  { name: 'a token without an end', token: () => google.signer.token(CALLER, AUDIENCE, { exp: undefined }), email: null },
  { name: 'an email that is not verified', token: () => google.signer.token(CALLER, AUDIENCE, { email_verified: false }), email: null },
  { name: 'no email', token: () => google.signer.token(CALLER, AUDIENCE, { email: undefined }), email: null },
  { name: "somebody else's key under Google's key id", token: () => google.signer.forged(CALLER, AUDIENCE), email: null },
  { name: 'an unknown key id', token: () => google.signer.token(CALLER, AUDIENCE, {}, { kid: 'nobody' }), email: null },
  { name: 'a key id that every object has', token: () => google.signer.token(CALLER, AUDIENCE, {}, { kid: 'constructor' }), email: null },
  { name: 'alg none', token: () => google.signer.token(CALLER, AUDIENCE, {}, { alg: 'none' }), email: null },
  { name: 'alg HS256', token: () => google.signer.token(CALLER, AUDIENCE, {}, { alg: 'HS256' }), email: null },
  { name: 'a signature cut off', token: () => google.signer.token(CALLER, AUDIENCE).replace(/\.[\w-]+$/, '.'), email: null },
  { name: 'claims changed', token: () => changed(google.signer.token('other@example.com', AUDIENCE)), email: null },
  { name: 'no token', token: () => 'canary-nonsense', email: null },
];

/** Another caller's token with our caller's claims put in its middle. */
function changed(token: string): string {
  const [head = '', , signature = ''] = token.split('.');
  return `${head}.${google.signer.token(CALLER, AUDIENCE).split('.')[1]}.${signature}`;
}

for (const { name, token, email } of tokens)
  test(`${name}: ${email === null ? 'proves nothing' : 'names the caller'}`, async () =>
    assert.equal(await witness().emailIn(token(), AUDIENCE), email));

test("Google's own library, asked as a whole, takes the same genuine token", async () => {
  const client = new OAuth2Client({
    endpoints: { oauth2FederatedSignonPemCertsUrl: `${google.url}/oauth2/v1/certs` } as never,
  });
  const ticket = await client.verifyIdToken({ idToken: google.signer.token(CALLER, AUDIENCE), audience: AUDIENCE });
  assert.equal(ticket.getPayload()?.email, CALLER);
});

test('the certificates are fetched once, again for a new key, and not for every unknown one', async () => {
  const one = witness();
  const { certs } = google.calls;
  const fetched = (): number => google.calls.certs - certs;
  await one.emailIn(google.signer.token(CALLER, AUDIENCE), AUDIENCE);
  await one.emailIn(google.signer.token(CALLER, AUDIENCE), AUDIENCE);
  assert.equal(fetched(), 1);
  for (let i = 0; i < 5; i++) await one.emailIn(google.signer.token(CALLER, AUDIENCE, {}, { kid: `k${i}` }), AUDIENCE);
  assert.equal(fetched(), 1);
  google.signer.rotate();
  clock += 61_000;
  assert.equal(await one.emailIn(google.signer.token(CALLER, AUDIENCE), AUDIENCE), CALLER);
  assert.equal(fetched(), 2);
});

test('certificates that cannot be fetched are a trouble that passes, asked for as often by twenty tokens as by one', async () => {
  const one = witness();
  const { certs } = google.calls;
  google.faults.script({ on: 'certs', status: 503, standing: true, name: 'away' });
  const token = google.signer.token(CALLER, AUDIENCE);
  await Promise.all(Array.from({ length: 20 }, () => assert.rejects(one.emailIn(token, AUDIENCE), { code: 'google_unavailable' })));
  await assert.rejects(one.emailIn(token, AUDIENCE), { code: 'google_unavailable' });
  assert.equal(google.calls.certs - certs, 3); // one fetch, with its two retries
  google.faults.clear('away');
  clock += 5_001;
  assert.equal(await one.emailIn(token, AUDIENCE), CALLER);
});

test('certificates without a max-age are kept all the same', async () => {
  const one = witness();
  const { certs } = google.calls;
  const { body } = google.signer.certs();
  google.faults.script({ on: 'certs', status: 200, body, headers: { 'cache-control': 'no-store' } });
  for (let count = 0; count < 20; count++) assert.equal(await one.emailIn(google.signer.token(CALLER, AUDIENCE), AUDIENCE), CALLER);
  assert.equal(google.calls.certs - certs, 1);
});

test('certificates that cannot be renewed go on for twelve hours beyond their end, and no longer', async () => {
  const one = witness();
  const token = (): string => google.signer.token(CALLER, AUDIENCE);
  assert.equal(await one.emailIn(token(), AUDIENCE), CALLER);
  google.faults.script({ on: 'certs', status: 503, standing: true, name: 'away' });
  const end = clock + 19_800_000;
  clock = end + 1_000;
  assert.equal(await one.emailIn(token(), AUDIENCE), CALLER);
  clock = end + 12 * 3_600_000 + 1;
  await assert.rejects(one.emailIn(token(), AUDIENCE), { code: 'google_unavailable' });
  google.faults.clear('away');
});

test("a webhook's secret is read once in five minutes, and once more where it does not fit, but not for each wrong signature", async () => {
  google.storeSecret(PROJECT, 'hook-a', 'canary-one');
  const one = witness();
  const { secret } = google.calls;
  const reads = (): number => google.calls.secret - secret;
  const first = await one.secret('hook-a');
  assert.deepEqual([first.reveal(), (await one.secret('hook-a')).reveal(), reads()], ['canary-one', 'canary-one', 1]);
  google.storeSecret(PROJECT, 'hook-a', 'canary-two');
  const second = await one.secret('hook-a', first);
  assert.deepEqual([second.reveal(), reads()], ['canary-two', 2]);
  for (let i = 0; i < 5; i++) assert.equal((await one.secret('hook-a', second)).reveal(), 'canary-two');
  assert.equal(reads(), 2);
  clock += 10_001;
  await one.secret('hook-a', second);
  assert.equal(reads(), 3);
});

for (const [answer, code] of [
  ['not_found', 'hook_secret_unusable'],
  ['permission_denied', 'hook_secret_unusable'],
  ['cloud_unavailable', 'google_unavailable'],
] as const)
  test(`a secret that answers ${answer} is ${code}`, async () => {
    const one = witness();
    google.faults.script({ on: 'secret', answer, times: answer === 'cloud_unavailable' ? 3 : 1 });
    await assert.rejects(one.secret('hook-b'), { code });
  });
