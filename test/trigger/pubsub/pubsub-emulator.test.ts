/** Queued delivery over Google's own Pub/Sub emulator: api, topic, push, worker, mailbox. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { createSubscription, type PulledMessage } from '../../../functions/cli/ledger/dead-letter-subscription.ts';
import { pullDeadLetters, surveyDeadLetters } from '../../../functions/cli/ledger/dead-letters.ts';
import { compileConfig } from '../../../functions/config/compile-config.ts';
import { createIdentity } from '../../../functions/google/auth/service-identity.ts';
import { googleUrls } from '../../../functions/runtime/google-urls.ts';
import { sampled } from '../../support/deep.ts';
import { typed } from '../../support/programs/command-line.ts';
import { emulator, sdkRoot, skipUnless, startEmulator } from '../../support/programs/emulators.ts';
import {
  authorised,
  CONFIG,
  DEAD_TOPIC,
  type Laptop,
  MAIL,
  PROJECT,
  post,
  QUEUE,
  settingsFor,
  startLaptop,
  TOPIC,
} from '../../support/stack/laptop.ts';

const pubsub = emulator(sdkRoot(), 'pubsub');
const BUILDS = `projects/${PROJECT}/topics/cloud-builds`;

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
    const { config, module } = compileConfig('config/mailgrant.yaml');
    const routesFile = join(mkdtempSync(join(tmpdir(), 'mailgrant-')), 'routes.mjs');
    writeFileSync(routesFile, module);
    laptop = await startLaptop({
      config: { ...CONFIG, delivery: 'queued', routes: config.routes ?? [] },
      settings: { ...QUEUE, routesFile },
      urls: { pubsub: running.url },
    });
    for (const topic of [TOPIC, DEAD_TOPIC]) await call('PUT', topic, {});
    await call('PUT', `${subscription}/dead`, { topic: DEAD_TOPIC });
    await call('PUT', `${subscription}/mailgrant-dead`, { topic: DEAD_TOPIC });
    await call('PUT', `${subscription}/mails`, {
      topic: TOPIC,
      ackDeadlineSeconds: 30,
      pushConfig: { pushEndpoint: laptop.worker },
      retryPolicy: { minimumBackoff: '1s', maximumBackoff: '2s' },
    });
    await call('PUT', BUILDS, {});
    await call('PUT', `${subscription}/route-failed-builds`, {
      topic: BUILDS,
      ackDeadlineSeconds: 30,
      pushConfig: { pushEndpoint: `${laptop.worker}/routes/failed-builds` },
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

  test('what Cloud Build publishes ends in the inbox, once, if the route of the shipped config wants it', async () => {
    const before = laptop.google.mails.count();
    const build = JSON.parse(readFileSync('config/samples/cloud-build.json', 'utf8')) as Record<string, unknown>;
    const message = (status: string) => ({
      data: Buffer.from(JSON.stringify({ ...build, status })).toString('base64'),
      attributes: { buildId: String(build['id']), status },
    });
    await call('POST', `${BUILDS}:publish`, { messages: [message('SUCCESS'), message('FAILURE')] });
    const told = (): unknown[] => laptop.lines.filter(({ route }) => route === 'failed-builds').map(({ outcome }) => outcome);
    while (told().length < 2 || laptop.google.mails.count() === before) await new Promise((done) => setImmediate(done));
    assert.deepEqual([told().sort(), laptop.google.mails.count() - before], [['ignored', 'queued'], 1]);
    const mail = laptop.google.mails.list()[0];
    assert.deepEqual(mail?.recipients, ['dev@example.com']);
    assert.match(mail?.raw.toString() ?? '', /^Subject: Build failure: shop-main\r$/m);
  });

  test('a transient failure is delivered again by Pub/Sub itself', async () => {
    laptop.google.faults.script({ on: 'open', answer: 'unavailable', times: 2 });
    const before = laptop.google.mails.count();
    const { body } = await emails(MAIL);
    assert.deepEqual([await ended(body?.['id']), laptop.google.mails.count() - before], ['sent', 1]);
  });

  test('a message that is no email, and one of an email that nobody knows, are pulled from the dead-letter topic with their reasons', async () => {
    const messages = [
      { data: Buffer.from('no json').toString('base64') },
      { data: Buffer.from('{}').toString('base64'), attributes: { mailgrantId: '00000000-0000-4000-8000-000000000000' } },
    ];
    await call('POST', `${TOPIC}:publish`, { messages });
    const settings = settingsFor(laptop.google.url, { urls: { ...googleUrls(laptop.google.url), pubsub: running.url } });
    const pulled = createSubscription({ settings, identity: createIdentity(laptop.google.url) }, `${subscription}/dead`);
    const reasonsIn = (held: readonly PulledMessage[]) => held.map(({ message }) => message.attributes['reason']);
    let held: PulledMessage[] = [];
    while (held.length < 2) {
      await pulled.nack(held); // whoever looks and leaves takes nothing away
      held = await pullDeadLetters({ pulled }, 2);
    }
    await pulled.nack(held);
    for (let looks = 0; looks < 5; looks++) {
      const all = await Promise.all([surveyDeadLetters({ pulled }, 10), surveyDeadLetters({ pulled }, 10)]);
      assert.deepEqual(
        all.map(({ length }) => length),
        [2, 2],
      );
    }
    held = await pullDeadLetters({ pulled }, 2); // a look has just ended, and hides nothing
    const reasons = reasonsIn(held);
    await pulled.acknowledge(held);
    assert.deepEqual(await pullDeadLetters({ pulled }, 2), []); // an empty subscription lets a pull wait: that is no error
    assert.deepEqual(reasons.sort(), ['mail_unknown', 'request_invalid']);
  });

  for (const round of sampled(
    Array.from({ length: 10 }, (_, round) => round),
    2,
  ))
    test(`dead list right before dead replay hides nothing from it (${round + 1} of 10)`, async () => {
      const before = laptop.google.mails.count();
      const attributes = { reason: 'grant_revoked', mailgrantKey: `message:s:round-${round}` };
      const data = Buffer.from(JSON.stringify({ ...MAIL, subject: `round ${round}` })).toString('base64');
      await call('POST', `${DEAD_TOPIC}:publish`, { messages: [{ data, attributes }] });
      const run = (...words: string[]) =>
        typed(['dead', ...words, '--config', 'config/mailgrant.yaml'], {
          MAILGRANT_GOOGLE_URL: laptop.google.url,
          MAILGRANT_PUBSUB_URL: running.url,
          MAILGRANT_DATABASE: undefined,
          GOOGLE_CLOUD_PROJECT: PROJECT,
        });
      const listed = await run('list');
      assert.match(listed.stdout, /grant_revoked/);
      const replayed = await run('replay', '--reason', 'grant_revoked', '--yes');
      assert.deepEqual([replayed.status, /replayed/.test(replayed.stdout)], [0, true], replayed.stdout + replayed.stderr);
      while (laptop.google.mails.count() === before) await new Promise((done) => setImmediate(done));
      assert.equal(laptop.google.mails.count() - before, 1);
    });
});
