/**
 * What is composed is read alike by everybody: /v1/raw takes it, and Python's email package, mailparser and PHP's iconv see the same
 * addresses in it and no control character, whatever the words of the email are.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { type AddressObject, simpleParser } from 'mailparser';
import { compose } from '../../../functions/mail/message/compose.ts';
import { type EmailFields, parseRequest } from '../../../functions/mail/message/email.ts';
import { parseRawMessage } from '../../../functions/mail/message/raw-message.ts';
import { resolveSender } from '../../../functions/mail/message/sender.ts';
import { type Address, parseAddress } from '../../../functions/mail/model/address.ts';
import { hasControl } from '../../../functions/mail/model/encoded-words.ts';
import { toFailure } from '../../../functions/mail/model/failure.ts';
import { runs } from '../../support/deep.ts';
import { skipUnless } from '../../support/programs/emulators.ts';
import { CONFIG } from '../../support/stack/laptop.ts';

const STAMP = { id: '01234567-89ab-4cde-8f01-23456789abcd', acceptedAt: Date.UTC(2026, 10, 24, 8) };
const FIELDS = ['from', 'to', 'cc', 'bcc', 'reply-to'] as const;
const READERS = join(import.meta.dirname, 'readers');

const PIECES = [
  ...[
    '=?',
    '?=',
    '?',
    '=',
    'utf-8',
    'UTF-7',
    'iso_8859-1:1987',
    'us-ascii',
    '?Q?',
    '?b?',
    '?x?',
    '=0A',
    '=0D=0A',
    '=3D=3F',
    '=3F=3D',
    '_',
    '*en',
  ],
  ...['Jane', 'Doe', 'Bcc:', 'evil@example.org', 'a', 'Zoë', 'Ω', '✓', '𝄞', 'e\u0301', '\u200f', '\ufeff', '\u00a0', '\ud800'],
  ...[' ', '  ', '\t', ',', ';', ':', '<', '>', '(', ')', '[', ']', '"', '\\', "'", '@', '.', '%0A', '%', '/', '{}', '|'],
  ...['\n', '\r\n', '\0', '\u0085', '\u2028', ' '.repeat(80), 'w'.repeat(80), 'ä'.repeat(80), 'wort '.repeat(30)],
];
const text = fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 8 }).map((pieces) => pieces.join(''));
// A text that an encoder made: as a client sends it that encodes by itself, or an attacker.
const word = fc.oneof(
  text.map((of) => `=?utf-8?B?${Buffer.from(of).toString('base64')}?=`),
  text.map((of) => `=?utf-8?Q?${[...Buffer.from(of)].map((byte) => `=${byte.toString(16).padStart(2, '0').toUpperCase()}`).join('')}?=`),
);
const line = fc.oneof(
  { weight: 4, arbitrary: text },
  { weight: 2, arbitrary: word },
  fc.tuple(text, word, text).map((all) => all.join(' ')),
);
const address = fc.constantFrom('a@example.net', 'B.c@example.org', '"try..this"@example.net', "o'neil+x@bücher.example", 'A@example.net');
const person = fc.oneof(
  address,
  fc.tuple(line, address).map(([name, of]) => `${name} <${of}>`),
  fc.tuple(line, address).map(([name, of]) => `"${name.replace(/["\\]/g, '\\$&')}" <${of}>`),
);
const email = fc.record(
  {
    from: fc.oneof(
      fc.constant('notices@example.com'),
      line.map((name) => `${name} <notices@example.com>`),
    ),
    to: fc.array(person, { maxLength: 4 }),
    cc: fc.array(person, { maxLength: 3 }),
    bcc: fc.array(person, { maxLength: 2 }),
    reply_to: fc.array(person, { maxLength: 2 }),
    subject: line,
    text: text,
    headers: fc.dictionary(
      fc.constantFrom(
        'X-A',
        'x-b',
        'List-Unsubscribe',
        'List-Id',
        'In-Reply-To',
        'References',
        'Keywords',
        'Content-Language',
        'Disposition-Notification-To',
      ),
      line,
      { maxKeys: 3 },
    ),
    attachments: fc.array(
      fc.record(
        {
          filename: line,
          content: fc.constant('eA=='),
          content_type: fc.oneof(
            fc.constant('text/plain'),
            line.map((of) => `text/plain; x="${of}"`),
          ),
        },
        { requiredKeys: ['content'] },
      ),
      { maxLength: 2 },
    ),
  },
  { requiredKeys: ['from', 'to', 'subject', 'text'] },
);

/** The request, if it is taken; every refusal is the caller's to read. */
function parsed(fields: object): EmailFields | null {
  try {
    return parseRequest(fields);
  } catch (error) {
    assert.match(toFailure(error).code, /^(request_invalid|field_missing)$/);
    return null;
  }
}

const composed = async (request: EmailFields): Promise<Buffer> =>
  Buffer.from((await compose(request, resolveSender(CONFIG, request.from), STAMP)).bytes);

const expected = (request: EmailFields): Record<string, string[]> => {
  const people: Record<(typeof FIELDS)[number], readonly Address[]> = {
    from: [request.from],
    to: request.to,
    cc: request.cc,
    bcc: request.bcc,
    'reply-to': request.replyTo,
  };
  return Object.fromEntries(
    FIELDS.map((name) => [name, distinctOf(people[name].map((one) => bare(one.address)))]).filter(([, list]) => list?.length),
  );
};
const distinctOf = (list: readonly string[]): string[] =>
  list.filter((one, at) => list.findIndex((other) => other.toLowerCase() === one.toLowerCase()) === at);
/** Python answers a quoted local part without its quotes. */
const bare = (given: string): string => (parseAddress(given)?.address ?? given).replace(/^"([^"]*)"(?=@)/, '$1');

const RUNS = Number(process.env['MAILGRANT_FUZZ'] ?? runs(300, 60));
const seen: { request: EmailFields; bytes: Buffer }[] = [];

test('whatever the words are, a composed email is taken by /v1/raw, and mailparser reads its addresses and no control character', async () => {
  await fc.assert(
    fc.asyncProperty(email, async (fields) => {
      const request = parsed(fields);
      fc.pre(request !== null);
      const bytes = await composed(request);
      seen.push({ request, bytes });
      const raw = parseRawMessage(bytes);
      const lists = { from: [raw.from], to: raw.to, cc: raw.cc, bcc: raw.bcc };
      for (const [name, list] of Object.entries(lists))
        assert.deepEqual(
          list.map((one) => bare(one.address)),
          expected(request)[name] ?? [],
          name,
        );
      const mail = await simpleParser(bytes);
      for (const name of FIELDS) {
        const value = mail.headers.get(name) as AddressObject | undefined;
        const people = value?.value.map((one) => bare(one.address ?? '')) ?? [];
        assert.deepEqual(people, expected(request)[name] ?? [], `${name} as mailparser reads it`);
        assert.ok(!(value?.value ?? []).some((one) => hasControl(one.name)), name);
      }
      assert.ok(!hasControl(mail.subject ?? ''));
      for (const file of mail.attachments) assert.ok(!hasControl(file.filename ?? ''));
      assert.doesNotMatch(bytes.subarray(0, bytes.indexOf('\r\n\r\n')).toString('latin1'), /\r\n[ \t]+(\r\n|$)/);
    }),
    { numRuns: RUNS, ...(!process.env['MAILGRANT_FUZZ'] && { seed: 20_261_124 }) },
  );
  assert.ok(seen.length > RUNS / 3, `${seen.length} emails were composed`);
});

const READ_BY = { python3: 'read.py', php: 'read.php' } as const;
for (const [program, script] of Object.entries(READ_BY))
  test(`${program} reads the same addresses in them, and no control character`, {
    skip: skipUnless(spawnSync(program, ['--version']).status === 0, program),
  }, () => {
    const { stdout, status, stderr } = spawnSync(program, [join(READERS, script)], {
      input: seen.map(({ bytes }) => `${bytes.toString('base64')}\n`).join(''),
      encoding: 'utf8',
      maxBuffer: 1e9,
    });
    assert.equal(status, 0, stderr);
    const answers = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.equal(answers.length, seen.length);
    for (const [index, { error, control, addresses, names, read }] of answers.entries()) {
      const { request, bytes } = seen[index] as (typeof seen)[number];
      const head = bytes.subarray(0, bytes.indexOf('\r\n\r\n')).toString('latin1');
      assert.deepEqual([error, control], [undefined, []], head);
      if (addresses)
        assert.deepEqual(
          Object.fromEntries(FIELDS.filter((name) => addresses[name]).map((name) => [name, addresses[name].map(bare)])),
          expected(request),
          head,
        );
      const own = new Set(raw(head));
      for (const name of [...names, ...(read ?? [])]) assert.ok(own.has(name), `${name} in ${head}`);
    }
  });

/** The names of the headers, by the lines that begin one. */
const raw = (head: string): string[] => head.split('\r\n').flatMap((line) => /^([!-9;-~]+):/.exec(line)?.[1]?.toLowerCase() ?? []);
