import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAddress, parseAddress } from '../../../functions/mail/model/address.ts';

const read = [
  ['a@example.com', '', 'a@example.com'],
  ['Ann <Ann@Example.COM>', 'Ann', 'Ann@example.com'],
  ['Äcme, Inc. <a@example.com>', 'Äcme, Inc.', 'a@example.com'], // Symfony does not quote
  ['"Äcme, \\"Inc\\"." <a@example.com>', 'Äcme, "Inc".', 'a@example.com'],
  ['=?utf-8?q?B_=C3=96?= <b@example.com>', 'B Ö', 'b@example.com'], // anymail 10.2 encodes
  ['=?utf-8?B?QiDDlg==?= =?utf-8?Q?!?= <b@example.com>', 'B Ö!', 'b@example.com'],
  ['=?utf-8?Q?=3D=3Futf-8=3FQ=3FJane=3F=3D?= <b@example.com>', 'Jane', 'b@example.com'], // encoded twice
  ['=?ISO-2022-JP?B?GyRCRnxLXBsoQg==?= <b@example.com>', '日本', 'b@example.com'],
  ['"try..this"@example.net', '', '"try..this"@example.net'],
  ['"jane.doe"@Example.net', '', 'jane.doe@example.net'],
  ['<a@example.com>', '', 'a@example.com'],
  [' a@Bücher.example ', '', 'a@xn--bcher-kva.example'],
  ['a@ｅxample.com', '', 'a@example.com'], // what a browser reads is what is authorised
  ['ann@例え.テスト', '', 'ann@xn--r8jz45g.xn--zckzah'],
  ["o'neill+tag@sub.example.co", '', "o'neill+tag@sub.example.co"],
] as const;
for (const [text, name, address] of read) test(`${text} is read`, () => assert.deepEqual(parseAddress(text), { name, address }));

const refused = [
  '=?unknown?q?x?= <b@example.com>',
  '"a b"@example.com',
  '"a@b"@example.com',
  '"a\\"b"@example.com',
  '""@example.com',
  'a@example.com, b@example.com',
  'a@example.com\r\nBcc: evil@example.org',
  'Ann <a@example.com>\nX: y',
  'group: a@example.com, b@example.com;',
  '=?utf-8?q?a=0D=0ABcc:_evil@example.org?= <a@example.com>',
  'Ann <a@example.com> <b@example.com>',
  'a@localhost',
  'a@@example.com',
  'a b@example.com',
  '.a@example.com',
  'a..b@example.com',
  'a@-example.com',
  'a@example..com',
  `${'a'.repeat(65)}@example.com`,
  `a@${'b'.repeat(64)}.com`,
  'üser@example.com',
  '=?utf-8?q?evil=40example.org=2c?=x@example.com', // Python's email package reads two addresses here
  `${'n'.repeat(900)} <a@example.com>`,
  'a@127.0.0.1',
  'a@example.0x7f',
  'a\0@example.com',
  '',
  '<>',
];
for (const text of refused) test(`${JSON.stringify(text).slice(0, 70)} is no one address`, () => assert.equal(parseAddress(text), null));

test('an address as long as RFC 5321 allows passes, one octet more does not', () => {
  const domain = `${'b'.repeat(61)}.${'c'.repeat(61)}.${'d'.repeat(61)}.de`; // 188
  assert.equal(isAddress(`${'a'.repeat(64)}@${domain}`), true);
  assert.equal(isAddress(`${'a'.repeat(64)}@ee.${domain}`), false);
});
