/**
 * The requests that cypress-mailpit 2.0.0 (src/MailpitCommands.ts) and pytest-mailpit (client.py, models.py) make, replayed with
 * what they read of the answers: Cypress cannot be installed everywhere, and neither should be needed here.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { Pages } from '../../functions/pages/server.ts';
import { CONFIG, type Laptop, startLaptop } from '../support/stack/laptop.ts';
import { startPagesOf } from '../support/stack/pages-of.ts';

type Json = Record<string, unknown>;

let laptop: Laptop;
let pages: Pages;
before(async () => {
  const keys = CONFIG.keys.map((key) => ({ ...key, from: null }));
  const mailboxes = CONFIG.mailboxes.map((mailbox) => ({ ...mailbox, aliases: ['from@example.com'] })); // whom cypress-mailpit sends as
  laptop = await startLaptop({ config: { ...CONFIG, keys, mailboxes }, google: { aliasesOf: () => ['from@example.com'] } });
  pages = await startPagesOf(laptop);
});
after(async () => {
  await pages[Symbol.asyncDispose]();
  await laptop[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await ask('DELETE', '/api/v1/messages');
});

async function ask(method: string, path: string, body?: unknown) {
  const reply = await fetch(pages.url + path, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  assert.equal(reply.status, 200, `${method} ${path}`); // cy.request and requests' raise_for_status want it
  return reply;
}
const json = async (method: string, path: string, body?: unknown): Promise<Json> => (await ask(method, path, body)).json() as Promise<Json>;
const list = (value: unknown): Json[] => value as Json[];

/** cypress-mailpit's `mailpitSendMail` without options. */
const CYPRESS_MAIL = {
  Attachments: [],
  Bcc: ['bcc@example.com'],
  Cc: [{ Email: 'cc@example.com', Name: 'CC' }],
  From: { Email: 'from@example.com', Name: 'From' },
  HTML: '<p>hello from mailpit</p>',
  Headers: {},
  ReplyTo: [{ Email: 'replyto@example.com', Name: 'ReplyTo' }],
  Subject: 'Hello Mailpit',
  Tags: [],
  Text: 'hello from mailpit',
  To: [{ Email: 'jane@example.com', Name: 'Jane' }],
};

test('cypress-mailpit: send, list, search, read, mark and delete', async () => {
  const { ID } = await json('POST', '/api/v1/send', CYPRESS_MAIL);
  assert.equal(typeof ID, 'string');
  const all = await json('GET', '/api/v1/messages?start=0&limit=50');
  assert.deepEqual([all['messages_count'], list(all['messages'])[0]?.['ID']], [1, ID]);
  for (const query of ['subject:Hello%20Mailpit', 'to:jane@example.com'])
    assert.equal((await json('GET', `/api/v1/search?query=${query}&start=0&limit=50`))['messages_count'], 1, query);
  assert.equal((await json('GET', '/api/v1/search?query=to%3Anobody%40example.com&start=0&limit=50'))['messages_count'], 0);
  const message = await json('GET', '/api/v1/message/latest');
  assert.deepEqual(
    [
      message['Subject'],
      list(message['To']).map(({ Address }) => Address),
      (message['From'] as Json)['Address'],
      list(message['Attachments']).map(({ FileName }) => FileName),
    ],
    ['Hello Mailpit', ['jane@example.com'], 'from@example.com', []],
  );
  assert.match(await (await ask('GET', `/view/${ID}.html`)).text(), /^<p>hello from mailpit<\/p>\s*$/);
  assert.match(await (await ask('GET', `/view/${ID}.txt`)).text(), /^hello from mailpit\s*$/);
  for (const [IDs, Read, unread] of [
    [[], true, 0],
    [[ID], false, 1],
    [[ID], true, 0],
    [[], false, 1],
  ] as const) {
    assert.equal(await (await ask('PUT', '/api/v1/messages', { IDs, Read })).text(), 'ok');
    assert.equal((await json('GET', '/api/v1/messages?start=0&limit=50'))['unread'], unread);
  }
  await ask('DELETE', '/api/v1/search?query=subject%3AHello');
  assert.equal((await json('GET', '/api/v1/messages?start=0&limit=50'))['total'], 0);
});

test('pytest-mailpit: ready, search page by page, get, parts, checks, mark and delete', async () => {
  await ask('GET', '/readyz');
  assert.ok((await ask('GET', '/livez')).headers.get('date')); // its clock for `since`
  for (const n of [1, 2, 3])
    await json('POST', '/api/v1/send', { ...CYPRESS_MAIL, Subject: `Number ${n}`, Attachments: [{ Filename: 'a.txt', Content: 'YQ==' }] });
  const query = encodeURIComponent('addressed:"jane@example.com" subject:"Number"');
  const found: Json[] = [];
  for (let start = 0; ; ) {
    const page = await json('GET', `/api/v1/search?query=${query}&start=${start}&limit=2`);
    found.push(...list(page['messages']));
    start += list(page['messages']).length;
    if (start >= Number(page['messages_count']) || list(page['messages']).length === 0) break;
  }
  assert.deepEqual(
    found.map(({ Subject }) => Subject),
    ['Number 3', 'Number 2', 'Number 1'],
  );
  for (const one of found) {
    for (const name of ['ID', 'MessageID', 'Subject', 'Snippet', 'Created']) assert.equal(typeof one[name], 'string', name);
    for (const name of ['To', 'Cc', 'Bcc', 'ReplyTo', 'Tags']) assert.ok(Array.isArray(one[name]), name);
    assert.match(String(one['Created']), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/); // datetime.fromisoformat reads it
    assert.equal(typeof one['Read'], 'boolean');
  }
  const message = await json('GET', `/api/v1/message/${String(found[0]?.['ID'])}`);
  assert.match(String(message['Date']), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assert.deepEqual(Object.keys(message['ListUnsubscribe'] as Json).sort(), ['Errors', 'Header', 'HeaderPost', 'Links']);
  const [file] = list(message['Attachments']);
  const part = await ask('GET', `/api/v1/message/${String(message['ID'])}/part/${String(file?.['PartID'])}`);
  assert.equal(await part.text(), 'a');
  assert.match(String((file?.['Checksums'] as Json | undefined)?.['SHA256']), /^[0-9a-f]{64}$/);
  const headers = await json('GET', `/api/v1/message/${String(message['ID'])}/headers`);
  assert.deepEqual(headers['Subject'], ['Number 3']);
  await ask('GET', `/api/v1/message/${String(message['ID'])}/raw`);
  const check = await json('GET', `/api/v1/message/${String(message['ID'])}/html-check`);
  assert.deepEqual(Object.keys(check).sort(), ['Platforms', 'Total', 'Warnings']);
  const links = await json('GET', `/api/v1/message/${String(message['ID'])}/link-check?follow=true`);
  assert.deepEqual(links, { Errors: 0, Links: [] });
  const info = await json('GET', '/api/v1/info');
  assert.deepEqual([info['Messages'], typeof info['Version']], [3, 'string']);
  await ask('PUT', '/api/v1/messages', { IDs: [found[0]?.['ID']], Read: true });
  await ask('DELETE', '/api/v1/messages', { IDs: [found[0]?.['ID']] });
  await ask('DELETE', `/api/v1/search?query=${query}`);
  assert.equal((await json('GET', '/api/v1/messages?start=0&limit=50'))['total'], 0);
  assert.equal(laptop.google.mails.count(), 0);
});
