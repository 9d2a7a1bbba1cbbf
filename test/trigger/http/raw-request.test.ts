import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { simpleParser } from 'mailparser';
import { authorised, type Laptop, MAILBOX, startLaptop } from '../../support/stack/laptop.ts';

let laptop: Laptop;
before(async () => {
  laptop = await startLaptop();
});
after(() => laptop[Symbol.asyncDispose]());

/** What stock Django sends through an SMTP sidecar: the hidden recipient is in the envelope and in no header. */
const DJANGO = [
  'Content-Type: multipart/mixed; boundary="===============683=="',
  'MIME-Version: 1.0',
  'Subject: =?utf-8?b?SMOpbGxv?=',
  `From: Acme <${MAILBOX}>`,
  'To: b@example.com',
  'Date: Sun, 22 Nov 2026 21:57:59 -0000',
  'Message-ID: <179538467946.15945.3110788918073413823@localhost>',
  '',
  '--===============683==',
  'Content-Type: text/plain; charset="utf-8"',
  'Content-Transfer-Encoding: 8bit',
  '',
  'canary-body äöü',
  '--===============683==',
  'Content-Type: text/csv; charset="utf-8"',
  'Content-Disposition: attachment; filename="r.csv"',
  '',
  'a,b',
  '--===============683==--',
  '',
].join('\r\n');

async function raw(body: string, headers: Record<string, string> = {}, query = '') {
  const reply = await fetch(`${laptop.api}/v1/raw${query}`, {
    method: 'POST',
    body,
    headers: { ...authorised, 'content-type': 'message/rfc822', ...headers },
  });
  return { status: reply.status, body: (await reply.json()) as Record<string, unknown> };
}
const envelope = { 'x-envelope-from': MAILBOX, 'x-envelope-to': 'b@example.com,hidden@example.com' };

test("Django's letter arrives as it was, and its hidden recipient gets it", async () => {
  const { status, body } = await raw(DJANGO, envelope);
  const [stored] = laptop.google.mails.list();
  assert.deepEqual([status, stored?.recipients], [200, ['b@example.com', 'hidden@example.com']]);
  assert.equal(laptop.google.ledgerEntry(String(body['id']))?.['state'], 'sent');
  const head = DJANGO.indexOf('\r\n\r\n');
  assert.equal(stored?.raw.toString(), `${DJANGO.slice(0, head)}\r\nBcc: hidden@example.com${DJANGO.slice(head)}`);
  const mail = await simpleParser(stored?.raw ?? '');
  assert.deepEqual([mail.subject, mail.text?.trim(), mail.attachments[0]?.filename], ['Héllo', 'canary-body äöü', 'r.csv']);
});

test('a letter that comes without its length, as from a pipe, is read whole', async () => {
  const pieces = DJANGO.match(/.{1,200}/gs) ?? [];
  const reply = await fetch(`${laptop.api}/v1/raw`, {
    method: 'POST',
    body: ReadableStream.from(pieces.map((piece) => Buffer.from(piece))),
    headers: { ...authorised, 'content-type': 'message/rfc822', ...envelope },
    duplex: 'half',
  } as RequestInit);
  const head = DJANGO.indexOf('\r\n\r\n');
  const raw = `${DJANGO.slice(0, head)}\r\nBcc: hidden@example.com${DJANGO.slice(head)}`;
  assert.deepEqual([reply.status, laptop.google.mails.list()[0]?.raw.toString() === raw], [200, true]);
});

test('the envelope may name an international domain, or stand in the headers of the letter alone', async () => {
  const given = { 'x-envelope-from': MAILBOX, 'x-envelope-to': 'b@example.com, hidden@bücher.example' };
  assert.equal((await raw(DJANGO, given)).status, 200);
  assert.deepEqual(laptop.google.mails.list()[0]?.recipients, ['b@example.com', 'hidden@xn--bcher-kva.example']);
  assert.equal((await raw(DJANGO, { 'x-envelope-from': '<>' })).status, 200);
  assert.deepEqual(laptop.google.mails.list()[0]?.recipients, ['b@example.com']);
});

test("the letter's own idempotency key is used where the request has none, together with the envelope", async () => {
  const before = laptop.google.mails.count();
  const letter = `Resend-Idempotency-Key: django/1\r\n${DJANGO}`;
  const first = await raw(letter, envelope);
  assert.deepEqual(await raw(letter, envelope), first);
  assert.deepEqual((await raw(letter, { ...envelope, 'idempotency-key': 'http/1' })).status, 200);
  const other = await raw(letter, { 'x-envelope-to': 'b@example.com' });
  assert.deepEqual([other.status, other.body['name'], laptop.google.mails.count() - before], [409, 'invalid_idempotent_request', 2]);
  assert.doesNotMatch(laptop.google.mails.list()[0]?.raw.toString() ?? '', /idempotency/i);
});

const refused: { name: string; body?: string; headers?: Record<string, string>; query?: string; status: number; code: string }[] = [
  { name: 'another content type', headers: { 'content-type': 'application/json' }, status: 422, code: 'request_invalid' },
  { name: 'an envelope of nonsense', headers: { 'x-envelope-to': 'nobody' }, status: 422, code: 'request_invalid' },
  { name: 'two envelope senders', headers: { 'x-envelope-from': `${MAILBOX},no-reply@example.com` }, status: 422, code: 'request_invalid' },
  { name: 'a recipient in the query', headers: envelope, query: '?to=b@example.com', status: 422, code: 'request_invalid' },
  { name: 'a sender in the query', headers: envelope, query: `?a=b&fr%6fm=${MAILBOX}`, status: 422, code: 'request_invalid' },
  { name: 'another sender', headers: { 'x-envelope-from': 'ceo@example.com' }, status: 403, code: 'sender_not_allowed' },
  { name: 'a recipient outside of the envelope', headers: { 'x-envelope-to': 'c@example.com' }, status: 422, code: 'envelope_incomplete' },
  { name: 'LF line ends', body: DJANGO.replaceAll('\r\n', '\n'), status: 422, code: 'request_invalid' },
  { name: 'nothing', body: '', status: 422, code: 'request_invalid' },
  {
    name: 'a key that is too long',
    body: `Resend-Idempotency-Key: ${'k'.repeat(257)}\r\n${DJANGO}`,
    status: 400,
    code: 'idempotency_key_invalid',
  },
];
for (const { name, body = DJANGO, headers = {}, query = '', status, code } of refused)
  test(`a letter with ${name} is ${code}, and nothing is sent`, async () => {
    const before = laptop.google.mails.count();
    const reply = await raw(body, headers, query);
    assert.deepEqual([reply.status, reply.body['statusCode'], reply.body['code']], [status, status, code]);
    assert.equal(laptop.google.mails.count(), before);
  });

test('a letter whose reply is lost is asked about, never sent twice', async () => {
  const before = laptop.google.mails.count();
  laptop.google.faults.script({ on: 'transfer', reset: 'after' });
  assert.deepEqual([(await raw(DJANGO, envelope)).status, laptop.google.mails.count() - before], [200, 1]);
});

test('a letter of 20 MB goes through, its body untouched', async () => {
  const file = Buffer.alloc(15_000_000, 'canary-file ').toString('base64').replace(/.{76}/g, '$&\r\n');
  const head = `From: ${MAILBOX}\r\nTo: b@example.com\r\nMIME-Version: 1.0\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n`;
  assert.equal((await raw(`${head}\r\n${file}`)).status, 200);
  const stored = laptop.google.mails.list()[0]?.raw ?? Buffer.alloc(0);
  assert.ok(stored.subarray(stored.indexOf('\r\n\r\n') + 4).equals(Buffer.from(file)));
});

test('nothing of a letter was logged', () => assert.doesNotMatch(JSON.stringify(laptop.lines), /canary|@example|Acme|r\.csv/));
