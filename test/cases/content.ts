/** Situations about content: what an email says, and to whom. */
import assert from 'node:assert/strict';
import type { Case, Played } from './rows.ts';

const MAIL = { from: 'notices@example.com', to: 'ann@example.net', subject: 'S', text: 'T' };
const message = (...lines: string[]): string => `${lines.join('\r\n')}\r\nSubject: S\r\n\r\nx\r\n`;
const base64 = (text: string): string => Buffer.from(text).toString('base64');

const sent = ({ status }: Played): void => assert.equal(status, 200);
const says =
  (...patterns: RegExp[]) =>
  ({ status, message, mail }: Played): void => {
    assert.deepEqual([status, mail], [422, null]);
    for (const pattern of patterns) assert.match(message, pattern);
  };
const textIs =
  (text: string) =>
  (played: Played): void => {
    sent(played);
    assert.equal(played.mail?.text?.trimEnd(), text);
  };
const has =
  (pattern: RegExp, recipients = ['ann@example.net']) =>
  (played: Played): void => {
    sent(played);
    assert.match(played.raw, pattern);
    assert.deepEqual(played.recipients, recipients);
  };

const html = (id: string, html: string, text: string): Case => ({
  id,
  doors: ['emails'],
  input: { ...MAIL, text: undefined, html },
  right: textIs(text),
});
const email = (id: string, change: object, right: Case['right']): Case => ({ id, doors: ['emails'], input: { ...MAIL, ...change }, right });
const finished = (id: string, lines: string[], to: string[], right: Case['right']): Case => ({
  id,
  doors: ['raw', 'smtp'],
  input: { message: message('From: notices@example.com', ...lines), to },
  right,
});
const refused = (id: string, header: string, pattern: RegExp): Case => ({
  ...finished(id, ['To: ann@example.net', header], ['ann@example.net'], says(pattern)),
  doors: ['raw'],
});
const toHidden = (played: Played): void => {
  sent(played);
  assert.deepEqual(played.recipients, ['hidden@example.org']);
  assert.doesNotMatch(played.raw, /^To:.*hidden/m);
};

const REPORTED: Readonly<Record<string, string>> = {
  ATTNAME: 'a file without name and type',
  CTHEAD: 'a type among the headers',
  DATAURI: 'an image as data',
  DJEMPTY: 'a comma too many',
  DOTLOCAL: 'dots that a plain local part cannot have',
  FEB30: '31 November',
  FROMAT: 'a From that is its own name',
  HREF: 'an address without quotes',
  ICAL: 'an invitation',
  IRT: 'ids of a thread without brackets',
  LT: 'a lone < is text',
  LUENC: 'a list address beyond ASCII',
  UNDISC: 'a message to nobody in the open',
};

const ROWS: readonly Case[] = [
  html('a lone < is text', '<p>1 < 2 and 4 > 3, a<b</p>', '1 < 2 and 4 > 3, a'),
  html('an address without quotes', '<a href=https://shop.example/pay?o=1>Pay</a>', 'Pay (https://shop.example/pay?o=1)'),
  html('the words of an image', 'Hi <img src=cid:l alt="Our logo">', 'Hi Our logo'),
  html('an entity of the standard', 'Zo&euml; &rarr; 5&frac12; &hearts;', 'Zoë → 5½ ♥'),
  html('cells beside each other', '<table><tr><th>Total<td>9 EUR</table>', 'Total 9 EUR'),
  html('a link whose words are its address', '<a href="mailto:a@x.example">a@x.example</a>', 'a@x.example'),
  email('an empty text in place of headers', { headers: '' }, sent),
  {
    ...email('a quoted local part by SMTP', { to: '"try..this"@example.net' }, says(/quoted local part/, /`via: smtp`/)),
    vias: ['smtp'],
  },
  html('a listing', '<pre>if x:\n    y</pre>', 'if x:\n    y'),
  email('a file without name and type', { attachments: [{ content: 'YQ==' }] }, ({ mail }) =>
    assert.equal(mail?.attachments[0]?.filename, 'attachment-1.bin'),
  ),
  email(
    'ids of a thread without brackets',
    { headers: { 'In-Reply-To': 'CAx@post.example', References: 'a@post.example CAx@post.example' } },
    has(/^In-Reply-To: <CAx@post\.example>\r\nReferences: <a@post\.example> <CAx@post\.example>\r$/m),
  ),
  email(
    'a list address beyond ASCII',
    { headers: { 'List-Unsubscribe': '<https://bücher.example/weg?ü=1>' } },
    has(/^List-Unsubscribe: <https:\/\/xn--bcher-kva\.example\/weg\?%C3%BC=1>\r$/m),
  ),
  email(
    'a list name beyond ASCII',
    { headers: { 'List-Id': 'Bücher <liste.example.com>' } },
    has(/^List-I[dD]: =\?UTF-8\?Q\?B=C3=BCcher\?= <liste\.example\.com>\r$/m),
  ),
  email('31 November', { scheduled_at: '2026-11-31T10:00:00Z' }, says(/`scheduled_at`/)),
  email('29 February of another year', { scheduled_at: '2027-02-29T10:00:00+01:00' }, says(/`scheduled_at`/)),
  email('a type among the headers', { headers: { 'Content-Type': 'text/calendar; method=REQUEST' } }, says(/Content-Type/, /attachment/)),
  email('a language among the headers', { headers: { 'Content-Language': 'de' } }, has(/^Content-Language: de\r$/m)),
  email('a Reply-To that is no address', { headers: { 'Reply-To': 'the shop' } }, says(/Reply-To/)),
  email(
    'an invitation',
    {
      html: '<p>x</p>',
      attachments: [
        {
          filename: 'invite.ics',
          content: base64('BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n'),
          content_type: 'text/calendar; charset=utf-8; method=REQUEST',
        },
      ],
    },
    has(
      /multipart\/alternative[\s\S]*text\/html[\s\S]*text\/calendar; charset=utf-8; method=REQUEST[\s\S]*attachment; filename=invite\.ics/,
    ),
  ),
  email('an image as data', { text: '', html: '<img src="data:image/png;base64,iVBORw0KGgo=">' }, ({ raw, mail }) => {
    assert.doesNotMatch(raw, /src="?data:/);
    assert.equal(mail?.attachments[0]?.content.toString('base64'), 'iVBORw0KGgo=');
  }),
  {
    ...email(
      'dots that a plain local part cannot have',
      { to: '"try..this"@example.net' },
      has(/^To: <"try\.\.this"@example\.net>\r$/m, ['"try..this"@example.net']),
    ),
    vias: ['api'],
  },
  email('a blank in a quoted local part', { to: '"ann doe"@example.net' }, says(/`to`/, /quoted local part/)),
  email('an empty element of a list', { to: ['ann@example.net', ''] }, has(/^To: ann@example\.net\r$/m)),
  email('recipients that are not named', { to: 'undisclosed-recipients:;', bcc: 'hidden@example.org' }, toHidden),
  email('one recipient in two spellings', { to: ['ann@example.net', 'Ann@example.net'] }, has(/^To: ann@example\.net\r$/m)),
  email(
    'a break in a word that is encoded twice',
    { subject: `=?utf-8?B?${base64('=?utf-8?Q?a=0AX:_b?=')}?=` },
    says(/`subject`/, /encoded-word/),
  ),
  email('a break in a charset that few know', { from: '=?utf-7?Q?a+AAo-b?= <notices@example.com>' }, says(/`from`/, /encoded-word/)),
  email('a break behind a charset with a colon', { headers: { 'X-A': '=?iso_8859-1:1987?Q?a=0Ab?=' } }, says(/X-A/, /encoded-word/)),
  email('a break in a word with a blank', { to: '=?utf-8?Q?a b=0Ac?= <ann@example.net>' }, says(/`to`/, /encoded-word/)),
  email('a percent sign in a file name', { attachments: [{ filename: '10%20off%0a.pdf', content: 'YQ==' }] }, ({ mail }) =>
    assert.equal(mail?.attachments[0]?.filename, '10%20off%0a.pdf'),
  ),
  email('a NUL in a text', { text: 'a\0b' }, says(/`text`/, /NUL/)),
  email('a word that no line can hold', { subject: 'w'.repeat(901) }, says(/`subject`/, /900 characters/)),
  finished('a message to nobody in the open', ['To: undisclosed-recipients:;'], ['hidden@example.org'], toHidden),
  finished(
    'a message to nobody in the open, with Bcc',
    ['To: "Undisclosed Recipients":;', 'Bcc: hidden@example.org'],
    ['hidden@example.org'],
    toHidden,
  ),
  finished('a comma too many', ['To: ann@example.net,'], ['ann@example.net'], has(/^Subject: S\r$/m)),
  {
    ...finished('a quoted local part', ['To: "try..this"@example.net'], ['"try..this"@example.net'], sent),
    doors: ['raw'],
    vias: ['api'],
  },
  {
    ...finished('a From that is its own name', [], ['ann@example.net'], sent),
    input: { message: message('From: notices@example.com <notices@example.com>', 'To: ann@example.net'), to: ['ann@example.net'] },
  },
  refused('a word that is encoded twice', `X-A: =?utf-8?B?${base64('=?utf-8?Q?=0A?=')}?=`, /`x-a`/),
  refused('a parameter in parts', "Content-Type: text/plain; x*1*=A; x*0*=utf-8''%0", /`content-type`/),
  refused('a parameter in UTF-7', "Content-Type: text/plain; name*=utf-7''+AAo-", /`content-type`/),
];

/** The rows, each with the name under which it was reported. */
export const CONTENT: readonly Case[] = ROWS.map((row) => {
  const [reported] = Object.entries(REPORTED).find(([, id]) => id === row.id) ?? [];
  return { ...row, ...(reported !== undefined && { reported }) };
});
