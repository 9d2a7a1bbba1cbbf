import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { fingerprint, parseRequest } from '../../../functions/mail/message/email.ts';

const VALID = { from: 'Shop <notices@example.com>', to: 'you@example.net', subject: 'Hi', text: 'there' };
const digest = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');

const refused = [
  { change: { from: undefined }, code: 'field_missing', says: /`from`/ },
  { change: { to: [] }, code: 'field_missing', says: /`to`/ },
  { change: { subject: '' }, code: 'field_missing', says: /`subject`/ },
  { change: { text: undefined }, code: 'field_missing', says: /`html` or `text`/ },
  { change: { from: null, to: null, subject: null }, code: 'field_missing', says: /`from`.*`to`.*`subject`/ },
  { change: { from: ['a@example.com', 'b@example.com'] }, code: 'request_invalid', says: /`from`/ },
  { change: { to: 'nobody' }, code: 'request_invalid', says: /`to`.*email@example\.com/ },
  { change: { to: ['a@example.com', 'nobody'] }, code: 'request_invalid', says: /`to`/ },
  { change: { to: 'a@example.com, b@example.com' }, code: 'request_invalid', says: /`to`/ },
  { change: { cc: 7 }, code: 'request_invalid', says: /`cc`/ },
  { change: { bcc: 'b@e.com\r\nX: y' }, code: 'request_invalid', says: /`bcc`/ },
  { change: { to: Array.from({ length: 51 }, (_, i) => `a${i}@example.com`) }, code: 'request_invalid', says: /51.*50/ },
  { change: { subject: 'a\r\nBcc: evil@example.org' }, code: 'request_invalid', says: /`subject`/ },
  { change: { subject: 7 }, code: 'request_invalid', says: /`subject`/ },
  { change: { subject: 'a'.repeat(900) }, code: 'request_invalid', says: /`subject`/ },
  { change: { headers: { 'X-A': `b ${'a'.repeat(900)}` } }, code: 'request_invalid', says: /`headers`.*X-A/ },
  { change: { html: 'a\0b' }, code: 'request_invalid', says: /`html`/ },
  { change: { headers: { 'X-A': 'a\r\nBcc: evil@example.org' } }, code: 'request_invalid', says: /`headers`.*X-A/ },
  { change: { headers: { 'X-A: b\r\nBcc': 'evil@example.org' } }, code: 'request_invalid', says: /`headers`/ },
  { change: { headers: { 'X-A': {} } }, code: 'request_invalid', says: /`headers`/ },
  { change: { headers: 'X-A: b' }, code: 'request_invalid', says: /`headers`/ },
  { change: { scheduled_at: 'in 1 min' }, code: 'request_invalid', says: /`scheduled_at`/ },
  { change: { template: { id: 'x' } }, code: 'request_invalid', says: /`template`/ },
  { change: { topic_id: 'x' }, code: 'request_invalid', says: /`topic_id`/ },
  { change: { to: 'x', subject: 'a\nb', cc: 'y' }, code: 'request_invalid', says: /`to`.*`cc`.*`subject`/ },
  { change: { attachments: [{ filename: 'a', path: 'https://example.com/a' }] }, code: 'request_invalid', says: /path/ },
  { change: { attachments: [{ filename: 'a\r\nb', content: 'eA==' }] }, code: 'request_invalid', says: /filename/ },
  { change: { attachments: [{ filename: 'a', content: 'eA==', content_type: 'text' }] }, code: 'request_invalid', says: /content_type/ },
  {
    change: { attachments: [{ filename: 'a', content: 'eA==', content_type: 'multipart/mixed; boundary=b' }] },
    code: 'request_invalid',
    says: /cannot be multipart\/mixed;/,
  },
  { change: { attachments: [{ filename: 'a', content: 'eA==', content_id: 'a b' }] }, code: 'request_invalid', says: /content_id/ },
  { change: { attachments: { content: 'eA==' } }, code: 'request_invalid', says: /attachments/ },
  {
    change: { attachments: Array.from({ length: 501 }, () => 1) },
    code: 'request_invalid',
    says: /^Invalid `attachments` field: 501 files are more than 500\.$/,
  },
  { change: { attachments: [{ filename: 'a'.repeat(901), content: 'eA==' }] }, code: 'request_invalid', says: /filename.*900/ },
  { change: { attachments: ['eA=='] }, code: 'request_invalid', says: /attachments\[0\]/ },
  { change: { attachments: [{ filename: 'a' }] }, code: 'attachment_invalid', says: /empty/ },
  { change: { attachments: [{ filename: 'a', content: {} }] }, code: 'attachment_invalid', says: /empty/ },
  { change: { attachments: [{ filename: 'a', content: 'not base64!' }] }, code: 'attachment_invalid', says: /base64/ },
  { change: { attachments: [{ filename: 'a', content: [1, 256] }] }, code: 'attachment_invalid', says: /base64/ },
  { change: { attachments: [{ filename: 'a', content: { 0: 1, 2: 1 } }] }, code: 'attachment_invalid', says: /base64/ },
];
for (const { change, code, says } of refused)
  test(`${JSON.stringify(change).slice(0, 70)} is ${code}`, () =>
    assert.throws(() => parseRequest({ ...VALID, ...change }), { code, message: says }));

// What is quadratic in the length of a request keeps everybody else of the instance waiting: here it would run into the time-out.
const hostile = [
  { name: 'letters beyond ASCII', change: { to: 'é'.repeat(3_000_000) } },
  { name: 'reply addresses', change: { reply_to: Array.from({ length: 300_000 }, (_, n) => `a${n}@example.com`) } },
  { name: 'dots at the end of a filename', change: { attachments: [{ filename: `${'.'.repeat(3_000_000)}a`, content: 'eA==' }] } },
  { name: 'headers', change: { headers: Object.fromEntries(Array.from({ length: 300_000 }, (_, n) => [`a ${n}`, 'x'])) } },
  { name: 'attachments', change: { attachments: Array.from({ length: 3_000_000 }, () => 1) } },
];
for (const { name, change } of hostile)
  test(`millions of ${name} cost no more than their length, and get a short answer`, () =>
    assert.throws(
      () => parseRequest({ ...VALID, ...change }),
      (error: Error & { code?: string }) => error.code === 'request_invalid' && error.message.length < 300,
    ));

for (const body of [null, [], 'text', 7])
  test(`${JSON.stringify(body)} is no mail`, () => assert.throws(() => parseRequest(body), { code: 'request_invalid' }));

const empty = {
  cc: '',
  bcc: [],
  reply_to: [],
  headers: [],
  attachments: [],
  html: null,
  tags: [{ name: 'a' }],
  scheduled_at: '',
  topic_id: null,
  template: {},
};
test('empty values of every shape mean absent', () => assert.deepEqual(parseRequest({ ...VALID, ...empty }), parseRequest(VALID)));

const shapes: [string, unknown][] = [
  ['base64', 'aGVsbG8='],
  ['base64 without padding', 'aGVsbG8'],
  ['base64 in lines', 'aGVs\r\nbG8='],
  ['a Buffer as JSON', { type: 'Buffer', data: [104, 101, 108, 108, 111] }],
  ['an array of bytes', [104, 101, 108, 108, 111]],
  ['bytes by index', { 0: 104, 1: 101, 2: 108, 3: 108, 4: 111 }],
];
for (const [name, content] of shapes)
  test(`an attachment as ${name} is decoded`, () => {
    const [attachment] = parseRequest({ ...VALID, attachments: [{ filename: 'a.txt', content }] }).attachments;
    assert.equal(Buffer.from(attachment?.content ?? []).toString(), 'hello');
  });

test('a calendar in plain text is taken literally', () => {
  const content = 'BEGIN:VCALENDAR\r\nEND:VCALENDAR';
  assert.equal(Buffer.from(parseRequest({ ...VALID, attachments: [{ content }] }).attachments[0]?.content ?? []).toString(), content);
});

test('the older spellings of fields are understood', () => {
  const request = parseRequest({
    ...VALID,
    replyTo: 'r@example.com',
    attachments: [{ content: 'eA==', contentType: 'text/csv', inline_content_id: '<logo>' }],
  });
  assert.deepEqual(
    [request.replyTo, request.attachments[0]?.contentType, request.attachments[0]?.cid],
    [[{ name: '', address: 'r@example.com' }], 'text/csv', 'logo'],
  );
});

test('structural headers are dropped, and Reply-To among them joins reply_to without repeats', () => {
  const headers = {
    'X-Tag': 'a',
    From: 'evil@example.org',
    bcc: 'evil@example.org',
    'Content-Type': 'x',
    'MESSAGE-ID': '<x>',
    'Reply-To': 'R@example.com, "B, C" <b@example.com>',
  };
  const request = parseRequest({ ...VALID, reply_to: ['r@example.com'], headers });
  assert.deepEqual(request.headers, [['X-Tag', 'a']]);
  assert.deepEqual(request.replyTo, [
    { name: '', address: 'r@example.com' },
    { name: 'B, C', address: 'b@example.com' },
  ]);
});

test('equal requests have one fingerprint, whatever shape they came in', () => {
  const one = parseRequest({ ...VALID, to: ['you@example.net'], attachments: [{ filename: 'a', content: 'aGVsbG8=' }] });
  const same = parseRequest({ ...VALID, attachments: [{ filename: 'a', content: [104, 101, 108, 108, 111] }], unknown: 1 });
  const other = parseRequest({ ...VALID, attachments: [{ filename: 'a', content: 'aGVsbGE=' }] });
  assert.equal(fingerprint(one, digest), fingerprint(same, digest));
  assert.notEqual(fingerprint(one, digest), fingerprint(other, digest));
});

const HOSTS = ['cdn.example.com'];
const paths: [path: unknown, url: string | null][] = [
  ['https://cdn.example.com/a/b.pdf', 'https://cdn.example.com/a/b.pdf'],
  ['HTTPS://CDN.example.com:443/a b', 'https://cdn.example.com/a%20b'],
  ['http://cdn.example.com/a', null],
  ['https://cdn.example.com:8443/a', null],
  ['https://other.example.com/a', null],
  ['https://cdn.example.com.evil.example.org/a', null],
  ['https://evil.example.org\\@cdn.example.com/a', null],
  ['https://user:pass@cdn.example.com/a', null],
  ['file:///etc/passwd', null],
  ['/etc/passwd', null],
  ['a', null],
  [7, null],
];
for (const [path, url] of paths)
  test(`an attachment at ${path} is ${url ? 'to be fetched' : 'refused'}`, () => {
    const body = { ...VALID, attachments: [{ path }] };
    if (url === null)
      return assert.throws(() => parseRequest(body, HOSTS), { code: 'request_invalid', message: /only from https:\/\/cdn/ });
    assert.equal(parseRequest(body, HOSTS).attachments[0]?.url, url);
  });

test('a file at an address has the name of its path, or its own, and a blocked one is refused', () => {
  const nameOf = (attachment: object) => parseRequest({ ...VALID, attachments: [attachment] }, HOSTS).attachments[0]?.filename;
  assert.deepEqual(
    [nameOf({ path: 'https://cdn.example.com/b.pdf' }), nameOf({ path: 'https://cdn.example.com/b.pdf', filename: 'c.pdf' })],
    ['b.pdf', 'c.pdf'],
  );
  assert.throws(() => nameOf({ path: 'https://cdn.example.com/b.exe' }), { code: 'request_invalid' });
});

const injections = [
  { subject: '=?utf-8?q?a=0D=0ABcc:_evil@example.org?=' },
  { headers: { 'X-A': '=?utf-8?b?YQ0KQmNjOiBldmls?=' } },
  { attachments: [{ content: 'eA==', filename: '=?utf-8?q?a=0Ab?=' }] },
  { attachments: [{ content: 'eA==', filename: 'a%0D%0Ab' }] },
  { attachments: [{ content: 'eA==', content_type: "text/plain; name*=utf-8''a%0ab" }] },
  { attachments: [{ content: 'eA==', content_type: 'text/plain; name="=?utf-8?q?a=00b?="' }] },
  { headers: Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`X-${index}`, 'a'])) },
];
for (const change of injections)
  test(`${JSON.stringify(change).slice(0, 70)} is refused`, () =>
    assert.throws(() => parseRequest({ ...VALID, ...change }), { code: 'request_invalid' }));

test('headers that would send the mail on are dropped like the other structural ones', () =>
  assert.deepEqual(parseRequest({ ...VALID, headers: { 'Resent-To': 'evil@example.org', 'apparently-to': 'x', 'X-A': 'a' } }).headers, [
    ['X-A', 'a'],
  ]));

for (const filename of ['a.exe', 'a.EXE', 'a.exe. ', 'a.pdf.js', 'a.xll'])
  test(`${filename} is of a type that Gmail blocks`, () =>
    assert.throws(() => parseRequest({ ...VALID, attachments: [{ filename, content: 'eA==' }] }), {
      message: /Gmail blocks files of the type/,
    }));
