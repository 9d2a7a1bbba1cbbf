import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { createBase64Stream } from '../../../functions/trigger/common/base64-stream.ts';

const FILE = randomBytes(100_000);
const BASE64 = FILE.toString('base64');
const json = (content: string, more = ''): string =>
  `{"from":"a@example.com","text":"say \\"content\\":\\"x\\"","attachments":[{"filename":"a","content":"${content}"}${more}],"to":"b"}`;

/** Puts a body through in chunks of that size. */
function sieved(text: string, size: number): unknown {
  const body = Buffer.from(text);
  const sieve = createBase64Stream(body.length);
  for (let at = 0; at < body.length; at += size) sieve.push(Buffer.from(body.subarray(at, at + size)));
  return sieve.end();
}
const contents = (body: unknown): unknown[] => (body as { attachments: { content: unknown }[] }).attachments.map(({ content }) => content);

const decoded = [
  { name: 'plain base64', text: json(BASE64), files: [FILE] },
  { name: 'slashes behind backslashes, as PHP writes them', text: json(BASE64.replaceAll('/', '\\/')), files: [FILE] },
  {
    name: 'one byte more',
    text: json(Buffer.concat([FILE, FILE.subarray(0, 1)]).toString('base64')),
    files: [Buffer.concat([FILE, FILE.subarray(0, 1)])],
  },
  { name: 'no padding', text: json(BASE64.replace(/=+$/, '')), files: [FILE] },
  { name: 'two files', text: json(BASE64, `, { "content" : "${BASE64}", "filename": "b" }`), files: [FILE, FILE] },
  { name: 'letters of the URL', text: json(FILE.toString('base64url')), files: [FILE] },
];
for (const { name, text, files } of decoded)
  for (const size of [777, 4_096, 65_536, text.length])
    test(`${name} in chunks of ${size} arrives as bytes, and is written down as it came`, () => {
      const body = sieved(text, size);
      assert.deepEqual(
        contents(body).map((content, index) => content instanceof Uint8Array && files[index]?.equals(content)),
        files.map(() => true),
      );
      const again = JSON.parse(JSON.stringify(body)) as { attachments: { content: string }[] };
      assert.ok(again.attachments.every(({ content }) => content === Buffer.from(content, 'base64').toString('base64')));
    });

const kept = [
  { name: 'a small file', text: json('aGFsbG8=') },
  { name: 'line breaks in it', text: json(BASE64.replace(/.{76}/g, '$&\\r\\n')) },
  { name: 'blanks in it', text: json(BASE64.replace(/.{76}/g, '$& ')) },
  { name: 'a calendar', text: json(`BEGIN:VCALENDAR${'x'.repeat(50_000)}`) },
  { name: 'letters that are no base64', text: json(`${BASE64}ä`) },
  { name: 'an end in the middle of four letters', text: json(BASE64.slice(0, 50_001)) },
  { name: 'padding in the middle', text: json(`QQ==${BASE64}`) },
  { name: 'an escaped quote in it', text: json(`${BASE64}\\"`) },
  { name: 'an escaped letter', text: json(`${BASE64.slice(0, 60_000)}\\u0041`) },
  { name: 'thousands of small files', text: json('eA==', ',{"content":"eA\\/="}'.repeat(20_000)) },
  { name: 'a key that ends like the begin of a file', text: `{"a\\"content"        :        "${BASE64}","attachments":[]}` },
  { name: 'content that is no file', text: `{"content":"${BASE64}x y","headers":{"content":"a"},"attachments":[]}` },
];
for (const { name, text } of kept)
  for (const size of [1_000, 65_536])
    test(`${name}, in chunks of ${size}, stays the text that it is`, () =>
      assert.ok(isDeepStrictEqual(sieved(text, size), JSON.parse(text))));

for (const text of [json(BASE64).slice(0, 50_000), json(BASE64).slice(0, -1), `${json(BASE64)}}`, `[${'['.repeat(40)}`])
  test(`${text.length} bytes that are no JSON are refused`, () => assert.throws(() => sieved(text, 999), { code: 'request_invalid' }));

test('however a body is cut, it comes out the same', () =>
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 30_000 }), { minLength: 1, maxLength: 40 }),
      fc.constantFrom(BASE64, BASE64.replaceAll('/', '\\/'), `${BASE64}\\n`),
      (cuts, content) => {
        const body = Buffer.from(json(content));
        const sieve = createBase64Stream(body.length);
        let at = 0;
        for (const cut of [...cuts, body.length]) {
          sieve.push(Buffer.from(body.subarray(at, at + cut)));
          at += cut;
        }
        const [file] = contents(sieve.end());
        const bytes = file instanceof Uint8Array ? Buffer.from(file) : Buffer.from(String(file), 'base64');
        assert.ok(bytes.equals(FILE));
      },
    ),
    { numRuns: 60 },
  ));
