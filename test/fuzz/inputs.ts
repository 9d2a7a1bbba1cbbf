/** Emails as a caller who is careless, or an attacker, may ask for them. */
import fc from 'fast-check';
import { MAIL, MAILBOX } from '../support/stack/laptop.ts';

const EVIL = 'evil@evil.example';
export const nasty = fc
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
export const odd: fc.Arbitrary<unknown> = fc.oneof(fc.jsonValue({ maxDepth: 3 }), nasty, fc.array(nasty, { maxLength: 3 }));
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
/** A valid email in which a few fields are changed: most of what comes out is sent. */
export const mail = fc
  .tuple(
    change,
    fc.subarray(['from', 'to', 'cc', 'bcc', 'reply_to', 'subject', 'html', 'text', 'headers', 'attachments', 'tags', 'unknown'] as const, {
      maxLength: 3,
    }),
  )
  .map(([fields, names]): Record<string, unknown> => ({ ...MAIL, ...Object.fromEntries(names.map((name) => [name, fields[name]])) }));

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
export const letter = fc
  .tuple(
    fc.uniqueArray(field, { maxLength: 5, selector: (line) => line.split(':', 1)[0] }),
    fc.oneof({ weight: 9, arbitrary: fc.constant('\r\n') }, fc.constantFrom('\n', '\r')),
    fc.oneof({ weight: 3, arbitrary: fc.constant('body') }, nasty),
    fc.oneof({ weight: 9, arbitrary: fc.constant([`From: ${MAILBOX}`]) }, fc.constant([])),
  )
  .map(([fields, end, body, from]) => [...from, ...fields, '', body].join(end));
