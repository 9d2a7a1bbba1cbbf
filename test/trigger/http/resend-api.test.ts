import assert from 'node:assert/strict';
import { type AddressInfo, connect as connectTcp } from 'node:net';
import { after, before, test } from 'node:test';
import { simpleParser } from 'mailparser';
import { BODY_MAX_BYTES } from '../../../functions/trigger/common/body.ts';
import { authorised, KEY, type Laptop, MAIL, MAILBOX, post, startLaptop } from '../../support/stack/laptop.ts';

let laptop: Laptop;
before(async () => {
  laptop = await startLaptop();
});
after(() => laptop[Symbol.asyncDispose]());

const emails = (body: unknown, headers: Record<string, string> = {}) => post(`${laptop.api}/emails`, body, { ...authorised, ...headers });
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test('a posted email is in the mailbox, with the id that was answered', async () => {
  const { status, headers, body } = await emails({ ...MAIL, subject: 'Ümläut', bcc: 'hidden@example.org' });
  assert.deepEqual([status, headers.get('content-type'), Object.keys(body ?? {})], [200, 'application/json; charset=utf-8', ['id']]);
  assert.match(String(body?.['id']), UUID);
  const [stored] = laptop.google.mails.list();
  const parsed = await simpleParser(stored?.raw ?? '');
  assert.deepEqual(
    [parsed.subject, parsed.messageId, stored?.mailbox, stored?.recipients],
    ['Ümläut', `<${body?.['id']}@example.com>`, MAILBOX, ['you@example.net', 'hidden@example.org']],
  );
});

const doors = [
  { path: '/health', method: 'GET', headers: {}, status: 200, name: undefined },
  { path: '//health', method: 'GET', headers: {}, status: 200, name: undefined },
  { path: '//emails', method: 'POST', headers: authorised, status: 200, name: undefined },
  { path: '/emails?x=1', method: 'POST', headers: authorised, status: 200, name: undefined },
  { path: '/emails', method: 'POST', headers: {}, status: 401, name: 'missing_api_key' },
  { path: '/emails', method: 'POST', headers: { authorization: KEY }, status: 401, name: 'missing_api_key' },
  { path: '/emails', method: 'POST', headers: { authorization: 'Bearer ' }, status: 401, name: 'missing_api_key' },
  { path: '/emails', method: 'POST', headers: { authorization: `Bearer ${KEY}x` }, status: 403, name: 'invalid_api_key' },
  {
    path: '/emails',
    method: 'POST',
    headers: { authorization: `Bearer ${KEY.replace('shop', 'nobody')}` },
    status: 403,
    name: 'invalid_api_key',
  },
  { path: '/emails', method: 'POST', headers: { authorization: 'Bearer re_123' }, status: 403, name: 'invalid_api_key' },
  { path: '/emails?limit=101', method: 'GET', headers: authorised, status: 422, name: 'validation_error' },
  { path: '/health/', method: 'HEAD', headers: {}, status: 200, name: undefined },
  { path: '/health', method: 'POST', headers: {}, status: 405, name: 'method_not_allowed' },
  { path: '/emails/', method: 'POST', headers: authorised, status: 200, name: undefined },
  { path: '/emails', method: 'OPTIONS', headers: {}, status: 405, name: 'method_not_allowed' },
  { path: '/emails', method: 'DELETE', headers: authorised, status: 405, name: 'method_not_allowed' },
  { path: '/emails/batch', method: 'GET', headers: authorised, status: 405, name: 'method_not_allowed' },
  { path: '/v1/raw', method: 'GET', headers: authorised, status: 405, name: 'method_not_allowed' },
  { path: '/emails/49a3999c-0ce1-4ea6-ab68-afcd6dc2e794', method: 'GET', headers: authorised, status: 404, name: 'not_found' },
  { path: '/emails/x', method: 'GET', headers: authorised, status: 404, name: 'not_found' },
  { path: '/emails/x', method: 'GET', headers: {}, status: 401, name: 'missing_api_key' },
  ...[
    '/emails/receiving',
    '/emails/receiving/x/attachments',
    '/emails/metrics',
    '/emails/share',
    '/emails/x/share',
    '/suppressions/x',
    '/inboxes',
  ]
    .concat('/usage', '/oauth/grants', '/templates/x/publish', '/broadcasts/x/send', '/topics')
    .flatMap((path) =>
      ['GET', 'POST', 'PATCH', 'DELETE'].map((method) => ({ path, method, headers: authorised, status: 401, name: 'restricted_api_key' })),
    ),
  { path: '/emails/x', method: 'PATCH', headers: authorised, status: 422, name: 'validation_error' },
  { path: '/emails/x', method: 'DELETE', headers: authorised, status: 405, name: 'method_not_allowed' },
  { path: '/emails/x/cancel', method: 'GET', headers: authorised, status: 405, name: 'method_not_allowed' },
  { path: '/emails/x/attachments/y', method: 'GET', headers: authorised, status: 401, name: 'restricted_api_key' },
  { path: '/emails/x/y', method: 'GET', headers: authorised, status: 404, name: 'not_found' },
  { path: '/api-keys/x', method: 'DELETE', headers: authorised, status: 401, name: 'restricted_api_key' },
  { path: '/contacts', method: 'POST', headers: authorised, status: 401, name: 'restricted_api_key' },
  { path: '/v1/rawer', method: 'POST', headers: authorised, status: 404, name: 'not_found' },
  { path: '/emails/123/cancel', method: 'POST', headers: authorised, status: 404, name: 'not_found' },
  { path: '/domains', method: 'GET', headers: authorised, status: 401, name: 'restricted_api_key' },
  { path: '/domains', method: 'GET', headers: {}, status: 401, name: 'missing_api_key' },
  { path: '/emails', method: 'PUT', headers: authorised, status: 405, name: 'method_not_allowed' },
  { path: '/', method: 'GET', headers: {}, status: 404, name: 'not_found' },
  { path: '/healthy', method: 'GET', headers: authorised, status: 404, name: 'not_found' },
];
for (const { path, method, headers, status, name } of doors)
  test(`${method} ${path} with ${JSON.stringify(headers).replace(/mg_[\w-]+/, 'KEY')} is ${status} ${name ?? ''}`, async () => {
    const reply = await fetch(laptop.api + path, {
      method,
      headers: headers as Record<string, string>,
      ...(method === 'POST' && { body: JSON.stringify(MAIL) }),
    });
    const text = await reply.text();
    if (method === 'HEAD') return assert.deepEqual([reply.status, text], [status, '']);
    const body = JSON.parse(text) as Record<string, unknown>;
    assert.deepEqual([reply.status, body['name'], reply.headers.has('allow')], [status, name, status === 405]);
    if (status !== 200)
      assert.deepEqual(
        [body['statusCode'], typeof body['message'], typeof body['code'], typeof body['fix']],
        [status, 'string', 'string', 'string'],
      );
  });

const refused: { body: unknown; headers?: Record<string, string>; status: number; name: string; code: string }[] = [
  { body: '{"from":', status: 422, name: 'validation_error', code: 'request_invalid' },
  { body: '', status: 422, name: 'validation_error', code: 'request_invalid' },
  { body: '[]', status: 422, name: 'validation_error', code: 'request_invalid' },
  { body: '{"from":"\\ud800"}', status: 422, name: 'missing_required_field', code: 'field_missing' },
  { body: {}, status: 422, name: 'missing_required_field', code: 'field_missing' },
  { body: { ...MAIL, to: 'x' }, status: 422, name: 'validation_error', code: 'request_invalid' },
  { body: { ...MAIL, subject: 'a\r\nBcc: evil@example.org' }, status: 422, name: 'validation_error', code: 'request_invalid' },
  { body: { ...MAIL, headers: { 'X-A': 'a\nBcc: evil@example.org' } }, status: 422, name: 'validation_error', code: 'request_invalid' },
  { body: { ...MAIL, from: 'ceo@example.com' }, status: 403, name: 'validation_error', code: 'sender_not_allowed' },
  { body: { ...MAIL, attachments: [{ filename: 'a', content: '' }] }, status: 422, name: 'invalid_attachment', code: 'attachment_invalid' },
  {
    body: {
      ...MAIL,
      attachments: [
        {
          filename: 'a',
          content: Buffer.alloc(3 * 2 ** 23 - 5_000)
            .toString('base64')
            .slice(0, 33_000_000),
        },
      ],
      html: 'x'.repeat(600_000),
    },
    status: 422,
    name: 'validation_error',
    code: 'too_large',
  },
  { body: `${'['.repeat(33)}${']'.repeat(33)}`, status: 422, name: 'validation_error', code: 'request_invalid' },
  { body: '['.repeat(1_000_000), status: 422, name: 'validation_error', code: 'request_invalid' },
  {
    body: { ...MAIL, attachments: [{ filename: 'a.EXE', content: 'eA==' }] },
    status: 422,
    name: 'validation_error',
    code: 'request_invalid',
  },
  { body: { ...MAIL, to: 'üser@example.net' }, status: 422, name: 'validation_error', code: 'request_invalid' },
  {
    body: { ...MAIL, attachments: [{ filename: 'a', path: 'https://example.com/a' }] },
    status: 422,
    name: 'validation_error',
    code: 'request_invalid',
  },
  {
    body: MAIL,
    headers: { 'idempotency-key': 'k'.repeat(257) },
    status: 400,
    name: 'invalid_idempotency_key',
    code: 'idempotency_key_invalid',
  },
  { body: MAIL, headers: { 'idempotency-key': '' }, status: 400, name: 'invalid_idempotency_key', code: 'idempotency_key_invalid' },
  { body: MAIL, headers: { 'content-encoding': 'gzip' }, status: 422, name: 'validation_error', code: 'request_invalid' },
];
for (const { body, headers, status, name, code } of refused)
  test(`${JSON.stringify(body).slice(0, 60)} ${JSON.stringify(headers ?? {}).slice(0, 40)} is ${status} ${name}, and nothing is sent`, async () => {
    const before = laptop.google.mails.count();
    const reply = await emails(body, headers);
    assert.deepEqual([reply.status, reply.body?.['statusCode'], reply.body?.['name'], reply.body?.['code']], [status, status, name, code]);
    assert.equal(laptop.google.mails.count(), before);
  });

test('a body that is announced too large is refused before it is read', async () => {
  const { port } = new URL(laptop.api);
  const answer = await new Promise<string>((done) => {
    const socket = connectTcp(Number(port), '127.0.0.1', () =>
      socket.write(`POST /emails HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${KEY}\r\nContent-Length: ${BODY_MAX_BYTES + 1}\r\n\r\n`),
    );
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('close', () => done(text)); // the connection ends, though no byte of the body came
  });
  assert.match(answer, /^HTTP\/1\.1 422 [\s\S]*too_large/);
});

test('a string with brackets and escapes is not taken for depth', async () => {
  const text = String.raw`canary-body \\" [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[ " {{{ \\`;
  assert.equal((await emails({ ...MAIL, text })).status, 200);
});

test('a body that trickles in is given up, and the connection ends', async () => {
  const { createServer } = await import('node:http');
  const { resendApi } = await import('../../../functions/trigger/http/resend-api.ts');
  const handler = resendApi(laptop.edge, () => {}, { timeoutMs: 50 });
  const server = createServer((req, res) => void handler(req, res));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const answer = await new Promise<string>((done) => {
    const socket = connectTcp(port, '127.0.0.1', () =>
      socket.write(`POST /emails HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${KEY}\r\nContent-Length: 1000\r\n\r\n{"from":`),
    );
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('close', () => done(text));
  });
  server.close();
  assert.match(answer, /^HTTP\/1\.1 422 [\s\S]*did not arrive within/);
});

test('a chunked body without content type is read', async () => {
  const body = new ReadableStream({
    start(stream) {
      for (const piece of JSON.stringify(MAIL).match(/.{1,20}/gs) ?? []) stream.enqueue(new TextEncoder().encode(piece));
      stream.close();
    },
  });
  const reply = await fetch(`${laptop.api}/emails`, { method: 'POST', headers: authorised, body, duplex: 'half' } as RequestInit);
  assert.equal(reply.status, 200);
});

test('the same Idempotency-Key twice sends once; with another payload it is refused', async () => {
  const before = laptop.google.mails.count();
  const headers = { 'idempotency-key': 'order/1' };
  const first = await emails(MAIL, headers);
  assert.deepEqual((await emails(MAIL, headers)).body, first.body);
  const other = await emails({ ...MAIL, text: 'other' }, headers);
  assert.deepEqual([other.status, other.body?.['name'], laptop.google.mails.count() - before], [409, 'invalid_idempotent_request', 1]);
});

test('of ten requests at once with one key one sends; the others are told to wait, or get its id', async () => {
  const before = laptop.google.mails.count();
  const replies = await Promise.all(Array.from({ length: 10 }, () => emails(MAIL, { 'idempotency-key': 'order/2' })));
  const ids = new Set(replies.filter(({ status }) => status === 200).map(({ body }) => body?.['id']));
  const others = replies.filter(({ status }) => status !== 200);
  assert.deepEqual([ids.size, laptop.google.mails.count() - before], [1, 1]);
  for (const { status, headers, body } of others)
    assert.deepEqual([status, body?.['name'], Number(headers.get('retry-after')) > 0], [409, 'concurrent_idempotent_requests', true]);
});

const failing = [
  { fault: { on: 'token', answer: 'invalid_grant', times: 2 }, status: 500, name: 'application_error', code: 'grant_revoked', wait: false },
  { fault: { on: 'secret', answer: 'permission_denied' }, status: 500, name: 'application_error', code: 'grant_unreadable', wait: false },
  { fault: { on: 'open', answer: 'missing_scope' }, status: 500, name: 'application_error', code: 'scope_missing', wait: false },
  { fault: { on: 'open', answer: 'api_disabled' }, status: 500, name: 'application_error', code: 'api_disabled', wait: false },
  { fault: { on: 'open', answer: 'rate' }, status: 429, name: 'rate_limit_exceeded', code: 'rate_limited', wait: true },
  { fault: { on: 'open', answer: 'user_rate' }, status: 429, name: 'rate_limit_exceeded', code: 'rate_limited', wait: true },
  { fault: { on: 'open', answer: 'sending_limit' }, status: 429, name: 'daily_quota_exceeded', code: 'quota_daily', wait: true },
  { fault: { on: 'open', answer: 'unavailable' }, status: 500, name: 'application_error', code: 'google_unavailable', wait: true },
  { fault: { on: 'transfer', answer: 'invalid_to' }, status: 422, name: 'validation_error', code: 'mail_refused', wait: false },
  {
    fault: { on: 'ledger', answer: 'cloud_unavailable', times: 3 },
    status: 500,
    name: 'application_error',
    code: 'ledger_unavailable',
    wait: true,
  },
] as const;
for (const { fault, status, name, code, wait } of failing)
  test(`${JSON.stringify(fault)} is ${status} ${name} with ${code}, and nothing is sent`, async () => {
    await using own = await startLaptop();
    own.google.faults.script(fault);
    const { headers, body, ...reply } = await post(`${own.api}/emails`, MAIL, authorised);
    assert.deepEqual([reply.status, body?.['name'], body?.['code'], own.google.mails.count()], [status, name, code, 0]);
    assert.equal(/^\d+$/.test(headers.get('retry-after') ?? ''), wait);
    assert.ok(String(body?.['fix']).length > 10);
    const line = own.lines.find(({ code: logged }) => logged === code);
    assert.ok(line?.['fix'] && line['severity'], 'the log names code and fix');
  });

const recovered = [
  { name: 'a stale token is minted anew', fault: { on: 'open', answer: 'bad_token' } },
  { name: 'the reply to the letter is lost after Gmail took it', fault: { on: 'transfer', reset: 'after' } },
  { name: 'the connection breaks before Gmail took it', fault: { on: 'transfer', reset: 'before' } },
  { name: 'the connection breaks in the middle of it', fault: { on: 'transfer', reset: 'before', keepBytes: 262_144 } },
  { name: 'Gmail answers 503 to the letter', fault: { on: 'transfer', answer: 'unavailable' } },
] as const;
for (const { name, fault } of recovered)
  test(`${name}: one email, byte for byte, answered as sent`, async () => {
    await using own = await startLaptop();
    own.google.faults.script(fault);
    const file = Buffer.alloc(400_000, 'x').toString('base64');
    const { status, body } = await post(`${own.api}/emails`, { ...MAIL, attachments: [{ filename: 'a.txt', content: file }] }, authorised);
    assert.deepEqual([status, own.google.mails.count(), own.google.ledgerEntry(String(body?.['id']))?.['state']], [200, 1, 'sent']);
    const [attachment] = (await simpleParser(own.google.mails.list()[0]?.raw ?? '')).attachments;
    assert.equal(attachment?.content.toString('base64'), file);
  });

test('a session that is gone leaves the email unknown; asking again with the key never sends it twice', async () => {
  await using own = await startLaptop();
  own.google.faults.script({ on: 'transfer', reset: 'after' }, { on: 'ask', answer: 'session_gone' });
  const headers = { ...authorised, 'idempotency-key': 'k' };
  const first = await post(`${own.api}/emails`, MAIL, headers);
  const second = await post(`${own.api}/emails`, MAIL, headers);
  for (const { status, body } of [first, second])
    assert.deepEqual(
      [status, body?.['name'], body?.['code'], String(body?.['message']).includes(String(body?.['id']))],
      [422, 'validation_error', 'session_gone', true], // final: no client repeats it
    );
  assert.deepEqual([own.google.mails.count(), own.google.ledgerEntry(String(first.body?.['id']))?.['state']], [1, 'unknown']);
});

test('an email whose fate could not be asked is asked again with the same key', async () => {
  await using own = await startLaptop();
  own.google.faults.script({ on: 'transfer', reset: 'after' }, { on: 'ask', answer: 'unavailable', times: 4 });
  const headers = { ...authorised, 'idempotency-key': 'k' };
  const first = await post(`${own.api}/emails`, MAIL, headers);
  assert.deepEqual([first.status, first.body?.['code']], [500, 'delivery_unknown']);
  const second = await post(`${own.api}/emails`, MAIL, headers);
  assert.deepEqual([second.status, second.body?.['id'], own.google.mails.count()], [200, first.body?.['id'], 1]);
});

test('two requests with two keys to the same mailbox keep apart', async () => {
  const [one, two] = await Promise.all([emails(MAIL, { 'idempotency-key': 'a' }), emails(MAIL, { 'idempotency-key': 'b' })]);
  assert.notEqual(one.body?.['id'], two.body?.['id']);
});

test('nothing that was logged names a secret, an address or content', () => {
  assert.ok(laptop.lines.length > 20);
  assert.doesNotMatch(JSON.stringify(laptop.lines), /canary|@example|Ümläut/);
});
