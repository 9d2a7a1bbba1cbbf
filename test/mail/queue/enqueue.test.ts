/** An email that is put by for a worker: what was answered "accepted" must go out, whoever else asks for it at the same time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reschedule } from '../../../functions/mail/change.ts';
import type { QueueMessage } from '../../../functions/mail/delivery/ports.ts';
import { prepareEmail } from '../../../functions/mail/message/prepared-email.ts';
import { MailFailure } from '../../../functions/mail/model/failure.ts';
import { enqueue, handOffToQueue } from '../../../functions/mail/queue/enqueue.ts';
import { resume } from '../../../functions/mail/queue/resume.ts';
import { world } from '../../explore/world.ts';
import { CONFIG, MAIL } from '../../support/stack/laptop.ts';

const [CALLER] = CONFIG.keys;
if (!CALLER) throw new Error('the config has a key');
const asking = { caller: CALLER, key: 'k', retryFailed: true };
const HOUR = 3_600_000;

/** A world with a queue and a task queue that only keep what they are given. */
function queueing() {
  const messages: QueueMessage[] = [];
  const tasks = new Map<string, { message: QueueMessage; at: number }>();
  const ports = world({
    queue: { publish: async (message) => void messages.push(message) },
    taskQueue: {
      schedule: async (message, at, name) => {
        if (tasks.has(name)) return 'taken';
        tasks.set(name, { message, at });
        return 'created';
      },
      get: async (name) => tasks.get(name)?.message ?? null,
      cancel: async () => {},
    },
  });
  const ask = (body: unknown = MAIL, key: string | null = 'k') =>
    enqueue(prepareEmail(body, CALLER as typeof asking.caller, CONFIG, ports), { ...asking, key }, CONFIG, ports);
  /** Delivers all that was published. */
  const deliver = async (): Promise<void> => {
    for (const message of messages.splice(0)) await resume(message.attributes['mailgrantId'] ?? '', message, CONFIG, ports);
  };
  return { ports, messages, tasks, ask, deliver };
}
const unpublished = async (): Promise<never> => {
  throw new MailFailure('queue_unavailable', 'scripted');
};

test('a request that cannot publish does not fail the email that a repetition of it has published in the meantime', async () => {
  const { ports, ask, deliver } = queueing();
  const { queue } = ports;
  let second: unknown;
  const slow = {
    publish: async () => {
      Object.assign(ports, { queue });
      second = await ask(); // its caller had no patience, and asked again
      return unpublished();
    },
  };
  Object.assign(ports, { queue: slow });
  await assert.rejects(ask(), { code: 'in_flight' });
  assert.equal((second as { state: string }).state, 'queued');
  await deliver();
  assert.equal(ports.sent.length, 1);
});

for (const key of [null, 'k'])
  test(`a message that got through although no answer said so, and a worker had it: ${key ? 'its caller, who has a key, asks again' : 'it is believed'}`, async () => {
    const { ports, messages, tasks, ask, deliver } = queueing();
    const through = {
      publish: async (message: QueueMessage) => {
        messages.push(message);
        Object.assign(ports, {
          openSession: async () => {
            throw new MailFailure('quota_daily', 'scripted');
          },
        });
        await deliver();
        return unpublished();
      },
    };
    Object.assign(ports, { queue: through });
    if (key === null) assert.equal((await ask(MAIL, key))?.state, 'queued');
    else await assert.rejects(ask(MAIL, key), { code: 'in_flight' });
    assert.deepEqual([[...ports.ledger.entries.values()].map(({ entry }) => entry.state), tasks.size], [['parked'], 0]);
    if (key !== null) assert.deepEqual([(await ask(MAIL, key))?.state, tasks.size], ['queued', 1]); // and is told so then
  });

for (const retryFailed of [true, false])
  test(`an email is accepted while the list of suppressed recipients cannot be read, and the worker reads it, retryFailed ${retryFailed}`, async () => {
    const { ports, messages, deliver } = queueing();
    let refused = new Set<string>();
    const unreadable = async (): Promise<never> => {
      throw new MailFailure('ledger_unavailable', 'scripted');
    };
    const ask = (key: string) => enqueue(prepareEmail(MAIL, CALLER, CONFIG, ports), { ...asking, key, retryFailed }, CONFIG, ports);
    const states = () => [...ports.ledger.entries.values()].map(({ entry }) => [entry.state, entry.code]);
    Object.assign(ports, { suppressed: unreadable });
    assert.deepEqual([(await ask('a'))?.state, states(), messages.length], ['queued', [['queued', null]], 1]);
    Object.assign(ports, { suppressed: async () => refused });
    await deliver();
    Object.assign(ports, { suppressed: unreadable });
    await ask('b');
    refused = new Set([MAIL.to]);
    Object.assign(ports, { suppressed: async () => refused });
    await deliver();
    assert.deepEqual([ports.sent.length, states()[1]], [1, ['failed', 'recipient_suppressed']]);
  });

test('a repetition that cannot publish does not fail the email that is accepted', async () => {
  const { ports, ask, deliver } = queueing();
  const { queue } = ports;
  assert.equal((await ask())?.state, 'queued');
  Object.assign(ports, { queue: { publish: unpublished } });
  await assert.rejects(ask(), { code: 'queue_unavailable' });
  Object.assign(ports, { queue });
  await deliver();
  assert.equal(ports.sent.length, 1);
});

test('what was handed over before is not failed by a second handing over that does not work', async () => {
  const { ports, messages, deliver } = queueing();
  const draft = prepareEmail(MAIL, CALLER, CONFIG, ports);
  const waiting = async (): Promise<string> => {
    const [found] = ports.ledger.entries.values();
    if (found) ports.ledger.entries.set(found.entry.id, { ...found, entry: { ...found.entry, state: 'waiting' } });
    return found?.entry.id ?? '';
  };
  await enqueue(draft, asking, CONFIG, ports);
  messages.splice(0);
  const id = await waiting();
  assert.equal((await handOffToQueue(id, draft, asking, CONFIG, ports))?.state, 'queued');
  await waiting(); // the worker could not send it just now, its message comes again; and its caller asks again
  const inOtherWords = prepareEmail(Object.fromEntries(Object.entries(MAIL).reverse()), CALLER, CONFIG, ports);
  assert.equal(await handOffToQueue(id, inOtherWords, asking, CONFIG, ports), null); // the message that is there is known by its words
  Object.assign(ports, { queue: { publish: unpublished } });
  assert.equal(await handOffToQueue(id, draft, asking, CONFIG, ports).catch(() => null), null);
  await deliver();
  assert.equal(ports.sent.length, 1);
});

test('an email that is moved to now goes out now, also where its message is quicker than the ledger', async () => {
  const { ports, messages, tasks, ask, deliver } = queueing();
  await ask({ ...MAIL, scheduled_at: 'in 5 hours' });
  const [found] = ports.ledger.entries.values();
  if (!found || !ports.taskQueue) throw new Error('nothing was scheduled');
  const { schedule: publishAt } = ports.taskQueue;
  const quick = async (...call: Parameters<typeof publishAt>): Promise<'created' | 'taken'> => {
    const said = await publishAt(...call);
    messages.push(call[0]);
    await deliver();
    return said;
  };
  await reschedule(found, new Date(ports.clock).toISOString(), { ...ports, taskQueue: { ...ports.taskQueue, schedule: quick } });
  await deliver();
  assert.deepEqual([ports.sent.length, tasks.size], [1, 2]);
});

for (const [early, sent] of [
  [2_000, 1],
  [HOUR, 0],
] as const)
  test(`a message that comes ${early} ms before its time, whose task has run and cannot be made again: ${sent} sent`, async () => {
    const { ports, tasks, ask } = queueing();
    await ask({ ...MAIL, scheduled_at: 'in 5 hours' });
    const [task] = tasks.values();
    ports.clock += 5 * HOUR - early; // the worker's clock is behind
    const { outcome } = await resume(task?.message.attributes['mailgrantId'] ?? '', task?.message as QueueMessage, CONFIG, ports);
    assert.deepEqual([outcome.state, ports.sent.length], [sent ? 'sent' : 'queued', sent]);
  });
