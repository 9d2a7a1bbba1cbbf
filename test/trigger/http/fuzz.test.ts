/**
 * Whatever a caller posts: never a 5xx, never a header in the letter that was not asked for, never a recipient that was
 * not asked for. Seeded and short here; `npm run fuzz` runs long with seeds of its own, and a failure prints its seed.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { type AddressObject, type ParsedMail, simpleParser } from 'mailparser';
import { normaliseAddress, parseAddress } from '../../../functions/mail/model/address.ts';
import { authorised, type Laptop, MAIL, MAILBOX, startLaptop } from '../../support/stack/laptop.ts';

const RUNS = Number(process.env['MAILGRANT_FUZZ'] ?? 0);
const options = RUNS > 0 ? { numRuns: RUNS } : { numRuns: 120, seed: 20_261_124 };

let laptop: Laptop;
before(async () => {
  laptop = await startLaptop();
});
after(() => laptop[Symbol.asyncDispose]());

const EVIL = 'evil@evil.example';
const nasty = fc
  .array(
    fc.oneof(
      fc.constantFrom('a', '@', 'example.com', MAILBOX, EVIL, '<', '>', '"', ',', ';', ':', '(', ')', ' ', '\\', '.', '=', '%0D%0A'),
      fc.constantFrom(
        '\r\n',
        '\n',
        '\r',
        '\0',
        '\t',
        '\u2028',
        '\ud800',
        '\r\nBcc: ',
        '\r\n\r\n',
        `=?utf-8?q?=0D=0ABcc:_${EVIL}?=`,
        '=?utf-8?b?',
      ),
      fc.constantFrom(
        'é',
        '例え',
        'ｅ',
        '𝄞',
        '\u202e',
        'name="',
        "filename*=utf-8''",
        'cid:',
        'text/html; charset=',
        '--',
        'BEGIN:VCALENDAR',
      ),
      fc.string({ maxLength: 5 }),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(''));
const address = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('you@example.net', 'Jörg <you@example.net>', '"A, B" <b@example.net>', 'c@bücher.example') },
  fc.tuple(nasty, fc.constantFrom('you@example.net', 'b@example.net')).map(([name, one]) => `${name} <${one}>`),
  nasty,
);
const odd: fc.Arbitrary<unknown> = fc.oneof(fc.jsonValue({ maxDepth: 3 }), nasty, fc.array(nasty, { maxLength: 3 }));
const people: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: address },
  { weight: 2, arbitrary: fc.array(address, { maxLength: 4 }) },
  odd,
);
const headers: fc.Arbitrary<unknown> = fc.oneof(
  fc.dictionary(
    fc.oneof(fc.constantFrom('X-A', 'Bcc', 'reply-to', 'Resent-To', 'References', 'X-A: b\r\nBcc', 'Content-Type'), nasty),
    nasty,
    { maxKeys: 4 },
  ),
  odd,
);
const attachment: fc.Arbitrary<unknown> = fc.oneof(
  fc.record(
    {
      filename: fc.oneof(fc.constantFrom('a.txt', 'größe.pdf'), nasty),
      content: fc.oneof(
        fc.constantFrom('aGVsbG8=', 'BEGIN:VCALENDAR\r\n'),
        fc.array(fc.integer({ min: -1, max: 256 }), { maxLength: 4 }),
        odd,
      ),
      content_type: fc.oneof(fc.constantFrom('text/plain', 'message/rfc822', 'multipart/mixed; boundary=x'), nasty),
      content_id: nasty,
      path: odd,
    },
    { requiredKeys: ['content'] },
  ),
  odd,
);
const change = fc.record(
  {
    from: fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom(MAILBOX, `Shop <${MAILBOX}>`) },
      { weight: 2, arbitrary: nasty.map((name) => `${name} <${MAILBOX}>`) },
      odd,
    ),
    to: people,
    cc: people,
    bcc: people,
    reply_to: people,
    subject: fc.oneof(nasty, odd),
    html: fc.oneof(nasty, odd),
    text: fc.oneof(nasty, odd),
    headers,
    attachments: fc.oneof(fc.array(attachment, { maxLength: 3 }), odd),
    tags: odd,
    unknown: odd,
  },
  {},
);
/** A valid mail in which a few fields are changed: most of what comes out is sent. */
const mail = fc
  .tuple(
    change,
    fc.subarray(['from', 'to', 'cc', 'bcc', 'reply_to', 'subject', 'html', 'text', 'headers', 'attachments', 'tags', 'unknown'] as const, {
      maxLength: 3,
    }),
  )
  .map(([fields, names]): Record<string, unknown> => ({ ...MAIL, ...Object.fromEntries(names.map((name) => [name, fields[name]])) }));

const sent: Record<string, number> = { '/emails': 0, '/emails/batch': 0, '/v1/raw': 0 };
type Posted = { readonly status: number; readonly body: Record<string, unknown> };
async function posted(path: string, body: string | Buffer, more: Record<string, string> = {}): Promise<Posted> {
  laptop.google.mails.clear();
  const reply = await fetch(laptop.api + path, {
    method: 'POST',
    body: body as string,
    headers: { 'content-type': 'application/json', ...authorised, ...more },
  });
  const answer = (await reply.json()) as Record<string, unknown>;
  if (reply.status === 200) sent[path] = (sent[path] ?? 0) + 1;
  assert.ok(reply.status < 500, `${reply.status} ${JSON.stringify(answer)}`);
  if (reply.status !== 200)
    assert.deepEqual([answer['statusCode'], typeof answer['message'], typeof answer['name']], [reply.status, 'string', 'string']);
  return { status: reply.status, body: answer };
}

const WRITTEN = new Set(
  'from to cc bcc reply-to subject message-id date mime-version content-type content-transfer-encoding x-mailgrant-id'.split(' '),
);
const addressesIn = (value: AddressObject | AddressObject[] | undefined): string[] =>
  [value ?? []]
    .flat()
    .flatMap((one) => one.value.flatMap(({ address, group }) => [address ?? '', ...(group ?? []).map((inner) => inner.address ?? '')]));
const recipientsOf = ({ to, cc, bcc }: ParsedMail): string[] => [to, cc, bcc].flatMap(addressesIn).filter(Boolean);
const asked = (value: unknown): string[] =>
  [value].flat().flatMap((one) => (typeof one === 'string' ? (parseAddress(one)?.address ?? []) : []));

/** What Gmail was given, held against what one of the mails asked for. */
async function check(raw: Buffer, recipients: readonly string[], mails: readonly Record<string, unknown>[]): Promise<void> {
  const parsed = await simpleParser(raw);
  const wanted = new Set(mails.flatMap((one) => ['to', 'cc', 'bcc'].flatMap((field) => asked(one[field]).map(normaliseAddress))));
  const strangers = [...recipients, ...recipientsOf(parsed)].filter((one) => !wanted.has(normaliseAddress(one)));
  assert.deepEqual(strangers, []);
  const names = new Set(mails.flatMap((one) => Object.keys(Object(one['headers']))).map((name) => name.toLowerCase()));
  const added = parsed.headerLines.map(({ key }) => key).filter((key) => !WRITTEN.has(key) && !names.has(key));
  assert.deepEqual(added, []);
  assert.equal(parsed.headerLines.length, new Set(parsed.headerLines.map(({ key }) => key)).size + repeated(parsed, names));
  assert.deepEqual(
    parsed.from?.value.map(({ address }) => address),
    [MAILBOX],
  );
}
/** Two names that differ in case only are two headers that were asked for. */
const repeated = ({ headerLines }: ParsedMail, names: ReadonlySet<string>): number =>
  headerLines.filter(({ key }, index) => names.has(key) && headerLines.findIndex((other) => other.key === key) < index).length;

test('POST /emails', () =>
  fc.assert(
    fc.asyncProperty(mail, async (body) => {
      const { status } = await posted('/emails', JSON.stringify(body));
      const stored = laptop.google.mails.list();
      assert.equal(stored.length, status === 200 ? 1 : 0);
      for (const { raw, recipients } of stored) await check(raw, recipients, [body]);
    }),
    options,
  ));

test('POST /emails with anything at all', () =>
  fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.json(),
        fc.string(),
        fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      ),
      nasty,
      async (body, key) => {
        const header = key.replace(/[^ -~]/g, '').trim();
        await posted('/emails', body, header ? { 'idempotency-key': header } : {});
        assert.equal(laptop.google.mails.count(), 0);
      },
    ),
    options,
  ));

test('POST /emails/batch', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof({ weight: 4, arbitrary: mail }, odd), { maxLength: 4 }),
      fc.constantFrom('strict', 'permissive'),
      async (body, mode) => {
        const { status, body: answer } = await posted('/emails/batch', JSON.stringify(body), { 'x-batch-validation': mode });
        const stored = laptop.google.mails.list();
        assert.equal(stored.length, status === 200 ? (answer['data'] as unknown[]).length : 0);
        const mails = body.filter((one): one is Record<string, unknown> => typeof one === 'object' && one !== null);
        for (const { raw, recipients } of stored) await check(raw, recipients, mails);
      },
    ),
    { ...options, numRuns: Math.ceil(options.numRuns / 2) },
  ));

const fine = fc.constantFrom(
  'To: you@example.net',
  'Cc: B <b@example.net>',
  'Bcc: hidden@example.org',
  'Subject: Hi',
  'X-A: b\r\n c',
  'Date: x',
);
const field = fc.oneof(
  { weight: 5, arbitrary: fine },
  fc
    .tuple(fc.oneof(fc.constantFrom('To', 'Cc', 'Sender', 'Subject', 'Content-Type', 'Resent-To'), nasty), fc.oneof(address, nasty))
    .map(([name, value]) => `${name}: ${value}`),
);
const letter = fc
  .tuple(
    fc.uniqueArray(field, { maxLength: 5, selector: (line) => line.split(':', 1)[0] }),
    fc.oneof({ weight: 9, arbitrary: fc.constant('\r\n') }, fc.constantFrom('\n', '\r')),
    fc.oneof({ weight: 3, arbitrary: fc.constant('body') }, nasty),
    fc.oneof({ weight: 9, arbitrary: fc.constant([`From: ${MAILBOX}`]) }, fc.constant([])),
  )
  .map(([fields, end, body, from]) => [...from, ...fields, '', body].join(end));

test('POST /v1/raw', () =>
  fc.assert(
    fc.asyncProperty(
      letter,
      fc.array(fc.constantFrom('you@example.net', 'b@example.net', 'hidden@example.org'), { maxLength: 3 }),
      async (text, to) => {
        const envelope = to.length > 0 ? { 'x-envelope-to': to.join(',') } : {};
        await posted('/v1/raw', Buffer.from(text), { 'content-type': 'message/rfc822', ...envelope });
        for (const { raw, recipients } of laptop.google.mails.list()) {
          const [before, after] = await Promise.all([simpleParser(Buffer.from(text)), simpleParser(raw)]);
          const wanted = new Set((to.length > 0 ? to : recipientsOf(before)).map((one) => one.toLowerCase()));
          const strangers = [...recipients, ...recipientsOf(after)].filter((one) => !wanted.has(normaliseAddress(one)));
          assert.deepEqual([strangers, to.filter((one) => !recipients.includes(one))], [[], []]);
          const names = new Set([...before.headerLines.map(({ key }) => key), 'bcc', 'date', 'message-id']);
          assert.deepEqual(
            after.headerLines.filter(({ key }) => !names.has(key)),
            [],
          );
          assert.deepEqual(
            after.from?.value.map(({ address }) => address),
            [MAILBOX],
          );
        }
      },
    ),
    options,
  ));

for (const path of Object.keys(sent))
  test(`much of ${path} was sent, so that the letters were looked at`, () =>
    assert.ok((sent[path] ?? 0) > options.numRuns / 8, `${sent[path]} were sent`));
