/** Events of emails, from the state change to a receiver that verifies them with the libraries that people have. */
import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Resend } from 'resend';
import { Webhook } from 'standardwebhooks';
import type { Terminal } from '../../../functions/cli/common/terminal.ts';
import { runDeadCommand } from '../../../functions/cli/ledger/dead-letters-command.ts';
import { connect } from '../../../functions/google/connect.ts';
import { EVENT_TYPES, type EventTarget } from '../../../functions/mail/model/email-event.ts';
import { createLog } from '../../../functions/runtime/log.ts';
import type { Handler } from '../../../functions/runtime/serve.ts';
import type { Settings } from '../../../functions/runtime/settings.ts';
import { byPath } from '../../../functions/trigger/common/paths.ts';
import { eventHandler } from '../../../functions/trigger/events/event-handler.ts';
import { pubsubWorker } from '../../../functions/trigger/pubsub/push-handler.ts';
import {
  CONFIG,
  DEAD_TOPIC,
  SECRET as GRANT,
  KEY,
  type Laptop,
  MAIL,
  MAILBOX,
  PROJECT,
  post,
  QUEUE,
  serveOn,
  startLaptop,
  TOPIC,
} from '../../support/stack/laptop.ts';

const SECRET = `whsec_${Buffer.from('canary-0123456789abcdef').toString('base64')}`;
const config = join(mkdtempSync(join(tmpdir(), 'mailgrant-')), 'mailgrant.yaml');
writeFileSync(config, `mailboxes:\n  ${MAILBOX}: { secret: ${GRANT} }\n`);
const nobody: Terminal = { interactive: false, say: () => {}, ask: async () => null, open: async () => false };
const HOUR = 3_600_000;

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly json: { readonly type: string; readonly created_at: string; readonly data: Record<string, unknown> };
}

/** How a receiver behaves: a status, or what it does in place of an answer. */
type Behaviour = number | 'reset' | 'hang';

async function receiver(behave: () => Behaviour = () => 200) {
  const received: Received[] = [];
  const server = createServer(async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString('utf8');
    received.push({ headers: req.headers, body, json: JSON.parse(body) });
    const how = behave();
    if (how === 'reset') return void req.socket.destroy();
    if (how !== 'hang') res.writeHead(how, how === 302 ? { location: 'http://127.0.0.1:1/' } : {}).end('canary-answer');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/events?from=mailgrant`,
    received,
    [Symbol.dispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

interface Told extends AsyncDisposable {
  readonly laptop: Laptop;
  readonly lines: Record<string, unknown>[];
  readonly clock: { now: number };
  readonly worker: string;
  run(): Promise<void>;
  send(change?: object, headers?: Record<string, string>): ReturnType<typeof post>;
}

async function startTelling(
  target: Partial<EventTarget>,
  addresses: 'hashed' | 'plain' = 'hashed',
  receiverMs = 10_000,
  queue: Partial<Settings> = QUEUE,
): Promise<Told> {
  const clock = { now: Date.UTC(2026, 10, 28, 12) };
  let serve: Handler = async () => {};
  const door = await serveOn((req, res) => serve(req, res));
  const events: EventTarget[] = [{ name: 'app', secret: 'hook-events', types: EVENT_TYPES, addresses: false, ...target }];
  const eventTasks = { queue: `projects/${PROJECT}/locations/europe-west1/queues/events`, account: 'tasks@example.com', worker: door.url };
  const laptop = await startLaptop({
    config: {
      ...CONFIG,
      ledger: { addresses },
      events: target.topic === undefined ? events : events.map(({ secret: _, ...rest }) => rest),
    },
    settings: { ...queue, eventTasks },
    now: () => clock.now,
  });
  for (const name of [TOPIC, DEAD_TOPIC]) laptop.google.pubsub.createTopic(name);
  laptop.google.storeSecret(PROJECT, 'hook-events', SECRET);
  const lines: Record<string, unknown>[] = [];
  const log = createLog((line) => lines.push(JSON.parse(line)));
  const edge = connect({ ...laptop.settings, deadlineMs: receiverMs, pushAudience: door.url }, log, undefined, () => clock.now);
  serve = byPath(
    { '/events': eventHandler(edge, log), '/events/': eventHandler(edge, log) },
    pubsubWorker({ ...edge, pushAudience: null }, log),
  );
  laptop.google.pubsub.subscribe({ name: `projects/${PROJECT}/subscriptions/mails`, topic: TOPIC, endpoint: door.url });
  return {
    laptop,
    lines,
    clock,
    worker: door.url,
    run: () => laptop.google.tasks.flush(),
    send: (change = {}, headers = {}) =>
      post(`${laptop.api}/emails`, { ...MAIL, ...change }, { authorization: `Bearer ${KEY}`, ...headers }),
    async [Symbol.asyncDispose]() {
      door.close();
      await laptop[Symbol.asyncDispose]();
    },
  };
}

const sweep = (told: Told) => {
  const claims = Buffer.from(JSON.stringify({ aud: told.worker })).toString('base64url');
  return post(`${told.worker}/events/sweep`, {}, { authorization: `Bearer e30.${claims}.x` });
};

test('an email that is sent is told, and Resend’s SDK and standardwebhooks accept the event unchanged', async () => {
  using app = await receiver();
  await using told = await startTelling({ url: app.url });
  told.clock.now = Date.now(); // the libraries have no other clock
  const { body } = await told.send({ tags: [{ name: 'order', value: '42' }] });
  await told.run();
  assert.equal(app.received.length, 1);
  const [one] = app.received as [Received];
  assert.deepEqual(one.json.data, {
    email_id: body?.['id'],
    created_at: new Date(told.clock.now).toISOString(),
    message_id: '',
    from: '',
    to: [],
    subject: '',
    tags: { order: '42' },
    code: null,
    fix: null,
  });
  const header = (name: string): string => String(one.headers[name]);
  const headers = { id: header('svix-id'), timestamp: header('svix-timestamp'), signature: header('svix-signature') };
  const verified = new Resend('re_x').webhooks.verify({ payload: one.body, headers, webhookSecret: SECRET });
  assert.equal(verified.type, 'email.sent');
  assert.deepEqual(new Webhook(SECRET).verify(one.body, one.headers as Record<string, string>), one.json);
  assert.throws(() => new Webhook(SECRET).verify(one.body.replace('42', '43'), one.headers as Record<string, string>));
  assert.doesNotMatch(JSON.stringify([...told.lines, ...told.laptop.lines, one.body]), /canary|you@example/);
});

const CHANGES: readonly { name: string; change?: object; prepare?: (laptop: Laptop) => void; types: string[]; code?: string }[] = [
  { name: 'scheduled', change: { scheduled_at: '2026-11-29T12:00:00Z' }, types: ['email.scheduled'] },
  {
    name: 'a dead grant',
    prepare: ({ google }) => google.faults.script({ on: 'token', answer: 'invalid_grant', times: 2 }),
    types: ['email.failed'],
    code: 'grant_revoked',
  },
  {
    name: 'Gmail is down',
    prepare: ({ google }) => google.faults.script({ on: 'open', status: 503, times: 9 }),
    types: ['email.delivery_delayed'],
    code: 'google_unavailable',
  },
  {
    name: 'the day is full',
    prepare: ({ google }) => google.faults.script({ on: 'open', answer: 'daily_limit' }),
    types: ['email.parked'],
    code: 'quota_daily',
  },
  {
    name: 'the session is gone',
    prepare: ({ google }) => {
      google.faults.script({ on: 'transfer', reset: 'before' });
      google.faults.script({ on: 'ask', answer: 'session_gone' });
    },
    types: ['email.unknown'],
    code: 'session_gone',
  },
];
for (const { name, change, prepare, types, code } of CHANGES)
  test(`told with its code and fix: ${name}`, async () => {
    using app = await receiver();
    await using told = await startTelling({ url: app.url });
    prepare?.(told.laptop);
    await told.send(change);
    await told.run();
    assert.deepEqual(
      app.received.map(({ json }) => json.type),
      types,
    );
    assert.equal(app.received[0]?.json.data['code'], code ?? null);
    assert.equal(typeof app.received[0]?.json.data['fix'], code === undefined ? 'object' : 'string');
  });

test('only the types that a target wants, and addresses only where the config says so', async () => {
  using app = await receiver();
  await using told = await startTelling({ url: app.url, types: ['email.sent'], addresses: true }, 'plain');
  await told.send({ scheduled_at: '2026-11-29T12:00:00Z' });
  await told.send();
  await told.run();
  assert.deepEqual(
    app.received.map(({ json: { type, data } }) => [type, data['from'], data['to']]),
    [['email.sent', 'notices@example.com', ['you@example.net']]],
  );
});

test('a topic of Pub/Sub gets CloudEvents', async () => {
  await using told = await startTelling({ topic: 'email-events' });
  const topic = `projects/${PROJECT}/topics/email-events`;
  told.laptop.google.pubsub.createTopic(topic);
  told.laptop.google.pubsub.keep(`projects/${PROJECT}/subscriptions/mailgrant-events`, topic);
  const { body } = await told.send();
  const reply = await fetch(`${told.laptop.google.url}/v1/projects/${PROJECT}/subscriptions/mailgrant-events:pull`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${String(told.laptop.google.oauth.issue('x@example.com', ['https://www.googleapis.com/auth/pubsub']).access_token)}`,
    },
    body: JSON.stringify({ maxMessages: 10 }),
  });
  const { receivedMessages } = (await reply.json()) as {
    receivedMessages: { message: { data: string; attributes: Record<string, string> } }[];
  };
  assert.equal(receivedMessages.length, 1);
  const { data, attributes } = receivedMessages[0]?.message ?? { data: '', attributes: {} };
  assert.deepEqual([attributes['ce-type'], attributes['ce-subject'], attributes['ce-specversion']], ['email.sent', body?.['id'], '1.0']);
  assert.equal(JSON.parse(Buffer.from(data, 'base64').toString('utf8')).data.email_id, body?.['id']);
});

test('a receiver that is away for a day: a dead letter, which `dead replay` begins anew under the same id', async () => {
  let status: Behaviour = 500;
  using app = await receiver(() => status);
  await using told = await startTelling({ url: app.url });
  told.laptop.google.pubsub.keep(`projects/${PROJECT}/subscriptions/mailgrant-dead`, DEAD_TOPIC);
  await told.send();
  await told.run();
  for (const hours of [12, 13]) {
    told.clock.now += hours * HOUR;
    await told.run();
  }
  const [ids, given] = [
    new Set(app.received.map(({ headers }) => headers['webhook-id'])),
    told.lines.filter(({ outcome }) => outcome === 'given_up'),
  ];
  assert.deepEqual([ids.size, given.length, app.received.length >= 3], [1, 1, true]);
  assert.deepEqual([given[0]?.['code'], told.laptop.google.tasks.pending()], ['event_undelivered', []]);

  status = 204;
  const env = { MAILGRANT_GOOGLE_URL: told.laptop.google.url };
  const { data } = await runDeadCommand({ config, project: PROJECT, all: true, yes: true }, 'replay', [], env, nobody);
  assert.deepEqual(
    (data as { letters: Record<string, unknown>[] }).letters.map(({ did, reason, target }) => [did, reason, target]),
    [['replayed', 'event_undelivered', 'app']],
  );
  await told.laptop.google.pubsub.flush();
  const before = app.received.length;
  await told.run();
  assert.equal(app.received.length, before + 1);
  assert.equal(new Set(app.received.map(({ headers, body }) => `${String(headers['webhook-id'])} ${body}`)).size, 1);
  assert.equal(told.laptop.google.mails.count(), 1);
});

for (const behaviour of [302, 'reset', 404] as const)
  test(`a receiver that answers ${behaviour} has not taken the event`, async () => {
    let first = true;
    using app = await receiver(() => {
      const how = first ? behaviour : 200;
      first = false;
      return how;
    });
    await using told = await startTelling({ url: app.url });
    await told.send();
    await told.run();
    told.clock.now += 60_000;
    await told.run();
    assert.deepEqual(
      told.lines.filter(({ event }) => event === 'email_event').map(({ outcome }) => outcome),
      ['retry', 'delivered'],
    );
    assert.equal(app.received[0]?.body, app.received[1]?.body);
    assert.notEqual(app.received[0]?.headers['webhook-signature'], app.received[1]?.headers['webhook-signature']); // signed anew, in time
  });

test('what a crash left in the ledger is told by the sweep, and once', async () => {
  using app = await receiver();
  await using told = await startTelling({ url: app.url });
  told.laptop.google.faults.script({ on: 'task', status: 503, standing: true });
  const { status } = await told.send();
  assert.equal(status, 200); // an email does not wait for its events
  told.laptop.google.faults.clear();
  await told.run();
  assert.equal(app.received.length, 0);
  told.clock.now += 5 * 60_000;
  for (let again = 0; again < 2; again++) {
    assert.equal((await sweep(told)).status, 204);
    await told.run();
  }
  assert.deepEqual(
    [app.received.map(({ json }) => json.type), told.lines.filter(({ event }) => event === 'event_sweep').map(({ told }) => told)],
    [['email.sent'], [1, 0]],
  );
});

test('a call that carries no token for the worker is refused, and one of a target that the config has not is dropped', async () => {
  using app = await receiver();
  await using told = await startTelling({ url: app.url });
  const task = { target: 'app', id: 'x', type: 'email.sent', email: 'y', since: told.clock.now, payload: '{}' };
  assert.equal((await post(`${told.worker}/events`, task)).status, 500);
  const claims = Buffer.from(JSON.stringify({ aud: told.worker })).toString('base64url');
  const authorization = `Bearer e30.${claims}.x`;
  assert.equal((await post(`${told.worker}/events`, { ...task, target: 'evil' }, { authorization })).status, 204);
  assert.equal((await post(`${told.worker}/events`, { ...task, payload: 7 }, { authorization })).status, 400);
  assert.equal(app.received.length, 0);
});

/** A seeded source of numbers in [0, 1). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

for (const seed of [1, 2, 3])
  test(`receivers that fail, hang and repeat, a queue and a ledger that fail: every change told at least once, none invented (seed ${seed})`, async () => {
    const random = seeded(seed);
    const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T;
    let healthy = false;
    using app = await receiver(() => (healthy || random() < 0.4 ? 204 : pick<Behaviour>([500, 503, 'reset', 'hang'])));
    await using told = await startTelling({ url: app.url }, 'hashed', 300, {}); // no queue of emails: each is tried once
    const { faults, tasks } = told.laptop.google;
    for (let email = 0; email < 25; email++) {
      if (random() < 0.3)
        faults.script(
          pick([
            { on: 'token', answer: 'invalid_grant', times: 2 },
            { on: 'open', status: 503, times: 9 },
            { on: 'open', answer: 'daily_limit' },
          ] as const),
        );
      if (random() < 0.4)
        faults.script(
          pick([
            { on: 'task', status: 503 },
            { on: 'task', reset: 'after' },
            { on: 'ledger', reset: 'after' },
          ] as const),
        );
      await told.send({ subject: `canary-${email}` }, { 'idempotency-key': `key-${email}` });
      faults.clear();
      if (random() < 0.3) await tasks.flush();
      told.clock.now += 30_000;
    }
    healthy = true;
    for (let round = 0; round < 3; round++) {
      told.clock.now += 5 * 60_000;
      assert.equal((await sweep(told)).status, 204);
      await tasks.flush();
    }
    const TYPE: Readonly<Record<string, string>> = {
      sent: 'email.sent',
      failed: 'email.failed',
      retry: 'email.delivery_delayed',
      parked: 'email.parked',
    };
    const changes = told.laptop.lines
      .filter(({ event }) => event === 'mail')
      .map(({ id, outcome }) => `${String(id)} ${TYPE[String(outcome)] ?? String(outcome)}`);
    const first = new Map(
      app.received.map(({ headers, json }) => [String(headers['webhook-id']), `${String(json.data['email_id'])} ${json.type}`]),
    );
    assert.deepEqual([...first.values()].sort(), changes.sort());
    assert.ok(app.received.length > first.size, 'nothing was told twice: the chaos did nothing');
  });
