/** While sending is stopped nothing goes out at any door, nothing is lost, and each comes as what it was once it is started again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from '../../../functions/runtime/log.ts';
import { documentEvents } from '../../../functions/trigger/documents/document-handler.ts';
import { DAY, dead, emails, HOUR, queued, record } from '../../explore/queued.ts';
import { QUICK } from '../../support/deep.ts';
import { appAt, documentHeaders } from '../../support/stack/documents.ts';
import { startHooks } from '../../support/stack/hooks.ts';
import { authorised, CONFIG, type Laptop, MAIL, MAILBOX, PROJECT, post, serveOn, startLaptop, TOPIC } from '../../support/stack/laptop.ts';
import { PLAIN, ROUTE, routed } from '../../support/stack/routes.ts';

/** As a new revision of the services does. */
const set = ({ edge }: { readonly edge: object }, stopped: boolean): void => void Object.assign(edge, { stopped });

/** Publishes as an app does. */
async function publish({ google }: Pick<Laptop, 'google'>, topic: string, data: unknown, attributes: Record<string, string> = {}) {
  const token = String(google.oauth.issue('app@laptop.iam.gserviceaccount.com', [])['access_token']);
  const reply = await fetch(`${google.url}/v1/${topic}:publish`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ messages: [{ data: Buffer.from(JSON.stringify(data)).toString('base64'), attributes }] }),
  });
  assert.equal(reply.status, 200);
}

const closing = <S extends { close(): void }>(server: S) => ({ ...server, [Symbol.asyncDispose]: async () => server.close() });

const DOCUMENTS = { database: '(default)', collection: 'mail', from: [MAILBOX], defaultFrom: MAILBOX };

const asked = [
  { path: '/emails', body: MAIL },
  { path: '/emails/batch', body: [MAIL, MAIL] },
  { path: '/v1/raw', body: `From: ${MAILBOX}\r\nTo: you@example.net\r\n\r\ncanary-body` },
];
for (const delivery of ['direct', 'queued'] as const)
  for (const { path, body } of asked)
    test(`${path} is refused as stopped where delivery is ${delivery}, and its key is still free`, async () => {
      await using own = await queued({ delivery });
      const headers = {
        ...authorised,
        'idempotency-key': 'order-1',
        ...(typeof body === 'string' && {
          'content-type': 'message/rfc822',
          'x-envelope-from': MAILBOX,
          'x-envelope-to': 'you@example.net',
        }),
      };
      set(own, true);
      const refused = await post(`${own.api}${path}`, body, headers);
      assert.deepEqual([refused.status, refused.body?.['code']], [503, 'stopped']);
      assert.equal(refused.headers.get('retry-after'), '60');
      assert.deepEqual([own.google.mails.count(), own.google.ledgerEntries(), own.google.pubsub.published(TOPIC)], [0, [], []]);
      set(own, false);
      assert.equal((await post(`${own.api}${path}`, body, headers)).status, 200);
      await own.flush();
      assert.ok(own.google.mails.count() > 0);
    });

test('while stopped an accepted email can be read and canceled, and health is ok', async () => {
  await using own = await queued();
  const { body } = await emails(own);
  set(own, true);
  assert.equal((await record(own, body?.['id']))['last_event'], 'queued');
  assert.equal((await post(`${own.api}/emails/${String(body?.['id'])}/cancel`, {}, authorised)).status, 200);
  assert.equal((await fetch(`${own.api}/health`)).status, 200);
});

test('a stranger hears nothing of it', async () => {
  await using own = await queued();
  set(own, true);
  assert.equal((await post(`${own.api}/emails`, MAIL)).body?.['code'], 'key_missing');
});

for (const days of QUICK ? [0.001, 3] : [0.001, 0.1, 3, 9])
  test(`what waits goes out once, as what it was, after a stop of ${days} days: accepted, scheduled, published, event, digest`, async () => {
    const route = { ...ROUTE, dedupe: 'event.group', every: '1h' };
    await using own = await queued(
      routed({ builds: route }, { 'plain.hbs': PLAIN, 'digest.hbs': '---\nsubject: canary-digest\n---\n<p>{{digest.count}} more</p>\n' }),
    );
    const { pubsub } = own.google;
    const topic = `projects/${PROJECT}/topics/cloud-builds`;
    pubsub.createTopic(topic);
    pubsub.subscribe({ name: `projects/${PROJECT}/subscriptions/builds`, topic, endpoint: `${own.worker}/routes/builds` });
    const build = (id: string, group: string) => publish(own, topic, { id, group, status: 'FAILURE' });
    await build('1', 'a');
    await build('2', 'a'); // one email, and a digest that is due in an hour
    await own.flush();
    const before = own.google.mails.count();
    await emails(own);
    await emails(own, { ...MAIL, scheduled_at: new Date(own.clock.now + HOUR).toISOString() });
    await publish(own, TOPIC, MAIL, { idempotencyKey: 'order-7' });
    await build('3', 'b');
    set(own, true);
    await own.live(days * DAY);
    assert.equal(own.google.mails.count(), before);
    set(own, false);
    await own.live(3 * HOUR);
    assert.deepEqual([own.google.mails.count() - before, dead(own), pubsub.waiting()], [5, [], 0]);
    assert.ok(own.google.ledgerEntries().every(({ state }) => state === 'sent'));
  });

test('what no task can hold is a dead letter with the reason, at the last delivery', async () => {
  await using own = await queued();
  await publish(own, TOPIC, { ...MAIL, text: 'x'.repeat(60_000) });
  set(own, true);
  await own.live(DAY);
  assert.deepEqual([dead(own), own.google.mails.count()], [['stopped'], 0]);
});

test('webhooks answer 503 before anybody asks for a secret, so that their vendors deliver again', async () => {
  await using laptop = await startLaptop();
  set(laptop, true);
  await using hooks = await startHooks(
    { shop: { hook: { verify: 'github', secret: 'hook-shop' }, from: MAILBOX, to: [MAILBOX], template: 'any' } },
    laptop,
  );
  const { status, body } = await post(`${hooks.url}/hooks/shop`, { canary: 1 });
  assert.deepEqual([status, Object.keys(body ?? {}), laptop.google.calls.secret], [503, ['message'], 0]);
});

test('a document waits longer than Eventarc keeps its event', async () => {
  await using own = await queued({ config: { ...CONFIG, documents: DOCUMENTS as never } });
  await using server = closing(
    await serveOn(
      documentEvents(
        own.edge as never,
        createLog((line) => own.lines.push(JSON.parse(line))),
      ),
    ),
  );
  const app = () => appAt(own.google.url, own.google); // a token of its own each time: they end with the hour
  await app().put('mail/1', { to: 'you@example.net', message: { subject: 'canary-subject', text: 'canary-body' } });
  set(own, true);
  assert.equal((await post(server.url, '', documentHeaders('mail/1'))).status, 204);
  await own.live(3 * DAY);
  assert.deepEqual([own.google.mails.count(), await app().delivery('mail/1'), dead(own)], [0, undefined, []]);
  set(own, false);
  await own.live(HOUR);
  assert.deepEqual([own.google.mails.count(), (await app().delivery('mail/1'))?.['state'], dead(own)], [1, 'SUCCESS', []]);
});

test('a document without a task queue waits, untouched, and its email goes out afterwards', async () => {
  await using laptop = await startLaptop({ config: { ...CONFIG, documents: DOCUMENTS as never } });
  await using server = closing(
    await serveOn(
      documentEvents(
        laptop.edge as never,
        createLog((line) => laptop.lines.push(JSON.parse(line))),
      ),
    ),
  );
  const app = appAt(laptop.google.url, laptop.google);
  await app.put('mail/1', { to: 'you@example.net', message: { subject: 'canary-subject', text: 'canary-body' } });
  const headers = documentHeaders('mail/1');
  set(laptop, true);
  assert.deepEqual([(await post(server.url, '', headers)).status, await app.delivery('mail/1')], [503, undefined]);
  set(laptop, false);
  assert.equal((await post(server.url, '', headers)).status, 204);
  assert.equal(laptop.google.mails.count(), 1);
});
