import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import fc from 'fast-check';
import type MailComposer from 'nodemailer/lib/mail-composer';
import { write } from '../../../functions/mail/message/writing.ts';

// nodemailer's own stream is the measure: the same tree must come out as the same bytes. Ours is its ES module; this is the other
// copy, which `functions/mail/message/tree.ts` does not reach.
const Composer = createRequire(import.meta.url)('nodemailer/lib/mail-composer') as typeof MailComposer;
type Mail = NonNullable<ConstructorParameters<typeof MailComposer>[0]>;
const HEAD = {
  from: 'a@example.com',
  to: 'b@example.net',
  bcc: 'c@example.org',
  subject: 'x',
  messageId: '<1@example.com>',
  date: new Date(0),
};

async function same(change: Record<string, unknown>, keepBcc = true): Promise<void> {
  const mail = (): Mail => ({ ...HEAD, baseBoundary: 'b', ...structuredClone(change) }) as Mail;
  const root = new Composer(mail()).compile();
  root.keepBcc = keepBcc;
  const expected = await root.build();
  const actual = Buffer.from(write(mail(), keepBcc));
  assert.equal(Buffer.compare(actual, expected), 0, `first difference at ${actual.findIndex((byte, at) => byte !== expected[at])}`);
}

const file = (bytes: number) => ({ filename: 'a.bin', content: randomBytes(bytes) });
const SLICE = 57 * 512;
const mails: Record<string, Record<string, unknown>> = {
  'a text': { text: 'hello' },
  'a text that ends its line': { text: 'hello\r\n' },
  'a text that ends in CR': { text: 'hello\r' },
  'an empty text': { text: '' },
  'text and html': { text: 'hello', html: '<p>hello</p>' },
  'long lines, blanks at their ends, letters beyond ASCII': {
    text: `${'wörter '.repeat(60)} \n\t\n.\n${'='.repeat(200)}`,
    html: '<p>ä</p> ',
  },
  'mostly letters beyond ASCII, so base64': { text: 'äöü✓'.repeat(500) },
  'a text of more than one slice': { text: `${'äbc '.repeat(40_000)} ` },
  'no text, one file': { attachments: [file(10)] },
  'an inline image': { html: '<img src="cid:x">', attachments: [{ ...file(99), cid: 'x', contentDisposition: 'inline' }, file(3)] },
  'a message as file': { text: 'x', attachments: [{ contentType: 'message/rfc822', content: Buffer.from('From: a@b.c\r\n\r\nä\n') }] },
  'a text as file': {
    text: 'x',
    attachments: [{ contentType: 'text/csv; charset=utf-8', filename: 'größe.csv', content: Buffer.from('ä;b\n') }],
  },
};
for (const [name, change] of Object.entries(mails))
  test(`${name} is written as nodemailer writes it`, async () => {
    await same(change);
    await same(change, false);
  });

test('header names are written as nodemailer writes them, the first time and again, however many there are', async () => {
  const names = ['x-a', 'X-A', 'x-A', 'MIME-version', 'list-unsubscribe', 'x-spf', 'In-Reply-To', 'X:Y', 'x y', ...Array(300).keys()];
  for (let round = 0; round < 2; round++)
    for (const name of names) await same({ text: 'x', headers: [{ key: String(name), value: `v-${name}` }] });
});

test('a file of any length around a line and a slice is written as nodemailer writes it', async () => {
  for (const around of [0, 57, 2 * 57, SLICE, 2 * SLICE])
    for (let length = Math.max(1, around - 2); length <= around + 2; length++) await same({ text: 'x', attachments: [file(length)] });
});

test('whatever the words are, they are written as nodemailer writes them', () =>
  fc.assert(
    fc.asyncProperty(
      fc.record({
        text: fc.oneof(
          fc.string(),
          fc.string({ unit: 'grapheme' }),
          fc.string({ unit: fc.constantFrom('a', ' ', '\t', '\r', '\n', '=', '.', 'ä') }),
        ),
        html: fc.option(fc.string({ unit: 'binary' }), { nil: undefined }),
        headers: fc.array(fc.record({ key: fc.string(), value: fc.string() }), { maxLength: 3 }),
        attachments: fc.array(
          fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => ({ filename: 'a', content: Buffer.from(bytes) })),
          { maxLength: 3 },
        ),
      }),
      (change) => same(change),
    ),
    { numRuns: 300 },
  ));
