/** The inbox's API by the client that others use for Mailpit, unchanged: the package mailpit-api. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { MailpitClient } from 'mailpit-api';
import type { Pages } from '../../functions/pages/server.ts';
import { ALIAS, authorised, KEY, type Laptop, MAIL, MAILBOX, post, startLaptop } from '../support/stack/laptop.ts';
import { startPagesOf } from '../support/stack/pages-of.ts';

let laptop: Laptop;
let pages: Pages;
let mailpit: MailpitClient;
before(async () => {
  laptop = await startLaptop();
  pages = await startPagesOf(laptop);
  mailpit = new MailpitClient(pages.url);
});
after(async () => {
  await pages[Symbol.asyncDispose]();
  await laptop[Symbol.asyncDispose]();
});
beforeEach(() => mailpit.deleteMessages());

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const send = (change: object = {}) => post(`${laptop.api}/emails`, { ...MAIL, ...change }, authorised);
const subjects = (list: { messages: { Subject: string }[] }): string[] => list.messages.map(({ Subject }) => Subject);

test('a message is listed and read as it was sent, and reading marks it as read', async () => {
  await send({
    subject: 'Grüße',
    from: `Shop <${MAILBOX}>`,
    to: ['"Doe, Ann" <ann@example.net>'],
    cc: ['cc@example.net'],
    bcc: ['bcc@example.net'],
    reply_to: 'answers@example.net',
    html: '<p>Hi <img src="cid:dot"></p>',
    attachments: [
      { filename: 'übersicht.txt', content: btoa('Inhalt') },
      { filename: 'dot.png', content: PIXEL, content_id: 'dot', content_type: 'image/png' },
    ],
    headers: { 'List-Unsubscribe': '<https://example.net/u>, <mailto:u@example.net>' },
  });
  const list = await mailpit.listMessages();
  assert.deepEqual([list.total, list.unread, list.messages_count, list.messages.length], [1, 1, 1, 1]);
  const [item] = list.messages;
  assert.deepEqual([item?.Read, item?.Attachments, item?.Snippet, item?.Username], [false, 1, 'canary-body', MAILBOX]);
  assert.ok(!Number.isNaN(Date.parse(item?.Created ?? '')));
  const message = await mailpit.getMessageSummary();
  assert.deepEqual(
    [message.ID, message.Subject, message.From, message.To, message.Cc, message.Bcc, message.ReplyTo],
    [
      item?.ID,
      'Grüße',
      { Name: 'Shop', Address: MAILBOX },
      [{ Name: 'Doe, Ann', Address: 'ann@example.net' }],
      [{ Name: '', Address: 'cc@example.net' }],
      [{ Name: '', Address: 'bcc@example.net' }],
      [{ Name: '', Address: 'answers@example.net' }],
    ],
  );
  assert.match(message.Text, /^canary-body/);
  assert.match(message.HTML, /<img src="cid:dot">/);
  assert.deepEqual(message.ListUnsubscribe.Links, ['https://example.net/u', 'mailto:u@example.net']);
  assert.deepEqual([message.Attachments.length, message.Inline.length], [1, 1]);
  const [file] = message.Attachments;
  assert.deepEqual([file?.FileName, file?.Size], ['übersicht.txt', 6]);
  const blob = await mailpit.getMessageAttachment(message.ID, file?.PartID ?? '');
  assert.equal(await blob.text(), 'Inhalt');
  const picture = await mailpit.getMessageAttachment(message.ID, message.Inline[0]?.PartID ?? '');
  assert.deepEqual([picture.type, Buffer.from(await picture.arrayBuffer()).toString('base64')], ['image/png', PIXEL]);
  assert.equal((await mailpit.listMessages()).messages[0]?.Read, true);
  assert.equal((await mailpit.listMessages()).unread, 0);
});

test('headers and source are those that Gmail got', async () => {
  await send({ headers: { 'X-Order': '7' } });
  const headers = await mailpit.getMessageHeaders();
  assert.deepEqual([headers['X-Order'], headers['Subject']?.length], [['7'], 1]);
  assert.match(await mailpit.getMessageSource(), /^X-Order: 7\r$/m);
  assert.equal(await mailpit.getMessageSource(), laptop.google.mails.list()[0]?.raw.toString());
});

test('an html email without a text part has no text', async () => {
  const raw = `From: ${MAILBOX}\r\nTo: ann@example.net\r\nSubject: only html\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n<p>Hello <b>you</b></p>\r\n`;
  await fetch(`${laptop.api}/v1/raw`, { method: 'POST', headers: { ...authorised, 'content-type': 'message/rfc822' }, body: raw });
  const { Text, HTML } = await mailpit.getMessageSummary();
  assert.deepEqual([Text, HTML.trim()], ['', '<p>Hello <b>you</b></p>']);
  assert.deepEqual(subjects(await mailpit.searchMessages({ query: '"hello you"' })), ['only html']);
  assert.equal((await mailpit.listMessages()).messages[0]?.Snippet, 'Hello you');
});

const SEARCHES: readonly (readonly [query: string, found: string])[] = [
  ['to:ann', 'a'],
  ['to:ANN@example.net', 'a'],
  ['to:"Ann Doe"', 'a'],
  ['from:no-reply', 'b'],
  ['subject:"order b"', 'b'],
  ['cc:carl', 'c'],
  ['bcc:bea', 'c'],
  ['reply-to:answers', 'c'],
  ['addressed:carl', 'c'],
  ['invoice', 'b'],
  ['"INVOICE no 7"', 'b'],
  ['-invoice', 'ca'],
  ['!to:ann', 'cb'],
  ['has:attachment', 'b'],
  ['-has:attachments', 'ca'],
  ['is:unread', 'cba'],
  ['is:read', ''],
  ['tag:urgent', 'a'],
  ['is:tagged', 'a'],
  ['-is:tagged', 'cb'],
  ['after:2020-01-01', 'cba'],
  ['before:2020-01-01', ''],
  ['before:"2020-01-01 10:00" order', ''],
  ['larger:1MB', ''],
  ['smaller:1mb order', 'cba'],
  ['ünïcode', 'c'],
  ['100%', 'a'],
  ['order_a', ''],
  ['to: order', 'cba'],
  ["' OR 1=1 --", ''],
];
test('a search finds what Mailpit would find', async () => {
  await send({ subject: 'Order A', to: 'Ann Doe <ann@example.net>', text: 'for 100% of you', headers: { 'X-Tags': 'urgent, sale' } });
  await send({ subject: 'Order B', from: ALIAS, text: 'Invoice\nno 7', attachments: [{ filename: 'x.txt', content: 'YQ==' }] });
  await send({ subject: 'Order C', cc: 'carl@example.net', bcc: 'bea@example.net', reply_to: 'answers@example.net', text: 'ÜNÏCODE' });
  for (const [query, found] of SEARCHES) {
    const list = await mailpit.searchMessages({ query });
    assert.deepEqual([query, subjects(list).map((one) => one.at(-1)?.toLowerCase())], [query, [...found]]);
    assert.deepEqual([list.messages_count, list.total], [found.length, 3], query);
  }
  const page = await mailpit.searchMessages({ query: 'order', start: 1, limit: 1 });
  assert.deepEqual([subjects(page), page.messages_count, page.start], [['Order B'], 3, 1]);
});

test('one, some and all are deleted; an id is never given again', async () => {
  for (const subject of ['1', '2', '3', '4']) await send({ subject });
  const [newest, ...others] = (await mailpit.listMessages()).messages.map(({ ID }) => ID);
  await mailpit.deleteMessages({ IDs: [newest ?? ''] });
  await mailpit.deleteMessagesBySearch({ query: 'subject:1' });
  assert.deepEqual(subjects(await mailpit.listMessages()), ['3', '2']);
  await assert.rejects(mailpit.getMessageSummary(newest), /404/);
  await send({ subject: '5' });
  assert.ok(![newest, ...others].includes((await mailpit.listMessages()).messages[0]?.ID));
  await mailpit.deleteMessages();
  assert.equal((await mailpit.listMessages()).total, 0);
  assert.equal(laptop.google.mails.count(), 0);
});

test('read and unread: some, those of a search, all', async () => {
  for (const subject of ['1', '2', '3']) await send({ subject });
  const ids = (await mailpit.listMessages()).messages.map(({ ID }) => ID);
  const unread = async () => subjects(await mailpit.searchMessages({ query: 'is:unread' }));
  await mailpit.setReadStatus({ IDs: [ids[0] ?? ''], Read: true });
  assert.deepEqual(await unread(), ['2', '1']);
  await mailpit.setReadStatus({ Search: 'subject:2', Read: true });
  assert.deepEqual(await unread(), ['1']);
  await mailpit.setReadStatus({ Read: true });
  assert.deepEqual(await unread(), []);
  await mailpit.setReadStatus();
  assert.deepEqual((await mailpit.getInfo()).Unread, 3);
  await assert.rejects(mailpit.setReadStatus({ IDs: ids, Search: 'x', Read: true }), /400/);
});

test('tags: set, renamed, deleted, and gone with their message', async () => {
  for (const subject of ['1', '2']) await send({ subject });
  const ids = (await mailpit.listMessages()).messages.map(({ ID }) => ID);
  await mailpit.setTags({ IDs: ids, Tags: ['Invoice', 'new'] });
  assert.deepEqual(await mailpit.getTags(), ['Invoice', 'new']);
  assert.deepEqual((await mailpit.getInfo()).Tags, { Invoice: 2, new: 2 });
  await mailpit.renameTag('Invoice', 'bill');
  assert.deepEqual((await mailpit.getMessageSummary()).Tags, ['bill', 'new']);
  await mailpit.deleteTag('new');
  await mailpit.setTags({ IDs: [ids[0] ?? ''], Tags: [] });
  assert.deepEqual([await mailpit.getTags(), (await mailpit.getMessageSummary(ids[1])).Tags], [['bill'], ['bill']]);
  await mailpit.deleteMessages({ IDs: [ids[1] ?? ''] });
  assert.deepEqual(await mailpit.getTags(), []);
  await assert.rejects(mailpit.setTags({ IDs: ids, Tags: ['a;b'] }), /400/);
});

test('a message that is waited for is found when it comes; nothing that comes is a time-out', async () => {
  const waiting = mailpit.waitForMessage({ query: 'to:late@example.net' }, { timeout: 300_000, interval: 50 });
  await send({ to: 'late@example.net', subject: 'here' });
  assert.equal((await waiting).Subject, 'here');
  await assert.rejects(mailpit.waitForMessage({ query: 'to:nobody@example.net' }, { timeout: 200, interval: 50 }));
});

test('what is sent by it goes through the api, as from any app', async () => {
  const { ID } = await mailpit.sendMessage({
    From: { Email: MAILBOX, Name: 'Shop "A"' },
    To: [{ Email: 'ann@example.net', Name: 'Ann' }],
    Bcc: ['bcc@example.net'],
    Subject: 'by send',
    HTML: '<p>Hi</p>',
    Text: 'Hi',
    Tags: ['one', 'two'],
    Attachments: [{ Content: 'YQ==', Filename: 'a.txt', ContentType: 'text/plain' }],
  });
  const message = await mailpit.getMessageSummary(ID);
  assert.deepEqual(
    [message.Subject, message.From.Name, message.Tags, message.Attachments.length],
    ['by send', 'Shop "A"', ['one', 'two'], 1],
  );
  await assert.rejects(mailpit.sendMessage({ From: { Email: 'not@allowed.example' }, To: [{ Email: 'a@example.net' }] }), /400/);
});

test('html and links are checked, without a request to anybody', async () => {
  await send({
    html: `<style>p { position: fixed }</style><p><a href="https://shop.example/?a=1&amp;b=2">Shop</a> <a href="${pages.url}/livez">here</a> <a href="${pages.url}/nothing">gone</a></p>`,
    text: 'See https://docs.example/x.',
  });
  const links = await mailpit.linkCheck();
  assert.deepEqual(
    links.Links.map(({ URL, StatusCode }) => [URL, StatusCode]),
    [
      ['https://shop.example/?a=1&b=2', 0],
      [`${pages.url}/livez`, 200],
      [`${pages.url}/nothing`, 404],
      ['https://docs.example/x', 0],
    ],
  );
  assert.equal(links.Errors, 1);
  const check = await mailpit.htmlCheck();
  assert.ok(check.Warnings.some(({ Title, Score }) => /position/i.test(Title) && Score.Unsupported > 0));
  assert.ok(check.Total.Tests > 0 && check.Total.Nodes > 0);
});

test('bodies alone, as a browser test opens them', async () => {
  await send({ html: '<meta charset="utf-8"><p>Hi</p>' });
  assert.equal((await mailpit.renderMessageHTML()).trim(), '<meta charset="utf-8"><p>Hi</p>');
  assert.match(await mailpit.renderMessageText(), /^canary-body/);
});

test('about the server', async () => {
  const info = await mailpit.getInfo();
  assert.deepEqual([info.Messages, info.Unread, info.Tags, typeof info.Version], [0, 0, {}, 'string']);
  const { SpamAssassin, ChaosEnabled, MessageRelay } = await mailpit.getConfiguration();
  assert.deepEqual([SpamAssassin, ChaosEnabled, MessageRelay.Enabled], [false, false, false]);
});

const REFUSED: readonly (readonly [method: string, path: string, status: number, body?: string])[] = [
  ['GET', '/api/v1/search', 400],
  ['DELETE', '/api/v1/search', 400],
  ['GET', '/api/v1/message/none', 404],
  ['GET', '/api/v1/message/latest', 404],
  ['GET', '/api/v1/message/latest/sa-check', 404],
  ['POST', '/api/v1/message/latest/release', 400, '{}'],
  ['GET', '/api/v1/chaos', 400],
  ['PUT', '/api/v1/messages', 400, 'no json'],
  ['PUT', '/api/v1/tags', 400, '[]'],
  ['PUT', '/api/v1/tags/x', 400, '{"Name":""}'],
  ['POST', '/api/v1/send', 400, 'no json'],
  ['GET', '/api/v1/wait?timeout=x', 400],
  ['GET', '/api/v1/wait?count=0', 400],
  ['GET', '/api/v1/wait?timeout=0', 408],
  ['GET', '/api/v1/nothing', 404],
  ['GET', '/view/none.html', 404],
  ['POST', '/api/v1/info', 404],
];
for (const [method, path, status, body] of REFUSED)
  test(`${method} ${path} is answered by ${status}`, async () =>
    assert.equal((await fetch(pages.url + path, { method, ...(body !== undefined && { body }) })).status, status));

test('another page may not read it, search it or delete by it', async () => {
  await send();
  for (const [method, path] of [
    ['GET', '/api/v1/messages'],
    ['GET', '/api/v1/message/latest'],
    ['DELETE', '/api/v1/messages'],
    ['POST', '/api/v1/send'],
    ['GET', '/view/latest.html'],
  ] as const) {
    const reply = await fetch(pages.url + path, { method, headers: { origin: 'https://example.org' } });
    assert.equal(reply.status, 403, path);
  }
  assert.equal(laptop.google.mails.count(), 1);
});

test('the key of the laptop is in no answer', async () => {
  await send();
  for (const path of ['info', 'webui', 'messages', 'message/latest', 'message/latest/headers'])
    assert.ok(!(await (await fetch(`${pages.url}/api/v1/${path}`)).text()).includes(KEY), path);
});
