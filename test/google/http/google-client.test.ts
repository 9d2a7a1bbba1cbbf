/** One authorised call, everywhere: a token that a service refuses is replaced, and a service that is away for a moment is asked again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Door } from '../../../functions/fake-google/faults/faults.ts';
import { type Google, startGoogle } from '../../../functions/fake-google/google.ts';
import { createIdentity } from '../../../functions/google/auth/service-identity.ts';
import { connect } from '../../../functions/google/connect.ts';
import type { Mailbox } from '../../../functions/mail/model/config.ts';
import { type FailureCode, failureInfo, type MailFailure } from '../../../functions/mail/model/failure.ts';
import { SCOPE_SEND } from '../../../functions/mail/model/scopes.ts';
import { CONFIG, DEAD_TOPIC, MAILBOX, PROJECT, QUEUE, SECRET, settingsFor, TOPIC } from '../../support/stack/laptop.ts';

const DELEGATE = 'delegate@laptop.iam.gserviceaccount.com';
const [usual] = CONFIG.mailboxes as [Mailbox];
const delegated: Mailbox = { ...usual, address: 'delegated@example.com', grant: 'delegation', delegate: DELEGATE };
const message = { data: '{}', attributes: {} };
const ID = '00000000-0000-4000-8000-000000000001';
const DOCUMENT = `projects/${PROJECT}/databases/(default)/documents/app/one`;

async function stack() {
  const google = await startGoogle();
  google.storeSecret(PROJECT, SECRET, JSON.stringify(google.oauth.enrol(MAILBOX)));
  google.oauth.enrol(delegated.address);
  google.delegation.allow(DELEGATE, [SCOPE_SEND]);
  google.delegation.letSign(DELEGATE);
  for (const topic of [TOPIC, DEAD_TOPIC]) google.pubsub.createTopic(topic);
  const context = connect(settingsFor(google.url, { ...QUEUE, config: { ...CONFIG, mailboxes: [usual, delegated] } }), () => {});
  const ports = context.startInvocation();
  await ports.ledger.read(ID); // the function's identity is at hand
  return { google, context, ports, [Symbol.asyncDispose]: () => google[Symbol.asyncDispose]() };
}
type Stack = Awaited<ReturnType<typeof stack>>;

const EXPIRE = Date.now() + 3_600_000;
const endpoints: readonly { name: string; door: Door; denied: FailureCode; call: (at: Stack) => Promise<unknown> }[] = [
  { name: 'a secret is read', door: 'secret', denied: 'grant_unreadable', call: ({ ports }) => ports.token({ mailbox: usual }) },
  { name: 'a JWT is signed', door: 'sign', denied: 'delegate_refused', call: ({ ports }) => ports.token({ mailbox: delegated }) },
  { name: 'the ledger is read', door: 'ledger', denied: 'identity_refused', call: ({ ports }) => ports.ledger.read(ID) },
  {
    name: 'the ledger is written',
    door: 'ledger',
    denied: 'identity_refused',
    call: ({ ports }) => ports.ledger.reserve({ hash: 'a'.repeat(64), expireAt: EXPIRE }, ID),
  },
  {
    name: 'the ledger counts',
    door: 'ledger',
    denied: 'identity_refused',
    call: async ({ ports }) => assert.deepEqual(await ports.ledger.count([{ name: 'c', expireAt: EXPIRE }], 1), [1]),
  },
  {
    name: 'an event is assigned to a window',
    door: 'ledger',
    denied: 'identity_refused',
    call: async ({ ports }) => (await ports.windows()).assign('g'.repeat(64), 'e'.repeat(64), 60_000, Date.now()),
  },
  { name: 'a document is read', door: 'ledger', denied: 'identity_refused', call: ({ context }) => context.documents().read(DOCUMENT) },
  {
    name: 'a document is written',
    door: 'ledger',
    denied: 'identity_refused',
    call: ({ context }) => context.documents().write(DOCUMENT, { 'delivery.state': 'SUCCESS' }, null),
  },
  {
    name: 'a message is published',
    door: 'publish',
    denied: 'queue_refused',
    call: async ({ ports }) => ports.queue?.publish(message),
  },
  {
    name: 'a dead letter is published',
    door: 'publish',
    denied: 'queue_refused',
    call: async ({ ports }) => ports.deadLetters?.publish(message),
  },
  {
    name: 'a task is scheduled',
    door: 'task',
    denied: 'queue_refused',
    call: async ({ ports }) => ports.taskQueue?.schedule(message, Date.now() + 60_000, 'one'),
  },
  { name: 'a task is read', door: 'task', denied: 'queue_refused', call: async ({ ports }) => ports.taskQueue?.get('one') },
  { name: 'a task is canceled', door: 'task', denied: 'queue_refused', call: async ({ ports }) => ports.taskQueue?.cancel('one') },
  { name: 'content is stored', door: 'store', denied: 'queue_refused', call: async ({ ports }) => ports.contentStore?.put('one', 'x') },
  { name: 'content is read', door: 'store', denied: 'queue_refused', call: async ({ ports }) => ports.contentStore?.get('one') },
  { name: 'content is removed', door: 'store', denied: 'queue_refused', call: async ({ ports }) => ports.contentStore?.remove('one') },
];
for (const { name, door, denied, call } of endpoints) {
  for (const answer of ['unauthenticated', 'cloud_unavailable'] as const)
    test(`${name}: ${answer} once is not seen by the caller`, async () => {
      await using at = await stack();
      const { identity } = at.google.calls;
      at.google.faults.script({ on: door, answer });
      await call(at);
      assert.deepEqual([at.google.faults.pending(), at.google.calls.identity - identity], [[], answer === 'unauthenticated' ? 1 : 0]);
    });
  for (const [answer, times] of [
    ['unauthenticated', 2],
    ['cloud_unavailable', 3],
  ] as const)
    test(`${name}: ${answer} ${times} times is a failure that passes`, async () => {
      await using at = await stack();
      at.google.faults.script({ on: door, answer, times });
      const error: MailFailure = await call(at).then(
        () => assert.fail('it was not refused'),
        (one) => one,
      );
      assert.equal(failureInfo(error.code).retry, 'soon', error.code);
    });
  test(`${name}: a 403 is ${denied}, at once`, async () => {
    await using at = await stack();
    at.google.faults.script({ on: door, answer: 'permission_denied' });
    await assert.rejects(call(at), { code: denied });
    assert.deepEqual(at.google.faults.pending(), []);
  });
}

test('contention in Firestore is waited out before each kind of write', async () => {
  for (const { call } of endpoints.filter(({ name }) => /ledger is written|counts|document is written/.test(name))) {
    await using at = await stack();
    at.google.faults.script({ on: 'ledger', status: 409, body: { error: { status: 'ABORTED' } }, times: 1 });
    await call(at);
    assert.deepEqual(at.google.faults.pending(), []);
  }
});

const HOUR_MS = 3_600_000;
async function identityOf(google: Google) {
  const clock = { now: Date.now() };
  return { clock, token: createIdentity(google.url, () => clock.now) };
}

test('a token that is refused is replaced once for all who name it, and kept from then on', async () => {
  await using google = await startGoogle();
  const { token } = await identityOf(google);
  const old = await token();
  const [one, two] = await Promise.all([token(old), token(old)]);
  assert.notEqual(one, old);
  assert.deepEqual([one === two, one === (await token()), one === (await token(old)), google.calls.identity], [true, true, true, 2]);
});

test('a token that still lives is used while the metadata server is away, and only then', async () => {
  await using google = await startGoogle();
  const { clock, token } = await identityOf(google);
  const old = await token();
  clock.now = old.expiresAt - 60_000; // it would be renewed now
  google.faults.script({ on: 'identity', status: 503, times: 3 });
  assert.equal(await token(), old);
  assert.notEqual(await token(), old);
  google.faults.script({ on: 'identity', status: 503, standing: true });
  const refused = await token();
  await assert.rejects(token(refused), { code: 'google_unavailable' }); // it lives, but Google does not take it
  clock.now += 2 * HOUR_MS;
  await assert.rejects(token(), { code: 'google_unavailable' });
});

test('who asks first and has no time left does not end the request that others wait for', async () => {
  await using at = await stack();
  const hasty = connect(settingsFor(at.google.url, { deadlineMs: 200 }), () => {});
  at.google.faults.script({ on: 'identity', delayMs: 1_000 });
  const first = hasty.startInvocation();
  const lost = first.ledger.read(ID);
  await assert.rejects(lost, { code: 'ledger_unavailable' }); // its own deadline
  const { identity } = at.google.calls;
  assert.equal(await hasty.startInvocation().ledger.read(ID), null); // with the token that came for the first
  assert.equal(at.google.calls.identity, identity);
});
