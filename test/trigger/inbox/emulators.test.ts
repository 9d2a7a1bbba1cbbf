/** A bounce over Google's own emulators of Firestore and Pub/Sub: notification, ledger, suppression, and CloudEvents on a topic. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { EVENT_TYPES } from '../../../functions/mail/model/email-event.ts';
import { emulator, firestoreEmulator, sdkRoot, skipUnless, startEmulator } from '../../support/programs/emulators.ts';
import { INBOX_TOPIC, startBouncing } from '../../support/stack/bounces.ts';
import { MAILBOX, PROJECT } from '../../support/stack/laptop.ts';

const root = sdkRoot();
const [firestore, pubsub] = [emulator(root, 'firestore'), emulator(root, 'pubsub')];
const EVENTS = `projects/${PROJECT}/topics/email-events`;
const skip = skipUnless(firestore !== null && pubsub !== null, 'the emulators of Firestore and Pub/Sub (gcloud and Java)');

test('bounced, told as CloudEvents, and suppressed, over both emulators', { skip }, async () => {
  if (!firestore || !pubsub) return;
  await using ledger = await firestoreEmulator(firestore);
  await using topics = await startEmulator(pubsub);
  const call = async (method: string, path: string, body: unknown): Promise<Record<string, unknown>> => {
    const headers = { 'content-type': 'application/json' };
    const reply = await fetch(`${topics.url}/v1/${path}`, { method, headers, body: JSON.stringify(body) });
    assert.equal(reply.status, 200, `${method} ${path}`);
    return reply.json() as Promise<Record<string, unknown>>;
  };
  for (const topic of [EVENTS, INBOX_TOPIC]) await call('PUT', topic, {});
  await call('PUT', `projects/${PROJECT}/subscriptions/told`, { topic: EVENTS });
  const events = [{ name: 'warehouse', topic: 'email-events', types: EVENT_TYPES, addresses: false }];
  const change = { events, suppress: { bouncedMs: 90 * 24 * 60 * 60_000 } };
  await using own = await startBouncing(change, {}, {}, { firestore: ledger.url, pubsub: topics.url });
  own.clock.now = Date.now();
  await call('PUT', `projects/${PROJECT}/subscriptions/inbox`, {
    topic: INBOX_TOPIC,
    ackDeadlineSeconds: 30,
    pushConfig: { pushEndpoint: `${own.worker}/inbox` },
    retryPolicy: { minimumBackoff: '1s', maximumBackoff: '2s' },
  });
  const { id } = await own.send({ tags: [{ name: 'order', value: '42' }] });
  const { received, mails } = own.laptop.google;
  received.bounce(mails.ids()[0] ?? '');
  const data = Buffer.from(JSON.stringify({ emailAddress: MAILBOX, historyId: received.historyId() })).toString('base64');
  await call('POST', `${INBOX_TOPIC}:publish`, { messages: [{ data }] });
  while ((await own.record(id))['last_event'] !== 'bounced') await sleep(50); // the emulator pushes when it likes
  const again = await own.send();
  assert.deepEqual([again.status, again.body['code']], [422, 'recipient_suppressed']);
  const told = new Map<string, { subject: string; order: unknown }>();
  while (told.size < 3) {
    const { receivedMessages = [] } = (await call('POST', `projects/${PROJECT}/subscriptions/told:pull`, { maxMessages: 10 })) as {
      receivedMessages?: { ackId: string; message: { data: string; attributes: Record<string, string> } }[];
    };
    for (const { message } of receivedMessages) {
      const { 'ce-type': type = '', 'ce-subject': subject = '', 'ce-specversion': version } = message.attributes;
      const event = JSON.parse(Buffer.from(message.data, 'base64').toString('utf8')) as {
        type: string;
        data: { tags: { order?: string } };
      };
      assert.deepEqual([version, event.type], ['1.0', type]);
      told.set(type, { subject, order: event.data.tags.order });
    }
  }
  assert.deepEqual(Object.fromEntries(told), {
    'email.sent': { subject: id, order: '42' },
    'email.bounced': { subject: id, order: '42' },
    'email.suppressed': { subject: again.id, order: undefined },
  });
});
