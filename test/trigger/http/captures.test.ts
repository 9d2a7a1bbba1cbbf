/** Requests in the shapes that real clients were seen to send, for the languages that are not run here. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, test } from 'node:test';
import { type AddressObject, type ParsedMail, simpleParser } from 'mailparser';
import { authorised, type Laptop, MAILBOX, post, startLaptop } from '../../support/stack/laptop.ts';

let laptop: Laptop;
before(async () => {
  laptop = await startLaptop();
});
after(() => laptop[Symbol.asyncDispose]());

const HELLO = [104, 101, 108, 108, 111];
const people = (value: AddressObject | AddressObject[] | undefined) =>
  [value ?? []].flat().flatMap((one) => one.value.map(({ name, address }) => `${name}<${address}>`));
const files = ({ attachments }: ParsedMail) =>
  attachments.map(({ filename, contentType, content }) => [filename, contentType, content.toString()]);
const parts = ({ text, html }: ParsedMail) => [text?.trim(), html || undefined];

const captured: { name: string; body: Record<string, unknown>; check: (mail: ParsedMail, recipients: readonly string[]) => void }[] = [
  {
    name: 'resend-node 2.1: a Buffer as JSON, both spellings of everything',
    body: {
      from: MAILBOX,
      to: 'b@example.com',
      reply_to: 'c@example.com',
      replyTo: 'd@example.com',
      subject: 's',
      text: 't',
      attachments: [{ filename: 'a.txt', content: { type: 'Buffer', data: HELLO }, contentType: 'text/plain', content_type: 'text/plain' }],
    },
    check: (mail) => {
      assert.deepEqual(people(mail.replyTo), ['<c@example.com>']);
      assert.deepEqual(files(mail), [['a.txt', 'text/plain', 'hello']]);
    },
  },
  {
    name: 'resend-python: an array of integers and base64 in one mail',
    body: {
      from: `Acme <${MAILBOX}>`,
      to: ['b@example.com'],
      subject: 'h',
      html: '<b>x</b>',
      reply_to: 'r@example.com',
      tags: [{ name: 't', value: 'v' }],
      attachments: [
        { filename: 'a.txt', content: HELLO, content_type: 'text/plain' },
        { filename: 'b.txt', content: 'aGVsbG8=' },
      ],
    },
    check: (mail) =>
      assert.deepEqual(
        files(mail).map(([, , content]) => content),
        ['hello', 'hello'],
      ),
  },
  {
    name: 'Laravel: empty lists for everything, text null',
    body: {
      from: MAILBOX,
      to: ['b@example.com'],
      cc: [],
      bcc: [],
      reply_to: [],
      headers: [],
      subject: 's',
      html: '<b>x</b>',
      text: null,
      attachments: [],
    },
    check: (mail) =>
      assert.deepEqual([mail.cc, mail.bcc, mail.replyTo, ...parts(mail)], [undefined, undefined, undefined, 'x', '<b>x</b>']),
  },
  {
    name: 'Laravel: a calendar as plain text',
    body: {
      from: MAILBOX,
      to: ['b@example.com'],
      subject: 's',
      text: 't',
      attachments: [{ filename: 'i.ics', content: 'BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n', content_type: 'text/calendar' }],
    },
    check: (mail) => assert.deepEqual(files(mail), [['i.ics', 'text/calendar', 'BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n']]),
  },
  {
    name: 'Symfony: a comma in an unquoted name, Reply-To twice, tags in a shape of its own',
    body: {
      from: `Äcme, Inc. <${MAILBOX}>`,
      to: ['b@example.com'],
      subject: 'Hé',
      attachments: [{ filename: 'a.txt', content: 'aGVsbG8K' }],
      reply_to: 'r@example.com',
      cc: ['c@example.com'],
      bcc: ['d@example.com'],
      text: 't',
      html: '<b>x</b>',
      headers: { 'Reply-To': 'r@example.com, s@example.com', 'X-Custom': '1' },
      tags: [{ 'X-Tag': 'welcome' }],
    },
    check: (mail, recipients) => {
      assert.deepEqual(people(mail.from), [`Äcme, Inc.<${MAILBOX}>`]);
      assert.deepEqual(people(mail.replyTo), ['<r@example.com>', '<s@example.com>']);
      assert.deepEqual([mail.headers.get('x-custom'), recipients], ['1', ['b@example.com', 'c@example.com', 'd@example.com']]);
    },
  },
  {
    name: 'anymail 10.2: an encoded-word as name, no content_type, metadata as header',
    body: {
      from: `Acme <${MAILBOX}>`,
      to: ['=?utf-8?q?B_=C3=96?= <b@example.com>', 'c@example.com'],
      subject: 'Héllo ✓',
      reply_to: ['r@example.com'],
      headers: { 'X-Metadata': '{"order": 123}', 'X-Tags': '["welcome"]' },
      text: 'text body',
      html: '<p>html</p>',
      attachments: [
        { content: 'YSxiCjEsMgo=', filename: 'report.csv' },
        { content: 'AAEC', filename: 'x.bin' },
      ],
    },
    check: (mail) => {
      assert.deepEqual(
        [people(mail.to), mail.subject, mail.headers.get('x-metadata')],
        [['B Ö<b@example.com>', '<c@example.com>'], 'Héllo ✓', '{"order": 123}'],
      );
      assert.deepEqual(
        files(mail).map(([, type]) => type),
        ['text/csv', 'application/octet-stream'],
      );
    },
  },
  {
    name: 'anymail 15.1: raw UTF-8 as name, a charset in content_type, an inline image',
    body: {
      from: MAILBOX,
      to: ['B Ö <b@example.com>'],
      subject: 's',
      text: 't',
      html: '<img src="cid:179538472336.17416.img@inline">',
      attachments: [
        {
          content: 'iVBORw0KGgoAAAANSUhEUg==',
          filename: 'logo.png',
          content_type: 'image/png',
          content_id: '179538472336.17416.img@inline',
        },
        { content: 'YSxiCjEsMgo=', filename: 'report.csv', content_type: 'text/csv; charset="utf-8"' },
      ],
    },
    check: (mail) => {
      assert.deepEqual(people(mail.to), ['B Ö<b@example.com>']);
      assert.deepEqual(
        mail.attachments.map(({ cid, related }) => [cid, related]),
        [
          ['179538472336.17416.img@inline', true],
          [undefined, undefined],
        ],
      );
    },
  },
  {
    name: 'Rails: Message-ID among the headers is dropped',
    body: {
      from: `Acme <${MAILBOX}>`,
      to: ['b@example.com'],
      subject: 'Hé',
      cc: ['c@example.com'],
      headers: { 'Message-ID': '<custom@example.com>', 'X-Custom': '1' },
      attachments: [{ filename: 'a.txt', content: HELLO }],
      text: 'hi',
      html: '<b>x</b>',
    },
    check: (mail) => {
      assert.match(mail.messageId ?? '', /^<[0-9a-f-]{36}@example\.com>$/);
      assert.deepEqual(files(mail), [['a.txt', 'text/plain', 'hello']]);
    },
  },
  {
    name: 'Payload: empty strings; an empty text beside html is no text part',
    body: {
      from: `Acme <${MAILBOX}>`,
      subject: 's',
      to: 'b@example.com',
      bcc: '',
      cc: '',
      reply_to: '',
      attachments: [{ filename: 'a.txt', content: { type: 'Buffer', data: HELLO } }],
      html: '<b>x</b>',
      text: '',
    },
    check: (mail) => assert.deepEqual([mail.html, files(mail)], ['<b>x</b>', [['a.txt', 'text/plain', 'hello']]]),
  },
  {
    name: 'Rust: contentType in camel case and no filename; an older Node: bytes by index',
    body: {
      from: MAILBOX,
      to: ['b@example.com'],
      subject: 's',
      text: 't',
      attachments: [
        { content: HELLO, contentType: 'text/plain' },
        { filename: 'b.txt', content: { ...HELLO } },
      ],
    },
    check: (mail) =>
      assert.deepEqual(
        files(mail).map(([, , content]) => content),
        ['hello', 'hello'],
      ),
  },
];
for (const { name, body, check } of captured)
  test(`${name}: 200, and the email is what was meant`, async () => {
    const { status, body: answer } = await post(`${laptop.api}/emails`, body, authorised);
    assert.deepEqual([status, Object.keys(answer ?? {})], [200, ['id']], JSON.stringify(answer));
    const [stored] = laptop.google.mails.list();
    check(await simpleParser(stored?.raw ?? ''), stored?.recipients ?? []);
  });

test('the widest message of resend-node is refused for what is not served, and sent without it', async () => {
  const full = {
    attachments: [
      { content: 'aGVsbG8=', filename: 'a.txt' },
      { filename: 'f.pdf', path: 'https://example.com/f.pdf' },
    ],
    from: MAILBOX,
    scheduled_at: 'in 1 min',
    subject: 'héllo ✓',
    text: 'hi',
    to: ['b@example.com', 'C D <c@example.com>'],
    topic_id: 'abc',
    template: { id: 'x' },
    unknown: { a: 1 },
  };
  const refused = await post(`${laptop.api}/emails`, full, authorised);
  assert.deepEqual([refused.status, refused.body?.['name']], [422, 'validation_error']);
  for (const field of ['scheduled_at', 'topic_id', 'template', 'attachments[1].path'])
    assert.ok(String(refused.body?.['message']).includes(`\`${field}\``), field);
  const { scheduled_at, topic_id, template, ...served } = full;
  const sent = await post(`${laptop.api}/emails`, { ...served, attachments: full.attachments.slice(0, 1) }, authorised);
  assert.equal(sent.status, 200);
});

/** What `fetch` cannot send: no content type, a body with GET, an empty body that is announced as JSON. */
const bare: {
  name: string;
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: string;
  status: number;
  error: string;
}[] = [
  {
    name: 'Node cancels',
    method: 'POST',
    path: '/emails/49a3999c-0ce1-4ea6-ab68-afcd6dc2e794/cancel',
    headers: { 'content-type': 'application/json', 'content-length': '0' },
    status: 404,
    error: 'not_found',
  },
  { name: 'Go cancels', method: 'POST', path: '/emails/x/cancel', headers: {}, status: 404, error: 'not_found' },
  {
    name: 'Python lists domains',
    method: 'GET',
    path: '/domains',
    headers: { 'content-type': 'application/json', 'content-length': '2' },
    body: '{}',
    status: 401,
    error: 'restricted_api_key',
  },
  {
    name: 'Python reads a mail',
    method: 'GET',
    path: '/emails/x',
    headers: { 'content-type': 'application/json', 'content-length': '2' },
    body: '{}',
    status: 404,
    error: 'not_found',
  },
  {
    name: 'Node with a slash too many',
    method: 'POST',
    path: '//emails',
    headers: {},
    body: '{}',
    status: 422,
    error: 'missing_required_field',
  },
  {
    name: 'a host in the path',
    method: 'POST',
    path: '//evil.example.org/emails',
    headers: {},
    body: '{}',
    status: 404,
    error: 'not_found',
  },
];
for (const { name, method, path, headers, body, status, error } of bare)
  test(`${name}: ${status} ${error}`, async () => {
    const reply = await new Promise<{ status: number; text: string }>((done, fail) => {
      const { hostname, port } = new URL(laptop.api);
      const call = request({ hostname, port, method, path, headers: { ...authorised, ...headers } }, (response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => done({ status: response.statusCode ?? 0, text }));
      });
      call.on('error', fail).end(body);
    });
    assert.deepEqual([reply.status, JSON.parse(reply.text).name], [status, error]);
  });
