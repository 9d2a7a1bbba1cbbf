import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { type AddressObject, simpleParser } from 'mailparser';
import { compose } from '../../../functions/mail/message/compose.ts';
import { parseRequest } from '../../../functions/mail/message/email.ts';
import { resolveSender } from '../../../functions/mail/message/sender.ts';
import { MESSAGE_MAX_BYTES } from '../../../functions/mail/mime/gmail-limits.ts';
import { CONFIG } from '../../support/stack/laptop.ts';

const STAMP = { id: '01234567-89ab-4cde-8f01-23456789abcd', acceptedAt: Date.UTC(2026, 10, 24, 8) };
const VALID = { from: 'notices@example.com', to: 'you@example.net', subject: 'Hi', text: 'there' };

async function letterOf(change: Record<string, unknown>) {
  const request = parseRequest({ ...VALID, ...change });
  return compose(request, resolveSender(CONFIG, request.from), STAMP);
}
const parsed = async (change: Record<string, unknown>) => simpleParser(Buffer.from((await letterOf(change)).bytes));
const list = (value: AddressObject | AddressObject[] | undefined) =>
  [value ?? []].flat().flatMap((one) => one.value.map(({ name, address }) => [name, address]));
const PNG = randomBytes(40_000);
const full = {
  from: 'Ännä <no-reply@example.com>',
  to: ['Jörg, Dr. <you@example.net>', 'b@example.net'],
  cc: 'Ç <c@example.net>',
  bcc: ['hidden@example.org'],
  reply_to: ['Hilfe ✓ <help@example.com>'],
  subject: 'Übergröße: äöü ✓ 𝄞 und ein recht langer Betreff, der gefaltet werden muss, weil er nicht in eine Zeile passt',
  text: 'Zeile eins\n.\nZeile drei äöü',
  html: '<p>Hallo <img src="cid:logo"></p>',
  headers: { 'X-Entity-Ref-ID': '1', 'X-Name': 'Grüße', 'List-Unsubscribe': '<mailto:u@example.com>' },
  attachments: [
    { filename: 'größe ✓.bin', content: PNG.toString('base64') },
    { filename: 'logo.png', content_id: 'logo', content: PNG.toString('base64') },
    { filename: 'a.csv', content_type: 'text/csv; charset="utf-8"', content: Buffer.from('ä;b\r\n').toString('base64') },
  ],
};

test('everything asked for is in the letter, and arrives as it was', async () => {
  const mail = await parsed(full);
  assert.deepEqual(list(mail.from), [['Ännä', 'no-reply@example.com']]);
  assert.deepEqual(list(mail.to), [
    ['Jörg, Dr.', 'you@example.net'],
    ['', 'b@example.net'],
  ]);
  assert.deepEqual(list(mail.cc), [['Ç', 'c@example.net']]);
  assert.deepEqual(list(mail.bcc), [['', 'hidden@example.org']]);
  assert.deepEqual(list(mail.replyTo), [['Hilfe ✓', 'help@example.com']]);
  assert.equal(mail.subject, full.subject);
  assert.equal(mail.text?.trimEnd(), full.text);
  assert.equal(mail.headers.get('x-name'), '=?UTF-8?Q?Gr=C3=BC=C3=9Fe?=');
  assert.equal(mail.headers.get('x-entity-ref-id'), '1');
  assert.match(mail.headerLines.find(({ key }) => key === 'list-unsubscribe')?.line ?? '', /<mailto:u@example\.com>/);
  assert.equal(mail.messageId, `<${STAMP.id}@example.com>`);
  assert.equal(mail.date?.getTime(), STAMP.acceptedAt);
  const files = mail.attachments.map(({ filename, contentType, cid, related, content }) => [
    filename,
    contentType,
    cid,
    related,
    content.equals(filename === 'a.csv' ? Buffer.from('ä;b\r\n') : PNG),
  ]);
  assert.deepEqual(files.sort(), [
    ['a.csv', 'text/csv', undefined, undefined, true],
    ['größe ✓.bin', 'application/octet-stream', undefined, undefined, true],
    ['logo.png', 'image/png', 'logo', true, true],
  ]);
});

test('a thread keeps its References, which other clients follow', async () => {
  const mail = await parsed({ headers: { References: '<a@example.com> <b@example.com>', 'In-Reply-To': '<b@example.com>' } });
  assert.deepEqual([mail.references, mail.inReplyTo], [['<a@example.com>', '<b@example.com>'], '<b@example.com>']);
});

test('the same email composes to the same bytes, another id to others', async () => {
  const [one, two] = await Promise.all([letterOf(full), letterOf(full)]);
  assert.deepEqual(Buffer.compare(Buffer.from(one.bytes), Buffer.from(two.bytes)), 0);
  const request = parseRequest(full);
  const other = await compose(request, resolveSender(CONFIG, request.from), { ...STAMP, id: STAMP.id.replace('0', '1') });
  assert.notDeepEqual(Buffer.from(other.bytes), Buffer.from(one.bytes));
});

test('the envelope is the mailbox and everybody once', async () => {
  const { envelope } = await letterOf({
    from: 'no-reply@example.com',
    to: ['a@example.net', 'b@example.net'],
    cc: 'a@example.net',
    bcc: 'c@example.net',
  });
  assert.deepEqual(envelope, { from: 'notices@example.com', to: ['a@example.net', 'b@example.net', 'c@example.net'] });
});

const texts = [
  { change: { text: undefined, html: '<p>Hi</p>' }, text: 'Hi', parts: ['text/plain', 'text/html'] },
  { change: { text: null, html: '<p>Hi</p>' }, text: 'Hi', parts: ['text/plain', 'text/html'] },
  { change: { text: '', html: '<p>Hi</p>' }, text: undefined, parts: ['text/html'] },
  { change: { text: 'only' }, text: 'only', parts: ['text/plain'] },
];
for (const { change, text, parts } of texts)
  test(`${JSON.stringify(change)} has the parts ${parts.join(' and ')}`, async () => {
    const raw = Buffer.from((await letterOf(change)).bytes).toString();
    assert.deepEqual(
      [...raw.matchAll(/^Content-Type: (text\/\w+)/gm)].map(([, type]) => type),
      parts,
    );
    if (text) assert.match(raw, new RegExp(`^${text}\\r$`, 'm'));
  });

test('a mailbox gives its display name where the email gives none', async () =>
  assert.deepEqual(list((await parsed({})).from), [['Example Notices', 'notices@example.com']]));

test('a letter larger than Gmail takes is refused before anything leaves', async () => {
  const content = Buffer.alloc(Math.ceil((MESSAGE_MAX_BYTES * 3) / 4)).toString('base64');
  await assert.rejects(letterOf({ attachments: [{ filename: 'a', content }] }), { code: 'too_large', message: /36700160/ });
});

test('no line of the head is longer than 998 octets', async () => {
  const raw = Buffer.from(
    (await letterOf({ headers: { 'X-Long': 'wort '.repeat(700) }, to: Array.from({ length: 50 }, (_, i) => `Ä${i} <a${i}@example.com>`) }))
      .bytes,
  ).toString('latin1');
  assert.ok(Math.max(...raw.split('\r\n').map((line) => line.length)) <= 998);
});

for (const text of ['a\n.\nb\rc\r\nd', 'ä\n.\r\rb\n', `${'long '.repeat(400)}\n.\n`])
  test(`in the letter of ${JSON.stringify(text.slice(-12))} CR and LF stand together only, whatever text and html say`, async () => {
    for (const change of [{ text }, { text: undefined, html: `<p>${text}</p>` }])
      assert.doesNotMatch(Buffer.from((await letterOf(change)).bytes).toString('latin1'), /[^\r]\n|\r(?!\n)/);
  });

const EML = 'From: a@example.com\r\n\r\nHi\r\n';
const within = [
  { name: 'a letter', text: EML, type: 'message/rfc822' },
  { name: 'a letter with LF', text: EML.replaceAll('\r', ''), type: 'application/octet-stream' },
  { name: 'a letter with NUL', text: `${EML}\0`, type: 'application/octet-stream' },
  { name: 'a letter with a line of 999 letters', text: EML + 'a'.repeat(999), type: 'application/octet-stream' },
];
for (const { name, text, type } of within)
  test(`${name} that is attached goes as ${type}, byte for byte`, async () => {
    const content = Buffer.from(text).toString('base64');
    for (const file of [{ filename: 'a.eml' }, { filename: 'a', content_type: 'message/rfc822' }]) {
      const { bytes } = await letterOf({ attachments: [{ ...file, content }] });
      const raw = Buffer.from(bytes).toString('latin1');
      assert.ok(raw.includes(`Content-Type: ${type}`) && raw.includes(type === 'message/rfc822' ? text : content.slice(0, 70)));
    }
  });

test('over SMTP the letter is the same but for the Bcc header; the envelope has everybody', async () => {
  const request = parseRequest({ ...VALID, ...full });
  const [mailbox] = CONFIG.mailboxes;
  assert.ok(mailbox);
  const overSmtp = { mailboxes: [{ ...mailbox, via: 'smtp' as const }], keys: [], ledger: CONFIG.ledger };
  const [api, smtp] = await Promise.all([letterOf(full), compose(request, resolveSender(overSmtp, request.from), STAMP)]);
  const [one, other] = [api, smtp].map(({ bytes }) => Buffer.from(bytes).toString('latin1'));
  assert.match(one ?? '', /^Bcc: hidden@example\.org\r\n/m);
  assert.equal(other, one?.replace(/^Bcc: hidden@example\.org\r\n/m, ''));
  assert.deepEqual([smtp.envelope, smtp.messageId], [api.envelope, api.messageId]);
});

test('the message names its id in a header of our own, which a caller cannot give; what was accepted before there was one is as it was', async () => {
  const fields = parseRequest({ ...VALID, headers: { 'X-Mailgrant-Id': 'canary' } });
  const named = async (idHeader: boolean) => {
    const { bytes } = await compose(fields, resolveSender(CONFIG, fields.from), { ...STAMP, idHeader });
    return (await simpleParser(Buffer.from(bytes))).headers.get('x-mailgrant-id');
  };
  assert.deepEqual([await named(true), await named(false)], [STAMP.id, undefined]);
});
