import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fault } from '../../../functions/fake-google/faults/faults.ts';
import type { Google } from '../../../functions/fake-google/google.ts';
import type { Mailbox } from '../../../functions/mail/model/config.ts';
import { SCOPE_MAIL, SCOPE_SEND } from '../../../functions/mail/model/scopes.ts';
import { authorised, CONFIG, MAIL, MAILBOX, PROJECT, post, SECRET, startLaptop } from '../../support/stack/laptop.ts';

// Whole emails, since what counts is what is in the mailbox.
const DELEGATE = 'delegate@laptop.iam.gserviceaccount.com';
const [usual] = CONFIG.mailboxes;
const withBox = (change: Partial<Mailbox>) => ({ ...CONFIG, mailboxes: [{ ...(usual as Mailbox), ...change }] });
const delegated = withBox({ grant: 'delegation', delegate: DELEGATE });
const keyed = withBox({ grant: 'service-account-key' });

const allow = (google: Google): void => {
  google.delegation.allow(DELEGATE, [SCOPE_SEND]);
  google.delegation.letSign(DELEGATE);
};
const storeKey = (google: Google, change: (key: Record<string, string>) => unknown = (key) => key): void =>
  google.storeSecret(PROJECT, SECRET, JSON.stringify(change(google.delegation.newKey(DELEGATE))));

test('keyless delegation sends as the mailbox; no key and no secret is read', async () => {
  await using laptop = await startLaptop({ config: delegated });
  allow(laptop.google);
  assert.equal((await post(`${laptop.api}/emails`, MAIL, authorised)).status, 200);
  const { secret, sign, token } = laptop.google.calls;
  assert.deepEqual([laptop.google.mails.list()[0]?.mailbox, secret, sign, token], [MAILBOX, 0, 1, 1]);
});

test('a service account key in the secret sends as the mailbox; nobody signs for it', async () => {
  await using laptop = await startLaptop({ config: keyed });
  laptop.google.delegation.allow(DELEGATE, [SCOPE_SEND]);
  storeKey(laptop.google);
  assert.equal((await post(`${laptop.api}/emails`, MAIL, authorised)).status, 200);
  const { secret, sign, token } = laptop.google.calls;
  assert.deepEqual([laptop.google.mails.list()[0]?.mailbox, secret, sign, token], [MAILBOX, 1, 0, 1]);
});

const refusals: { name: string; config: typeof CONFIG; prepare: (google: Google) => void; code: string }[] = [
  { name: 'the delegate is unknown', config: delegated, prepare: () => {}, code: 'delegate_refused' },
  {
    name: 'the function may not have it sign',
    config: delegated,
    prepare: (google) => google.delegation.allow(DELEGATE, [SCOPE_SEND]),
    code: 'delegate_refused',
  },
  {
    name: 'the administrator has not allowed it',
    config: delegated,
    prepare: (google) => google.delegation.letSign(DELEGATE),
    code: 'delegation_missing',
  },
  {
    name: 'the administrator allowed another scope',
    config: delegated,
    prepare: (google) => {
      allow(google);
      google.delegation.allow(DELEGATE, [SCOPE_MAIL]);
    },
    code: 'delegation_missing',
  },
  {
    name: 'the mailbox does not exist',
    config: { ...delegated, mailboxes: [{ ...(delegated.mailboxes[0] as Mailbox), address: 'nobody@example.com', aliases: [MAILBOX] }] },
    prepare: allow,
    code: 'mailbox_refused',
  },
  {
    name: 'the key was deleted',
    config: keyed,
    prepare: (google) => storeKey(google, (key) => ({ ...key, private_key_id: 'k9' })),
    code: 'delegate_refused',
  },
  {
    name: 'the key lost its line breaks',
    config: keyed,
    prepare: (google) => storeKey(google, (key) => ({ ...key, private_key: key['private_key']?.replaceAll('\n', ' ') })),
    code: 'grant_malformed',
  },
  { name: 'the secret is a refresh token', config: keyed, prepare: () => {}, code: 'grant_malformed' },
  {
    name: 'the secret is no JSON',
    config: keyed,
    prepare: (google) => google.storeSecret(PROJECT, SECRET, 'key'),
    code: 'grant_malformed',
  },
];
for (const { name, config, prepare, code } of refusals)
  test(`${name}: ${code}, nothing is sent, and the log has the fix`, async () => {
    await using laptop = await startLaptop({ config });
    prepare(laptop.google);
    const { status, body } = await post(`${laptop.api}/emails`, MAIL, authorised);
    assert.deepEqual([status, body?.['code'], laptop.google.mails.count()], [500, code, 0]);
    assert.deepEqual(
      laptop.lines.map(({ code: logged, fix }) => [logged, typeof fix]),
      [[code, 'string']],
    );
    assert.doesNotMatch(JSON.stringify([body, laptop.lines]), /PRIVATE|canary|@example/);
  });

const signing: { fault: Fault; code: string | null }[] = [
  { fault: { on: 'sign', answer: 'cloud_unavailable' }, code: null },
  { fault: { on: 'sign', answer: 'cloud_unavailable', times: 3 }, code: 'google_unavailable' },
  { fault: { on: 'sign', answer: 'unauthenticated' }, code: null },
  { fault: { on: 'sign', answer: 'unauthenticated', times: 2 }, code: 'google_unavailable' },
  { fault: { on: 'sign', answer: 'permission_denied' }, code: 'delegate_refused' },
  { fault: { on: 'sign', answer: 'api_disabled' }, code: 'api_disabled' },
  { fault: { on: 'sign', reset: 'after' }, code: null },
];
for (const { fault, code } of signing)
  test(`signing: ${JSON.stringify(fault)} is ${code ?? 'waited out'}`, async () => {
    await using laptop = await startLaptop({ config: delegated });
    allow(laptop.google);
    laptop.google.faults.script(fault);
    const { body } = await post(`${laptop.api}/emails`, MAIL, authorised);
    assert.deepEqual([body?.['code'], laptop.google.mails.count()], [code ?? undefined, code ? 0 : 1]);
  });

for (const minutes of [-90, 90])
  test(`a clock that is ${minutes} minutes off is corrected by Google's own`, async () => {
    await using laptop = await startLaptop({ config: delegated, google: { now: () => Date.now() + minutes * 60_000 } });
    allow(laptop.google);
    // node:http writes the real time into Date: the fake's time is put there by the fault.
    const date = new Date(Date.now() + minutes * 60_000).toUTCString();
    const description =
      'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.';
    laptop.google.faults.script({
      on: 'token',
      status: 400,
      headers: { date },
      body: { error: 'invalid_grant', error_description: description },
    });
    assert.equal((await post(`${laptop.api}/emails`, MAIL, authorised)).status, 200);
    assert.equal(laptop.google.calls.sign, 2);
  });
