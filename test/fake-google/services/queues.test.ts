/** The fakes of Pub/Sub, Cloud Tasks and Cloud Storage, driven by Google's own client where it can be told where they are. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { auth } from 'googleapis/build/src/apis/cloudtasks/index.js';
import { cloudtasks_v2 } from 'googleapis/build/src/apis/cloudtasks/v2.js';
import { pubsub_v1 } from 'googleapis/build/src/apis/pubsub/v1.js';
import { BUCKET, type Google, startGoogle } from '../../../functions/fake-google/google.ts';

const QUEUE = 'projects/laptop/locations/europe-west1/queues/later';
const [TOPIC, DEAD] = ['projects/laptop/topics/mails', 'projects/laptop/topics/dead'];
const clock = { now: Date.UTC(2026, 10, 24, 8) };
let google: Google;
let pubsub: pubsub_v1.Pubsub;
let tasks: cloudtasks_v2.Cloudtasks;
const client = new auth.OAuth2();
const fresh = (): string => String(google.oauth.issue('api@laptop.iam.gserviceaccount.com', [])['access_token']);
const renew = (): void => client.setCredentials({ access_token: fresh() });
/** What was pushed, and what the endpoint answers next; 204 when nothing is left. */
const pushes: { deliveryAttempt?: number; message: { data?: string; attributes: Record<string, string>; messageId: string } }[] = [];
const answers: number[] = [];
const endpoint = createServer(async (req, res) => {
  pushes.push(JSON.parse(Buffer.concat(await req.toArray()).toString()));
  res.writeHead(answers.shift() ?? 204).end();
});

before(async () => {
  google = await startGoogle({ now: () => clock.now });
  renew();
  const common = { auth: client, rootUrl: `${google.url}/`, retry: false };
  pubsub = new pubsub_v1.Pubsub(common);
  tasks = new cloudtasks_v2.Cloudtasks(common);
  await new Promise<void>((done) => endpoint.listen(0, '127.0.0.1', done));
  await pubsub.projects.topics.create({ name: TOPIC, requestBody: {} });
  google.pubsub.createTopic(DEAD);
  google.pubsub.subscribe({
    name: 'projects/laptop/subscriptions/mails',
    topic: TOPIC,
    endpoint: `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}`,
    deadLetter: { topic: DEAD, maxDeliveryAttempts: 5 },
  });
});
beforeEach(() => {
  pushes.length = 0;
  answers.length = 0;
  renew(); // the clock ran on
});
after(async () => {
  await google[Symbol.asyncDispose]();
  endpoint.close();
  endpoint.closeAllConnections();
});

const publish = (data: string, attributes: Record<string, string> = {}) =>
  pubsub.projects.topics.publish({
    topic: TOPIC,
    requestBody: { messages: [{ ...(data && { data: Buffer.from(data).toString('base64') }), attributes }] },
  });
const code = (error: { status?: number; code?: number }): number => Number(error.status ?? error.code);

test('a published message is pushed as Pub/Sub writes it, until it is acknowledged, with growing pauses', async () => {
  answers.push(503, 429, 204);
  const { data } = await publish('{"a":1}', { idempotencyKey: 'k' });
  for (const pause of [0, 9_999, 1, 19_999, 1, 600_000]) {
    clock.now += pause;
    await google.pubsub.flush();
  }
  assert.deepEqual(
    pushes.map(({ deliveryAttempt, message }) => [
      deliveryAttempt,
      message.messageId,
      message.attributes,
      Buffer.from(message.data ?? '', 'base64').toString(),
    ]),
    [1, 2, 3].map((attempt) => [attempt, data.messageIds?.[0], { idempotencyKey: 'k' }, '{"a":1}']),
  );
  assert.equal(google.pubsub.waiting(), 0);
});

test('what is refused five times is published as a dead letter', async () => {
  answers.push(...Array(9).fill(500));
  await publish('', { only: 'attributes' });
  for (let n = 0; n < 9; n++) {
    await google.pubsub.flush();
    clock.now += 600_000;
  }
  const [letter] = google.pubsub.published(DEAD);
  assert.deepEqual(
    [pushes.length, letter?.attributes['only'], letter?.attributes['CloudPubSubDeadLetterSourceDeliveryCount']],
    [5, 'attributes', '5'],
  );
});

const wrong: { name: string; run: () => Promise<unknown>; status: number }[] = [
  { name: 'an empty message', run: () => publish(''), status: 400 },
  { name: 'a message over 10 MB', run: () => publish('x'.repeat(7_600_000)), status: 400 },
  {
    name: 'a topic that is not there',
    run: () => pubsub.projects.topics.publish({ topic: 'projects/laptop/topics/none', requestBody: { messages: [{ data: 'eA==' }] } }),
    status: 404,
  },
  { name: 'a task in 31 days', run: () => later('far', 31 * 24), status: 400 },
  { name: 'a task over 1 MB', run: () => later('large', 1, 'x'.repeat(800_000)), status: 400 },
  { name: 'a task that is not there', run: () => tasks.projects.locations.queues.tasks.get({ name: `${QUEUE}/tasks/none` }), status: 404 },
];
for (const { name, run, status } of wrong)
  test(`${name} is refused with ${status}`, () => assert.rejects(run, (error: { status?: number }) => code(error) === status));

const later = (name: string, hours: number, data = '{"b":2}') =>
  tasks.projects.locations.queues.tasks.create({
    parent: QUEUE,
    requestBody: {
      task: {
        name: `${QUEUE}/tasks/${name}`,
        scheduleTime: new Date(clock.now + hours * 3_600_000).toISOString(),
        httpRequest: {
          url: `${google.url}/v1/${TOPIC}:publish`,
          httpMethod: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: Buffer.from(JSON.stringify({ messages: [{ data: Buffer.from(data).toString('base64') }] })).toString('base64'),
          oauthToken: { serviceAccountEmail: 'tasks@laptop.iam.gserviceaccount.com', scope: 'https://www.googleapis.com/auth/pubsub' },
        },
      },
    },
  });

test('a task publishes at its time, again while that fails, and its name is used up', async () => {
  await later('one', 2);
  await assert.rejects(later('one', 3), (error: { status?: number }) => code(error) === 409);
  google.faults.script({ on: 'publish', status: 503 });
  for (const hours of [1, 1, 1]) {
    clock.now += hours * 3_600_000;
    await google.tasks.flush();
    await google.pubsub.flush();
  }
  assert.deepEqual([pushes.length, google.tasks.pending()], [1, []]);
  renew();
  await assert.rejects(later('one', 1), (error: { status?: number }) => code(error) === 409);
});

test('a task is read back whole only if one asks for it, and does not run once it is deleted', async () => {
  await later('two', 1);
  const name = `${QUEUE}/tasks/two`;
  const [basic, full] = await Promise.all([
    tasks.projects.locations.queues.tasks.get({ name }),
    tasks.projects.locations.queues.tasks.get({ name, responseView: 'FULL' }),
  ]);
  assert.deepEqual([typeof basic.data.httpRequest?.body, typeof full.data.httpRequest?.body], ['undefined', 'string']);
  await tasks.projects.locations.queues.tasks.delete({ name });
  clock.now += 2 * 3_600_000;
  await google.tasks.flush();
  assert.deepEqual([pushes.length, google.tasks.pending()], [0, []]);
});

test('an object is put, read and deleted; another bucket and another caller are refused', async () => {
  const call = (method: string, path: string, bearer = fresh()) =>
    fetch(`${google.url}${path}`, { method, headers: { authorization: `Bearer ${bearer}` }, ...(method === 'POST' && { body: 'canary' }) });
  const object = `/storage/v1/b/${BUCKET}/o/${encodeURIComponent('mails/a.json')}`;
  assert.equal((await call('POST', `/upload/storage/v1/b/${BUCKET}/o?uploadType=media&name=mails%2Fa.json`)).status, 200);
  assert.equal(await (await call('GET', `${object}?alt=media`)).text(), 'canary');
  assert.deepEqual(
    [
      (await call('DELETE', object)).status,
      (await call('GET', `${object}?alt=media`)).status,
      (await call('POST', '/upload/storage/v1/b/other/o?name=x')).status,
      (await call('GET', object, 'x')).status,
    ],
    [204, 404, 404, 401],
  );
});
