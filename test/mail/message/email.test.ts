import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { ATTACHMENT_ADVICE } from '../../../functions/mail/message/attachments.ts';
import { EMAIL_ADVICE, fingerprint, parseRequest } from '../../../functions/mail/message/email.ts';

const VALID = { from: 'Shop <notices@example.com>', to: 'you@example.net', subject: 'Hi', text: 'there' };
const digest = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');

const refused = [
  { change: { from: undefined }, code: 'field_missing', says: /`from`/ },
  {
    change: { from: undefined, to: 'x', topic_id: 't', react: { a: 1 }, attachments: [{ content: '%' }, { filename: 'b', content: '' }] },
    code: 'request_invalid',
    says: /^Invalid `topic_id`.*`react`.*Missing `from`.*`to`.*`attachments\[0\]`.*`attachments\[1\]`/,
  },
  { change: { subject: undefined, cc: 'x' }, code: 'field_missing', says: /`subject`.*`cc`/ },
  { change: { attachments: [{ filename: 'f', path: '/x' }] }, code: 'request_invalid', says: /files are not fetched here/ },
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
  { name: 'blanks within an address', change: { to: `a${' '.repeat(3_000_000)}b` } },
  { name: 'commas within an address', change: { cc: `a${','.repeat(3_000_000)}b` } },
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

test('what mailgrant writes itself is dropped from the headers, and Reply-To among them joins reply_to without repeats', () => {
  const headers = {
    'X-Tag': 'a',
    From: 'evil@example.org',
    bcc: 'you@example.net', // a recipient already
    'MESSAGE-ID': '<x>',
    'Content-Transfer-Encoding': '8bit',
    'Content-Language': 'de',
    'Reply-To': 'R@example.com, "B, C" <b@example.com>',
  };
  const request = parseRequest({ ...VALID, reply_to: ['r@example.com'], headers });
  assert.deepEqual(request.headers, [
    ['X-Tag', 'a'],
    ['Content-Language', 'de'],
  ]);
  assert.deepEqual(request.replyTo, [
    { name: '', address: 'r@example.com' },
    { name: 'B, C', address: 'b@example.com' },
  ]);
});

test('a recipient who stands among the headers only is refused, never lost', () => {
  for (const headers of [{ Bcc: 'hidden@example.org' }, { to: 'you@example.net, b@example.org' }, { CC: 'nobody' }])
    assert.throws(() => parseRequest({ ...VALID, headers }), { code: 'request_invalid' });
});

test("a field takes 50 addresses as in Resend's contract, and where that does not bind, as many as its door says", () => {
  const to = Array.from({ length: 51 }, (_, i) => `a${i}@example.com`);
  assert.throws(() => parseRequest({ ...VALID, to }), { code: 'request_invalid', message: /51.*50/ });
  assert.equal(parseRequest({ ...VALID, to }, [], false, undefined, 500).to.length, 51);
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
  { attachments: [{ content: 'eA==', content_type: "text/plain; name*=utf-8''a%0ab" }] },
  { attachments: [{ content: 'eA==', content_type: 'text/plain; name="=?utf-8?q?a=00b?="' }] },
  { headers: Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`X-${index}`, 'a'])) },
];
for (const change of injections)
  test(`${JSON.stringify(change).slice(0, 70)} is refused`, () =>
    assert.throws(() => parseRequest({ ...VALID, ...change }), { code: 'request_invalid' }));

const refusedHeaders: [name: string, value: unknown, says: RegExp][] = [
  ['Content-Type', 'text/calendar; method=REQUEST', /"Content-Type".*attachment with `content_type/],
  ['content-disposition', 'attachment', /"content-disposition".*part/],
  ['Content-MD5', 'x', /"Content-MD5"/],
  ['Resent-To', 'evil@example.org', /"Resent-To".*`to`, `cc` and `bcc`/],
  ['apparently-to', 'x', /"apparently-to"/],
  ['Return-Path', '<a@example.com>', /"Return-Path".*leave it out/],
  ['Sender', 'a@example.com', /"Sender".*`from`/],
  ['Resend-Idempotency-Key', 'k', /`Idempotency-Key` of the request/],
  ['Reply-To', 'nobody', /"Reply-To": expected addresses/],
  ['Reply-To', 'a@example.com, nobody', /"Reply-To"/],
  ['X A', 'x', /"X A": a header name/],
  ['X-A', `${'a'.repeat(900)}`, /"X-A": it has a word of 900 characters/],
  ['X-A', 'wort '.repeat(2_000), /"X-A": it has 10000 characters; 8000/],
  ['X-A', 'a\0b', /"X-A": it holds a NUL character/],
  ['X-A', 'a\u2028b', /"X-A": it holds a line break \(U\+2028\)/],
  ['X-A', {}, /"X-A": expected a string/],
  ['X-A', '=?utf-7?Q?+AAo-X?=', /"X-A".*encoded-word/],
  ['In-Reply-To', 'Your mail of <a@example.com> (Tue)', /"In-Reply-To": expected message ids/],
  ['References', 'é@example.com', /"References": expected message ids/],
  ['List-Unsubscribe', 'bücher', /"List-Unsubscribe": expected addresses in angle brackets/],
  ['List-Id', 'Bücher', /"List-Id": expected a name and an id/],
  ['Auto-Submitted', 'ja, natürlich', /"Auto-Submitted".*ASCII/],
];
for (const [name, value, says] of refusedHeaders)
  test(`a header ${name} of ${JSON.stringify(value).slice(0, 40)} is refused by its name, with the reason`, () =>
    assert.throws(() => parseRequest({ ...VALID, headers: { [name]: value } }), { code: 'request_invalid', message: says }));

const reasons: [change: object, says: RegExp][] = [
  [{ subject: 'a'.repeat(900) }, /`subject`.*word of 900/],
  [{ subject: 'a '.repeat(1_001) }, /`subject`.*2002 characters; 2000/],
  [{ subject: 'a\0' }, /`subject`.*NUL/],
  [{ subject: 'a\tb' }, /`subject`.*a control character \(U\+0009\)/],
  [{ text: 'a\0' }, /`text`.*NUL/],
  [{ html: 7 }, /`html`.*expected a string/],
  [{ to: '"john smith"@example.net' }, /`to`.*quoted local part/],
  [{ to: '"a@evil.example,b"@example.net' }, /`to`.*quoted local part/],
  [{ to: 'a@example.net, b@example.net' }, /`to`.*are a list/],
  [{ to: 'üser@example.net' }, /`to`.*not before the @/],
  [{ to: ['a@example.net', 7] }, /`to`.*Expected a string/],
  [{ cc: '=?utf-7?Q?x?= <a@example.net>' }, /`cc`.*encoded-word/],
  [{ cc: `${'n '.repeat(450)}<a@example.net>` }, /`cc`.*900 characters; this one has 915/],
  [{ bcc: 'a\nb <a@example.net>' }, /`bcc`.*line break/],
  [{ attachments: [{ filename: 'a', content: { type: 'Buffer', data: [] } }] }, /attachment content is empty/],
  [{ attachments: [{ filename: 'a\u0085b', content: 'eA==' }] }, /`attachments\[0\]\.filename`.*line break \(U\+0085\)/],
];
for (const [change, says] of reasons)
  test(`${JSON.stringify(change).slice(0, 60)} is refused with the field and the real reason`, () =>
    assert.throws(() => parseRequest({ ...VALID, ...change }), { message: says }));

for (const [name, advice] of Object.entries(EMAIL_ADVICE))
  test(`a field ${name}, which others take, is refused by its name with what to do`, () => {
    assert.throws(
      () => parseRequest({ ...VALID, [name]: name === 'attachDataUrls' ? true : 'x' }),
      (error: Error) => {
        assert.ok(error.message.includes(`\`${name}\` field: it is not read here; ${advice}`));
        return true;
      },
    );
    for (const absent of [undefined, null, '', [], {}]) parseRequest({ ...VALID, [name]: absent });
  });
for (const name of Object.keys(ATTACHMENT_ADVICE))
  test(`a field ${name} of a file, which nodemailer takes, is refused by its name`, () =>
    assert.throws(() => parseRequest({ ...VALID, attachments: [{ content: 'eA==', [name]: 'x' }] }), {
      message: new RegExp(`attachments\\[0\\]\\.${name}\\b`),
    }));

const taken: [change: object, read: object][] = [
  [{ to: ['a@example.net', ''] }, { to: [{ name: '', address: 'a@example.net' }] }],
  [{ to: ['a@example.net', null, ' '] }, { to: [{ name: '', address: 'a@example.net' }] }],
  [{ to: 'a@example.net,' }, { to: [{ name: '', address: 'a@example.net' }] }],
  [
    { to: 'undisclosed-recipients:;', bcc: 'b@example.net' },
    { to: [], bcc: [{ name: '', address: 'b@example.net' }] },
  ],
  [
    { to: ['"Undisclosed recipients":;'], cc: 'b@example.net' },
    { to: [], cc: [{ name: '', address: 'b@example.net' }] },
  ],
  [{ to: '"try..this"@example.net' }, { to: [{ name: '', address: '"try..this"@example.net' }] }],
  [{ to: 'T <".x."@example.net>' }, { to: [{ name: 'T', address: '".x."@example.net' }] }],
  [{ to: '"jane"@example.net' }, { to: [{ name: '', address: 'jane@example.net' }] }],
  [{ from: 'a@example.com <a@example.com>' }, { from: { name: 'a@example.com', address: 'a@example.com' } }],
  [{ subject: 'SELECT * FROM t WHERE a=? AND b=? AND c=?' }, { subject: 'SELECT * FROM t WHERE a=? AND b=? AND c=?' }],
];
for (const [change, read] of taken)
  test(`${JSON.stringify(change).slice(0, 60)} is taken`, () => {
    const request = parseRequest({ ...VALID, ...change }) as unknown as Record<string, unknown>;
    for (const [field, value] of Object.entries(read)) assert.deepEqual(request[field], value);
  });

for (const change of [{ to: ['', ' '] }, { to: 'undisclosed-recipients:;' }, { from: ' ' }])
  test(`${JSON.stringify(change)} names nobody`, () =>
    assert.throws(() => parseRequest({ ...VALID, ...change }), { code: 'field_missing', message: /`(to|from)`/ }));

for (const filename of ['100%.pdf', 'rate%10.pdf', 'a%0D%0Ab', '%7f', 'Sale 50%20off.pdf'])
  test(`a file may be called ${filename}`, () =>
    assert.equal(parseRequest({ ...VALID, attachments: [{ filename, content: 'eA==' }] }).attachments[0]?.filename, filename));

for (const filename of ['a.exe', 'a.EXE', 'a.exe. ', 'a.pdf.js', 'a.xll'])
  test(`${filename} is of a type that Gmail blocks`, () =>
    assert.throws(() => parseRequest({ ...VALID, attachments: [{ filename, content: 'eA==' }] }), {
      message: /Gmail blocks files of the type/,
    }));
