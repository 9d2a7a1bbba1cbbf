/** Emails of a later time: accepted, moved and canceled by the real client, with a clock that the test moves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Resend } from 'resend';
import { DAY, emails, HOUR, MINUTE, queued, record } from '../../explore/queued.ts';
import { authorised, CONFIG, envelope, KEY, MAIL, post, startLaptop } from '../../support/stack/laptop.ts';

const iso = (ms: number): string => new Date(ms).toISOString();

for (const delivery of ['direct', 'queued'] as const)
  test(`${delivery}: an email for later is recorded as scheduled, nothing of it goes out before, and once at its time`, async () => {
    await using own = await queued({ delivery });
    const at = own.clock.now + 2 * HOUR;
    const { status, body } = await emails(own, { ...MAIL, scheduled_at: iso(at) });
    const { last_event, scheduled_at, outcome } = await record(own, body?.['id']);
    assert.deepEqual([status, last_event, scheduled_at, outcome], [200, 'scheduled', iso(at), 'queued']);
    await own.live(2 * HOUR - MINUTE);
    assert.equal(own.google.mails.count(), 0);
    await own.live(2 * MINUTE);
    const after = await record(own, body?.['id']);
    assert.deepEqual([own.google.mails.count(), after['last_event'], after['scheduled_at']], [1, 'sent', iso(at)]);
  });

test("Resend's client schedules in words, moves and cancels", async () => {
  await using own = await queued();
  const resend = new Resend(KEY, { baseUrl: own.api });
  const { data, error } = await resend.emails.send({ ...MAIL, scheduledAt: 'in 1 hour' });
  assert.equal(error, null);
  const id = data?.id ?? '';
  const moved = await resend.emails.update({ id, scheduledAt: iso(own.clock.now + 3 * HOUR) });
  assert.deepEqual([moved.error, moved.data], [null, { object: 'email', id }]);
  await own.live(2 * HOUR);
  assert.equal(own.google.mails.count(), 0); // the first task came, and was put off
  const canceled = await resend.emails.cancel(id);
  assert.deepEqual([canceled.error, canceled.data], [null, { object: 'email', id }]);
  const read = await resend.emails.get(id);
  assert.deepEqual([read.data?.last_event, read.data?.scheduled_at], ['canceled', iso(own.clock.now + HOUR)]);
  await own.live(2 * HOUR);
  assert.deepEqual([own.google.mails.count(), own.google.pubsub.waiting(), own.google.tasks.pending().length], [0, 0, 0]);
});

const moves = [
  { name: 'sooner', to: HOUR },
  { name: 'later', to: 5 * HOUR },
  { name: 'to now', to: 0 },
  { name: 'to a time that is over', to: -HOUR },
];
for (const { name, to } of moves)
  test(`moved ${name}: it goes out at that time, once, whatever task comes when`, async () => {
    await using own = await queued();
    const began = own.clock.now;
    const { body } = await emails(own, { ...MAIL, scheduled_at: iso(began + 3 * HOUR) });
    const id = String(body?.['id']);
    const move = (at: number) =>
      fetch(`${own.api}/emails/${id}`, { method: 'PATCH', headers: authorised, body: JSON.stringify({ scheduled_at: iso(at) }) });
    assert.equal((await move(began + to)).status, 200);
    await own.flush();
    await own.live(Math.max(0, to - MINUTE));
    assert.equal(own.google.mails.count(), to <= 0 ? 1 : 0);
    await own.live(6 * HOUR);
    assert.deepEqual([own.google.mails.count(), own.google.tasks.pending().length, own.google.pubsub.waiting()], [1, 0, 0]);
  });

test('moved there and back again it still goes out', async () => {
  await using own = await queued();
  const [one, two] = [own.clock.now + 2 * HOUR, own.clock.now + 4 * HOUR];
  const { body } = await emails(own, { ...MAIL, scheduled_at: iso(one) });
  for (const at of [two, one]) {
    const headers = { ...authorised, 'content-type': 'application/json' };
    const reply = await fetch(`${own.api}/emails/${String(body?.['id'])}`, {
      method: 'PATCH',
      headers,
      body: JSON.stringify({ scheduledAt: iso(at) }),
    });
    assert.equal(reply.status, 200);
  }
  await own.live(2 * HOUR + MINUTE);
  assert.equal(own.google.mails.count(), 1);
  await own.live(4 * HOUR);
  assert.equal(own.google.mails.count(), 1);
});

test('what has gone out can be neither moved nor canceled, and another key’s mail is not there', async () => {
  await using own = await queued({ config: { ...CONFIG, keys: [...CONFIG.keys] } });
  const sent = await emails(own);
  await own.flush();
  const id = String(sent.body?.['id']);
  const patch = await fetch(`${own.api}/emails/${id}`, { method: 'PATCH', headers: authorised, body: '{"scheduled_at":"in 1 hour"}' });
  const cancel = await post(`${own.api}/emails/${id}/cancel`, '', authorised);
  const stranger = await post(`${own.api}/emails/00000000-0000-4000-8000-000000000000/cancel`, '', authorised);
  const publishers = await post(own.worker, envelope({ ...MAIL, scheduled_at: 'in 1 hour' }, { messageId: 'theirs' }));
  const theirs = own.google.ledgerEntries().find(({ caller }) => caller === 'pubsub');
  const foreign = await post(`${own.api}/emails/${String(theirs?.['id'])}/cancel`, '', authorised);
  assert.deepEqual(
    [patch.status, cancel.status, cancel.body?.['name'], cancel.body?.['code'], stranger.status, publishers.status, foreign.status],
    [422, 422, 'validation_error', 'not_scheduled', 404, 204, 404],
  );
});

test('an email that waits for a daily limit, or in the queue, can be canceled; canceling twice is as once', async () => {
  await using own = await queued();
  own.google.faults.script({ on: 'open', answer: 'daily_limit' });
  const parked = await emails(own);
  await own.flush();
  const waiting = await emails(own, { ...MAIL, text: 'other' });
  for (const { body } of [parked, waiting, parked]) {
    const { status } = await post(`${own.api}/emails/${String(body?.['id'])}/cancel`, '{}', authorised);
    assert.equal(status, 200);
  }
  await own.live(DAY);
  assert.deepEqual([own.google.mails.count(), own.google.pubsub.waiting(), own.google.tasks.pending().length], [0, 0, 0]);
});

test('a canceled email stays canceled when it is asked for again with its key', async () => {
  await using own = await queued();
  const key = { 'idempotency-key': 'k' };
  const later = { ...MAIL, scheduled_at: 'in 1 hour' };
  const { body } = await emails(own, later, key);
  await post(`${own.api}/emails/${String(body?.['id'])}/cancel`, '', authorised);
  const again = await emails(own, later, key);
  await own.live(2 * HOUR);
  assert.deepEqual([again.status, again.body?.['id'], own.google.mails.count()], [200, body?.['id'], 0]);
});

const times = [
  { scheduled_at: 'in 31 days', status: 422, says: /next 30 days/ },
  { scheduled_at: 'Friday at 3pm IST', status: 422, says: /expected a time such as/ },
  { scheduled_at: 'whenever', status: 422, says: /expected a time such as/ },
  { scheduled_at: 'in 30 days', status: 200 },
  { scheduled_at: '2020-01-01T00:00:00Z', status: 200 }, // over: it goes out now
];
for (const { scheduled_at, status, says } of times)
  test(`scheduled_at ${JSON.stringify(scheduled_at)} is ${status}`, async () => {
    await using own = await queued();
    const reply = await emails(own, { ...MAIL, scheduled_at });
    assert.equal(reply.status, status);
    if (says) assert.match(String(reply.body?.['message']), says);
  });

test('a time that cannot be noted was not accepted: 500, nothing goes out, and the key tries anew', async () => {
  await using own = await queued();
  const key = { 'idempotency-key': 'k' };
  const later = { ...MAIL, scheduled_at: iso(own.clock.now + HOUR) };
  own.google.faults.script({ on: 'task', status: 403 });
  const first = await emails(own, later, key);
  const second = await emails(own, later, key);
  await own.live(2 * HOUR);
  assert.deepEqual([first.status, first.body?.['code'], second.status, own.google.mails.count()], [500, 'queue_refused', 200, 1]);
});

test('what is mended after no answer came goes out as it was mended, although the first task is there and has its time', async () => {
  await using own = await queued();
  const [key, later] = [{ 'idempotency-key': 'k' }, { ...MAIL, scheduled_at: iso(own.clock.now + HOUR) }];
  own.google.faults.script({ on: 'task', reset: 'after', times: 6 });
  const first = await emails(own, later, key);
  own.google.faults.clear();
  const second = await emails(own, { ...later, text: 'canary-mended' }, key);
  await own.live(2 * HOUR);
  const [mail] = own.google.mails.list();
  assert.deepEqual([first.status, second.status, own.google.mails.count()], [500, 200, 1]);
  assert.match(mail?.raw.toString() ?? '', /canary-mended/);
});

test('without tasks scheduled_at is refused by name, as every field that is not served', async () => {
  await using own = await startLaptop();
  const reply = await emails(own, { ...MAIL, scheduled_at: 'in 1 hour', topic_id: 'x' });
  assert.deepEqual([reply.status, reply.body?.['name']], [422, 'validation_error']);
  for (const field of ['scheduled_at', 'topic_id'])
    assert.match(String(reply.body?.['message']), new RegExp(`\`${field}\` field: it is not supported here`));
});

test('a large email for later lies in the bucket, and without one the limit is named', async () => {
  await using own = await queued();
  const large = { ...MAIL, text: `canary ${'x'.repeat(600_000)}`, scheduled_at: 'in 1 hour' };
  assert.equal((await emails(own, large)).status, 200);
  assert.equal(own.google.stored().length, 1);
  await own.live(2 * HOUR);
  assert.equal(own.google.mails.count(), 1);
  await using bare = await queued({ settings: { bucket: null } });
  assert.equal((await emails(bare, large)).body?.['code'], 'queue_too_small');
  assert.equal((await emails(bare, { ...large, text: 'x'.repeat(200_000) })).status, 200);
});

test('an email that is moved further and further is forgotten neither by the ledger nor by the bucket', async () => {
  await using own = await queued();
  const [began, day] = [own.clock.now, 24 * HOUR];
  const large = { ...MAIL, text: `canary ${'x'.repeat(60_000)}` };
  const { body } = await emails(own, { ...large, scheduled_at: iso(began + 29 * day) });
  const entry = () => own.google.ledgerEntries()[0] ?? {};
  assert.ok(Date.parse(String(entry()['expireAt'])) > began + 60 * day);
  own.clock.now += 28 * day;
  const puts = own.google.calls.store;
  const reply = await fetch(`${own.api}/emails/${String(body?.['id'])}`, {
    method: 'PATCH',
    headers: authorised,
    body: JSON.stringify({ scheduled_at: iso(began + 57 * day) }),
  });
  // Read and put again: the bucket counts its forty days from now on.
  assert.deepEqual([reply.status, own.google.calls.store - puts], [200, 2]);
  assert.ok(Date.parse(String(entry()['expireAt'])) > began + 87 * day);
  await own.live(2 * day);
  own.clock.now = began + 57 * day;
  await own.live(HOUR);
  assert.deepEqual([own.google.mails.count(), entry()['state']], [1, 'sent']);
});

test("a publisher's mail for later is scheduled too, however often its message comes", async () => {
  await using own = await queued();
  const push = envelope({ ...MAIL, scheduled_at: iso(own.clock.now + HOUR) }, { messageId: 'm' });
  for (let n = 0; n < 2; n++) assert.equal((await post(own.worker, push)).status, 204);
  assert.deepEqual([own.google.tasks.pending().length, own.google.ledgerEntries()[0]?.['state']], [1, 'scheduled']);
  await own.live(2 * HOUR);
  assert.equal((await post(own.worker, push)).status, 204);
  assert.equal(own.google.mails.count(), 1);
});

test('a batch may hold emails for now and for later', async () => {
  await using own = await queued({ delivery: 'direct' });
  const { status } = await post(
    `${own.api}/emails/batch`,
    [MAIL, { ...MAIL, to: 'two@example.net', scheduled_at: 'in 1 hour' }],
    authorised,
  );
  assert.deepEqual([status, own.google.mails.count()], [200, 1]);
  await own.live(2 * HOUR);
  assert.equal(own.google.mails.count(), 2);
});

test('a worker and a cancellation at the same moment: it is sent and stays so, or canceled and never sent', async () => {
  for (let n = 0; n < 8; n++) {
    await using own = await queued();
    const { body } = await emails(own);
    const [message] = own.google.pubsub.published('projects/laptop/topics/mails');
    const push = envelope(null, { data: Buffer.from(message?.data ?? '').toString('base64'), attributes: message?.attributes });
    const [, cancel] = await Promise.all([
      post(own.worker, push),
      post(`${own.api}/emails/${String(body?.['id'])}/cancel`, '', authorised),
    ]);
    await own.live(HOUR);
    const { last_event } = await record(own, body?.['id']);
    assert.deepEqual([last_event, own.google.mails.count()], cancel.status === 200 ? ['canceled', 0] : ['sent', 1]);
  }
});
