/** `template: {id, variables}` of Resend's API: files of config/templates by name. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { simpleParser } from 'mailparser';
import { withTemplate } from '../../../functions/trigger/http/email-template.ts';
import { resendApi } from '../../../functions/trigger/http/resend-api.ts';
import { authorised, type Laptop, MAIL, post, serveOn, startLaptop } from '../../support/stack/laptop.ts';
import { routed } from '../../support/stack/routes.ts';

const FILES = {
  'welcome.hbs': '---\nsubject: Hello {{event.name}}\n---\n<p>Welcome, {{event.name}}.</p>\n',
  'welcome.txt.hbs': 'Welcome, {{event.name}}.\n',
  'second.hbs': '---\nsubject: Hello {{event.name}}\n---\n<p>Second</p>\n',
};
const ROUTE = { topic: 'events', from: MAIL.from, to: [MAIL.to], template: 'welcome' };
const { subject: _, text: __, ...PEOPLE } = MAIL;
const TEMPLATE = { id: 'welcome', variables: { name: 'A & B' } };

let laptop: Laptop;
before(async () => {
  const { config, settings } = routed({ welcomes: ROUTE, seconds: { ...ROUTE, template: 'second' } }, FILES);
  laptop = await startLaptop({ config, settings });
});
after(() => laptop[Symbol.asyncDispose]());

/** A server that ends with its test, also with one that fails. */
const closing = (server: { url: string; close(): void }) => Object.assign(server, { [Symbol.asyncDispose]: async () => server.close() });
const parsed = async (index = 0) => simpleParser(laptop.google.mails.list()[index]?.raw ?? '');

test('a template gives subject, html and text', async () => {
  laptop.google.mails.clear();
  const { status } = await post(`${laptop.api}/emails`, { ...PEOPLE, template: TEMPLATE }, authorised);
  const { subject, html, text } = await parsed();
  assert.deepEqual(
    [status, subject, String(html).trim(), text?.trim()],
    [200, 'Hello A & B', '<p>Welcome, A &amp; B.</p>', 'Welcome, A & B.'],
  );
});

test('the subject of the request stands in place of the template’s, and each email of a batch has its own template', async () => {
  laptop.google.mails.clear();
  const emails = [{ ...PEOPLE, subject: 'Mine', template: TEMPLATE }, MAIL];
  const { status } = await post(`${laptop.api}/emails/batch`, emails, authorised);
  const subjects = await Promise.all([0, 1].map(async (index) => (await parsed(index)).subject));
  assert.deepEqual([status, new Set(subjects)], [200, new Set(['Mine', MAIL.subject])]);
});

const WRONG: readonly { name: string; change: object; says: RegExp }[] = [
  { name: 'an unknown name', change: { template: { id: 'canary' } }, says: /^Invalid `template\.id` field: there is no such file/ },
  { name: 'a name of every object', change: { template: { id: 'constructor' } }, says: /`template\.id`/ },
  { name: 'no name', change: { template: { variables: {} } }, says: /`template\.id`/ },
  { name: 'a text', change: { template: 'welcome' }, says: /`template\.id`/ },
  { name: 'a list', change: { template: [TEMPLATE] }, says: /`template\.id`/ },
  { name: 'a variable that is missing', change: { template: { id: 'welcome' } }, says: /`template\.variables` field: .*event\.name/ },
  { name: 'variables in a list', change: { template: { ...TEMPLATE, variables: ['x'] } }, says: /`template\.variables`/ },
  { name: 'another field', change: { template: { ...TEMPLATE, version: 2 } }, says: /`template\.version`/ },
  { name: 'html beside it', change: { template: TEMPLATE, html: '<p>x</p>' }, says: /^Invalid `html` field: it comes from `template`/ },
  { name: 'text beside it', change: { template: TEMPLATE, text: 'x' }, says: /`text` field: it comes from `template`/ },
  { name: 'other problems too', change: { template: { id: 'x' }, to: 'nobody', topic_id: 't' }, says: /`template\.id`.*`topic_id`.*`to`/ },
];

for (const { name, change, says } of WRONG)
  test(`a template with ${name} is refused by the name of the field`, async () => {
    laptop.google.mails.clear();
    const { status, body } = await post(`${laptop.api}/emails`, { ...PEOPLE, ...change }, authorised);
    assert.deepEqual([status, body?.['name'], laptop.google.mails.list().length], [422, 'validation_error', 0]);
    assert.match(String(body?.['message']), says);
    const batch = await post(`${laptop.api}/emails/batch`, [MAIL, { ...PEOPLE, ...change }], authorised);
    assert.deepEqual([batch.status, laptop.google.mails.list().length], [422, 0]);
    assert.match(String(batch.body?.['message']), /^Email 1: /);
  });

test('a template that changes between two tries is the same email; other variables are another one', async () => {
  const edition = (words: string) =>
    routed({ welcomes: ROUTE }, { 'welcome.hbs': `---\nsubject: Hello {{event.name}}\n---\n<p>${words}</p>\n` });
  const { config, settings } = edition('first');
  for (const path of ['/emails', '/emails/batch']) {
    await using one = await startLaptop({ config, settings });
    await using server = closing(await serveOn(resendApi({ ...one.edge, ...edition('second').settings }, () => {})));
    const asked = { ...PEOPLE, template: TEMPLATE };
    const other = { ...PEOPLE, template: { ...TEMPLATE, variables: { name: 'C' } } };
    const headers = { ...authorised, 'idempotency-key': 'welcome-1' };
    const send = (url: string, email: object) => post(url + path, path === '/emails' ? email : [email], headers);
    const before = await send(one.api, asked);
    const after = await send(server.url, asked);
    const changed = await send(server.url, other);
    assert.deepEqual([before.status, after.status, after.body, one.google.mails.count()], [200, 200, before.body, 1]);
    assert.deepEqual([changed.status, changed.body?.['name']], [409, 'invalid_idempotent_request']);
  }
});

const FILE = { filename: 'a.csv', content: Buffer.from('canary-a').toString('base64') };
const ORDERED = { name: 'C', order: { id: 1, items: [{ a: 1, b: 2 }, 'x'] } };
const asks = (variables: object, change: object = {}) => ({
  ...PEOPLE,
  attachments: [FILE],
  template: { id: 'welcome', variables },
  ...change,
});
const ASKED = asks(ORDERED);
const REWRITTEN: Readonly<Record<string, object>> = {
  'in another order': Object.fromEntries(Object.entries(asks(ORDERED, { template: { variables: ORDERED, id: 'welcome' } })).reverse()),
  'with its variables in another order': asks({ order: { items: [{ b: 2, a: 1 }, 'x'], id: 1 }, name: 'C' }),
  'with fields that are null or empty': { ...ASKED, cc: null, bcc: [], subject: '', headers: {}, html: null },
  'with one recipient in a list': { ...ASKED, to: [MAIL.to] },
  'with other tags': { ...ASKED, tags: [{ name: 'a', value: 'b' }] },
};
const OTHER: Readonly<Record<string, object>> = {
  'another variable': asks({ ...ORDERED, name: 'D' }),
  'a list in another order': asks({ ...ORDERED, order: { id: 1, items: ['x', { a: 1, b: 2 }] } }),
  'a variable more': asks({ ...ORDERED, more: null }),
  'another template': asks(ORDERED, { template: { id: 'second', variables: ORDERED } }),
  'a subject': { ...ASKED, subject: 'x' },
  'another file': { ...ASKED, attachments: [{ ...FILE, content: Buffer.from('canary-b').toString('base64') }] },
  'one recipient more': { ...ASKED, cc: ['cc@example.net'] },
};
for (const [rows, same] of [
  [REWRITTEN, true],
  [OTHER, false],
] as const)
  for (const [name, email] of Object.entries(rows))
    test(`under one key, the request ${same ? `written ${name} is the same email` : `with ${name} is another one`}`, async () => {
      const headers = { ...authorised, 'idempotency-key': `rows/${name}` };
      const first = await post(`${laptop.api}/emails`, ASKED, headers);
      const again = await post(`${laptop.api}/emails`, email, headers);
      assert.deepEqual([first.status, again.status], [200, same ? 200 : 409]);
      assert.equal(again.body?.[same ? 'id' : 'name'], same ? first.body?.['id'] : 'invalid_idempotent_request');
    });

test('a file that was decoded while it arrived is never written as text again', async () => {
  const content = Object.assign(Buffer.from('canary'), { toJSON: () => assert.fail('written as text') });
  const body = { ...PEOPLE, attachments: [{ filename: 'a', content }], template: TEMPLATE };
  const { requestHash } = await withTemplate(body, laptop.edge, false);
  assert.match(String(requestHash), /^\S{40,}$/);
});

test('a time in words is no problem of a request whose template is wrong', async () => {
  const body = { ...PEOPLE, template: { id: 'canary' }, scheduled_at: 'the day after tomorrow at noon' };
  await assert.rejects(withTemplate(body, laptop.edge, true), { code: 'request_invalid', message: /^(?!.*scheduled_at).*`template\.id`/ });
});
