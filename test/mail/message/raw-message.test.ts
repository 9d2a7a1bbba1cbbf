import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { parseRawMessage, prepareRawMessage } from '../../../functions/mail/message/raw-message.ts';
import { parseAddressList } from '../../../functions/mail/model/address-list.ts';
import type { Config } from '../../../functions/mail/model/config.ts';
import { ALIAS, CONFIG, MAILBOX } from '../../support/stack/laptop.ts';

const STAMP = { id: '01234567-89ab-4cde-8f01-23456789abcd', acceptedAt: Date.UTC(2026, 10, 24, 8) };
const CALLER = { id: 'shop', from: [MAILBOX, ALIAS], to: null };
const digest = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');
const HEAD = { From: `Shop <${MAILBOX}>`, To: 'you@example.net', Subject: 'Hi', 'MIME-Version': '1.0' };
const message = (head: Record<string, string | undefined> = {}, body = 'there\r\n', extra = ''): Buffer => {
  const lines = Object.entries({ ...HEAD, ...head }).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}\r\n`]));
  return Buffer.from(`${lines.join('')}${extra}\r\n${body}`, 'latin1');
};
const person = (address: string) => ({ name: '', address });

async function letterOf(bytes: Buffer, to: string[] = [], config: Config = CONFIG) {
  const draft = prepareRawMessage(parseRawMessage(bytes), { from: null, to: to.map(person) }, CALLER, config, digest);
  const { bytes: composed, ...rest } = await draft.compose(STAMP, { fetchFile: async () => new Uint8Array() });
  return { ...rest, text: Buffer.from(composed).toString('latin1') };
}

test('a letter goes on byte for byte, with Message-ID and Date where it has none', async () => {
  const full = { 'Message-ID': '<mine@example.com>', Date: 'Tue, 24 Nov 2026 08:00:00 +0000' };
  assert.equal((await letterOf(message(full))).text, message(full).toString());
  const added = `Message-ID: <${STAMP.id}@example.com>\r\nDate: Tue, 24 Nov 2026 08:00:00 +0000\r\n`;
  assert.equal((await letterOf(message())).text, message({}, 'there\r\n', added).toString());
  assert.deepEqual(await letterOf(message()), await letterOf(message())); // same order, same bytes
});

test('what servers wrote on the way stays, and what only the last one writes is left out, as mail servers do', async () => {
  const stays =
    'Received: from a by b; Tue, 24 Nov 2026 08:00:00 +0000\r\nReceived: x\r\nDelivered-To: root@host.example\r\nDKIM-Signature: v=1;\r\n b=x\r\nAuthentication-Results: host.example; auth=pass\r\nARC-Seal: i=1\r\n';
  const goes = 'Return-Path: <root@host.example>\r\nDelivery-Date: x\r\nEnvelope-To: a@b.example\r\nContent-Length: 7\r\n';
  const { text } = await letterOf(message({ 'Message-ID': '<m@example.com>', Date: 'x' }, 'there\r\n', stays + goes));
  assert.equal(text, message({ 'Message-ID': '<m@example.com>', Date: 'x' }, 'there\r\n', stays).toString());
});

for (const room of [0, 10, 4_096])
  test(`with ${room} free bytes in front of it a letter is the same`, async () => {
    const plain = message({ Bcc: 'b@example.org' }, 'there\r\n'.repeat(100));
    const memory = Buffer.alloc(room + plain.length, 'x');
    plain.copy(memory, room);
    const draft = prepareRawMessage(parseRawMessage(memory.subarray(room), room), { from: null, to: [] }, CALLER, CONFIG, digest);
    const make = async () =>
      Buffer.from((await draft.compose(STAMP, { fetchFile: async () => new Uint8Array() })).bytes).toString('latin1');
    const [once, twice] = [await make(), await make()];
    assert.deepEqual([once, twice], [(await letterOf(plain)).text, once]);
    const { raw } = JSON.parse(draft.content().data) as { raw: string }; // a letter that is handed over goes as it came
    assert.equal(Buffer.from(raw, 'base64').toString('latin1'), plain.toString('latin1'));
  });

test('Bcc is written for whom the envelope alone names, also in the place of a Bcc that was there', async () => {
  const text = (
    await letterOf(message({ Cc: 'C <c@example.net>', Bcc: 'b@example.org' }), ['you@example.net', 'c@example.net', 'hidden@example.org'])
  ).text;
  assert.deepEqual(
    text.match(/^Bcc:.*$/gm),
    ['Bcc: hidden@example.org\r'].map((line) => line.trim()),
  );
  assert.doesNotMatch(text, /b@example\.org/);
});

test('a Bcc of a hundred addresses is folded', async () => {
  const many = Array.from({ length: 100 }, (_, index) => `someone-with-a-name-${index}@example.net`);
  const { text, envelope } = await letterOf(message(), ['you@example.net', ...many]);
  assert.ok(text.split('\r\n').every((line) => line.length < 100));
  assert.equal(envelope.to.length, 101);
});

test('over SMTP the envelope decides: no Bcc is written, and To may name others', async () => {
  const config: Config = { ...CONFIG, mailboxes: CONFIG.mailboxes.map((box) => ({ ...box, via: 'smtp' })) };
  const { text, envelope } = await letterOf(message({ Bcc: 'b@example.org' }), ['hidden@example.org'], config);
  assert.doesNotMatch(text, /^Bcc:/m);
  assert.deepEqual(envelope, { from: MAILBOX, to: ['hidden@example.org'] });
});

test('without an envelope the headers are it; an idempotency key among them is taken out', async () => {
  const bytes = message({ Cc: 'c@example.net', Bcc: 'b@example.org', 'Resend-Idempotency-Key': 'order/1' });
  const { text, envelope } = await letterOf(bytes);
  assert.deepEqual(envelope.to, ['you@example.net', 'c@example.net', 'b@example.org']);
  assert.deepEqual([parseRawMessage(bytes).key, /idempotency/i.test(text), /^Bcc: b@example\.org/m.test(text)], ['order/1', false, true]);
});

test('an international domain is the same in both of its forms', async () => {
  const { text } = await letterOf(message({ To: 'you@xn--bcher-kva.example' }), ['you@bücher.example']);
  assert.doesNotMatch(text, /^Bcc:/m);
});

test('a head full of addresses costs no more than its length', () => {
  const to = Array.from({ length: 7_000 }, (_, n) => `${n % 40 === 0 ? '\r\n ' : ''}${n.toString(36)}@b.co`).join(',');
  const letter = parseRawMessage(message({ To: to })); // quadratic work would run into the time-out
  for (let times = 0; times < 20; times++)
    assert.throws(() => prepareRawMessage(letter, { from: null, to: [] }, CALLER, CONFIG, digest), {
      code: 'request_invalid',
      message: /7000/,
    });
});

const refused: { name: string; bytes: Buffer; says: RegExp }[] = [
  { name: 'no From', bytes: message({ From: undefined }), says: /`from`/ },
  { name: 'an empty From', bytes: message({ From: '' }), says: /`from`/ },
  { name: 'two From headers', bytes: message({}, 'x', `From: ${MAILBOX}\r\n`), says: /more than one header `from`/ },
  { name: 'two addresses in From', bytes: message({ From: `${MAILBOX}, ${ALIAS}` }), says: /`from` with one address/ },
  { name: 'two To headers', bytes: message({}, 'x', 'TO: evil@example.org\r\n'), says: /more than one header `to`/ },
  { name: 'two Subjects', bytes: message({}, 'x', 'Subject: y\r\n'), says: /`subject`/ },
  {
    name: 'two Content-Types',
    bytes: message({ 'Content-Type': 'text/plain' }, 'x', 'content-type: text/html\r\n'),
    says: /`content-type`/,
  },
  { name: 'a Message-ID that is a search', bytes: message({ 'Message-ID': '<a@b> OR in:sent' }), says: /message-id/ },
  { name: 'Resent headers', bytes: message({ 'Resent-To': 'evil@example.org' }), says: /Resent/ },
  { name: 'a bare LF in the head', bytes: message({ Subject: 'x\nBcc: evil@example.org' }), says: /LF alone/ },
  { name: 'a bare LF in the body', bytes: message({}, 'a\n.\nb'), says: /LF alone/ },
  { name: 'a bare CR', bytes: message({}, 'a\rb\r\n'), says: /CR/ },
  { name: 'a bare CR at the end', bytes: message({}, 'a\r\nb\r'), says: /CR/ },
  { name: 'CR CR LF', bytes: message({}, 'a\r\r\nb'), says: /CR/ },
  { name: 'a NUL', bytes: message({}, 'a\0b'), says: /NUL/ },
  { name: 'a control character in the head', bytes: message({ Subject: 'a\x07b' }), says: /control/ },
  { name: '8 bits in the head', bytes: message({ Subject: 'Grüße' }), says: /beyond ASCII/ },
  { name: 'a line of 999 bytes', bytes: message({}, 'x'.repeat(999)), says: /998/ },
  { name: 'a header line of 999 bytes', bytes: message({ 'X-A': 'x'.repeat(999) }), says: /998/ },
  { name: 'too long a head', bytes: message({}, 'x', `X-A: ${'y'.repeat(900)}\r\n`.repeat(80)), says: /65536/ },
  { name: 'too many headers', bytes: message({}, 'x', 'X-A: y\r\n'.repeat(301)), says: /300/ },
  { name: 'no body', bytes: Buffer.from(`From: ${MAILBOX}\r\nTo: you@example.net\r\n`), says: /empty line/ },
  { name: 'nothing', bytes: Buffer.alloc(0), says: /empty line/ },
  { name: 'a line that is no header', bytes: message({}, 'x', 'nonsense\r\n'), says: /Name: value/ },
  { name: 'a blank before the colon', bytes: message({}, 'x', 'Bcc : evil@example.org\r\n'), says: /Name: value/ },
  { name: 'a fold at the start', bytes: Buffer.from(` x\r\n${message()}`), says: /folded/ },
  { name: 'a fold of blanks', bytes: message({}, 'x', 'X-A: y\r\n \r\n'), says: /folded/ },
  { name: 'an encoded line break', bytes: message({ Subject: '=?utf-8?q?a=0D=0ABcc:_evil@example.org?=' }), says: /`subject` hides/ },
  {
    name: 'an encoded line break in a parameter',
    bytes: message({ 'Content-Disposition': "attachment; filename*=utf-8''a%0D%0Ab" }),
    says: /`content-disposition` hides/,
  },
  { name: 'a comment among recipients', bytes: message({ To: 'you@example.net (evil@example.org)' }), says: /`to`/ },
  { name: 'a group among recipients', bytes: message({ To: 'friends: evil@example.org;' }), says: /`to`/ },
  { name: 'a quoted local part', bytes: message({ To: '"evil@example.org"@example.net' }), says: /`to`/ },
  { name: 'an encoded word in an address', bytes: message({ To: '=?utf-8?q?evil=40example.org=2c?=you@example.net' }), says: /`to`/ },
  { name: 'a name that looks like an address', bytes: message({ Cc: 'evil@example.org <you@example.net>' }), says: /`cc`/ },
];
for (const { name, bytes, says } of refused)
  test(`${name} is refused`, () => assert.throws(() => parseRawMessage(bytes), { code: 'request_invalid', message: says }));

const forbidden = [
  { name: 'a From that is no mailbox', head: { From: 'ceo@example.com' }, envelope: {}, code: 'sender_not_allowed' },
  { name: 'a Sender that is no mailbox', head: { Sender: 'ceo@example.com' }, envelope: {}, code: 'sender_not_allowed' },
  { name: 'a Sender that cannot be read', head: { Sender: 'a, b' }, envelope: {}, code: 'sender_not_allowed' },
  { name: 'another envelope sender', head: {}, envelope: { from: person('ceo@example.com') }, code: 'sender_not_allowed' },
  { name: 'a To outside of the envelope', head: {}, envelope: { to: [person('other@example.net')] }, code: 'envelope_incomplete' },
  {
    name: 'a Cc outside of the envelope',
    head: { Cc: 'c@example.net' },
    envelope: { to: [person('you@example.net')] },
    code: 'envelope_incomplete',
  },
  { name: 'nobody', head: { To: 'undisclosed-recipients:;' }, envelope: {}, code: 'field_missing' },
  {
    name: '501 recipients',
    head: {},
    envelope: { to: ['you@example.net', ...Array.from({ length: 500 }, (_, n) => `a${n}@example.net`)].map(person) },
    code: 'request_invalid',
  },
] as const;
for (const { name, head, envelope, code } of forbidden)
  test(`${name} is ${code}`, () =>
    assert.throws(() => prepareRawMessage(parseRawMessage(message(head)), { from: null, to: [], ...envelope }, CALLER, CONFIG, digest), {
      code,
    }));

test("a key's own lists hold for the envelope and for hidden recipients", () => {
  const draft = (caller: object, to: string[], from: string | null = null) =>
    prepareRawMessage(
      parseRawMessage(message()),
      { from: from === null ? null : person(from), to: to.map(person) },
      { ...CALLER, ...caller } as typeof CALLER,
      CONFIG,
      digest,
    );
  assert.throws(() => draft({ to: ['*@example.net'] }, ['you@example.net', 'hidden@example.org']), { code: 'recipient_not_allowed' });
  assert.throws(() => draft({ from: [MAILBOX] }, ['you@example.net'], ALIAS), { code: 'sender_not_allowed' });
  assert.deepEqual(draft({ to: ['*@example.net'] }, ['you@EXAMPLE.net']).recipients.length, 1);
});

const lists: [string, string[] | null][] = [
  ['', []],
  ['a@example.com', ['a@example.com']],
  ['A <a@example.com>, "B, C" <b@example.com>', ['a@example.com', 'b@example.com']],
  ['=?utf-8?q?B_=C3=96?= <b@example.com>,c@example.com', ['b@example.com', 'c@example.com']],
  ['"a\\"b@example.org" <a@example.com>', ['a@example.com']],
  ['undisclosed-recipients:;', []],
  ['a@example.com,', ['a@example.com']],
  [', a@example.com,, b@example.com', ['a@example.com', 'b@example.com']],
  ['"Undisclosed recipients":;, a@example.com', ['a@example.com']],
  ['a@example.com <A@Example.com>', ['A@example.com']],
  ['"try..this"@example.com, T <".x"@example.com>', ['"try..this"@example.com', '".x"@example.com']],
  ['b@example.com <a@example.com>', null],
  ['"a,b"@example.com', null],
  ['a@example.com b@example.com', null],
  ['"a@example.com', null],
  ['<@relay.example:a@example.com>', null],
  ['A <a@example.com> b', null],
];
for (const [value, addresses] of lists)
  test(`the list ${JSON.stringify(value)} is ${addresses ? addresses.length : 'no list'}`, () =>
    assert.deepEqual(parseAddressList(value)?.map(({ address }) => address) ?? null, addresses));
