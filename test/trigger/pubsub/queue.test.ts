/** Queued delivery: api, topic, push, worker, mailbox, with the real adapters between them and a clock that the test moves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simpleParser } from 'mailparser';
import { DAY, dead, emails, HOUR, MINUTE, queued, record } from '../../explore/queued.ts';
import { authorised, CONFIG, DEAD_TOPIC, envelope, MAIL, post, TOPIC } from '../../support/stack/laptop.ts';
import { routed } from '../../support/stack/routes.ts';

test('the api answers once the message is published, the worker sends, and the email has one id and one key all the way', async () => {
  await using own = await queued();
  const { status, body } = await emails(own);
  assert.deepEqual([status, Object.keys(body ?? {}), own.google.mails.count()], [200, ['id'], 0]);
  assert.equal((await record(own, body?.['id']))['last_event'], 'queued');
  await own.flush();
  const { last_event, outcome } = await record(own, body?.['id']);
  const [mail] = own.google.mails.list();
  assert.deepEqual([last_event, outcome, own.google.mails.count(), own.google.pubsub.waiting()], ['sent', 'sent', 1, 0]);
  assert.match(mail?.raw.toString() ?? '', new RegExp(`Message-ID: <${String(body?.['id'])}@`));
  assert.deepEqual(
    own.lines.map(({ outcome, caller }) => [outcome, caller]),
    [
      ['queued', 'shop'],
      ['sent', 'shop'],
    ],
  );
});

test('the ledger keeps nothing of the content, and the log nothing of it either', async () => {
  await using own = await queued();
  await emails(own);
  await own.flush();
  assert.doesNotMatch(JSON.stringify([own.google.ledgerEntries(), own.lines]), /canary|@example/);
});

test('one idempotency key is one email, however often it is asked for before and after it went out', async () => {
  await using own = await queued();
  const key = { 'idempotency-key': 'order-1' };
  const replies = [await emails(own, MAIL, key), await emails(own, MAIL, key)];
  const other = await emails(own, { ...MAIL, text: 'other' }, key);
  await own.flush();
  replies.push(await emails(own, MAIL, key));
  await own.flush();
  assert.deepEqual(new Set(replies.map(({ status, body }) => `${status} ${String(body?.['id'])}`)).size, 1);
  assert.deepEqual([other.status, other.body?.['name'], own.google.mails.count()], [409, 'invalid_idempotent_request', 1]);
});

test('the same email in other words is left to the message that there is: who hands over has no grant to send by', async () => {
  await using own = await queued();
  own.google.faults.script({ on: 'secret', status: 403 });
  const key = { 'idempotency-key': 'order-1' };
  const first = await emails(own, MAIL, key);
  const other = await emails(own, Object.fromEntries(Object.entries(MAIL).reverse()), key);
  assert.deepEqual([first.status, other.status, other.body?.['id'], own.google.calls.secret], [200, 200, first.body?.['id'], 0]);
  own.google.faults.clear();
  await own.flush();
  assert.deepEqual([own.google.mails.count(), dead(own)], [1, []]);
});

test('an event that a route holds for one that is queued already is left to it too', async () => {
  const route = { topic: 'alerts', from: 'notices@example.com', to: ['dev@example.com'], template: 'alert', dedupe: 'event.policy' };
  await using own = await queued(routed({ alerts: route }, { 'alert.hbs': '---\nsubject: Alert {{event.n}}\n---\nx' }));
  own.google.faults.script({ on: 'secret', status: 403 });
  for (const n of [1, 2]) {
    const data = Buffer.from(JSON.stringify({ n, policy: 'cpu' })).toString('base64');
    assert.equal((await post(`${own.worker}/routes/alerts`, { subscription: 's', message: { messageId: String(n), data } })).status, 204);
  }
  own.google.faults.clear();
  await own.flush();
  assert.deepEqual([own.google.mails.count(), dead(own)], [1, []]);
});

test('a message that comes twice, also at the same time, is one mail', async () => {
  await using own = await queued();
  await emails(own);
  const [message] = own.google.pubsub.published(TOPIC);
  const push = envelope(null, { data: Buffer.from(message?.data ?? '').toString('base64'), attributes: message?.attributes });
  const statuses = (await Promise.all([post(own.worker, push), post(own.worker, push)])).map(({ status }) => status);
  assert.ok(statuses.includes(204) && statuses.every((status) => status === 204 || status === 503), String(statuses));
  await own.flush();
  assert.equal(own.google.mails.count(), 1);
});

const faults = [
  { on: 'publish', reset: 'before', times: 6 },
  { on: 'publish', status: 503, times: 3 },
  { on: 'publish', status: 403 },
  { on: 'publish', status: 404 },
] as const;
for (const fault of faults)
  test(`what is not in the queue was not accepted: ${JSON.stringify(fault)} is a 500, nothing goes out, and the key tries anew`, async () => {
    await using own = await queued();
    const key = { 'idempotency-key': 'k' };
    own.google.faults.script(fault);
    const first = await emails(own, MAIL, key);
    await own.flush();
    const code = 'status' in fault && fault.status < 500 ? 'queue_refused' : 'queue_unavailable';
    assert.deepEqual([first.status, first.body?.['code'], own.google.mails.count()], [500, code, 0]);
    assert.deepEqual(
      own.google.ledgerEntries().map(({ state }) => state),
      ['failed'],
    );
    own.google.faults.clear();
    const again = await emails(own, MAIL, key);
    await own.flush();
    assert.deepEqual([again.status, again.body?.['id'], own.google.mails.count()], [200, first.body?.['id'], 1]);
  });

test('a publish whose every answer is lost was refused: the message that got through all the same is acknowledged, not sent', async () => {
  await using own = await queued();
  own.google.faults.script({ on: 'publish', reset: 'after', times: 6 });
  const { status } = await emails(own);
  await own.flush();
  assert.deepEqual([status, own.google.mails.count(), own.google.pubsub.waiting()], [500, 0, 0]);
});

test('a publish whose first answer is lost is published again, and sent once', async () => {
  await using own = await queued();
  own.google.faults.script({ on: 'publish', reset: 'after' });
  const { status } = await emails(own);
  await own.flush();
  assert.deepEqual([status, own.google.pubsub.published(TOPIC).length, own.google.mails.count()], [200, 2, 1]);
});

test('raw letters and batches are queued too', async () => {
  await using own = await queued();
  const letter = 'From: notices@example.com\r\nTo: you@example.net\r\nSubject: canary-raw\r\n\r\ncanary-body\r\n';
  const raw = await fetch(`${own.api}/v1/raw`, {
    method: 'POST',
    body: letter,
    headers: { ...authorised, 'content-type': 'message/rfc822', 'x-envelope-to': 'you@example.net,hidden@example.org' },
  });
  const batch = await post(`${own.api}/emails/batch`, [MAIL, { ...MAIL, to: 'two@example.net' }, MAIL], {
    ...authorised,
    'idempotency-key': 'b',
  });
  const ids = ((batch.body?.['data'] ?? []) as { id: string }[]).map(({ id }) => id);
  assert.deepEqual([raw.status, batch.status, new Set(ids).size, own.google.mails.count()], [200, 200, 3, 0]);
  await own.flush();
  const mails = own.google.mails.list();
  assert.equal(mails.length, 4);
  assert.deepEqual(mails.find(({ raw }) => raw.includes('canary-raw'))?.recipients, ['you@example.net', 'hidden@example.org']);
  for (const id of ids) assert.equal((await record(own, id))['last_event'], 'sent');
});

test('who asked must still be allowed to when the email goes out', async () => {
  const config = { ...CONFIG, keys: CONFIG.keys.map((key) => ({ ...key, expires: Date.UTC(2026, 10, 24, 9) })) };
  await using own = await queued({ config });
  const { body } = await emails(own);
  own.clock.now += 2 * HOUR;
  await own.flush();
  const [entry] = own.google.ledgerEntries();
  assert.deepEqual(
    [entry?.['id'], entry?.['state'], entry?.['code'], own.google.mails.count()],
    [body?.['id'], 'failed', 'key_invalid', 0],
  );
  assert.equal(own.google.pubsub.waiting(), 0);
});

const forged = [
  { name: 'an id that nobody knows', id: '00000000-0000-4000-8000-000000000000', data: MAIL, reason: 'mail_unknown' },
  { name: 'the id of a mail with another content', id: null, data: { ...MAIL, text: 'forged' }, reason: 'message_foreign' },
];
for (const { name, id, data, reason } of forged)
  test(`a message with ${name} is a dead letter: ${reason}`, async () => {
    await using own = await queued();
    const { body } = await emails(own);
    const attributes = { mailgrantId: id ?? String(body?.['id']) };
    const pushed = await post(own.worker, envelope(data, { attributes }));
    assert.deepEqual([pushed.status, dead(own), own.google.mails.count()], [204, [reason], 0]);
    await own.flush();
    assert.equal(own.google.mails.count(), 1);
  });

test('a transient failure is delivered again after the backoff; then the email goes out', async () => {
  await using own = await queued();
  own.google.faults.script({ on: 'open', answer: 'unavailable' });
  const { body } = await emails(own);
  await own.flush();
  const waiting = await record(own, body?.['id']);
  assert.deepEqual([waiting['last_event'], waiting['code'], own.google.mails.count()], ['delivery_delayed', 'google_unavailable', 0]);
  await own.wait(10_000);
  assert.deepEqual([(await record(own, body?.['id']))['attempts'], own.google.mails.count()], [2, 1]);
});

test('an outage of half a day loses nothing: after four deliveries the email is put off, and no delivery is burnt', async () => {
  await using own = await queued();
  own.google.faults.script({ on: 'open', answer: 'unavailable', times: 9 });
  await emails(own);
  await own.live(3 * HOUR);
  assert.deepEqual([own.google.mails.count(), dead(own)], [0, []]);
  await own.live(21 * HOUR);
  assert.deepEqual([own.google.mails.count(), own.google.pubsub.waiting(), dead(own)], [1, 0, []]);
});

test('what cannot be sent for two days is a dead letter with its reason, and failed', async () => {
  await using own = await queued();
  own.google.faults.script({ on: 'open', answer: 'unavailable', times: 100 });
  const { body } = await emails(own);
  await own.live(4 * DAY);
  const { last_event, code } = await record(own, body?.['id']);
  assert.deepEqual(
    [last_event, code, dead(own), own.google.pubsub.waiting()],
    ['failed', 'deliveries_exhausted', ['deliveries_exhausted'], 0],
  );
});

test('without tasks the last delivery is the end, and the worker says why', async () => {
  await using own = await queued({ settings: { tasks: null } });
  own.google.faults.script({ on: 'open', answer: 'unavailable', times: 100 });
  await emails(own);
  await own.live(DAY);
  assert.deepEqual(
    [dead(own), own.google.mails.count(), own.google.ledgerEntries()[0]?.['state']],
    [['deliveries_exhausted'], 0, 'failed'],
  );
});

test('an email that is too large to be put off is delivered to the end, and the worker says so', async () => {
  await using own = await queued({ settings: { bucket: null } });
  own.google.faults.script({ on: 'open', answer: 'unavailable', times: 100 });
  const { body } = await emails(own, { ...MAIL, text: `canary ${'x'.repeat(600_000)}` });
  await own.live(DAY);
  const { last_event, code } = await record(own, body?.['id']);
  assert.deepEqual([last_event, code, dead(own)], ['failed', 'deliveries_exhausted', ['deliveries_exhausted']]);
});

test('an outage of the ledger that is longer than eight deliveries loses nothing: what has an id is put off too', async () => {
  await using own = await queued();
  const { body } = await emails(own);
  own.google.faults.script({ on: 'ledger', answer: 'cloud_unavailable', standing: true });
  await own.live(2 * HOUR);
  assert.deepEqual([dead(own), own.google.pubsub.waiting() + own.google.tasks.pending().length], [[], 1]);
  own.google.faults.clear();
  await own.live(HOUR);
  assert.deepEqual([own.google.mails.count(), (await record(own, body?.['id']))['last_event'], dead(own)], [1, 'sent', []]);
});

test("a publisher's order is a dead letter after eight deliveries without a ledger: put off it would be another mail", async () => {
  await using own = await queued();
  own.google.faults.script({ on: 'ledger', answer: 'cloud_unavailable', standing: true });
  assert.equal((await post(own.worker, { ...envelope(MAIL), deliveryAttempt: 8 })).status, 204);
  assert.deepEqual([dead(own), own.google.tasks.pending()], [['ledger_unavailable'], []]);
});

test('a daily limit parks the mail: acknowledged, back at its time by a task, without a delivery in between', async () => {
  await using own = await queued();
  own.google.faults.script({ on: 'open', answer: 'daily_limit' });
  const { body } = await emails(own);
  await own.flush();
  const parked = await record(own, body?.['id']);
  const before = own.google.calls;
  assert.deepEqual(
    [parked['outcome'], parked['code'], own.google.pubsub.waiting(), own.google.tasks.pending().length],
    ['parked', 'quota_daily', 0, 1],
  );
  const opened = before.open;
  await own.live(50 * MINUTE);
  assert.deepEqual([own.google.calls.open, own.google.mails.count()], [opened, 0]);
  await own.live(20 * MINUTE);
  assert.deepEqual([own.google.mails.count(), own.google.tasks.pending().length], [1, 0]);
});

test('parking that cannot be written down is no acknowledgement: the message comes again, and is put off then', async () => {
  await using own = await queued();
  own.google.faults.script({ on: 'open', answer: 'daily_limit' }, { on: 'task', status: 503, times: 3 });
  await emails(own);
  await own.flush();
  assert.deepEqual([own.google.pubsub.waiting(), own.google.tasks.pending().length], [1, 0]);
  await own.wait(10_000);
  assert.deepEqual([own.google.pubsub.waiting(), own.google.tasks.pending().length], [0, 1]);
  await own.live(2 * HOUR);
  assert.equal(own.google.mails.count(), 1);
});

test("a publisher's own order is parked under the id of its mail, and goes out once", async () => {
  await using own = await queued();
  own.google.faults.script({ on: 'open', answer: 'daily_limit' });
  const push = envelope(MAIL, { messageId: 'm1' });
  assert.equal((await post(own.worker, push)).status, 204);
  assert.equal((await post(own.worker, push)).status, 204); // its acknowledgement was lost
  assert.equal(own.google.tasks.pending().length, 1);
  await own.live(2 * HOUR);
  assert.deepEqual(
    [own.google.mails.count(), own.google.ledgerEntries().map(({ state, caller }) => [state, caller])],
    [1, [['sent', 'pubsub']]],
  );
  assert.equal((await post(own.worker, push)).status, 204);
  assert.equal(own.google.mails.count(), 1);
});

test('a mailbox over its limit per minute lets its emails out minute by minute, and buries none', async () => {
  const limits = { perMinute: 3, perDay: null };
  await using own = await queued({ config: { ...CONFIG, mailboxes: CONFIG.mailboxes.map((box) => ({ ...box, limits })) } });
  for (let n = 0; n < 12; n++) await emails(own, { ...MAIL, to: `you${n}@example.net` });
  await own.flush();
  assert.equal(own.google.mails.count(), 3);
  for (let n = 0; n < 60 && own.google.mails.count() < 12; n++) await own.wait(MINUTE / 2);
  assert.deepEqual(
    [own.google.mails.count(), dead(own), new Set(own.google.mails.list().map(({ recipients }) => recipients[0])).size],
    [12, [], 12],
  );
});

test("a key's own limit holds at the door, and is not counted again when the mail goes out", async () => {
  const limits = { perMinute: null, perDay: 2 };
  await using own = await queued({ config: { ...CONFIG, keys: CONFIG.keys.map((key) => ({ ...key, limits })) } });
  const statuses = [];
  for (let n = 0; n < 4; n++) {
    statuses.push((await emails(own)).status);
    await own.flush();
  }
  assert.deepEqual([statuses, own.google.mails.count()], [[200, 200, 429, 429], 2]);
});

test('a failure that only an operator can mend is a dead letter too, for its content is nowhere else', async () => {
  await using own = await queued();
  own.google.oauth.revoke('notices@example.com');
  const { body } = await emails(own);
  await own.flush();
  const [letter] = own.google.pubsub.published(DEAD_TOPIC);
  assert.deepEqual(
    [(await record(own, body?.['id']))['code'], letter?.attributes, own.google.pubsub.waiting()],
    ['grant_revoked', { mailgrantId: body?.['id'], reason: 'grant_revoked' }, 0],
  );
  assert.equal(JSON.parse(letter?.data ?? '{}').to, MAIL.to);
});

const unreadable = [
  { name: 'no JSON at all', body: '{', reason: 'request_invalid' },
  { name: 'no message', body: { subscription: 's' }, reason: 'request_invalid' },
  { name: 'data that is no JSON', body: envelope(null, { data: 'bm90IGpzb24=' }), reason: 'request_invalid' },
];
for (const { name, body, reason } of unreadable)
  test(`${name} is acknowledged as a dead letter with the reason; if that cannot be published it is not`, async () => {
    await using own = await queued();
    own.google.faults.script({ on: 'publish', status: 503, times: 3 });
    const first = await post(own.worker, body);
    const second = await post(own.worker, body);
    assert.deepEqual([first.status, second.status, dead(own)], [503, 204, [reason]]);
  });

test('an email over what a message takes goes by the bucket; without one it is refused by name', async () => {
  const file = Buffer.alloc(6_000_000, 'canary').toString('base64');
  const large = { ...MAIL, attachments: [{ filename: 'a.bin', content: file }] };
  await using own = await queued();
  const { status, body } = await emails(own, large);
  assert.deepEqual([status, own.google.stored()], [200, [`mails/${String(body?.['id'])}.json`]]);
  await own.flush();
  const [mail] = own.google.mails.list();
  const parsed = await simpleParser(mail?.raw ?? '');
  assert.ok(parsed.attachments[0]?.content.equals(Buffer.alloc(6_000_000, 'canary')));
  assert.deepEqual(own.google.stored(), []); // a mail that was sent stays nowhere
  const small = { ...MAIL, attachments: [{ filename: 'b.bin', content: { type: 'Buffer', data: [1, 2, 3] } }] };
  await emails(own, small);
  await own.flush();
  const [second] = own.google.mails.list();
  assert.deepEqual([...((await simpleParser(second?.raw ?? '')).attachments[0]?.content ?? [])], [1, 2, 3]);
  await using bare = await queued({ settings: { bucket: null } });
  const refused = await emails(bare, large);
  assert.deepEqual([refused.status, refused.body?.['name'], refused.body?.['code']], [422, 'validation_error', 'queue_too_small']);
});

test('what lies in the bucket stays as long as its email may still be sent, and no longer', async () => {
  await using own = await queued();
  const large = { ...MAIL, text: 'canary '.repeat(20_000) };
  const { body } = await emails(own, { ...large, scheduled_at: new Date(own.clock.now + 2 * DAY).toISOString() });
  const there = [`mails/${String(body?.['id'])}.json`];
  own.google.faults.script({ on: 'open', answer: 'daily_limit' });
  await own.wait(2 * DAY);
  assert.deepEqual([own.google.mails.count(), own.google.stored()], [0, there]); // parked, and so put there anew
  await own.live(2 * DAY);
  assert.deepEqual([own.google.mails.count(), own.google.stored()], [1, []]);
  const other = await emails(own, { ...large, scheduled_at: new Date(own.clock.now + DAY).toISOString() });
  const canceled = await post(`${own.api}/emails/${String(other.body?.['id'])}/cancel`, {}, authorised);
  assert.deepEqual([canceled.status, own.google.stored()], [200, []]);
});

test('content that the bucket lost fails the email by name', async () => {
  await using own = await queued();
  const large = { ...MAIL, attachments: [{ filename: 'a.bin', content: Buffer.alloc(6_000_000).toString('base64') }] };
  const { body } = await emails(own, large);
  own.google.faults.script({ on: 'store', status: 404 });
  await own.flush();
  assert.deepEqual([(await record(own, body?.['id']))['code'], dead(own)], ['content_gone', ['content_gone']]);
});

for (const [answer, outcome] of [
  ['rate', 'retry'],
  ['daily_limit', 'parked'],
] as const)
  test(`direct delivery falls back to the queue: ${answer} (${outcome}) is accepted, and sent by the worker`, async () => {
    await using own = await queued({ delivery: 'direct' });
    const key = { 'idempotency-key': 'k' };
    own.google.faults.script({ on: 'open', answer });
    const { status, body } = await emails(own, MAIL, key);
    assert.deepEqual([status, own.google.mails.count()], [200, 0]);
    assert.equal((await emails(own, MAIL, key)).status, 200);
    await own.live(2 * HOUR);
    assert.deepEqual([own.google.mails.count(), (await record(own, body?.['id']))['last_event']], [1, 'sent']);
  });

test('without tasks a daily limit is not handed over: the queue would give the email up long before its time', async () => {
  await using own = await queued({ delivery: 'direct', settings: { tasks: null } });
  const key = { 'idempotency-key': 'k' };
  own.google.faults.script({ on: 'open', answer: 'daily_limit' });
  const { status, body } = await emails(own, MAIL, key);
  await own.live(HOUR + MINUTE);
  assert.deepEqual([status, body?.['name'], dead(own), own.google.mails.count()], [429, 'daily_quota_exceeded', [], 0]);
  assert.deepEqual([(await emails(own, MAIL, key)).status, own.google.mails.count()], [200, 1]);
});

test('what direct delivery cannot hand over is answered as ever, and not sent behind the back of its caller', async () => {
  await using own = await queued({ delivery: 'direct' });
  own.google.faults.script({ on: 'open', answer: 'rate' }, { on: 'task', reset: 'after', times: 6 });
  const { status, body } = await emails(own);
  await own.live(2 * HOUR);
  assert.deepEqual([status, body?.['code'], own.google.mails.count()], [429, 'rate_limited', 0]);
});

test("a key's own limit is not handed over: its caller is told", async () => {
  const limits = { perMinute: null, perDay: 1 };
  await using own = await queued({ delivery: 'direct', config: { ...CONFIG, keys: CONFIG.keys.map((key) => ({ ...key, limits })) } });
  assert.deepEqual([(await emails(own)).status, (await emails(own)).status], [200, 429]);
});

for (const limits of [
  { perDay: null, perMinute: null },
  { perDay: 1_600, perMinute: 60 },
])
  test(`a direct email is three calls of the ledger, a queued one a call and a publish: limits ${JSON.stringify(limits)}`, async () => {
    const config = { ...CONFIG, mailboxes: CONFIG.mailboxes.map((box) => ({ ...box, limits })) };
    for (const [delivery, ledger, publish] of [
      ['direct', 3, 0],
      ['queued', 1, 1],
    ] as const) {
      await using own = await queued({ delivery, config });
      assert.equal((await emails(own)).status, 200);
      assert.deepEqual([own.google.calls.ledger, own.google.calls.publish, own.google.calls.task], [ledger, publish, 0]);
    }
  });

test('a mailbox over its limit per day is parked till midnight, behind an accepted answer', async () => {
  const limits = { perMinute: null, perDay: 1 };
  const config = { ...CONFIG, mailboxes: CONFIG.mailboxes.map((box) => ({ ...box, limits })) };
  await using own = await queued({ delivery: 'direct', config });
  const statuses = [(await emails(own)).status, (await emails(own)).status];
  await own.live(15 * HOUR); // it is 23:00
  assert.deepEqual([statuses, own.google.mails.count()], [[200, 200], 1]);
  await own.live(2 * HOUR);
  assert.equal(own.google.mails.count(), 2);
});

/** An email that a publisher gets wrong: where the field's name is to be found. */
const mistakes: readonly { name: string; data: Record<string, unknown>; code: string; fields: string }[] = [
  { name: 'a recipient without brackets', data: { ...MAIL, to: 'Jane Doe jane@example.net' }, code: 'request_invalid', fields: 'to' },
  { name: 'no subject', data: { ...MAIL, subject: undefined }, code: 'field_missing', fields: 'subject' },
  {
    name: 'two fields that are wrong',
    data: { ...MAIL, cc: ['x'], attachments: [{ filename: 'f', path: '/etc/passwd' }] },
    code: 'request_invalid',
    fields: 'cc, attachments[0].path',
  },
  {
    name: 'a file that is no base64',
    data: { ...MAIL, attachments: [{ filename: 'f', content: '%' }] },
    code: 'attachment_invalid',
    fields: 'attachments[0]',
  },
  { name: 'another sender', data: { ...MAIL, from: 'ceo@example.org' }, code: 'sender_not_allowed', fields: 'from' },
];
for (const { name, data, code, fields } of mistakes)
  test(`an email from Pub/Sub with ${name} is a dead letter; it, the log and the ledger name the field`, async () => {
    await using own = await queued();
    const push = envelope(data);
    for (const delivery of [1, 2]) assert.equal((await post(own.worker, { ...push, deliveryAttempt: delivery })).status, 204);
    const [letter, second] = own.google.pubsub.published(DEAD_TOPIC);
    assert.equal(second, undefined);
    assert.deepEqual([letter?.attributes['reason'], JSON.parse(letter?.data ?? '{}').text], [code, MAIL.text]);
    for (const field of fields.split(', ')) assert.ok(letter?.attributes['detail']?.includes(`\`${field}\``), letter?.attributes['detail']);
    for (const line of own.lines) assert.deepEqual([line['code'], line['fields']], [code, fields]);
    assert.equal(own.google.ledgerEntries()[0]?.['fields'], fields);
    assert.doesNotMatch(JSON.stringify([own.lines, own.google.ledgerEntries()]), /jane|ceo@|passwd|canary/);
  });

test('a dead letter of what is no text has its bytes, and has them again after a replay', async () => {
  await using own = await queued();
  const bytes = Buffer.from([0xff, 0xfe, 0x00, 0x41]);
  await post(own.worker, envelope(null, { data: bytes.toString('base64') }));
  const [letter] = own.google.pubsub.published(DEAD_TOPIC);
  assert.deepEqual([letter?.attributes['mailgrantEncoding'], letter?.data], ['base64', bytes.toString('base64')]);
  const { reason: _, detail: __, mailgrantKey: ___, ...attributes } = letter?.attributes ?? {}; // another email, for the ledger
  await post(own.worker, envelope(null, { data: Buffer.from(letter?.data ?? '').toString('base64'), attributes, messageId: '2' }));
  const [, again] = own.google.pubsub.published(DEAD_TOPIC);
  assert.deepEqual([again?.attributes['mailgrantEncoding'], again?.data], ['base64', bytes.toString('base64')]);
  await fetch(own.worker, { method: 'POST', body: new Uint8Array(bytes), headers: { 'content-type': 'application/json' } });
  const whole = own.google.pubsub.published(DEAD_TOPIC).at(-1);
  assert.deepEqual([whole?.attributes['mailgrantEncoding'], whole?.data], ['base64', bytes.toString('base64')]);
});

const envelopes: readonly { name: string; body: unknown; headers?: Record<string, string>; told: RegExp }[] = [
  { name: 'an unwrapped push', body: MAIL, told: /payload unwrapping/ },
  { name: 'an unwrapped push with metadata', body: { a: 1 }, headers: { 'x-goog-pubsub-message-id': '1' }, told: /payload unwrapping/ },
  {
    name: 'a batch of CloudEvents',
    body: [{ specversion: '1.0', id: '1', source: 's', type: 't', data: MAIL }],
    headers: { 'content-type': 'application/cloudevents-batch+json' },
    told: /batch of CloudEvents/,
  },
];
for (const { name, body, headers = {}, told } of envelopes)
  test(`${name} is named in the log and in its dead letter; a route refuses it in the same words`, async () => {
    const route = { topic: 'alerts', from: 'notices@example.com', to: ['dev@example.com'], template: 'alert' };
    await using own = await queued(routed({ alerts: route }, { 'alert.hbs': '---\nsubject: s\n---\nx' }));
    assert.equal((await post(own.worker, body, headers)).status, 204);
    assert.match(String(own.google.pubsub.published(DEAD_TOPIC)[0]?.attributes['detail']), told);
    assert.equal((await post(`${own.worker}/routes/alerts`, body, headers)).status, 400);
    for (const line of own.lines) assert.match(String(line['detail']), told);
  });
