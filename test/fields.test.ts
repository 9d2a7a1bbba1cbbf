/** docs/fields.md, held against the code: every field it names is read, and every field that is read is named in it. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { ATTACHMENT_ADVICE, ATTACHMENT_FIELDS } from '../functions/mail/message/attachments.ts';
import { EMAIL_ADVICE, EMAIL_FIELDS, parseRequest } from '../functions/mail/message/email.ts';
import { REFUSED_HEADERS } from '../functions/mail/message/headers.ts';
import { MESSAGE_FIELDS, mailInDocument } from '../functions/trigger/documents/document-email.ts';
import { FIELD_ROWS } from './support/field-rows.ts';

const PAGE = new URL('../docs/fields.md', import.meta.url);
const VALID = { from: 'notices@example.com', to: 'you@example.net', subject: 'Hi', text: 'there' };
const DOCUMENT = { to: 'you@example.net', message: { subject: 'Hi', text: 'there' } };

/** A value whose fields note that they were read. */
function watched<T extends object>(value: T): { readonly value: T; readonly read: Set<string> } {
  const read = new Set<string>();
  const note = (target: T, name: string | symbol): unknown => {
    read.add(String(name));
    return Reflect.get(target, name);
  };
  return { value: new Proxy(value, { get: note }), read };
}

const code = (names: readonly string[]): string => (names.length === 0 ? '–' : names.map((name) => `\`${name}\``).join(', '));
const told = (advice: Readonly<Record<string, string>>): string[] =>
  Object.entries(advice).map(([name, text]) => `| \`${name}\` | ${text} |`);
const table = [
  '| what | `POST /emails`, batch, Pub/Sub | a document | a finished message (`/v1/raw`, SMTP) | |',
  '|---|---|---|---|---|',
  ...FIELD_ROWS.map(
    ({ what, emails, documents, finished, note = '' }) =>
      `| ${what} | ${code(Object.keys(emails))} | ${code(Object.keys(documents))} | ${finished} | ${note} |`,
  ),
];
const PARTS: Readonly<Record<string, readonly string[]>> = {
  fields: table,
  files: [`A file of \`POST /emails\` has ${code(ATTACHMENT_FIELDS)}.`],
  refused: [
    '| field | in its place |',
    '|---|---|',
    ...told(EMAIL_ADVICE),
    ...told(Object.fromEntries(Object.entries(ATTACHMENT_ADVICE).map(([name, text]) => [`attachments[].${name}`, text]))),
  ],
  headers: ['| header | why |', '|---|---|', ...REFUSED_HEADERS.map(([names, why]) => `| ${names} | ${why} |`)],
};

test('the page has the tables that the code comes to', () => {
  let page = readFileSync(PAGE, 'utf8');
  for (const [name, lines] of Object.entries(PARTS))
    page = page.replace(
      new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(<!-- /${name} -->)`),
      (_, begin, end) => `${begin}${lines.join('\n')}\n${end}`,
    );
  if (process.env['MAILGRANT_WRITE'] === '1') writeFileSync(PAGE, page);
  assert.equal(readFileSync(PAGE, 'utf8'), page);
  for (const name of Object.keys(PARTS)) assert.ok(page.includes(`<!-- ${name} -->`), name);
});

test('every field of POST /emails is in a row, and read', () => {
  assert.deepEqual(new Set(FIELD_ROWS.flatMap(({ emails }) => Object.keys(emails))), new Set(EMAIL_FIELDS));
  const { value, read } = watched({ ...VALID });
  parseRequest(value, [], true);
  for (const name of EMAIL_FIELDS) assert.ok(read.has(name), name);
  const known: readonly string[] = [...EMAIL_FIELDS, ...Object.keys(EMAIL_ADVICE), 'template', 'topic_id'];
  assert.deepEqual(
    [...read].filter((name) => !known.includes(name)),
    [],
    'a field is read that the page does not know',
  );
});

test('every field of a file is read', () => {
  const { value, read } = watched({ filename: 'a', content: 'eA==' });
  parseRequest({ ...VALID, attachments: [value] });
  const known: readonly string[] = [...ATTACHMENT_FIELDS, ...Object.keys(ATTACHMENT_ADVICE)];
  assert.deepEqual(
    [...read].filter((name) => !known.includes(name)),
    [],
  );
  for (const name of ATTACHMENT_FIELDS) assert.ok(read.has(name), name);
});

for (const { what, emails } of FIELD_ROWS)
  for (const [name, value] of Object.entries(emails))
    test(`${what}: \`${name}\` of POST /emails makes another email`, () =>
      assert.notDeepEqual(parseRequest({ ...VALID, [name]: value }, [], true), parseRequest(VALID, [], true)));

const CONFIG = { collection: 'mail', database: '(default)', from: ['notices@example.com', 'no-reply@example.com'] };
const rendered = async () => ({ subject: 'rendered', html: '<p>rendered</p>' });
const inDocument = (fields: Record<string, unknown>): Promise<unknown> => mailInDocument(fields, CONFIG, rendered);

for (const { what, documents } of FIELD_ROWS)
  for (const [path, value] of Object.entries(documents))
    if (!/Uids$|^template\.data$|attachDataUrls$/.test(path))
      test(`${what}: \`${path}\` of a document makes another email`, async () => {
        const [field = '', inner] = path.split('.');
        const beside = field === 'template' && inner !== 'name' ? { name: 'welcome' } : field === 'message' ? DOCUMENT.message : {};
        const base = field === 'template' && inner !== 'name' ? { ...DOCUMENT, template: beside } : DOCUMENT;
        const changed = { ...base, [field]: inner === undefined ? value : { ...beside, [inner]: value } };
        assert.notDeepEqual(await inDocument(changed), await inDocument(base));
      });

test('every field of a message of a document is in a row', () =>
  assert.deepEqual(
    new Set(FIELD_ROWS.flatMap(({ documents }) => Object.keys(documents).flatMap((path) => /^message\.(\w+)$/.exec(path)?.[1] ?? []))),
    new Set(MESSAGE_FIELDS),
  ));
