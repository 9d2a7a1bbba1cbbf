/** Names of files that have none. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { partOf } from '../../../functions/mail/mime/file-parts.ts';
import { blockedType } from '../../../functions/mail/mime/gmail-limits.ts';

const part = (change: { filename?: string; contentType?: string | null }) =>
  partOf({ filename: '', contentType: null, cid: null, content: Buffer.from('x'), ...change }, 0);

// nodemailer keeps the types it knows to itself.
const table = readFileSync(createRequire(import.meta.url).resolve('nodemailer/lib/mime-funcs/mime-types.js'), 'utf8');
const types = [...table.matchAll(/'([a-z]+\/[\w.+-]+)'/g)].map(([, type = '']) => type);
const newer =
  'image/x-icon image/vnd.microsoft.icon image/avif image/heic image/apng image/jpg application/gzip text/markdown audio/mpeg'.split(' ');

test('a file without a name has one with an extension that Gmail takes, whatever its type', () => {
  assert.ok(types.length > 500);
  for (const contentType of [...types, ...newer, 'application/x-foo', 'image/*', 'font/', 'APPLICATION/PDF; name=x']) {
    const { filename } = part({ contentType });
    assert.match(filename, /^attachment-1\.[a-z0-9]\w{0,10}$/i, contentType);
    assert.equal(blockedType(filename), null, contentType);
  }
});

const named: [type: string, filename: string][] = [
  ['image/x-icon', 'attachment-1.ico'],
  ['image/vnd.microsoft.icon', 'attachment-1.ico'],
  ['image/jpeg', 'attachment-1.jpg'],
  ['application/gzip', 'attachment-1.gz'],
  ['audio/mpeg', 'attachment-1.mp3'],
  ['text/markdown', 'attachment-1.md'],
  ['application/pdf; charset=binary', 'attachment-1.pdf'],
  ['application/x-msdownload', 'attachment-1.bin'],
  ['image/*', 'attachment-1.bin'],
];
for (const [contentType, filename] of named)
  test(`a file of the type ${contentType} is ${filename}`, () => assert.equal(part({ contentType }).filename, filename));

for (const filename of ['', ' ', '\t \t', '\u00a0', '\u3000', '\u200b', '\ufeff', '\u2800', '.', '..', ' . ', '\u0301'])
  test(`the name ${JSON.stringify(filename)} shows nothing, and is none`, () =>
    assert.equal(part({ filename, contentType: 'application/pdf' }).filename, 'attachment-1.pdf'));

for (const [given, filename] of [
  [' a.pdf ', 'a.pdf'],
  ['.env', '.env'],
  ['-', '-'],
  ['…', '…'],
  ['日本.pdf', '日本.pdf'],
] as const)
  test(`the name ${JSON.stringify(given)} is ${JSON.stringify(filename)}`, () =>
    assert.equal(part({ filename: given }).filename, filename));
