/** Dead letters: whatever becomes of an email that was given up, its content lies somewhere until it is sent or dropped. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replay } from '../../../functions/cli/ledger/dead-letters.ts';
import { accept } from '../../../functions/mail/accept.ts';
import { reconcile } from '../../../functions/mail/delivery/operator-decisions.ts';
import type { QueueMessage } from '../../../functions/mail/delivery/ports.ts';
import { PUBLISHER } from '../../../functions/mail/model/caller.ts';
import { type FailureCode, MailFailure } from '../../../functions/mail/model/failure.ts';
import { processMessage } from '../../../functions/mail/queue/process-message.ts';
import { world } from '../../explore/world.ts';
import { CONFIG, MAIL } from '../../support/stack/laptop.ts';

const [CALLER] = CONFIG.keys;
const [MAILBOX] = CONFIG.mailboxes;
if (!CALLER || !MAILBOX) throw new Error('the config has a key and a mailbox');
const HOUR = 3_600_000;
const failing = (code: FailureCode) => async (): Promise<never> => {
  throw new MailFailure(code, 'scripted');
};

/** A world whose queue, task queue and dead letters only keep what they are given. */
function office() {
  const topic: QueueMessage[] = [];
  const dead: QueueMessage[] = [];
  const later: QueueMessage[] = [];
  const ports = world({
    queue: { publish: async (message) => void topic.push(message) },
    deadLetters: { publish: async (message) => void dead.push(message) },
    taskQueue: {
      schedule: async (message) => (later.push(message) > 0 ? 'created' : 'taken'),
      get: async () => null,
      cancel: async () => {},
    },
  });
  const work = (message: QueueMessage, delivery = 1) =>
    processMessage(
      { order: { body: JSON.parse(message.data), caller: PUBLISHER, key: 'order/7', retryFailed: false }, message, delivery },
      CONFIG,
      ports,
    );
  const ask = (subject: string) =>
    accept(
      { body: { ...MAIL, subject }, caller: CALLER as typeof PUBLISHER, key: 'k', retryFailed: true },
      { ...CONFIG, delivery: 'queued' },
      ports,
    );
  const put = (message: QueueMessage): Promise<unknown> =>
    replay(
      { id: 'd', ackId: 'a', published: '', message },
      {
        pulled: { pull: async () => [], acknowledge: async () => void dead.splice(dead.indexOf(message), 1), nack: async () => {} },
        queue: { publish: async (again) => void topic.push(again) },
        routes: [],
        begin: () => ports,
      },
    );
  const subjects = (messages: readonly QueueMessage[]) => messages.map(({ data }) => (JSON.parse(data) as typeof MAIL).subject);
  const entry = () => [...ports.ledger.entries.values()][0];
  return {
    ports,
    topic,
    dead,
    later,
    work,
    ask,
    put,
    entry,
    held: () => subjects([...dead, ...topic, ...later]),
    dug: () => subjects(dead),
  };
}

/** A queued email of which Gmail says nothing for two days, and so a dead letter; its message beside it. */
async function silent(own: ReturnType<typeof office>): Promise<QueueMessage> {
  const { ports, topic, dead, later, work, ask } = own;
  await ask('one');
  const [message] = topic.splice(0);
  assert.ok(message);
  Object.assign(ports, { upload: failing('delivery_unknown'), querySession: failing('delivery_unknown') });
  for (let tries = 0; tries < 40 && dead.length === 0; tries++) {
    ports.clock += 6 * HOUR;
    await work(message);
  }
  later.splice(0);
  assert.deepEqual([own.dug(), own.entry()?.entry.state], [['one'], 'unknown']);
  return message;
}

for (const { name, answer } of [
  { name: 'goes on in its session and is not found again', answer: 'session_gone' },
  { name: 'is asked about once more, in vain', answer: 'delivery_unknown' },
] as const)
  test(`a person asks Gmail, which waits for the rest; the replay ${name}: there is a dead letter again`, async () => {
    const own = office();
    const { ports, topic, dead, work, put } = own;
    await silent(own);
    Object.assign(ports, { querySession: async () => ({ state: 'partial', received: 0 }) });
    const found = own.entry();
    assert.ok(found && (await reconcile(found, MAILBOX, ports)).entry.state === 'sending');
    Object.assign(ports, { querySession: failing(answer), upload: failing(answer) });
    await put(dead[0] as QueueMessage);
    assert.deepEqual([own.dug(), topic.length], [[], 1]);
    assert.equal((await work(topic.splice(0)[0] as QueueMessage)).acknowledged, true);
    assert.deepEqual(own.held(), ['one']);
  });

test('a worker dies while it asks about an email that has a dead letter; the replay ends in vain: there is a dead letter again', async () => {
  const own = office();
  const { ports, topic, dead, work, put } = own;
  const message = await silent(own);
  const asks = new Promise<void>((asked) => {
    Object.assign(ports, {
      querySession: () => {
        asked();
        return new Promise(() => {});
      },
    });
  });
  void work(message);
  await asks;
  ports.clock += ports.leaseMs + 1;
  Object.assign(ports, { querySession: failing('delivery_unknown') });
  await put(dead[0] as QueueMessage);
  for (const one of [...topic.splice(0), message]) assert.equal((await work(one)).acknowledged, true);
  assert.deepEqual([own.entry()?.entry.state, own.held()], ['unknown', ['one']]);
});

test('an email that failed and is asked for anew in other words gets a dead letter of its own', async () => {
  const { ports, topic, work, ask, dug } = office();
  Object.assign(ports, { token: failing('grant_revoked') });
  for (const subject of ['one', 'two']) {
    await ask(subject);
    assert.equal((await work(topic.splice(0)[0] as QueueMessage)).acknowledged, true);
  }
  assert.deepEqual(dug(), ['one', 'two']);
});

test('an earlier wording that comes again is not the dead letter of the later one', async () => {
  const { ports, topic, work, ask, dug } = office();
  Object.assign(ports, { token: failing('grant_revoked') });
  await ask('one');
  const [first] = topic.splice(0) as [QueueMessage];
  await work(first);
  await ask('two');
  const [second] = topic.splice(0) as [QueueMessage];
  const { deadLetters } = ports;
  Object.assign(ports, { deadLetters: { publish: failing('queue_unavailable') } });
  assert.equal((await work(second)).acknowledged, false);
  Object.assign(ports, { deadLetters });
  assert.deepEqual([(await work(first, 2)).acknowledged, (await work(second, 2)).acknowledged], [true, true]);
  assert.ok(dug().includes('two'), dug().join());
});

for (const { ended, change } of [
  { ended: 'failed', change: { token: failing('grant_revoked') } },
  { ended: 'unknown', change: { upload: failing('session_gone') } },
])
  test(`another order under the key of an email that is ${ended} and has its dead letter is recorded on its own`, async () => {
    const { ports, work, dug } = office();
    const order = (subject: string): QueueMessage => ({
      data: JSON.stringify({ ...MAIL, subject }),
      attributes: { idempotencyKey: 'order/7' },
    });
    const { upload: transfer, token } = ports;
    Object.assign(ports, change);
    await work(order('one'));
    Object.assign(ports, { upload: transfer, token });
    const { acknowledged, outcome } = await work(order('two'));
    const entries = [...ports.ledger.entries.values()].map(({ entry }) => [entry.state, entry.id === outcome?.id ? entry.code : 'theirs']);
    assert.deepEqual(
      [acknowledged, entries],
      [
        true,
        [
          [ended, 'theirs'],
          ['failed', 'idempotency_mismatch'],
        ],
      ],
    );
    assert.deepEqual(dug(), ['one']);
  });
