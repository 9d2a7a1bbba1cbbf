import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { authorised, CONFIG, type Laptop, MAIL, post, startLaptop, stopClock } from '../../support/stack/laptop.ts';

let laptop: Laptop;
before(async () => {
  laptop = await startLaptop();
});
after(() => laptop[Symbol.asyncDispose]());

const mails = (count: number, change: (index: number) => object = () => ({})) =>
  Array.from({ length: count }, (_, index) => ({ ...MAIL, to: `you${index}@example.net`, ...change(index) }));
const batch = (body: unknown, headers: Record<string, string> = {}, at = laptop) =>
  post(`${at.api}/emails/batch`, body, { ...authorised, ...headers });
const ids = (body: Record<string, unknown> | null) => ((body?.['data'] ?? []) as { id: string }[]).map(({ id }) => id);
const permissive = { 'x-batch-validation': 'permissive' };
const badSecond = mails(3, (index) => (index === 1 ? { to: 'nobody' } : {}));

test('a batch is sent in the order of the request: an entry and an email for each, one mint for all', async () => {
  await using own = await startLaptop();
  const { status, body } = await batch(mails(9), {}, own);
  assert.deepEqual([status, Object.keys(body ?? {}), new Set(ids(body)).size], [200, ['data'], 9]);
  const recipients = new Map(
    own.google.mails.list().map((mail) => [/^Message-ID: <([^@]+)@/m.exec(mail.raw.toString())?.[1], mail.recipients]),
  );
  assert.deepEqual(
    ids(body).map((id) => recipients.get(id)),
    Array.from({ length: 9 }, (_, index) => [`you${index}@example.net`]),
  );
  assert.deepEqual([own.google.calls.token, own.google.calls.secret, own.google.ledgerEntries().length], [1, 1, 9]);
});

const refused: { name: string; body: unknown; headers?: Record<string, string>; says: RegExp; code: string }[] = [
  { name: 'an object', body: MAIL, says: /array/, code: 'request_invalid' },
  { name: 'nothing', body: [], says: /1 to 100/, code: 'request_invalid' },
  { name: '101 mails', body: mails(101), says: /101/, code: 'request_invalid' },
  { name: 'one invalid of three', body: badSecond, says: /^Email 1: Invalid `to` field/, code: 'request_invalid' },
  { name: 'one that is no object', body: [MAIL, null], says: /^Email 1: /, code: 'request_invalid' },
  {
    name: 'one without subject',
    body: [MAIL, { ...MAIL, subject: '' }],
    says: /^Email 1: Missing `subject` field\.$/,
    code: 'field_missing',
  },
  {
    name: 'a mode that nobody knows',
    body: mails(1),
    headers: { 'x-batch-validation': 'lax' },
    says: /permissive/,
    code: 'request_invalid',
  },
];
for (const { name, body, headers, says, code } of refused)
  test(`a strict batch of ${name} is refused whole: ${code}`, async () => {
    const before = laptop.google.mails.count();
    const reply = await batch(body, headers);
    assert.deepEqual([reply.status, reply.body?.['statusCode'], reply.body?.['code']], [422, 422, code]);
    assert.match(String(reply.body?.['message']), says);
    assert.equal('errors' in (reply.body ?? {}), false);
    assert.equal(laptop.google.mails.count(), before);
  });

test('a permissive batch sends what is valid and names the rest', async () => {
  const { status, body } = await batch(badSecond, permissive);
  const errors = body?.['errors'] as { index: number; message: string }[];
  assert.deepEqual([status, ids(body).length, errors.map(({ index }) => index)], [200, 2, [1]]);
  assert.match(errors[0]?.message ?? '', /`to`/);
  assert.deepEqual((await batch(mails(1), permissive)).body?.['errors'], []);
});

test('one Idempotency-Key covers the batch: replayed, refused when changed or longer, and its key taken for a single mail', async () => {
  const before = laptop.google.mails.count();
  const key = { 'idempotency-key': 'batch/1' };
  const first = await batch(mails(3), key);
  assert.deepEqual([(await batch(mails(3), key)).body, laptop.google.mails.count() - before], [first.body, 3]);
  for (const other of [mails(4), mails(2), mails(3, (index) => (index === 2 ? { text: 'other' } : {})), mails(3).reverse()]) {
    const reply = await batch(other, key);
    assert.deepEqual([reply.status, reply.body?.['name'], laptop.google.mails.count() - before], [409, 'invalid_idempotent_request', 3]);
  }
  const single = await post(`${laptop.api}/emails`, MAIL, { ...authorised, ...key });
  assert.deepEqual([single.status, single.body?.['name']], [409, 'invalid_idempotent_request']);
});

test('of two batches at once with one key one sends; the other waits, or gets the same ids', async () => {
  const before = laptop.google.mails.count();
  const key = { 'idempotency-key': 'batch/2' };
  const replies = await Promise.all([batch(mails(5), key), batch(mails(5), key)]);
  const done = replies.filter(({ status }) => status === 200).map(({ body }) => JSON.stringify(body));
  assert.deepEqual([new Set(done).size, laptop.google.mails.count() - before], [1, 5]);
  for (const { status, body } of replies)
    if (status !== 200) assert.deepEqual([status, body?.['name']], [409, 'concurrent_idempotent_requests']);
});

test('where one email of a batch does not go out, the answer names each, and the same key sends only what is missing', async () => {
  await using own = await startLaptop();
  const key = { 'idempotency-key': 'batch/3' };
  own.google.faults.script({ on: 'open', answer: 'rate' }); // meets the first mail, which goes alone
  const first = await batch(mails(4), key, own);
  assert.deepEqual(
    [first.status, first.body?.['name'], /^\d+$/.test(first.headers.get('retry-after') ?? '')],
    [429, 'rate_limit_exceeded', true],
  );
  assert.deepEqual(
    ((first.body?.['data'] ?? []) as { outcome: string }[]).map(({ outcome }) => outcome),
    ['retry', 'sent', 'sent', 'sent'],
  );
  const second = await batch(mails(4), key, own);
  assert.deepEqual([second.status, ids(second.body), own.google.mails.count()], [200, ids(first.body), 4]);
});

test('a dead grant fails the whole batch, permissive or not; with the key it is tried anew', async () => {
  await using own = await startLaptop();
  const key = { 'idempotency-key': 'batch/4', ...permissive };
  own.google.faults.script({ on: 'token', answer: 'invalid_grant', times: 8 });
  const first = await batch(mails(2), key, own);
  assert.deepEqual([first.status, first.body?.['code'], own.google.mails.count()], [500, 'grant_revoked', 0]);
  own.google.faults.clear();
  const other = await batch(
    mails(2, () => ({ text: 'other' })),
    key,
    own,
  );
  assert.deepEqual([other.status, other.body?.['name'], own.google.mails.count()], [409, 'invalid_idempotent_request', 0]);
  assert.deepEqual([(await batch(mails(2), key, own)).status, own.google.mails.count()], [200, 2]);
});

test("the key's limit counts each mail of a batch, and the headers say what is left", async () => {
  const limits = { perMinute: 3, perDay: null };
  await using own = await startLaptop({ config: { ...CONFIG, keys: CONFIG.keys.map((key) => ({ ...key, limits })) } });
  stopClock(own);
  const { status, headers, body } = await batch(mails(5), permissive, own);
  assert.deepEqual([status, ids(body).length, ((body?.['errors'] ?? []) as unknown[]).length], [200, 3, 2]);
  assert.deepEqual(
    [headers.get('ratelimit-limit'), headers.get('ratelimit-remaining'), headers.get('ratelimit-policy')],
    ['3', '0', '3;w=60'],
  );
  const single = await post(`${own.api}/emails`, MAIL, authorised);
  assert.deepEqual([single.status, single.body?.['name'], single.body?.['code']], [429, 'rate_limit_exceeded', 'limit_minute']);
  for (const name of ['retry-after', 'ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset'])
    assert.match(single.headers.get(name) ?? '', /^\d+$/);
});

test('an email of the batch that another invocation holds is told beside those that were sent; the same key sends the rest later', async () => {
  await using own = await startLaptop();
  const key = { 'idempotency-key': 'batch/held' };
  // The first request is cut off while its second email is on the way: its lease holds on.
  const reached = own.google.reached('transfer');
  own.google.faults.script({ on: 'transfer' }, { on: 'transfer', delayMs: 60_000 });
  const cut = new AbortController();
  const first = fetch(`${own.api}/emails/batch`, {
    method: 'POST',
    body: JSON.stringify(mails(3)),
    headers: { ...authorised, ...key },
    signal: cut.signal,
  }).catch(() => 'cut');
  await reached;
  while (own.google.mails.count() < 3) await new Promise((done) => setImmediate(done));
  const second = await batch(mails(3), key, own);
  cut.abort();
  assert.equal(await first, 'cut');
  const data = (second.body?.['data'] ?? []) as { id: string | null; outcome: string }[];
  assert.deepEqual(
    [second.status, second.body?.['code'], data.map(({ outcome }) => outcome).sort()],
    [409, 'in_flight', ['refused', 'sent', 'sent']],
  );
  const permitted = await batch(mails(3), { ...key, ...permissive }, own);
  assert.deepEqual([permitted.status, ids(permitted.body).length, ((permitted.body?.['errors'] ?? []) as unknown[]).length], [200, 2, 1]);
});
