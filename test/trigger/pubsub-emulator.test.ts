/** Queued delivery over Google's own Pub/Sub emulator: api, topic, push, worker, mailbox. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { emulator, sdkRoot, skipUnless, startEmulator } from '../support/emulators.ts';
import { authorised, CONFIG, DEAD_TOPIC, type Laptop, MAIL, PROJECT, post, QUEUE, startLaptop, TOPIC } from '../support/laptop.ts';

const pubsub = emulator(sdkRoot(), 'pubsub');

suite("queued delivery over Google's Pub/Sub emulator", {
  skip: skipUnless(pubsub !== null, 'the Pub/Sub emulator (gcloud and Java)'),
}, () => {
  let running: Awaited<ReturnType<typeof startEmulator>>;
  let laptop: Laptop;
  const call = async (method: string, path: string, body: unknown): Promise<Record<string, unknown>> => {
    const reply = await fetch(`${running.url}/v1/${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    assert.equal(reply.status, 200, `${method} ${path}`);
    return reply.json() as Promise<Record<string, unknown>>;
  };
  const subscription = `projects/${PROJECT}/subscriptions`;

  before(async () => {
    if (!pubsub) return;
    running = await startEmulator(pubsub);
    laptop = await startLaptop({ config: { ...CONFIG, delivery: 'queued' }, settings: QUEUE, urls: { pubsub: running.url } });
    for (const topic of [TOPIC, DEAD_TOPIC]) await call('PUT', topic, {});
    await call('PUT', `${subscription}/dead`, { topic: DEAD_TOPIC });
    await call('PUT', `${subscription}/mails`, {
      topic: TOPIC,
      ackDeadlineSeconds: 30,
      pushConfig: { pushEndpoint: laptop.worker },
      retryPolicy: { minimumBackoff: '1s', maximumBackoff: '2s' },
    });
  });
  after(async () => {
    await laptop?.[Symbol.asyncDispose]();
    await running?.[Symbol.asyncDispose]();
  });

  const emails = (body: unknown, headers: Record<string, string> = {}) => post(`${laptop.api}/emails`, body, { ...authorised, ...headers });
  const ended = async (id: unknown): Promise<string> => {
    for (;;) {
      const record = (await (await fetch(`${laptop.api}/emails/${String(id)}`, { headers: authorised })).json()) as Record<string, unknown>;
      if (record['outcome'] === 'sent' || record['outcome'] === 'failed') return String(record['outcome']);
      await new Promise((done) => setImmediate(done));
    }
  };

  test('what the api accepted is pushed to the worker, and is in the mailbox once', async () => {
    const before = laptop.google.mails.count();
    const replies = await Promise.all([emails(MAIL, { 'idempotency-key': 'a' }), emails(MAIL, { 'idempotency-key': 'a' }), emails(MAIL)]);
    assert.deepEqual(
      replies.map(({ status }) => status),
      [200, 200, 200],
    );
    for (const { body } of replies) assert.equal(await ended(body?.['id']), 'sent');
    assert.equal(laptop.google.mails.count() - before, 2);
  });

  test('a transient failure is delivered again by Pub/Sub itself', async () => {
    laptop.google.faults.script({ on: 'open', answer: 'unavailable', times: 2 });
    const before = laptop.google.mails.count();
    const { body } = await emails(MAIL);
    assert.deepEqual([await ended(body?.['id']), laptop.google.mails.count() - before], ['sent', 1]);
  });

  test('a message that is no mail, and one of a mail that nobody knows, are pulled from the dead-letter topic with their reasons', async () => {
    const messages = [
      { data: Buffer.from('no json').toString('base64') },
      { data: Buffer.from('{}').toString('base64'), attributes: { mailgrantId: '00000000-0000-4000-8000-000000000000' } },
    ];
    await call('POST', `${TOPIC}:publish`, { messages });
    const reasons: unknown[] = [];
    while (reasons.length < 2) {
      const { receivedMessages = [] } = (await call('POST', `${subscription}/dead:pull`, { maxMessages: 10 })) as {
        receivedMessages?: { ackId: string; message: { attributes?: Record<string, string> } }[];
      };
      reasons.push(...receivedMessages.map(({ message }) => message.attributes?.['reason']));
      const ackIds = receivedMessages.map(({ ackId }) => ackId);
      if (ackIds.length > 0) await call('POST', `${subscription}/dead:acknowledge`, { ackIds });
    }
    assert.deepEqual(reasons.sort(), ['mail_unknown', 'request_invalid']);
  });
});
