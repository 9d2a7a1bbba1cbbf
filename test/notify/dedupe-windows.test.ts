/** `every`: a storm is one email at once and one digest at the end of its window. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QueueMessage } from '../../functions/mail/delivery/ports.ts';
import { MailFailure } from '../../functions/mail/model/failure.ts';
import { DIGEST_ATTRIBUTE } from '../../functions/mail/queue/queue-message.ts';
import { readDigest, routeThatWas, sendDigest } from '../../functions/notify/digest.ts';
import { handleEvent, routeNamed } from '../../functions/notify/handle-event.ts';
import { world } from '../explore/world.ts';
import { type Laptop, post, startQueued } from '../support/stack/laptop.ts';
import { compileTexts, configWith, load, routed } from '../support/stack/routes.ts';

const HOUR = 3_600_000;
const ROUTES = {
  alerts: { topic: 'alerts', from: 'notices@example.com', to: ['dev@example.com'], template: 'alert', dedupe: 'event.policy', every: '1h' },
};
const FILES = {
  'alert.hbs': '---\nsubject: Alert {{event.n}}\n---\n<p>{{event.policy}}</p>',
  'digest.hbs':
    '---\nsubject: "{{digest.count}} more of {{route.name}}"\n---\n<p>{{date digest.first style="iso"}} {{date digest.last style="iso"}} {{digest.sample}} {{#if event.policy}}{{event.policy}}{{/if}}</p>',
};
const happened = (n: number, policy = 'cpu') => ({ event: { data: { n, policy }, attributes: {} }, key: `event:${n}`, retryFailed: false });

/** A world in which messages of a later time are kept until it has come. */
function stormy() {
  const put = new Map<string, { message: QueueMessage; at: number }>();
  const subjects: string[] = [];
  const ports = world({
    taskQueue: {
      schedule: async (message, at, name) => {
        if (put.has(name)) return 'taken';
        put.set(name, { message, at });
        return 'created';
      },
      get: async () => null,
      cancel: async () => {},
    },
    async openSession(letter) {
      subjects.push(/^Subject: (.*)\r$/m.exec(Buffer.from(letter.bytes).toString())?.[1] ?? '');
      return `session-${subjects.length}`;
    },
  });
  return { ports, put, subjects };
}

async function compiled() {
  const { module, problems } = compileTexts(ROUTES, FILES);
  assert.deepEqual(problems, []);
  const all = await load(module);
  return { all, route: routeNamed('alerts', all), config: configWith(ROUTES) };
}

test('10,000 identical alerts in an hour are one email at once and one digest at its end', async () => {
  const { all, route, config } = await compiled();
  const { ports, put, subjects } = stormy();
  const began = ports.clock;
  const taken = { sent: 0, held: 0 };
  for (let n = 1; n <= 10_000; n++) {
    ports.clock = began + Math.trunc(((n - 1) * HOUR) / 10_000);
    const how = await handleEvent(happened(n), route, all, config, ports);
    taken[typeof how === 'string' ? 'held' : 'sent']++;
    // Every hundredth comes twice, as platforms do.
    if (n % 100 === 0) assert.equal(await handleEvent(happened(n), route, all, config, ports), 'held');
  }
  assert.deepEqual([taken, subjects, put.size], [{ sent: 1, held: 9_999 }, ['Alert 1'], 1]);

  const [{ message, at } = assert.fail()] = put.values();
  assert.ok(at >= began + HOUR && at <= began + HOUR + 120_000);
  assert.equal(message.attributes[DIGEST_ATTRIBUTE], 'alerts');
  ports.clock = at;
  const { window, sample } = readDigest(message);
  for (let times = 0; times < 3; times++) await sendDigest(window, sample, route, all, config, ports);
  assert.deepEqual(subjects, ['Alert 1', '9999 more of alerts']);
});

test('alerts of another kind have a window of their own, and after the window an email goes out at once again', async () => {
  const { all, route, config } = await compiled();
  const { ports, put, subjects } = stormy();
  const take = (n: number, policy?: string) => handleEvent(happened(n, policy), route, all, config, ports);
  await take(1);
  await take(2, 'disk');
  await take(3);
  ports.clock += HOUR;
  await take(4);
  await take(5);
  assert.deepEqual([subjects, put.size], [['Alert 1', 'Alert 2', 'Alert 4'], 2]);
});

test('an event that is delivered again after its window is over still belongs to it', async () => {
  const { all, route, config } = await compiled();
  const { ports, subjects } = stormy();
  const take = (n: number) => handleEvent(happened(n), route, all, config, ports);
  for (const n of [1, 2]) await take(n);
  ports.clock += 2 * HOUR;
  assert.deepEqual([(await take(1)) === 'held', await take(2)], [false, 'held']);
  await take(3);
  assert.deepEqual(subjects, ['Alert 1', 'Alert 3']);
});

test('whoever says the same again on purpose, an hour later, is counted and mailed again', async () => {
  const { all, route, config } = await compiled();
  const { ports, put, subjects } = stormy();
  const same = () => handleEvent({ ...happened(1), key: 'body:x', keyMs: HOUR }, route, all, config, ports);
  await same();
  await same();
  assert.deepEqual([subjects.length, put.size], [1, 0]);
  ports.clock += 4 * HOUR;
  await same();
  assert.deepEqual([subjects.length, put.size], [2, 0]);
});

test('killed between its window and its email, the first event is an email when it comes again', async () => {
  const { all, route, config } = await compiled();
  const { ports, subjects } = stormy();
  const { create } = ports.ledger;
  ports.ledger.create = async () => assert.fail('killed');
  await assert.rejects(handleEvent(happened(1), route, all, config, ports));
  ports.ledger.create = create;
  assert.equal(await handleEvent(happened(2), route, all, config, ports), 'held');
  await handleEvent(happened(1), route, all, config, ports);
  assert.deepEqual(subjects, ['Alert 1']);
});

test('killed between the count and the taskQueue, the digest is asked for when the event comes again', async () => {
  const { all, route, config } = await compiled();
  const { ports, put } = stormy();
  await handleEvent(happened(1), route, all, config, ports);
  const { taskQueue } = ports;
  const broken = { ...ports, taskQueue: { ...taskQueue, schedule: async () => assert.fail('killed') } } as unknown as typeof ports;
  await assert.rejects(handleEvent(happened(2), route, all, config, broken));
  assert.equal(put.size, 0);
  assert.equal(await handleEvent(happened(2), route, all, config, ports), 'held');
  assert.equal(put.size, 1);
});

test('without a queue for later times the digest goes out with the next event', async () => {
  const { all, route, config } = await compiled();
  const { ports, subjects } = stormy();
  const bare = Object.assign(ports, { taskQueue: null });
  for (const n of [1, 2, 3]) await handleEvent(happened(n), route, all, config, bare);
  ports.clock += 2 * HOUR;
  await handleEvent(happened(4), route, all, config, bare);
  assert.deepEqual(subjects.toSorted(), ['2 more of alerts', 'Alert 1', 'Alert 4']);
});

for (const [how, breakIt] of [
  [
    'killed before it',
    ({ windows, ...ports }) => ({ ...ports, windows: async () => ({ ...(await windows()), close: () => assert.fail('killed') }) }),
  ],
  [
    'while Gmail takes nothing',
    (ports) => ({ ...ports, openSession: async () => Promise.reject(new MailFailure('google_unavailable', '503')) }),
  ],
] as const satisfies [string, (ports: ReturnType<typeof world>) => object][])
  test(`without a queue for later times a digest that did not go out, ${how}, goes out when the event comes again`, async () => {
    const { all, route, config } = await compiled();
    const { ports, subjects } = stormy();
    const bare = Object.assign(ports, { taskQueue: null });
    for (const n of [1, 2, 3]) await handleEvent(happened(n), route, all, config, bare);
    ports.clock += 2 * HOUR;
    await handleEvent(happened(4), route, all, config, breakIt(bare) as typeof ports).catch(() => null);
    ports.clock += HOUR / 2;
    const again = await handleEvent(happened(4), route, all, config, bare);
    assert.equal(typeof again === 'object' && again.state, 'sent');
    assert.deepEqual(subjects.toSorted(), ['2 more of alerts', 'Alert 1', 'Alert 4']);
  });

test('an event whose own email is out comes again for as long as the digest before it is not', async () => {
  const { all, route, config } = await compiled();
  const { ports, subjects } = stormy();
  const bare = Object.assign(ports, { taskQueue: null });
  for (const n of [1, 2]) await handleEvent(happened(n), route, all, config, bare);
  ports.clock += 2 * HOUR;
  const { openSession: open } = ports;
  const refuses: typeof open = (letter, ...rest) =>
    Buffer.from(letter.bytes).includes('more of alerts')
      ? Promise.reject(new MailFailure('google_unavailable', '503'))
      : open(letter, ...rest);
  const second = { ...bare, openSession: refuses };
  const outcome = await handleEvent(happened(3), route, all, config, second);
  assert.equal(typeof outcome === 'object' && outcome.state, 'retry');
  ports.clock += HOUR / 2;
  await handleEvent(happened(3), route, all, config, bare);
  assert.deepEqual(subjects.toSorted(), ['1 more of alerts', 'Alert 1', 'Alert 3']);
});

test('a digest that cannot be rendered is recorded, not tried for days', async () => {
  const { module } = compileTexts(ROUTES, { ...FILES, 'digest.hbs': '---\nsubject: "{{event.gone}}"\n---\nx' });
  const { ports } = stormy();
  const all = await load(module);
  const route = routeNamed('alerts', all);
  for (const n of [1, 2]) await handleEvent(happened(n), route, all, configWith(ROUTES), ports);
  const group = ports.digest('alerts\ncpu').slice(0, 40);
  const outcome = await sendDigest({ group, opened: ports.clock, until: ports.clock + HOUR }, null, route, all, configWith(ROUTES), ports);
  assert.deepEqual([outcome?.state, outcome?.state === 'failed' && outcome.failure.code], ['failed', 'route_template']);
});

test('a storm through the real adapters: topic to mailbox, with the digest by way of the taskQueue', async () => {
  const clock = { now: Date.UTC(2026, 10, 24, 8) };
  await using laptop: Laptop = await startQueued({ ...routed(ROUTES, FILES), delivery: 'direct', now: () => clock.now });
  const event = (n: number) => ({
    subscription: 's',
    deliveryAttempt: 1,
    message: { messageId: String(n), data: Buffer.from(JSON.stringify({ n, policy: 'cpu' })).toString('base64') },
  });
  const statuses = new Set<number>();
  const send = async (n: number) => statuses.add((await post(`${laptop.worker}/routes/alerts`, event(n))).status);
  await send(0);
  for (let n = 1; n < 100; n += 20) await Promise.all(Array.from({ length: 20 }, (_, index) => send(n + index)));
  await Promise.all([5, 5, 17].map(send)); // delivered again
  assert.deepEqual([[...statuses], laptop.google.mails.count()], [[204], 1]);
  clock.now += HOUR + 60_000;
  await laptop.google.tasks.flush();
  await laptop.google.pubsub.flush();
  assert.deepEqual(
    laptop.google.mails.list().map(({ raw }) => /^Subject: (.*)\r$/m.exec(raw.toString())?.[1]),
    ['100 more of alerts', 'Alert 0'],
  );
  assert.match(laptop.google.mails.list()[0]?.raw.toString() ?? '', /2026-11-24T08:00:00\.000Z 2026-11-24T08:00:00\.000Z Alert \d+ cpu/);
});

const OWNED = {
  alerts: {
    ...ROUTES.alerts,
    to: ['{{event.owner}}'],
    bcc: ['{{event.watcher}}'],
    reply_to: ['{{event.owner}}'],
    headers: { 'X-Owner': '{{event.owner}}' },
  },
};
const owned = (n: number, owner: string, more: object = {}) => ({
  event: { data: { n, policy: 'cpu', owner, watcher: 'w@example.com', ...more }, attributes: {} },
  key: `event:${n}`,
  retryFailed: false,
});

/** Subject, recipients and the header of each email that went out. */
function mailboxOf() {
  const storm = stormy();
  const mails: string[] = [];
  storm.ports.openSession = async (letter) => {
    const text = Buffer.from(letter.bytes).toString();
    const header = (name: string) => new RegExp(`^${name}: (.*)\\r$`, 'm').exec(text)?.[1] ?? '';
    mails.push([header('Subject'), letter.envelope.to.join(' '), header('Reply-To'), header('X-Owner')].join(' | '));
    return `session-${mails.length}`;
  };
  return { ...storm, mails };
}

/** Runs what waits for its time, as the worker would, and answers how each digest ended. */
async function digests({ ports, put }: ReturnType<typeof stormy>, all: Awaited<ReturnType<typeof load>>, config = configWith(OWNED)) {
  const outcomes = [];
  for (const { message, at } of [...put.values()]) {
    ports.clock = Math.max(ports.clock, at);
    const { window, sample } = readDigest(message);
    const name = String(message.attributes[DIGEST_ATTRIBUTE]);
    const route = Object.hasOwn(all.routes, name) ? routeNamed(name, all) : (routeThatWas(name, sample) ?? assert.fail());
    outcomes.push(await sendDigest(window, sample, route, all, config, ports));
  }
  put.clear();
  return outcomes;
}

for (const [size, more] of [
  ['small', {}],
  ['over 40 kB', { text: 'canary'.repeat(10_000) }],
] as const)
  test(`each owner hears of their own events alone, and their digest has its recipients and headers: events ${size}`, async () => {
    const all = await load(compileTexts(OWNED, FILES).module);
    const route = routeNamed('alerts', all);
    const storm = mailboxOf();
    for (const [n, owner] of ['a', 'b', 'A', 'b', 'a', 'b'].entries())
      await handleEvent(owned(n + 1, `${owner}@example.net`, more), route, all, configWith(OWNED), storm.ports);
    await digests(storm, all);
    assert.deepEqual(storm.mails, [
      'Alert 1 | a@example.net w@example.com | a@example.net | a@example.net',
      'Alert 2 | b@example.net w@example.com | b@example.net | b@example.net',
      '2 more of alerts | A@example.net w@example.com | A@example.net | A@example.net',
      '2 more of alerts | b@example.net w@example.com | b@example.net | b@example.net',
    ]);
  });

test('without Cloud Tasks the digest has recipients and headers too', async () => {
  const all = await load(compileTexts(OWNED, FILES).module);
  const route = routeNamed('alerts', all);
  const { ports, mails } = mailboxOf();
  const bare = Object.assign(ports, { taskQueue: null });
  for (const n of [1, 2]) await handleEvent(owned(n, 'a@example.net'), route, all, configWith(OWNED), bare);
  ports.clock += 2 * HOUR;
  await handleEvent(owned(3, 'a@example.net'), route, all, configWith(OWNED), bare);
  assert.deepEqual(mails.slice(2), ['1 more of alerts | a@example.net w@example.com | a@example.net | a@example.net']);
});

for (const [how, routes] of [
  ['was renamed', { other: OWNED.alerts }],
  ['has no `every` any more', { alerts: { ...OWNED.alerts, every: undefined } }],
] as const)
  test(`a window whose route ${how} still ends, in a plain digest`, async () => {
    const all = await load(compileTexts(OWNED, FILES).module);
    const storm = mailboxOf();
    for (const n of [1, 2, 3]) await handleEvent(owned(n, 'a@example.net'), routeNamed('alerts', all), all, configWith(OWNED), storm.ports);
    const { 'digest.hbs': _, ...files } = FILES;
    const changed = JSON.parse(JSON.stringify(routes));
    const later = await load(compileTexts(changed, files).module);
    await digests(storm, later, configWith(changed));
    assert.deepEqual(storm.mails.slice(1), ['2 more: Alert 2 | a@example.net w@example.com | a@example.net | a@example.net']);
  });

test('an event that a worker with a slow clock brings after the digest is told in a digest of its own', async () => {
  const { all, route, config } = await compiled();
  const storm = stormy();
  const { ports } = storm;
  const began = ports.clock;
  const take = (n: number) => handleEvent(happened(n), route, all, config, ports);
  for (const n of [1, 2, 3]) await take(n);
  await digests(storm, all, config);
  const slow = { ...ports, now: () => began + HOUR - 60_000 };
  assert.equal(await handleEvent(happened(4), route, all, config, slow), 'held');
  await digests(storm, all, config);
  assert.deepEqual(storm.subjects, ['Alert 1', '2 more of alerts', '1 more of alerts']);
  for (const n of [2, 3, 4]) await take(n); // delivered again
  await digests(storm, all, config);
  assert.equal(storm.subjects.length, 3);
});

test('a digest that failed for an operator, without Cloud Tasks, is what becomes of the event that asked for it', async () => {
  const { all, route, config } = await compiled();
  const { ports, subjects } = stormy();
  const bare = Object.assign(ports, { taskQueue: null });
  for (const n of [1, 2]) await handleEvent(happened(n), route, all, config, bare);
  ports.clock += 2 * HOUR;
  const { openSession: open } = ports;
  ports.openSession = (letter, ...rest) =>
    Buffer.from(letter.bytes).includes('more of alerts') ? Promise.reject(new MailFailure('api_disabled', '403')) : open(letter, ...rest);
  const outcome = await handleEvent(happened(3), route, all, config, bare);
  assert.deepEqual(typeof outcome === 'object' && outcome.state, 'failed');
  assert.deepEqual(subjects, ['Alert 1', 'Alert 3']);
});

for (const dedupe of [undefined, 'string(event.n)'])
  test(`over the limits of a route its events are a digest, not silence${dedupe ? ', whatever dedupe keys they bring' : ''}`, async () => {
    const { every: _, dedupe: __, ...plain } = ROUTES.alerts;
    const routes = { alerts: { ...plain, limits: { perDay: 3, perMinute: null }, ...(dedupe && { dedupe }) } };
    const all = await load(compileTexts(routes, FILES).module);
    const storm = stormy();
    const { ports } = storm;
    const outcomes = [];
    for (let n = 1; n <= 10; n++) {
      const how = await handleEvent(happened(n), routeNamed('alerts', all), all, configWith(routes), ports);
      outcomes.push(typeof how === 'string' ? how : how.state);
    }
    assert.deepEqual(outcomes, [...Array(3).fill('sent'), ...Array(7).fill('held')]);
    await digests(storm, all, configWith(routes));
    assert.deepEqual(storm.subjects, ['Alert 1', 'Alert 2', 'Alert 3', '7 more of alerts']);
    ports.clock += 24 * HOUR;
    await handleEvent(happened(11), routeNamed('alerts', all), all, configWith(routes), ports);
    assert.equal(storm.subjects.at(-1), 'Alert 11');
  });

test('a route has 300 emails a day where its config says nothing, and an email that did not go out uses none of them up', async () => {
  const { every: _, dedupe: __, ...plain } = ROUTES.alerts;
  assert.deepEqual(configWith({ alerts: plain }).routes?.[0]?.limits, { perDay: 300, perMinute: null });
  const routes = { alerts: { ...plain, limits: { perDay: 1 } } };
  const all = await load(compileTexts(routes, FILES).module);
  const { ports, subjects } = stormy();
  const { openSession } = ports;
  ports.openSession = () => Promise.reject(new MailFailure('google_unavailable', '503'));
  const first = await handleEvent(happened(1), routeNamed('alerts', all), all, configWith(routes), ports);
  assert.equal(typeof first === 'object' && first.state, 'retry');
  ports.openSession = openSession;
  ports.clock += HOUR;
  await handleEvent(happened(1), routeNamed('alerts', all), all, configWith(routes), ports);
  assert.deepEqual(subjects, ['Alert 1']);
});
