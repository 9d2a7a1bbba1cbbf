/** Events that come to a route: topic, push, worker, mailbox, with the real adapters between them. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Laptop, PROJECT, post, startLaptop, startQueued } from '../../support/stack/laptop.ts';
import { PLAIN, ROUTE, routed } from '../../support/stack/routes.ts';

const ROUTES = {
  builds: { ...ROUTE, when: 'event.status in ["FAILURE", "TIMEOUT"]' },
  all: { ...ROUTE, template: 'any' },
  alike: { ...ROUTE, template: 'any', dedupe: 'event.group' },
  people: { ...ROUTE, template: 'any', to: ['{{event.who}}'], only: ['*@example.com'] },
};
const FILES = { 'plain.hbs': PLAIN, 'any.hbs': '---\nsubject: canary-subject\n---\n{{json event}} {{json attributes}}' };
const BUILD = { id: '7', status: 'FAILURE', note: 'canary-body' };

/** A push of a route's own subscription. */
const push = (data: unknown, { id = '1', subscription = 'mailgrant-route', attributes = {} } = {}): Record<string, unknown> => ({
  subscription: `projects/laptop/subscriptions/${subscription}`,
  deliveryAttempt: 1,
  message: {
    messageId: id,
    publishTime: '2026-11-24T08:00:00Z',
    attributes,
    ...(data !== undefined && { data: Buffer.from(typeof data === 'string' ? data : JSON.stringify(data)).toString('base64') }),
  },
});

let laptop: Laptop;
before(async () => {
  laptop = await startLaptop(routed(ROUTES, FILES));
});
after(() => laptop[Symbol.asyncDispose]());

const to = (route: string, body: unknown, headers?: Record<string, string>) => post(`${laptop.worker}/routes/${route}`, body, headers);
/** What a call adds: its status, emails, and what was logged of it. */
async function effect(call: () => Promise<{ status: number }>) {
  const [mails, lines, entries] = [laptop.google.mails.count(), laptop.lines.length, laptop.google.ledgerEntries().length];
  const { status } = await call();
  return {
    status,
    mails: laptop.google.mails.count() - mails,
    logged: laptop.lines.slice(lines).map(({ event, outcome, code }) => [event, outcome ?? code]),
    entries: laptop.google.ledgerEntries().slice(entries).length,
  };
}

test('an event that the route wants is one email, whichever subscription delivers it, and however often', async () => {
  const first = await effect(() => to('builds', push(BUILD)));
  assert.deepEqual(first, { status: 204, mails: 1, logged: [['mail', 'sent']], entries: 1 });
  const mail = laptop.google.mails.list()[0]?.raw.toString() ?? '';
  assert.match(mail, /^Subject: Build 7\r$/m);
  assert.match(mail, /^To: dev@example\.com\r$/m);
  assert.match(mail, /<p>It is FAILURE\.<\/p>/);
  for (const subscription of ['mailgrant-route', 'another']) {
    const again = await effect(() => to('builds', push(BUILD, { subscription })));
    assert.deepEqual([again.status, again.mails, again.entries], [204, 0, 0]);
  }
});

test('an event that the route does not want is acknowledged, as a fact', async () => {
  const seen = await effect(() => to('builds', push({ ...BUILD, status: 'SUCCESS' }, { id: '2' })));
  assert.deepEqual(seen, { status: 204, mails: 0, logged: [['event', 'ignored']], entries: 0 });
});

const failing: { name: string; route: string; data: unknown; code: string }[] = [
  { name: 'a condition that cannot be decided', route: 'builds', data: { id: '3' }, code: 'route_condition' },
  { name: 'a value that is missing', route: 'builds', data: { status: 'FAILURE' }, code: 'route_template' },
  { name: 'two recipients in one value', route: 'people', data: { who: 'a@example.com, b@example.com' }, code: 'request_invalid' },
  { name: 'a recipient with a line break', route: 'people', data: { who: 'a@example.com\r\nBcc: b@example.com' }, code: 'route_template' },
  { name: 'a recipient that the route may not write to', route: 'people', data: { who: 'a@example.net' }, code: 'recipient_not_allowed' },
];
for (const [index, { name, route, data, code }] of failing.entries())
  test(`${name} is recorded as ${code}, acknowledged, and answered from the ledger when it comes again`, async () => {
    const event = push(data, { id: `f${index}` });
    const first = await effect(() => to(route, event));
    assert.deepEqual([first.status, first.mails, first.logged, first.entries], [204, 0, [['mail', 'failed']], 1]);
    assert.deepEqual(laptop.lines.at(-1)?.['code'], code);
    assert.deepEqual(await effect(() => to(route, event)), { ...first, entries: 0 });
  });

const forms: { name: string; data: unknown; attributes?: Record<string, string>; shown: RegExp }[] = [
  { name: 'text', data: 'tick', shown: /&quot;tick&quot; \{\}/ },
  {
    name: 'nothing but attributes',
    data: undefined,
    attributes: { bucketId: 'b' },
    shown: /\{\} \{\s+&quot;bucketId&quot;: &quot;b&quot;/,
  },
  { name: 'a number', data: '42', shown: /42 \{\}/ },
];
for (const [index, { name, data, attributes, shown }] of forms.entries())
  test(`an event may be ${name}`, async () => {
    const seen = await effect(() => to('all', push(data, { id: `t${index}`, ...(attributes && { attributes }) })));
    assert.deepEqual([seen.status, seen.mails], [204, 1]);
    assert.match(laptop.google.mails.list()[0]?.raw.toString().replace(/=\r\n/g, '') ?? '', shown);
  });

test('an event may come as a CloudEvent, binary or structured, around the push or bare', async () => {
  const headers = {
    'ce-id': 'c1',
    'ce-source': '//pubsub',
    'ce-type': 'google.cloud.pubsub.topic.v1.messagePublished',
    'ce-specversion': '1.0',
  };
  assert.equal((await effect(() => to('builds', push(BUILD, { id: 'c1' }), headers))).mails, 1);
  assert.equal((await effect(() => to('builds', push(BUILD, { id: 'c1' })))).mails, 0);
  assert.equal((await effect(() => to('builds', BUILD, { ...headers, 'ce-id': 'c2' }))).mails, 1);
  const structured = { specversion: '1.0', id: 'c2', source: '//pubsub', type: 't', data: BUILD };
  assert.equal((await effect(() => to('builds', structured, { 'content-type': 'application/cloudevents+json' }))).mails, 0);
});

test('events of one value are one mail', async () => {
  const mails = [];
  for (const [id, group] of [
    ['d1', 'a'],
    ['d2', 'a'],
    ['d3', 'b'],
  ] as const)
    mails.push((await effect(() => to('alike', push({ group, id }, { id })))).mails);
  assert.deepEqual(mails, [1, 0, 1]);
});

test('an event of a value whose email failed is an email of its own, once what was wrong is mended', async () => {
  await using own = await startLaptop(routed(ROUTES, FILES));
  const { google } = own;
  const ask = async (id: string) => (await post(`${own.worker}/routes/alike`, push({ group: 'a' }, { id }))).status;
  google.oauth.revoke('notices@example.com');
  assert.deepEqual([await ask('1'), google.mails.count()], [204, 0]);
  google.storeSecret(PROJECT, 'mailgrant-notices', JSON.stringify(google.oauth.enrol('notices@example.com')));
  assert.deepEqual([await ask('2'), google.mails.count()], [204, 1]);
  assert.deepEqual([await ask('3'), google.mails.count()], [204, 1]);
});

test('an unknown route, another method and a body that is no push are no mails', async () => {
  assert.deepEqual(
    [
      (await effect(() => to('nobody', push(BUILD)))).status,
      (await effect(() => to('__proto__', push(BUILD)))).status,
      (await effect(() => fetch(`${laptop.worker}/routes/builds`))).status,
      (await effect(() => to('builds', { no: 'message' }))).status,
    ],
    [404, 404, 405, 400],
  );
});

test('data that is no text is recorded and acknowledged', async () => {
  const event = push(BUILD, { id: 'binary' });
  (event['message'] as { data: string }).data = Buffer.from([0xff, 0xfe, 0x00]).toString('base64');
  const seen = await effect(() => to('all', event));
  assert.deepEqual([seen.status, seen.mails, seen.entries], [204, 0, 1]);
  assert.equal(laptop.lines.at(-1)?.['code'], 'event_unreadable');
});

test('an email that Gmail does not take just now comes again with its event', async () => {
  laptop.google.faults.script({ on: 'open', status: 503 });
  const event = push(BUILD, { id: 'later' });
  const first = await effect(() => to('builds', event));
  laptop.google.faults.clear();
  const second = await effect(() => to('builds', event));
  assert.deepEqual([first.status, first.mails, second.status, second.mails], [503, 0, 204, 1]);
});

test('no log line tells anything of an event', () => assert.doesNotMatch(JSON.stringify(laptop.lines), /canary|@example|FAILURE/));

test('an event whose route cannot render it is buried where there is a place for it, and the emails of a queue are sent from there', async () => {
  await using queued = await startQueued(routed(ROUTES, FILES));
  assert.equal((await post(`${queued.worker}/routes/builds`, push({ status: 'FAILURE' }))).status, 204);
  assert.deepEqual(
    queued.google.pubsub.published('projects/laptop/topics/dead-letters').map(({ attributes }) => attributes['reason']),
    ['route_template'],
  );
  assert.equal((await post(`${queued.worker}/routes/people`, push({ who: 'a@example.net' }, { id: '3' }))).status, 204);
  assert.equal(queued.google.pubsub.published('projects/laptop/topics/dead-letters').length, 2);
  assert.equal((await post(`${queued.worker}/routes/builds`, push(BUILD, { id: '2' }))).status, 204);
  assert.equal(queued.google.mails.count(), 0);
  await queued.google.pubsub.flush();
  assert.equal(queued.google.mails.count(), 1);
});
