import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { CONFIG, DEAD_TOPIC, envelope, type Laptop, MAIL, post, startLaptop, startQueued, stopClock } from '../../support/stack/laptop.ts';

let laptop: Laptop;
before(async () => {
  laptop = await startLaptop();
});
after(() => laptop[Symbol.asyncDispose]());

const b64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64');
const PUBLISHED = 'google.cloud.pubsub.topic.v1.messagePublished';
const ce = (change: Record<string, string> = {}) => ({
  'ce-specversion': '1.0',
  'ce-id': 'e1',
  'ce-source': '//pubsub.googleapis.com/projects/laptop/topics/mails',
  'ce-type': PUBLISHED,
  ...change,
});
const STRUCTURED = { 'content-type': 'application/cloudevents+json' };
const event = (id: string, data: unknown) => ({
  specversion: '1.0',
  id,
  source: '//shop',
  type: 'com.example.mail',
  datacontenttype: 'application/json',
  data,
});

const deliveries: { name: string; body: unknown; headers?: Record<string, string> }[] = [
  { name: 'a push envelope', body: envelope(MAIL, { messageId: '1' }) },
  {
    name: 'a push envelope as the emulator writes it',
    body: { subscription: 's', message: { message_id: '2', messageId: '2', publish_time: 'x', data: b64(MAIL) } },
  },
  {
    name: 'a binary CloudEvent around a message',
    body: { subscription: 's', message: { messageId: '3', data: b64(MAIL) } },
    headers: ce(),
  },
  { name: 'a binary CloudEvent that is a mail', body: MAIL, headers: ce({ 'ce-id': 'e4', 'ce-type': 'com.example.mail' }) },
  {
    name: 'a structured CloudEvent around a message',
    body: { ...event('e5', { message: { messageId: '5', data: b64(MAIL) } }), type: PUBLISHED },
    headers: STRUCTURED,
  },
  { name: 'a structured CloudEvent that is a mail', body: event('e6', MAIL), headers: STRUCTURED },
  { name: 'a structured CloudEvent with base64 data', body: { ...event('e7', undefined), data_base64: b64(MAIL) }, headers: STRUCTURED },
];
for (const { name, body, headers } of deliveries)
  test(`${name} is acknowledged and sent once, however often it comes`, async () => {
    const before = laptop.google.mails.count();
    const replies = [await post(laptop.worker, body, headers), await post(laptop.worker, body, headers)];
    assert.deepEqual([...replies.map(({ status }) => status), laptop.google.mails.count() - before], [204, 204, 1]);
  });

test("the publisher's own idempotencyKey joins two messages into one mail", async () => {
  const before = laptop.google.mails.count();
  const attributes = { idempotencyKey: 'order-7' };
  await post(laptop.worker, envelope(MAIL, { messageId: '70', attributes }));
  await post(laptop.worker, envelope(MAIL, { messageId: '71', attributes }));
  assert.equal(laptop.google.mails.count() - before, 1);
});

const unreadable: { name: string; body: unknown; headers?: Record<string, string> }[] = [
  { name: 'no JSON', body: '{' },
  { name: 'a list', body: [] },
  { name: 'no message', body: { subscription: 's' } },
  { name: 'no messageId', body: { message: { data: b64(MAIL) } } },
  { name: 'an event without id', body: { ...event('', MAIL) }, headers: STRUCTURED },
  { name: 'an event without data', body: event('e8', undefined), headers: STRUCTURED },
];
for (const { name, body, headers } of unreadable)
  test(`${name} is not acknowledged, so that the dead-letter topic gets it`, async () => {
    const before = laptop.google.ledgerEntries().length;
    assert.equal((await post(laptop.worker, body, headers)).status, 400);
    assert.equal(laptop.google.ledgerEntries().length, before);
  });

const hopeless = [
  { name: 'a mail without recipients', mail: { ...MAIL, to: [] }, code: 'field_missing' },
  { name: 'a mail from a stranger', mail: { ...MAIL, from: 'ceo@example.com' }, code: 'sender_not_allowed' },
  { name: 'data that is no JSON', mail: undefined, code: 'request_invalid' },
];
for (const [index, { name, mail, code }] of hopeless.entries())
  test(`${name} is acknowledged and recorded as failed with ${code}`, async () => {
    const body = envelope(mail ?? null, { messageId: `bad-${index}`, ...(mail ? {} : { data: 'bm90IGpzb24=' }) });
    assert.deepEqual([(await post(laptop.worker, body)).status, (await post(laptop.worker, body)).status], [204, 204]);
    const entries = laptop.google.ledgerEntries().filter((entry) => entry['code'] === code);
    assert.deepEqual(
      entries.map(({ state, attempts }) => [state, attempts]),
      [['failed', 1]],
    );
  });

const passing = [
  { fault: { on: 'open', answer: 'unavailable' }, first: 503 },
  { fault: { on: 'open', answer: 'rate' }, first: 503 },
  { fault: { on: 'token', answer: 'cloud_unavailable', times: 3 }, first: 503 },
  { fault: { on: 'ledger', answer: 'cloud_unavailable', times: 3 }, first: 503 },
  { fault: { on: 'ledger', answer: 'permission_denied' }, first: 400 },
  { fault: { on: 'open', reset: 'before', times: 2 }, first: 503 },
] as const;
for (const { fault, first } of passing)
  test(`${JSON.stringify(fault)} is ${first}, and the redelivery sends`, async () => {
    await using own = await startLaptop();
    own.google.faults.script(fault);
    assert.deepEqual([(await post(own.worker, envelope(MAIL))).status, own.google.mails.count()], [first, 0]);
    own.google.faults.clear();
    assert.deepEqual([(await post(own.worker, envelope(MAIL))).status, own.google.mails.count()], [204, 1]);
  });

test('a dead grant is acknowledged, recorded and logged with its fix; a redelivery does not try again', async () => {
  await using own = await startLaptop();
  own.google.oauth.revoke('notices@example.com');
  await post(own.worker, envelope(MAIL));
  const { token } = own.google.calls;
  assert.equal((await post(own.worker, envelope(MAIL))).status, 204);
  assert.deepEqual([own.google.calls.token, own.google.mails.count()], [token, 0]);
  assert.deepEqual(
    own.lines.map(({ outcome, code, severity }) => [outcome, code, severity]),
    Array(2).fill(['failed', 'grant_revoked', 'ERROR']),
  );
  assert.match(String(own.lines[0]?.['fix']), /consent/i);
  assert.deepEqual(
    [own.lines[0]?.['catalogue'], own.lines[0]?.['cause']],
    ['grant-expired-testing', 'refresh-token-expired-testing-7-days'],
  );
});

const token = (aud: string): string =>
  `Bearer ${b64({ alg: 'RS256' })}.${Buffer.from(JSON.stringify({ aud })).toString('base64url')}.SIGNATURE_REMOVED_BY_GOOGLE`;
for (const [name, authorization, status] of [
  ['for this function', token('https://worker'), 204],
  ['for another service', token('https://other'), 400],
  ['that is none', 'Bearer x', 400],
  ['left out', '', 400],
] as const)
  test(`with an audience configured, an identity token ${name} is ${status}`, async () => {
    await using own = await startLaptop({ settings: { pushAudience: 'https://worker' } });
    assert.equal((await post(own.worker, envelope(MAIL), authorization ? { authorization } : {})).status, status);
    assert.equal(own.google.mails.count(), status === 204 ? 1 : 0);
  });

test('the trace and the number of the delivery are in the log line', async () => {
  await post(
    laptop.worker,
    { ...envelope(MAIL, { messageId: 'traced' }), deliveryAttempt: 3 },
    { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` },
  );
  const line = laptop.lines.at(-1);
  assert.deepEqual([line?.['attempt'], line?.['logging.googleapis.com/trace']], [3, `projects/laptop/traces/${'a'.repeat(32)}`]);
});

test('GET answers a health check, and nothing else is taken', async () => {
  assert.deepEqual([(await fetch(laptop.worker)).status, (await fetch(laptop.worker, { method: 'PUT' })).status], [200, 405]);
});

test('nothing that was logged names a secret, an address or content', () =>
  assert.doesNotMatch(JSON.stringify(laptop.lines), /canary|@example/));

test("a mailbox's limits hold for events too: a full minute is delivered again, a full day waits", async () => {
  for (const [limits, status, code] of [
    [{ perMinute: 1, perDay: null }, 503, 'limit_minute'],
    [{ perMinute: null, perDay: 1 }, 429, 'limit_day'],
  ] as const) {
    await using own = await startLaptop({ config: { ...CONFIG, mailboxes: CONFIG.mailboxes.map((box) => ({ ...box, limits })) } });
    stopClock(own);
    assert.equal((await post(own.worker, envelope(MAIL, { messageId: 'first' }))).status, 204);
    const second = await post(own.worker, envelope(MAIL, { messageId: 'second' }));
    assert.deepEqual([second.status, own.google.mails.count(), own.lines.at(-1)?.['code']], [status, 1, code]);
  }
});

const packed = (bytes: Uint8Array | string): string => Buffer.from(bytes as string).toString('base64');
const UNREADABLE: readonly (readonly [name: string, data: unknown, says: RegExp])[] = [
  ['compressed', packed(gzipSync(JSON.stringify(MAIL))), /gzip/],
  ['Latin-1', Buffer.from(JSON.stringify({ ...MAIL, text: 'é' }), 'latin1').toString('base64'), /not UTF-8/],
  ['UTF-16', Buffer.from(JSON.stringify(MAIL), 'utf16le').toString('base64'), /not UTF-8/],
  ['a list', b64([MAIL, MAIL]), /is a list/],
  ['encoded twice', b64(JSON.stringify(MAIL)), /twice/],
  ['a number', b64(7), /no object/],
  ['an object in place of base64', MAIL, /base64/],
  ['empty', '', /empty/],
  ['absent', undefined, /empty/],
  ['no JSON', packed('hello'), /not valid JSON/],
];
for (const [name, data, says] of UNREADABLE)
  test(`data that is ${name} is a dead letter that says so`, async () => {
    await using own = await startQueued({ delivery: 'direct' });
    const { status } = await post(own.worker, envelope(null, { messageId: `unreadable-${name}`, data }));
    const [dead] = own.google.pubsub.published(DEAD_TOPIC);
    assert.deepEqual([status, own.google.mails.count(), dead?.attributes['reason']], [204, 0, 'request_invalid']);
    assert.match(dead?.attributes['detail'] ?? '', says);
  });
