/**
 * What an older version has left in the ledger and in the queue is worked off by this one. The samples are kept as they were
 * written: where a form changes, a new one is added, and none is corrected.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLedgerQuery } from '../../../functions/cli/ledger/ledger-query.ts';
import { connect } from '../../../functions/google/connect.ts';
import { reconcile } from '../../../functions/mail/delivery/operator-decisions.ts';
import { queued } from '../../explore/queued.ts';
import { authorised, CONFIG, envelope, type Laptop, MAIL, post, settingsFor } from '../../support/stack/laptop.ts';

const DATABASE = 'projects/laptop/databases/(default)/documents';
const AT = Date.UTC(2026, 10, 24, 8);

/** A message of an email that waits, and the fingerprint by which its record knows it (SHA-256 of `mail`, a line break, the text). */
const DATA = '{"from":"notices@example.com","to":["Ann@example.net"],"subject":"canary","text":"canary"}';
const SEAL = 'f69534f08055fa8200ea4ca1d838ba031239cbe9bca825245586b5c82e73250c';

/** November 2026, before anything was released: no holder, no letterBytes, recipients hashed as they were written. */
const RECORD = {
  state: { stringValue: 'queued' },
  payload: { stringValue: 'p' },
  caller: { stringValue: 'shop' },
  mailbox: { stringValue: '9f86d081884c7d65' },
  recipients: { arrayValue: { values: [{ stringValue: '4b6a7e0e7b2f1c3d' }] } },
  acceptedAt: { integerValue: String(AT - 60_000) },
  attempts: { integerValue: '0' },
  leaseUntil: { integerValue: '0' },
  handle: { nullValue: null },
  letter: { nullValue: null },
  gmailId: { nullValue: null },
  code: { nullValue: null },
  notBefore: { nullValue: null },
  content: { stringValue: SEAL },
  expireAt: { timestampValue: '2026-12-27T07:59:00.000Z' },
} as const;
const ID = '5b1f7c0e-9a53-4f6f-8d0c-0e4a7c6b2f11';

async function record(google: Laptop['google'], id: string, fields: object): Promise<void> {
  const writes = [{ update: { name: `${DATABASE}/mails/${id}`, fields } }];
  const authorization = `Bearer ${await self(google)}`;
  const reply = await fetch(`${google.url}/v1/${DATABASE}:commit`, {
    method: 'POST',
    headers: { authorization },
    body: JSON.stringify({ writes }),
  });
  assert.equal(reply.status, 200);
}
async function self({ url }: Laptop['google']): Promise<string> {
  const reply = await fetch(`${url}/computeMetadata/v1/instance/service-accounts/default/token`, {
    headers: { 'metadata-flavor': 'Google' },
  });
  return String(((await reply.json()) as { access_token: string }).access_token);
}

const waiting: { what: string; change: object }[] = [
  { what: 'queued', change: {} },
  {
    what: 'scheduled and due',
    change: {
      state: { stringValue: 'scheduled' },
      notBefore: { integerValue: String(AT - 1) },
      scheduledAt: { integerValue: String(AT - 1) },
    },
  },
  {
    what: 'parked, and its time has come',
    change: {
      state: { stringValue: 'parked' },
      notBefore: { integerValue: String(AT) },
      code: { stringValue: 'quota_daily' },
      attempts: { integerValue: '1' },
    },
  },
  {
    what: 'waiting',
    change: { state: { stringValue: 'waiting' }, code: { stringValue: 'google_unavailable' }, attempts: { integerValue: '5' } },
  },
  {
    what: 'claimed by a worker that died',
    change: { state: { stringValue: 'claimed' }, leaseUntil: { integerValue: String(AT - 1) }, attempts: { integerValue: '1' } },
  },
];
for (const { what, change } of waiting)
  test(`an email of the version before that is ${what} goes out by its message, once`, async () => {
    await using own = await queued();
    await record(own.google, ID, { ...RECORD, ...change });
    const message = envelope(null, { data: Buffer.from(DATA).toString('base64'), attributes: { mailgrantId: ID } });
    const statuses = [(await post(own.worker, message)).status, (await post(own.worker, message)).status];
    assert.deepEqual([statuses, own.google.mails.count(), own.google.ledgerEntry(ID)?.['state']], [[204, 204], 1, 'sent']);
  });

/** An email whose reply was lost, as a version wrote it that did not yet note how many bytes its letter had. */
async function lost(when: 'before' | 'after' = 'after') {
  const own = await queued();
  own.google.faults.script({ on: 'transfer', reset: when }, { on: 'ask', answer: 'bad_token', times: 9 });
  const { body } = await post(`${own.api}/emails`, MAIL, { ...authorised, 'idempotency-key': 'order/7' });
  await own.flush();
  own.google.faults.clear();
  const id = String(body?.['id']);
  const token = await self(own.google);
  const reply = await fetch(`${own.google.url}/v1/${DATABASE}/mails/${id}`, { headers: { authorization: `Bearer ${token}` } });
  const { letterBytes, holder, ...fields } = ((await reply.json()) as { fields: Record<string, unknown> }).fields;
  assert.ok(letterBytes && holder && fields['handle']);
  await record(own.google, id, fields);
  return { ...own, id };
}

test('an email of the version before whose reply was lost is asked about, not sent again', async () => {
  await using own = await lost();
  await own.live(60 * 60_000);
  assert.deepEqual([own.google.mails.count(), own.google.ledgerEntry(own.id)?.['state']], [1, 'sent']);
});

for (const [when, state, mails] of [
  ['after', 'sent', 1],
  ['before', 'sending', 0], // Gmail waits for the rest: whoever sends it next goes on in that session
] as const)
  test(`an operator asks about it too, and learns that the reply was lost ${when} Gmail had the letter`, async () => {
    await using own = await lost(when);
    const ports = connect(
      settingsFor(own.google.url),
      () => {},
      undefined,
      () => own.clock.now,
    ).startInvocation();
    const found = await ports.ledger.read(own.id);
    const [mailbox] = CONFIG.mailboxes;
    assert.ok(found && mailbox);
    const { entry } = await reconcile(found, mailbox, ports).finally(ports.close);
    assert.deepEqual([entry.state, own.google.mails.count()], [state, mails]);
  });

test('a record of the version before is listed', async () => {
  await using own = await queued();
  await record(own.google, ID, RECORD);
  const token = await self(own.google);
  const identity = async () => ({ secret: { reveal: () => token }, expiresAt: AT + 1e9 });
  const query = createLedgerQuery({ settings: settingsFor(own.google.url), identity });
  assert.deepEqual(
    (await query({ states: ['queued'] }, 5)).map(({ id, claimId, mimeBytes }) => [id, claimId, mimeBytes]),
    [[ID, undefined, undefined]],
  );
});
