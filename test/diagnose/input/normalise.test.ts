import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normaliseText } from '../../../functions/diagnose/input/normalise.ts';

const REPLY = '535-5.7.8 Username and Password not accepted. Learn more at https://x - gsmtp';
const CHALLENGE = '{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}';

const rows: readonly (readonly [name: string, pasted: string, flat: string])[] = [
  ['a folded reply is one sentence', '535-5.7.8 Username and Password not accepted. Learn more at\n535 5.7.8  https://x - gsmtp', REPLY],
  ['a reply that a terminal wrapped, too', '550-5.7.1 one\n550-5.7.1 two\n550 5.7.1 three', '550-5.7.1 one two three'],
  [
    'the letters \\r\\n are a line end',
    '535-5.7.8 Username and Password not accepted. Learn more at\\r\\n535 5.7.8  https://x - gsmtp',
    REPLY,
  ],
  ['Python bytes', "(534, b'5.7.9 Application-specific\\n5.7.9 password')", "(534, b'5.7.9 Application-specific password')"],
  ['JSON in JSON', '{\\\\\\"error\\\\\\":\\\\\\"a\\\\nb\\\\\\"}', '{"error":"a b"}'],
  ['unicode escapes', 'a \\u0026 b \\u003c', 'a & b <'],
  ['HTML entities and breaks', '&quot;a&quot; &lt;x&gt;<br />it&#39;s &amp;amp; c', '"a" <x> it\'s & c'],
  [
    'time stamps, levels and ids',
    '2024-07-14 00:43:05,123 ERROR [smtp.1] one\n[2024-07-14T00:43:05Z] INFO two\nMar  3 10:00:01 three',
    'one two three',
  ],
  [
    'the marks of the two sides',
    'S: one\n<<< two\nSERVER -> CLIENT: three\n2024-01-01 10:00:00 CLIENT -> SERVER: four\n<** five\n -> six',
    'one two three four five six',
  ],
  ['terminal colours', '\u001b[31mred\u001b[0m \\u001b[32mgreen', 'red green'],
  ['a base64 challenge is decoded', `334 ${btoa(CHALLENGE)}`, `334 ${CHALLENGE}`],
  ['also where it was cut off', `334 ${btoa(CHALLENGE).slice(0, 25)}`, '334 {"status":"400","s'],
  ['the questions of AUTH LOGIN, too', '334 VXNlcm5hbWU6\n334 UGFzc3dvcmQ6', '334 Username: 334 Password:'],
  ['typographic quotes are plain', 'hasn’t “given”', 'hasn\'t "given"'],
  ['other numbers with dots stay', 'node v4.7.0 and 10.0.0.1', 'node v4.7.0 and 10.0.0.1'],
  ['nothing stays nothing', ' \n\r\n ', ''],
];

for (const [name, pasted, flat] of rows) test(`normalise: ${name}`, () => assert.equal(normaliseText(pasted).flat, flat));

test('a position in the flat text leads back to its line', () => {
  const { lines, flat, lineAt } = normaliseText('one\n\ntwo three\nfour');
  assert.deepEqual(
    ['one', 'three', 'four'].map((word) => lines[lineAt(flat.indexOf(word))]),
    ['one', 'two three', 'four'],
  );
});

test('a text of megabytes is cut, and its end is still read', () => {
  const { flat } = normaliseText(`${'x'.repeat(3_000_000)}\nthe end`);
  assert.ok(flat.length < 500_000 && flat.endsWith('the end'));
});
