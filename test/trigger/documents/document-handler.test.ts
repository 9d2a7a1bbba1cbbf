import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { simpleParser } from 'mailparser';
import type { Config, DocumentsConfig } from '../../../functions/mail/model/config.ts';
import { createLog } from '../../../functions/runtime/log.ts';
import { documentEvents } from '../../../functions/trigger/documents/document-handler.ts';
import { appAt, documentHeaders, nameOf } from '../../support/stack/documents.ts';
import { ALIAS, CONFIG, type Laptop, MAILBOX, PROJECT, post, serveOn, startLaptop, startQueued } from '../../support/stack/laptop.ts';
import { compileTexts } from '../../support/stack/routes.ts';

const DOCUMENTS: DocumentsConfig = { collection: 'mail', database: '(default)', from: [MAILBOX, ALIAS] };

/** Templates as the build compiles them for documents. */
const ROUTES = `data:text/javascript,${encodeURIComponent(
  compileTexts({}, { 'welcome.hbs': '---\nsubject: Welcome, {{event.name}}\n---\n<p>Hello {{event.name}}.</p>\n' }, { all: true }).module,
)}`;

async function start(change: Partial<DocumentsConfig> = {}, config: Partial<Config> = {}, queued: { now?: () => number } | null = null) {
  const options = { config: { ...CONFIG, ...config, documents: { ...DOCUMENTS, ...change } } };
  const laptop = await (queued ? startQueued({ ...options, ...queued, delivery: 'direct' }) : startLaptop(options));
  const log = createLog((line) => laptop.lines.push(JSON.parse(line)));
  const documents = () => appAt(laptop.google.url, laptop.google).documents;
  const server = await serveOn(documentEvents({ ...laptop.edge, documents, routesFile: ROUTES }, log));
  const app = appAt(laptop.google.url, laptop.google);
  const tell = async (
    path: string,
    headers: Record<string, string> = {},
    body: string | Uint8Array<ArrayBuffer> = 'not even protobuf',
  ): Promise<number> => (await fetch(`${server.url}/documents`, { method: 'POST', headers: documentHeaders(path, headers), body })).status;
  return {
    ...laptop,
    app,
    tell,
    /** Writes a document and delivers the event of it. */
    async write(path: string, fields: Record<string, unknown>): Promise<number> {
      await app.put(path, fields);
      return tell(path);
    },
    async [Symbol.asyncDispose]() {
      server.close();
      await laptop[Symbol.asyncDispose]();
    },
  };
}

let own: Awaited<ReturnType<typeof start>>;
before(async () => {
  own = await start();
});
after(() => own[Symbol.asyncDispose]());

let count = 0;
const fresh = (): string => `mail/doc-${++count}`;
const MESSAGE = { subject: 'Grüße canary-subject', text: 'canary-body' };
const sent = (laptop: Pick<Laptop, 'google'> = own): number => laptop.google.mails.count();
const lastMail = async () => simpleParser(own.google.mails.list()[0]?.raw ?? '');

test('a document becomes an email, and says so in the words of the extension', async () => {
  const path = fresh();
  assert.equal(await own.write(path, { to: 'you@example.net', message: MESSAGE, userId: 'u1' }), 204);
  const mail = await lastMail();
  const { startTime, endTime, eventId, ...delivery } = (await own.app.delivery(path)) ?? {};
  assert.deepEqual([mail.subject, mail.text?.trim(), mail.from?.text], [MESSAGE.subject, MESSAGE.text, `"Example Notices" <${MAILBOX}>`]);
  assert.deepEqual(delivery, {
    state: 'SUCCESS',
    attempts: 1,
    error: null,
    leaseExpireTime: null,
    info: {
      messageId: mail.messageId,
      accepted: ['you@example.net'],
      rejected: [],
      pending: [],
      response: `accepted by Gmail as ${own.google.mails.list()[0]?.id}`,
    },
  });
  assert.ok(Date.parse(String(startTime)) <= Date.parse(String(endTime)) && typeof eventId === 'string');
  assert.equal((await own.app.fields(path))?.['userId'], 'u1');
});

test('the events of our own writes, and an event that comes again, send nothing', async () => {
  const path = fresh();
  const before = sent();
  const headers = { 'ce-id': 'the-first' };
  await own.app.put(path, { to: 'you@example.net', message: MESSAGE });
  const statuses = [await own.tell(path, headers), await own.tell(path, headers), await own.tell(path), await own.tell(path)];
  assert.deepEqual([statuses, sent() - before, (await own.app.delivery(path))?.['attempts']], [[204, 204, 204, 204], 1, 1]);
});

test('an app that sets delivery.state to RETRY gets the email sent again, once', async () => {
  const path = fresh();
  const before = sent();
  const first = { 'ce-id': 'before-the-retry' };
  await own.app.put(path, { to: 'you@example.net', message: MESSAGE });
  await own.tell(path, first);
  await own.app.update(path, { 'delivery.state': 'RETRY' });
  // An old event that is delivered twice is not the one of this write.
  assert.equal(await own.tell(path, first), 204);
  assert.deepEqual([sent() - before, (await own.app.delivery(path))?.['state']], [1, 'RETRY']);
  const again = { 'ce-id': 'the-retry' };
  assert.deepEqual([await own.tell(path, again), await own.tell(path, again), sent() - before], [204, 204, 2]);
  const delivery = await own.app.delivery(path);
  assert.deepEqual([delivery?.['state'], delivery?.['attempts']], ['SUCCESS', 2]);
});

test('two events of one write at once are one mail', async () => {
  const path = fresh();
  const before = sent();
  await own.app.put(path, { to: 'you@example.net', message: MESSAGE });
  const statuses = await Promise.all([own.tell(path), own.tell(path), own.tell(path)]);
  for (const status of statuses) assert.ok(status === 204 || status === 503);
  assert.deepEqual([await own.tell(path), sent() - before, (await own.app.delivery(path))?.['state']], [204, 1, 'SUCCESS']);
});

const PNG = Buffer.from('89504e470d0a1a0a', 'hex');
const mails: readonly {
  name: string;
  fields: Record<string, unknown>;
  see: (mail: Awaited<ReturnType<typeof lastMail>>) => unknown;
  wanted: unknown;
}[] = [
  {
    name: 'lists, commas and names among the recipients',
    fields: {
      to: ['Jörg <you@example.net>', 'a@example.net, "B, C" <b@example.net>'],
      cc: 'c@example.net',
      bcc: ['d@example.net'],
      message: MESSAGE,
    },
    see: () => own.google.mails.list()[0]?.recipients,
    wanted: ['you@example.net', 'a@example.net', 'b@example.net', 'c@example.net', 'd@example.net'],
  },
  {
    name: 'bcc alone',
    fields: { bcc: ['d@example.net'], message: MESSAGE },
    see: (mail) => [mail.to, own.google.mails.list()[0]?.recipients],
    wanted: [undefined, ['d@example.net']],
  },
  {
    name: 'from an alias, with replyTo and headers',
    fields: { to: 'you@example.net', from: `Shop <${ALIAS}>`, replyTo: 'help@example.com', headers: { 'X-Order': '7' }, message: MESSAGE },
    see: (mail) => [mail.from?.text, mail.replyTo?.text, mail.headers.get('x-order')],
    wanted: [`"Shop" <${ALIAS}>`, 'help@example.com', '7'],
  },
  {
    name: 'html alone, with a thread',
    fields: {
      to: 'you@example.net',
      message: { subject: 'x', html: '<p>canary-body</p>', inReplyTo: '<a@example.com>', references: ['<a@example.com>'] },
    },
    see: (mail) => [mail.html, mail.text?.trim(), mail.inReplyTo, mail.references],
    wanted: ['<p>canary-body</p>', 'canary-body', '<a@example.com>', '<a@example.com>'],
  },
  {
    name: 'attachments in every form that needs no fetching',
    fields: {
      to: 'you@example.net',
      message: {
        ...MESSAGE,
        attachments: [
          { filename: 'text.txt', content: 'grüße' },
          { filename: 'base64.txt', content: Buffer.from('grüße').toString('base64'), encoding: 'base64' },
          { filename: 'hex.txt', content: Buffer.from('grüße').toString('hex'), encoding: 'hex' },
          { filename: 'data.txt', path: `data:text/plain;base64,${Buffer.from('grüße').toString('base64')}` },
          { filename: 'plain.txt', path: 'data:text/plain;charset=utf-8,gr%C3%BC%C3%9Fe' },
          { filename: 'logo.png', cid: 'logo', contentType: 'image/png', content: PNG.toString('base64'), encoding: 'base64' },
        ],
      },
    },
    see: ({ attachments }) => attachments.map(({ filename, content, cid }) => [filename, content.toString(), cid ?? null]),
    wanted: [
      ...['text', 'base64', 'hex', 'data', 'plain'].map((name) => [`${name}.txt`, 'grüße', null]),
      ['logo.png', PNG.toString(), 'logo'],
    ],
  },
  {
    name: 'a template, whose words win over the message',
    fields: { to: 'you@example.net', template: { name: 'welcome', data: { name: 'Ada & Grace' } }, message: MESSAGE },
    see: (mail) => [mail.subject, mail.html],
    wanted: ['Welcome, Ada & Grace', '<p>Hello Ada &amp; Grace.</p>\n'],
  },
  {
    name: "SendGrid's categories, which become keywords",
    fields: { to: 'you@example.net', categories: ['a', 'b'], message: MESSAGE },
    see: (mail) => [mail.subject, mail.headers.get('keywords')],
    wanted: [MESSAGE.subject, 'a, b'],
  },
  {
    name: 'files beside a template, and more in the message',
    fields: {
      to: 'you@example.net',
      template: { name: 'welcome', data: { name: 'Ada' }, attachments: [{ filename: 'i.pdf', content: 'JVBERg==', encoding: 'base64' }] },
      message: { attachments: [{ filename: 'b.txt', content: 'b' }] },
    },
    see: ({ subject, attachments }) => [subject, attachments.map(({ filename, content }) => [filename, content.toString()])],
    wanted: [
      'Welcome, Ada',
      [
        ['i.pdf', '%PDF'],
        ['b.txt', 'b'],
      ],
    ],
  },
  {
    name: 'what stands for nobody among the recipients',
    fields: { to: ['a@example.net', '', null, ' , '], cc: 'b@example.net, ', bcc: [], message: MESSAGE },
    see: () => own.google.mails.list()[0]?.recipients,
    wanted: ['a@example.net', 'b@example.net'],
  },
  {
    name: '120 recipients in one field, which is more than Resend takes and less than Gmail does',
    fields: { bcc: Array.from({ length: 120 }, (_, index) => `u${index}@example.net`), message: MESSAGE },
    see: () => own.google.mails.list()[0]?.recipients.length,
    wanted: 120,
  },
  {
    name: 'empty files',
    fields: {
      to: 'you@example.net',
      message: {
        ...MESSAGE,
        attachments: [
          { filename: 'a.txt', content: '' },
          { filename: 'c.txt', content: '', encoding: 'base64' },
          { filename: 'd.txt', path: 'data:,' },
        ],
      },
    },
    see: ({ attachments }) => attachments.map(({ filename, size }) => [filename, size]),
    wanted: ['a', 'c', 'd'].map((name) => [`${name}.txt`, 0]),
  },
];
for (const { name, fields, see, wanted } of mails)
  test(`a document with ${name} is sent as it says`, async () => {
    const path = fresh();
    await own.write(path, fields);
    assert.equal((await own.app.delivery(path))?.['state'], 'SUCCESS');
    assert.deepEqual(see(await lastMail()), wanted);
  });

const refusals: readonly { name: string; fields: Record<string, unknown>; code: string; names: RegExp }[] = [
  { name: 'toUids', fields: { toUids: ['u1'], message: MESSAGE }, code: 'request_invalid', names: /`toUids`.*`to`/ },
  {
    name: 'ccUids beside to',
    fields: { to: 'a@example.net', ccUids: ['u1'], message: MESSAGE },
    code: 'request_invalid',
    names: /`ccUids`/,
  },
  { name: 'bccUids', fields: { to: 'a@example.net', bccUids: ['u1'], message: MESSAGE }, code: 'request_invalid', names: /`bccUids`/ },
  {
    name: 'a template of SendGrid',
    fields: { to: 'a@example.net', sendGrid: { templateId: 'd-1' } },
    code: 'request_invalid',
    names: /`sendGrid`/,
  },
  { name: 'a raw message', fields: { to: 'a@example.net', message: { raw: 'x' } }, code: 'request_invalid', names: /`message.raw`/ },
  {
    name: '501 recipients',
    fields: { bcc: Array.from({ length: 501 }, (_, index) => `u${index}@example.net`), message: MESSAGE },
    code: 'request_invalid',
    names: /501/,
  },
  {
    name: 'no message, which the app asks for all the same',
    fields: { to: 'a@example.net', delivery: { state: 'RETRY' } },
    code: 'field_missing',
    names: /`message` or `template`/,
  },
  { name: 'a message that is text', fields: { to: 'a@example.net', message: 'x' }, code: 'request_invalid', names: /`message`/ },
  { name: 'no recipient', fields: { message: MESSAGE }, code: 'field_missing', names: /`to`, `cc` or `bcc`/ },
  { name: 'no subject', fields: { to: 'a@example.net', message: { text: 'x' } }, code: 'field_missing', names: /`subject`/ },
  { name: 'no words', fields: { to: 'a@example.net', message: { subject: 'x' } }, code: 'field_missing', names: /`html` or `text`/ },
  { name: 'a recipient that is none', fields: { to: ['nobody'], message: MESSAGE }, code: 'request_invalid', names: /`to`/ },
  {
    name: 'a header injection',
    fields: { to: 'a@example.net', message: { ...MESSAGE, subject: 'x\nBcc: b@example.net' } },
    code: 'request_invalid',
    names: /`subject`/,
  },
  {
    name: 'a strange sender',
    fields: { to: 'a@example.net', from: 'ceo@example.com', message: MESSAGE },
    code: 'sender_not_allowed',
    names: /`from`/,
  },
  {
    name: 'a file of the machine',
    fields: { to: 'a@example.net', message: { ...MESSAGE, attachments: [{ filename: 'p', path: '/etc/passwd' }] } },
    code: 'request_invalid',
    names: /`attachments\[0\].path`/,
  },
  {
    name: 'an attachment in an encoding that nobody knows',
    fields: { to: 'a@example.net', message: { ...MESSAGE, attachments: [{ filename: 'p', content: 'x', encoding: 'rot13' }] } },
    code: 'request_invalid',
    names: /attachments\[0\].encoding/,
  },
  {
    name: 'a template that is not there',
    fields: { to: 'a@example.net', template: { name: 'constructor', data: {} } },
    code: 'request_invalid',
    names: /`template.name`/,
  },
  {
    name: 'a template without a name',
    fields: { to: 'a@example.net', template: { data: {} } },
    code: 'field_missing',
    names: /`template.name`/,
  },
  {
    name: 'a template whose data lacks something',
    fields: { to: 'a@example.net', template: { name: 'welcome', data: { given: 'Ada' } } },
    code: 'request_invalid',
    names: /`template.data`.*event\.name/,
  },
];
for (const { name, fields, code, names } of refusals)
  test(`a document with ${name} ends as ERROR, says why, and is not tried again by itself`, async () => {
    const path = fresh();
    const before = sent();
    assert.equal(await own.write(path, fields), 204);
    assert.equal(await own.tell(path), 204);
    const delivery = await own.app.delivery(path);
    assert.deepEqual([delivery?.['state'], delivery?.['attempts'], sent() - before], ['ERROR', 1, 0]);
    assert.match(String(delivery?.['error']), new RegExp(`^${code}: .*${names.source}`));
  });

test('a document whose message comes with a second write waits for it', async () => {
  const path = fresh();
  const before = sent();
  await own.write(path, { to: 'you@example.net' });
  assert.deepEqual([await own.app.delivery(path), sent() - before], [undefined, 0]);
  assert.equal(own.lines.at(-1)?.['outcome'], 'incomplete');
  await own.app.update(path, { 'message.subject': MESSAGE.subject, 'message.text': MESSAGE.text });
  assert.equal(await own.tell(path), 204);
  assert.deepEqual([(await own.app.delivery(path))?.['state'], sent() - before], ['SUCCESS', 1]);
});

for (const { how, rewrite } of [
  { how: 'written anew', rewrite: (path: string) => own.app.put(path, { to: 'b@example.net', message: { ...MESSAGE, text: 'second' } }) },
  { how: 'set to RETRY', rewrite: (path: string) => own.app.update(path, { 'delivery.state': 'RETRY' }) },
])
  test(`a document that is ${how} while its first email is out does not say SUCCESS of the second`, async () => {
    const path = fresh();
    const before = sent();
    await own.app.put(path, { to: 'a@example.net', message: MESSAGE });
    const { documents } = own.app;
    const server = await serveOn(
      documentEvents(
        {
          ...own.edge,
          routesFile: ROUTES,
          documents: () => ({
            ...documents,
            // The app writes between the email and what is said of it.
            write: async (name, fields, version) => {
              const done = await documents.write(name, fields, version);
              if (fields['delivery.state'] === 'PROCESSING') await rewrite(path);
              return done;
            },
          }),
        },
        createLog(() => {}),
      ),
    );
    const tell = async (headers: Record<string, string>) =>
      (await fetch(`${server.url}/documents`, { method: 'POST', headers: documentHeaders(path, headers) })).status;
    assert.equal(await tell({}), 204);
    server.close();
    assert.deepEqual([sent() - before, (await own.app.delivery(path))?.['state'] === 'SUCCESS'], [1, false]);
    assert.equal(await own.tell(path), 204);
    assert.deepEqual([sent() - before, (await own.app.delivery(path))?.['state']], [2, 'SUCCESS']);
  });

test('a document whose other fields change while its email is out says what became of it', async () => {
  const path = fresh();
  await own.app.put(path, { to: 'a@example.net', message: MESSAGE, delivery: { state: 'PENDING' } });
  await Promise.all([own.tell(path), own.app.update(path, { 'meta.seen': true })]);
  await own.tell(path);
  assert.equal((await own.app.delivery(path))?.['state'], 'SUCCESS');
});

test('a document that was refused goes out after it was corrected and set to RETRY', async () => {
  const path = fresh();
  await own.write(path, { toUids: ['u1'], message: MESSAGE });
  const before = sent();
  await own.app.put(path, { to: 'you@example.net', message: MESSAGE, delivery: { state: 'RETRY' } });
  assert.equal(await own.tell(path), 204);
  const delivery = await own.app.delivery(path);
  assert.deepEqual([delivery?.['state'], sent() - before], ['SUCCESS', 1]);
});

const HOUR = 3_600_000;
const LATER = new Date(Date.now() + 60_000);
const EARLIER = new Date(Date.now() - 60_000);
const states: readonly { name: string; delivery: Record<string, unknown>; state: string; mails: number }[] = [
  { name: 'PENDING, as the extension left it', delivery: { state: 'PENDING', attempts: 0 }, state: 'SUCCESS', mails: 1 },
  { name: 'SUCCESS', delivery: { state: 'SUCCESS' }, state: 'SUCCESS', mails: 0 },
  { name: 'ERROR', delivery: { state: 'ERROR' }, state: 'ERROR', mails: 0 },
  { name: 'PROCESSING in other hands', delivery: { state: 'PROCESSING', leaseExpireTime: LATER }, state: 'PROCESSING', mails: 0 },
  { name: 'PROCESSING with a lease that ran out', delivery: { state: 'PROCESSING', leaseExpireTime: EARLIER }, state: 'ERROR', mails: 0 },
  {
    name: 'PROCESSING by a worker that died with nothing told',
    delivery: { state: 'PROCESSING', error: null, leaseExpireTime: EARLIER, eventId: 'of-a-worker-that-died' },
    state: 'SUCCESS',
    mails: 1,
  },
  {
    name: 'PROCESSING, waiting for longer than its event was delivered',
    delivery: { state: 'PROCESSING', error: 'limit_day: …', leaseExpireTime: EARLIER, eventId: 'of-last-week' },
    state: 'ERROR',
    mails: 0,
  },
  { name: 'a state of its own', delivery: { state: 'DRAFT' }, state: 'DRAFT', mails: 0 },
];
for (const { name, delivery, state, mails } of states)
  test(`a document that says ${name} ends as ${state} with ${mails} mails`, async () => {
    const path = fresh();
    const before = sent();
    assert.equal(await own.write(path, { to: 'you@example.net', message: MESSAGE, delivery }), 204);
    assert.deepEqual([(await own.app.delivery(path))?.['state'], sent() - before], [state, mails]);
  });

test('a document that is gone is nobody’s business any more', async () => assert.equal(await own.tell('mail/gone'), 204));

const wrong: readonly (readonly [string, string, Record<string, string>])[] = [
  ['of another collection', 'users/u1', {}],
  ['of a collection below', 'mail/x/parts/y', {}],
  ['of another project', 'mail/x', { 'ce-source': '//firestore.googleapis.com/projects/other/databases/(default)' }],
  ['of another database', 'mail/x', { 'ce-source': '//firestore.googleapis.com/projects/laptop/databases/other' }],
  ['of another kind', 'mail/x', { 'ce-type': 'google.cloud.storage.object.v1.finalized' }],
  ['without an id', 'mail/x', { 'ce-id': '' }],
  ['with a path that climbs', 'mail/..', {}],
];
for (const [name, path, headers] of wrong)
  test(`an event ${name} is refused, and nothing is read`, async () => {
    const { ledger } = own.google.calls;
    assert.equal(await own.tell(path, headers), 400);
    assert.equal(own.google.calls.ledger, ledger);
  });

test('names beyond ASCII, and types with a caller in them, are understood', async () => {
  await own.app.put('mail/grüße', { to: 'you@example.net', message: MESSAGE });
  const type = 'google.cloud.firestore.document.v1.created.withAuthContext';
  assert.equal(await own.tell(encodeURI('mail/grüße'), { 'ce-type': type }), 204);
  assert.equal((await own.app.delivery('mail/grüße'))?.['state'], 'SUCCESS');
});

test('a trigger whose collection is not in the config is answered 404, and the log says so', async () => {
  const { documents: _, ...config } = own.edge.config;
  const lines: Record<string, unknown>[] = [];
  const documents = () => appAt(own.google.url, own.google).documents;
  const server = await serveOn(
    documentEvents(
      { ...own.edge, documents, config },
      createLog((line) => lines.push(JSON.parse(line))),
    ),
  );
  const { status } = await fetch(`${server.url}/documents`, { method: 'POST', headers: documentHeaders('mail/x') });
  server.close();
  assert.deepEqual(
    [status, lines.map(({ code, detail }) => [code, detail])],
    [404, [['path_unknown', 'the config that was deployed has no documents']]],
  );
});

test('a collection may have parts that stand for any', async () => {
  await using one = await start({ collection: 'tenants/{tenant}/mail' });
  assert.deepEqual(
    [
      await one.write('tenants/a/mail/x', { to: 'you@example.net', message: MESSAGE }),
      await one.tell('tenants/a/other/x'),
      one.google.mails.count(),
    ],
    [204, 400, 1],
  );
});

test('uids become addresses where the config names the users; who has none is told', async () => {
  await using one = await start({ users: 'users' });
  await one.app.put('users/u1', { email: 'one@example.net' });
  await one.app.put('users/u2', { email: 'two@example.net' });
  await one.app.put('users/u3', { name: 'no address' });
  await one.write('mail/a', { to: 'you@example.net', toUids: ['u1', 'u3', 'u4'], bccUids: ['u2'], message: MESSAGE });
  assert.deepEqual(one.google.mails.list()[0]?.recipients, ['you@example.net', 'one@example.net', 'two@example.net']);
  const info = (await one.app.delivery('mail/a'))?.['info'] as Record<string, unknown>;
  assert.deepEqual(info['rejected'], ['uid:u3', 'uid:u4']);
  for (const toUids of [['u3'], ['../mail/a'], 'u1', [1]]) {
    await one.write('mail/b', { toUids, message: MESSAGE });
    assert.equal((await one.app.delivery('mail/b'))?.['state'], 'ERROR');
  }
  assert.equal(one.google.mails.count(), 1);
});

test('settings hold: replyTo, recipients, limits and the day of deletion', async () => {
  await using one = await start({
    replyTo: 'help@example.com',
    to: ['*@example.net'],
    limits: { perDay: 1, perMinute: null },
    expireDays: 30,
  });
  await one.write('mail/a', { to: 'you@example.net', message: MESSAGE });
  await one.write('mail/b', { to: 'you@example.org', message: MESSAGE });
  const third = await one.write('mail/c', { to: 'you@example.net', message: MESSAGE });
  const mail = await simpleParser(one.google.mails.list()[0]?.raw ?? '');
  const [a, b, c] = await Promise.all(['mail/a', 'mail/b', 'mail/c'].map((path) => one.app.delivery(path)));
  assert.equal(mail.replyTo?.text, 'help@example.com');
  assert.equal(Math.round((Date.parse(String(a?.['expireAt'])) - Date.now()) / 86_400_000), 30);
  assert.match(String(b?.['error']), /^recipient_not_allowed/);
  assert.deepEqual([third, c?.['state']], [429, 'PROCESSING']);
  assert.match(String(c?.['error']), /^limit_day/);
});

for (const [fault, status, state] of [
  [{ on: 'open', answer: 'unavailable' }, 503, 'PROCESSING'],
  [{ on: 'token', answer: 'cloud_unavailable', times: 3 }, 503, 'PROCESSING'],
  [{ on: 'transfer', reset: 'after' }, 204, 'SUCCESS'],
] as const)
  test(`${JSON.stringify(fault)} is ${status} and ${state}; the event comes again, and it is one mail`, async () => {
    await using one = await start();
    await one.app.put('mail/x', { to: 'you@example.net', message: MESSAGE });
    one.google.faults.script(fault);
    const headers = { 'ce-id': 'one' };
    assert.deepEqual([await one.tell('mail/x', headers), (await one.app.delivery('mail/x'))?.['state']], [status, state]);
    // The event of our own write does not do another one's work.
    assert.equal(await one.tell('mail/x'), 204);
    assert.deepEqual([await one.tell('mail/x', headers), one.google.mails.count()], [204, 1]);
    assert.equal((await one.app.delivery('mail/x'))?.['state'], 'SUCCESS');
  });

test('a delivery that could not be written back is written when the event comes again, and nothing is sent twice', async () => {
  await using one = await start();
  await one.app.put('mail/x', { to: 'you@example.net', message: MESSAGE });
  const headers = { 'ce-id': 'one' };
  // After the transfer the ledger is told first; the call after that is the document's.
  const told = one.google.reached('transfer').then(() => one.google.reached('ledger'));
  const scripted = told.then(() => one.google.faults.script({ on: 'ledger', status: 503 }));
  const first = await one.tell('mail/x', headers);
  await scripted;
  assert.deepEqual([first, (await one.app.delivery('mail/x'))?.['state'], one.google.mails.count()], [503, 'PROCESSING', 1]);
  assert.deepEqual(
    [await one.tell('mail/x', headers), (await one.app.delivery('mail/x'))?.['state'], one.google.mails.count()],
    [204, 'SUCCESS', 1],
  );
});

test('an email that is out and was not told is not sent again by the next event of its document, nor by a RETRY after it', async () => {
  await using one = await start();
  await one.app.put('mail/x', { to: 'you@example.net', message: MESSAGE });
  const told = one.google.reached('transfer').then(() => one.google.reached('ledger'));
  const scripted = told.then(() => one.google.faults.script({ on: 'ledger', status: 503 }));
  assert.equal(await one.tell('mail/x', { 'ce-id': 'one' }), 503);
  await scripted;
  await one.app.update('mail/x', { 'delivery.leaseExpireTime': EARLIER });
  assert.equal(await one.tell('mail/x', { 'ce-id': 'another' }), 204);
  const delivery = await one.app.delivery('mail/x');
  assert.deepEqual([delivery?.['state'], delivery?.['eventId'], one.google.mails.count()], ['SUCCESS', 'one', 1]);
});

test('an email that waits for a quota is looked at again in time, for longer than Eventarc delivers an event', async () => {
  const clock = { now: Date.UTC(2026, 10, 24, 8) };
  await using one = await start({}, {}, { now: () => clock.now });
  await one.app.put('mail/x', { to: 'you@example.net', message: MESSAGE });
  one.google.faults.script({ on: 'open', answer: 'daily_limit', times: 2 });
  const headers = { 'ce-id': 'one' };
  const delivery = () => appAt(one.google.url, one.google).delivery('mail/x'); // by then the app has another token
  assert.deepEqual([await one.tell('mail/x', headers), await one.tell('mail/x', headers)], [204, 204]);
  assert.match(String((await delivery())?.['error']), /^quota_daily/);
  // Twice the quota is still used up, then the service is down, then it goes: nobody writes the document in the meantime.
  const wait = async (ms: number): Promise<void> => {
    clock.now += ms;
    await one.google.tasks.flush();
    await one.google.pubsub.flush();
  };
  await wait(30 * HOUR);
  assert.deepEqual([(await delivery())?.['state'], one.google.mails.count()], ['PROCESSING', 0]);
  one.google.faults.script({ on: 'open', answer: 'unavailable' });
  await wait(30 * HOUR);
  assert.equal(one.google.mails.count(), 0);
  await wait(HOUR);
  assert.deepEqual([(await delivery())?.['state'], one.google.mails.count()], ['SUCCESS', 1]);
  await wait(100 * HOUR);
  assert.equal(one.google.mails.count(), 1);
});

for (const [how, attributes] of [
  ['of another collection', { mailgrantDocument: nameOf('users/u1'), mailgrantEvent: 'e' }],
  ['of another database', { mailgrantDocument: nameOf('mail/x').replace('(default)', 'other'), mailgrantEvent: 'e' }],
  ['without an event', { mailgrantDocument: nameOf('mail/x') }],
] as const)
  test(`a message about a document ${how} is refused, and nothing is read`, async () => {
    const { ledger } = own.google.calls;
    assert.equal((await post(own.worker, { message: { messageId: '1', data: '', attributes } })).status, 400);
    assert.equal(own.google.calls.ledger, ledger);
  });

test('a dead grant ends as ERROR with what mends it, and RETRY sends after it was mended', async () => {
  await using one = await start();
  one.google.oauth.revoke(MAILBOX);
  await one.write('mail/x', { to: 'you@example.net', message: MESSAGE });
  assert.match(String((await one.app.delivery('mail/x'))?.['error']), /^grant_revoked: .*rotate/);
  one.google.storeSecret(PROJECT, 'mailgrant-notices', JSON.stringify(one.google.oauth.enrol(MAILBOX)));
  await one.app.update('mail/x', { 'delivery.state': 'RETRY' });
  assert.deepEqual(
    [await one.tell('mail/x'), (await one.app.delivery('mail/x'))?.['state'], one.google.mails.count()],
    [204, 'SUCCESS', 1],
  );
});

const PROTO = `syntax = "proto3";
  message DocumentEventData { Document value = 1; Document old_value = 2; DocumentMask update_mask = 3; }
  message DocumentMask { repeated string field_paths = 1; }
  message Document { string name = 1; map<string, Value> fields = 2; Timestamp create_time = 3; Timestamp update_time = 4; }
  message Timestamp { int64 seconds = 1; int32 nanos = 2; }
  message Value { oneof value_type { string string_value = 17; MapValue map_value = 6; } }
  message MapValue { map<string, Value> fields = 1; }`;

test('the data of an event is not looked at, in protobuf or in JSON: an old event acts on the document of today', async () => {
  // protobufjs comes with Google's packages; it is an encoder that knows nothing of ours.
  const protobuf = createRequire(import.meta.url)('protobufjs') as typeof import('protobufjs');
  const type = protobuf.parse(PROTO).root.lookupType('DocumentEventData');
  const yesterday = { name: nameOf('mail/x'), fields: { to: { stringValue: 'yesterday@example.net' } } };
  const bytes = type.encode(type.fromObject({ value: yesterday })).finish();
  for (const [body, contentType] of [
    [Buffer.from(bytes), 'application/protobuf'],
    [JSON.stringify({ value: yesterday }), 'application/json'],
  ] as const) {
    const path = fresh();
    await own.app.put(path, { to: 'today@example.net', message: MESSAGE });
    assert.equal(await own.tell(path, { 'content-type': contentType }, body), 204);
    assert.deepEqual(own.google.mails.list()[0]?.recipients, ['today@example.net']);
  }
});

test('nothing that was logged names a document, an address or content', () => {
  assert.ok(own.lines.length > 30);
  assert.doesNotMatch(JSON.stringify(own.lines), /canary|@example|mail\/|doc-/);
});
