/** `template: {id, variables}` of Resend's API: files of config/templates by name. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { simpleParser } from 'mailparser';
import { resendApi } from '../../../functions/trigger/http/resend-api.ts';
import { authorised, type Laptop, MAIL, post, serveOn, startLaptop } from '../../support/stack/laptop.ts';
import { routed } from '../../support/stack/routes.ts';

const FILES = {
  'welcome.hbs': '---\nsubject: Hello {{event.name}}\n---\n<p>Welcome, {{event.name}}.</p>\n',
  'welcome.txt.hbs': 'Welcome, {{event.name}}.\n',
};
const ROUTE = { topic: 'events', from: MAIL.from, to: [MAIL.to], template: 'welcome' };
const { subject: _, text: __, ...PEOPLE } = MAIL;
const TEMPLATE = { id: 'welcome', variables: { name: 'A & B' } };

let laptop: Laptop;
before(async () => {
  const { config, settings } = routed({ welcomes: ROUTE }, FILES);
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
