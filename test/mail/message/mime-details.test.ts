import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { simpleParser } from 'mailparser';
import { compose } from '../../../functions/mail/message/compose.ts';
import { parseRequest } from '../../../functions/mail/message/email.ts';
import { resolveSender } from '../../../functions/mail/message/sender.ts';
import { CONFIG } from '../../support/stack/laptop.ts';

const STAMP = { id: '01234567-89ab-4cde-8f01-23456789abcd', acceptedAt: Date.UTC(2026, 10, 24, 8) };
const VALID = { from: 'notices@example.com', to: 'you@example.net', subject: 'S', text: 'T' };
const base64 = (content: string | Uint8Array): string => Buffer.from(content as string).toString('base64');

async function composed(change: Record<string, unknown>) {
  const request = parseRequest({ ...VALID, ...change });
  return compose(request, resolveSender(CONFIG, request.from), STAMP);
}
const rawOf = async (change: Record<string, unknown>): Promise<string> => Buffer.from((await composed(change)).bytes).toString('latin1');
/** One header of the message, unfolded. */
const headerOf = (raw: string, name: string): string | undefined =>
  new RegExp(`^${name}: (.*)$`, 'im').exec((raw.split('\r\n\r\n')[0] ?? '').replace(/\r\n(?=[ \t])/g, ''))?.[1];

const headers: [name: string, given: string, written: string][] = [
  ['In-Reply-To', 'CAx@mail.example.com', '<CAx@mail.example.com>'],
  ['In-Reply-To', '<CAx@mail.example.com>', '<CAx@mail.example.com>'],
  ['In-Reply-To', 'a@x.example, <b@x.example>', '<a@x.example> <b@x.example>'],
  ['References', 'a@mail.example.com CAx@mail.example.com', '<a@mail.example.com> <CAx@mail.example.com>'],
  ['List-Unsubscribe', '<https://bücher.example/ü?x=1>', '<https://xn--bcher-kva.example/%C3%BC?x=1>'],
  ['List-Unsubscribe', '<mailto:über@bücher.example?subject=löschen>', '<mailto:%C3%BCber@xn--bcher-kva.example?subject=l%C3%B6schen>'],
  ['List-Unsubscribe', '<https://a.example/u>, <https://ü.example/>', '<https://a.example/u>, <https://xn--tda.example/>'],
  ['List-Id', 'Bücher Liste <list.example.com>', '=?UTF-8?Q?B=C3=BCcher_Liste?= <list.example.com>'],
  ['List-Id', '<bücher.example.com>', '<xn--bcher-kva.example.com>'],
  ['Disposition-Notification-To', 'Zoë <zoe@example.com>', '=?UTF-8?Q?Zo=C3=AB?= <zoe@example.com>'],
  ['List-Unsubscribe', 'https://a.example/u', '<https://a.example/u>'],
  ['List-Unsubscribe', 'https://a.example/u?a=1,2', '<https://a.example/u?a=1,2>'],
  ['List-Unsubscribe', 'https://a.example/u, mailto:a@b.example?subject=x', '<https://a.example/u>, <mailto:a@b.example?subject=x>'],
  ['List-Unsubscribe', '<https://a.example/u> <mailto:a@b.example>', '<https://a.example/u>, <mailto:a@b.example>'],
  ['List-Unsubscribe', '<https://a.example/?a=1,b:2> (leave)', '<https://a.example/?a=1,b:2> (leave)'],
  ['List-Unsubscribe', '<https://a.example/%=?b?{}word?x=1>', '<https://a.example/%%3D?b?{}word?x=1>'], // `=?` would begin an encoded-word
  ['List-Unsubscribe', 'https://a.example/u?a=?utf-8?q?x?=', '<https://a.example/u?a%3D?utf-8?q?x?=>'],
  ['List-Unsubscribe', '<https://a.example/a b>', '<https://a.example/a%20b>'],
  ['List-Owner', 'ann@example.net', '<mailto:ann@example.net>'],
  ['List-Help', 'https://a.example', '<https://a.example>'],
  ['Archived-At', 'https://a.example/1', '<https://a.example/1>'],
  ['List-Post', 'NO (posting not allowed)', 'NO (posting not allowed)'],
  ['List-Unsubscribe-Post', 'list-unsubscribe=one-click', 'List-Unsubscribe=One-Click'],
  ['List-Id', 'news.example.com', '<news.example.com>'],
  ['List-Id', 'News, daily <news.example.com>', '"News, daily" <news.example.com>'],
  ['List-Id', '"News" <news.example.com>', '"News" <news.example.com>'],
  ['References', '<a@x.example><b@x.example>', '<a@x.example> <b@x.example>'],
  ['Content-Language', 'de', 'de'],
  ['X-Note', 'Grüße', '=?UTF-8?Q?Gr=C3=BC=C3=9Fe?='],
  ['X-Sql', 'WHERE a=? AND b=?', '=?UTF-8?Q?WHERE_a=3D=3F_AND_b=3D=3F?='],
];
for (const [name, given, written] of headers)
  test(`${name}: ${given} is written as ${written}`, async () =>
    assert.equal(headerOf(await rawOf({ headers: { [name]: given } }), name), written));

const unread: [name: string, given: string][] = [
  ...[
    'a.example/u',
    '<a.example/u>',
    '<>',
    '<javascript:alert(1)>',
    'data:text/html,x',
    'https://a.example/a b',
    'yes',
    '<mailto:nobody>',
    '<https://>',
  ].map((given): [string, string] => ['List-Unsubscribe', given]),
  ['List-Unsubscribe-Post', 'true'],
  ['List-Id', 'News'],
  ['List-Id', 'a@b.example'],
  ['In-Reply-To', 'Your message of Tuesday'],
  ['In-Reply-To', '<a@b.example> text'],
  ['References', 'a b'],
  ['Disposition-Notification-To', 'true'],
  ['Return-Receipt-To', 'ann'],
  ['Errors-To', 'a b c'],
];
for (const [name, given] of unread)
  test(`${name}: ${given} is refused: no program reads it`, async () =>
    assert.rejects(rawOf({ headers: { [name]: given } }), { code: 'request_invalid' }));

test('a header that programs read is not given twice', () =>
  assert.rejects(rawOf({ headers: { References: '<a@x.example>', references: '<b@x.example>' } }), { code: 'request_invalid' }));

const STRUCTURED =
  'List-Unsubscribe List-Subscribe List-Help List-Post List-Owner List-Archive Archived-At List-Id In-Reply-To References Supersedes Original-Message-ID Disposition-Notification-To Return-Receipt-To Errors-To Mail-Followup-To List-Unsubscribe-Post'.split(
    ' ',
  );
const FORM: readonly (readonly [names: RegExp, form: RegExp])[] = [
  [/^(list-(?!id|unsubscribe-post)|archived-at)/i, /^(<[a-z][a-z\d+.-]*:[!-;=?-~]+>( \([ -~]*\))?(, |$))+$|^NO/i],
  [/^list-id$/i, /^[ -~]*<[!-;=?-~]+>$/],
  [/^(in-reply-to|references|supersedes|original-message-id)$/i, /^<[!-;=?-~]+>( <[!-;=?-~]+>)*$/],
  [/-to$/i, /^[ -~]*@[ -~]+$/],
  [/^list-unsubscribe-post$/i, /^List-Unsubscribe=One-Click$/],
];
test('whatever stands in a header that programs read, it is written in its form, or refused', async () => {
  const piece = fc.constantFrom(
    '<',
    '>',
    'https://a.example/u',
    'mailto:a@b.example',
    'a@b.example',
    ',',
    ' ',
    'ü',
    '"',
    '(',
    ')',
    'x',
    '=?utf-8?Q?a?=',
    ':',
    '?a=1,2',
    'list.example.com',
    'List-Unsubscribe=One-Click',
    'NO',
  );
  const value = fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join(''));
  let written = 0;
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...STRUCTURED), value, async (name, given) => {
      const raw = await rawOf({ headers: { [name]: given } }).catch(({ code }) => String(code));
      if (raw === 'request_invalid' || given.trim() === '') return;
      written++;
      const [, form = /./] = FORM.find(([names]) => names.test(name)) ?? [];
      assert.match(headerOf(raw, name) ?? '', form, `${name}: ${given}`);
    }),
    { seed: 20_261_128, numRuns: 1_500 },
  );
  assert.ok(written > 150, `${written} were written`);
});

// RFC 5321, 4.4; RFC 8601; RFC 8617; RFC 7208; RFC 6376; and what Gmail writes itself.
const TRACE =
  'Return-Path Received Received-SPF Delivered-To Delivery-Date Envelope-To Original-Recipient DKIM-Signature DomainKey-Signature Authentication-Results ARC-Seal ARC-Message-Signature ARC-Authentication-Results BIMI-Indicator X-Received X-Google-DKIM-Signature X-Gm-Message-State'.split(
    ' ',
  );
for (const name of TRACE)
  test(`${name}, which servers write on the way, is refused by name`, () =>
    assert.rejects(rawOf({ headers: { [name]: 'x' } }), ({ code, message }) => code === 'request_invalid' && message.includes(name)));

const CALENDAR = 'BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n';
const invite = (content_type: string) => ({ attachments: [{ filename: 'invite.ics', content: base64(CALENDAR), content_type }] });
for (const [type, method] of [
  ['text/calendar; charset=utf-8; method=REQUEST', 'REQUEST'],
  ['text/calendar; method="cancel"', 'CANCEL'],
  ['TEXT/CALENDAR;METHOD=REPLY; charset=utf-8', 'REPLY'],
] as const)
  test(`a calendar of the type ${type} is a form of the text and a file`, async () => {
    for (const html of [undefined, '<p>x</p>']) {
      const raw = await rawOf({ html, ...invite(type) });
      const alternative = raw.slice(raw.indexOf('multipart/alternative'), raw.indexOf('Content-Disposition: attachment'));
      assert.ok(
        alternative.includes(`Content-Type: text/calendar; charset=utf-8; method=${method}\r\n`) && alternative.includes(base64(CALENDAR)),
        raw,
      );
      assert.match(raw, /Content-Disposition: attachment; filename=invite\.ics/);
    }
  });
for (const type of ['text/calendar; charset=utf-8', 'application/ics'])
  test(`a calendar of the type ${type} asks for nothing and stays a file`, async () =>
    assert.doesNotMatch(await rawOf(invite(type)), /multipart\/alternative/));

const PNG = base64(Uint8Array.of(0x89, 0x50, 0x4e, 0x47));
const images: [html: string, files: number][] = [
  [`<img src="data:image/png;base64,${PNG}">`, 1],
  [`<IMG alt='a>b' width=3 SRC='data:image/PNG;charset=x;base64,${PNG}' >`, 1],
  [`<img src=data:image/png;base64,${PNG}>`, 1],
  [`<img src = "data:image/gif;base64,${PNG}"/><img src="data:image/jpeg;base64,${PNG}">`, 2],
  [`<img src="data:image/png;base64,${PNG}"><img src="data:image/png;base64,${PNG}">`, 1],
  [`<img src="data:image/svg+xml,%3Csvg%20xmlns='http://www.w3.org/2000/svg'/%3E">`, 1],
  [`<img src="data:image/png;base64,%%%">`, 0],
  [`<img src="data:text/html;base64,${PNG}">`, 0],
  [`<p>data:image/png;base64,${PNG}</p>`, 0],
  [`<img data-src="data:image/png;base64,${PNG}">`, 0],
];
for (const [html, files] of images)
  test(`${html.slice(0, 70)} is ${files} inline parts`, async () => {
    const mail = await simpleParser(Buffer.from((await composed({ html })).bytes), { skipImageLinks: true });
    assert.equal(mail.attachments.length, files);
    for (const { cid, related, contentType, filename } of mail.attachments) {
      assert.ok(related && contentType.startsWith('image/') && /^image-\d\.\w+$/.test(filename ?? ''));
      assert.ok(String(mail.html).includes(`"cid:${cid}"`));
    }
    if (files > 0) assert.doesNotMatch(String(mail.html), /data:/);
    assert.deepEqual((await composed({ html })).bytes, (await composed({ html })).bytes);
  });

const EML = 'From: a@example.com\r\n\r\nHi\r\n';
const files: [file: Record<string, unknown>, part: RegExp][] = [
  [
    { filename: 'a.eml', content: base64(EML) },
    /Content-Type: message\/rfc822(; name=a\.eml)?\r\n[\s\S]*Content-Disposition: attachment; filename=a\.eml/,
  ],
  [{ content: base64(EML), content_type: 'message/rfc822' }, /Content-Disposition: attachment; filename=attachment-1\.eml/],
  [{ content: 'YQ==' }, /Content-Type: application\/octet-stream; name=attachment-1\.bin\r\n[\s\S]*attachment; filename=attachment-1\.bin/],
  [{ content: 'YQ==', content_type: 'application/pdf' }, /filename=attachment-1\.pdf/],
  [{ content: 'YQ==', content_type: 'text/csv; header=present' }, /filename=attachment-1\.(csv|txt)/],
  [{ content: 'YQ==', content_type: 'application/x-unheard-of' }, /filename=attachment-1\.bin/],
  [{ filename: 'README', content: 'YQ==' }, /filename=README\r/],
  [{ filename: 'a.csv', content: base64('ä;b\n') }, /Content-Type: text\/csv; charset=utf-8; name=a\.csv/],
  [{ filename: 'a.csv', content: base64('a;b\n') }, /Content-Type: text\/csv; name=a\.csv/],
  [{ filename: 'a.csv', content: base64(Uint8Array.of(0xe4)) }, /Content-Type: text\/csv; name=a\.csv/],
  [{ filename: 'a.txt', content: base64('ä'), content_type: 'text/plain; charset=latin1' }, /Content-Type: text\/plain; charset=latin1/],
  [{ filename: '100%.pdf', content: 'YQ==' }, /filename=("100%\.pdf"|100%\.pdf|"?\S*100%25)/],
];
for (const [file, part] of files)
  test(`the file ${JSON.stringify(file).slice(0, 70)} is the part ${part}`, async () =>
    assert.match(await rawOf({ attachments: [file] }), part));

for (const filename of ['a%0D%0Ab.pdf', '100%.pdf', `${' '.repeat(100)}x.pdf`])
  test(`the name ${JSON.stringify(filename).slice(0, 30)} arrives as it was`, async () => {
    const mail = await simpleParser(Buffer.from((await composed({ attachments: [{ filename, content: 'YQ==' }] })).bytes));
    assert.equal(mail.attachments[0]?.filename?.trim(), filename.trim());
  });

test('a recipient in two spellings gets the email once, in the headers and in the envelope', async () => {
  const change = { to: ['You@example.net', 'you@EXAMPLE.net'], cc: ['b@example.net', 'B@example.net', 'YOU@example.net'] };
  const { bytes, envelope } = await composed(change);
  const raw = Buffer.from(bytes).toString('latin1');
  assert.deepEqual(envelope.to, ['You@example.net', 'b@example.net']);
  assert.equal(headerOf(raw, 'To'), 'You@example.net');
});

for (const text of [`a${' '.repeat(100)}b`, `${'w'.repeat(80)}   `, `ä${' '.repeat(200)}ö`, `${' '.repeat(300)}x`])
  test(`${JSON.stringify(text).slice(0, 20)} of ${text.length} characters folds into no blank line`, async () => {
    const raw = await rawOf({ subject: text, headers: { 'X-A': text }, to: `${text.replace('w', 'n')} <you@example.net>` });
    assert.doesNotMatch(raw.split('\r\n\r\n')[0] ?? '', /\r\n[ \t]+(\r|$)/);
    assert.equal((await simpleParser(raw)).subject?.replace(/\s+/g, ' ').trim(), text.replace(/\s+/g, ' ').trim());
  });

test('a quoted local part is in the envelope and in the headers', async () => {
  const { bytes, envelope } = await composed({ to: '"try..this"@example.net' });
  assert.deepEqual(envelope.to, ['"try..this"@example.net']);
  assert.equal(headerOf(Buffer.from(bytes).toString('latin1'), 'To'), '<"try..this"@example.net>');
});

test('an email to nobody in the open has no To', async () => {
  const { bytes, envelope } = await composed({ to: 'undisclosed-recipients:;', bcc: 'hidden@example.org' });
  assert.deepEqual([envelope.to, headerOf(Buffer.from(bytes).toString('latin1'), 'To')], [['hidden@example.org'], undefined]);
});
