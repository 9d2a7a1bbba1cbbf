/** Emails whose bytes are frozen: an email that is `sending` while a new version is deployed must compose to what its session was opened for. */
type Fields = Readonly<Record<string, unknown>>;

const BASE = { from: 'notices@example.com', to: 'you@example.net', subject: 'Hi', text: 'there' };
const base64 = (content: string | Uint8Array): string => Buffer.from(content as string).toString('base64');

/** Bytes that look random and are the same each time. */
function bytesOf(length: number, seed = 1): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state >> 16;
  });
}

const file = (length: number, filename = 'a.bin') => ({ filename, content: base64(bytesOf(length)) });
const SLICE = 57 * 512;

export const CORPUS: Readonly<Record<string, Fields>> = {
  text: {},
  'text that ends its line': { text: 'hello\r\n' },
  'text that ends in CR': { text: 'hello\r' },
  'blanks at the ends of lines, dots, tabs': { text: 'a \n\t\n.\n..\nb\t\n ' },
  'no text, html alone': { text: '', html: '<p>Hi</p>' },
  'text from html': { text: undefined, html: '<p>Hello <b>Jane</b>,</p><p>your order is on its way.<br>Thank you.</p>' },
  'text from html with a link': { text: undefined, html: '<p>See <a href="https://example.com/x?a=1&amp;b=2">your order</a>.</p>' },
  'text from html with headings': { text: undefined, html: '<h1>Hello</h1><p>One</p><p>Two &amp; three</p>' },
  'text and html': { html: '<p>hello</p>' },
  'long lines, equals signs, letters beyond ASCII': { text: `${'wörter '.repeat(60)} \n\t\n.\n${'='.repeat(200)}`, html: '<p>ä</p> ' },
  'mostly letters beyond ASCII': { text: 'äöü✓'.repeat(500) },
  'a text of more than one slice': { text: `${'äbc '.repeat(40_000)} ` },
  'CR and LF apart': { text: 'a\rb\nc\r\nd\r\r\n\n', html: 'x\ry\n' },
  'lone surrogates': { text: 'a\ud800b', subject: 'x ✓ 𝄞' },
  'names of every kind': {
    from: 'Ännä <no-reply@example.com>',
    to: ['Jörg, Dr. <you@example.net>', '"Doe, Jane" <b@example.net>', "O'Neil <c@example.net>", 'a"b <d@example.net>'],
    cc: 'Ç <e@example.net>',
    bcc: ['hidden@example.org', 'Zwei <f@example.org>'],
    reply_to: ['Hilfe ✓ <help@example.com>', 'plain@example.com'],
  },
  'an international domain': { to: 'x@bücher.example' },
  'fifty recipients': { to: Array.from({ length: 50 }, (_, i) => `Ä${i} <a${i}@example.net>`) },
  'the same recipient in two fields': { cc: 'you@example.net' },
  'a long subject': { subject: 'Übergröße: äöü ✓ 𝄞 und ein recht langer Betreff, der gefaltet werden muss, weil er nicht passt' },
  'a long subject of ASCII': { subject: `${'wort '.repeat(60)}end` },
  'a subject with quotes and brackets': { subject: '[#42] "Re": a = b; <c> (d) \\ e' },
  'headers of the caller': {
    headers: {
      'X-Entity-Ref-ID': '1',
      'x-name': 'Grüße',
      'List-Unsubscribe': '<mailto:u@example.com>, <https://example.com/u?x=1>',
      'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
      'X-Json': '{"a": "b", "c": [1, 2]}',
      'X-Long': 'wort '.repeat(300).trim(),
      'X-Tab': 'a b',
      Precedence: 'bulk',
      'Auto-Submitted': 'auto-generated',
      'X-SPF': '1',
      'feedback-id': '1:2:3:4',
    },
  },
  'a thread': { headers: { References: '<a@example.com> <b@example.com>', 'In-Reply-To': '<b@example.com>' } },
  'one file': { attachments: [file(10)] },
  'a file alone with html': { text: '', html: '<p>x</p>', attachments: [file(100)] },
  'an inline image': { html: '<img src="cid:x">', attachments: [{ ...file(99, 'x.png'), content_id: 'x' }, file(3)] },
  'two inline images and two files': {
    html: '<img src="cid:x"><img src="cid:y">',
    attachments: [{ ...file(99, 'x.png'), content_id: '<x>' }, { ...file(77, 'y.gif'), content_id: 'y' }, file(3), file(4, 'b.pdf')],
  },
  'a file name beyond ASCII': { attachments: [file(30, 'größe ✓ sehr lang und noch länger, damit er geteilt werden muss.bin')] },
  'a file name with quotes and blanks': { attachments: [file(30, 'a "b" c;d\'e.bin')] },
  'a type with parameters': {
    attachments: [{ ...file(40), filename: 'a.csv', content_type: 'text/csv; charset="utf-8"; header=present' }],
  },
  'a type without a name of its own': { attachments: [{ ...file(40, 'README'), content_type: 'application/x-thing' }] },
  'a pdf, a zip, an image': { attachments: [file(1_000, 'a.pdf'), file(1_001, 'b.zip'), file(1_002, 'c.jpeg')] },
  'a file of 3 MB': { attachments: [file(3_000_000)] },
};

for (const around of [57, SLICE])
  for (let length = around - 2; length <= around + 2; length++)
    Object.assign(CORPUS, { [`a file of ${length} bytes`]: { attachments: [file(length)] } });

/** Texts of few different characters in every order: where lines are folded and encoded. */
for (let seed = 1; seed <= 60; seed++) {
  const pick = bytesOf(400, seed * 7919);
  const text = (from: number, to: number, of: string): string => [...pick.subarray(from, to)].map((byte) => of[byte % of.length]).join('');
  Object.assign(CORPUS, {
    [`made ${seed}`]: {
      subject: text(0, 90, 'ab c d: ü✓') || 'x',
      text: text(90, 250, 'ab \t\n\r=.ä'),
      html: seed % 3 === 0 ? text(250, 400, 'ab <>&\n ö') : undefined,
      headers: { 'X-Made': text(300, 399, 'ab ,;="ö').trim() || 'x' },
      ...(seed % 4 === 0 && { attachments: [file(seed * 13)] }),
    },
  });
}

export const emailOf = (change: Fields): Fields => ({ ...BASE, ...change });
