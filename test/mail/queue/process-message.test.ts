import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accept } from '../../../functions/mail/accept.ts';
import type { Ports, QueueMessage } from '../../../functions/mail/delivery/ports.ts';
import { PUBLISHER } from '../../../functions/mail/model/caller.ts';
import type { Config } from '../../../functions/mail/model/config.ts';
import { MailFailure } from '../../../functions/mail/model/failure.ts';
import { processMessage } from '../../../functions/mail/queue/process-message.ts';
import { DELIVERIES_MAX } from '../../../functions/mail/queue/retry-policy.ts';
import { world } from '../../explore/world.ts';
import { CONFIG, MAIL } from '../../support/stack/laptop.ts';

const down = async (): Promise<never> => {
  throw new MailFailure('ledger_unavailable', 'scripted');
};
const closed = async (): Promise<never> => {
  throw new MailFailure('queue_unavailable', 'scripted');
};
const ID = '00000000-0000-4000-8000-000000000001';

/** The last delivery of a message, while nothing can be found out about its email. */
const last = (change: Partial<Ports>, attributes: Record<string, string> = { mailgrantId: ID }) => {
  const ports = world(change);
  const order = { body: MAIL, caller: PUBLISHER, key: 'k', retryFailed: false };
  const message = { data: JSON.stringify(MAIL), attributes };
  return processMessage({ order, message, delivery: DELIVERIES_MAX }, CONFIG, {
    ...ports,
    ledger: { ...ports.ledger, read: down, create: down },
  });
};
const later = { schedule: async () => 'created' as const, get: async () => null, cancel: async () => {} };

test('what can wait nowhere, and lie nowhere, is not acknowledged at its last delivery', () =>
  assert.rejects(last({ taskQueue: null, deadLetters: null }), { code: 'ledger_unavailable' }));

test('it waits where something can wait', async () => assert.equal((await last({ taskQueue: later })).acknowledged, true));

for (const [what, attributes] of [
  ['an email of the API', { mailgrantId: ID }],
  ["a publisher's order", {}],
] as const)
  test(`${what} that cannot be published as a dead letter is not acknowledged`, async () => {
    const put: unknown[] = [];
    const works = { publish: async (message: unknown) => void put.push(message) };
    const broken = { taskQueue: { ...later, schedule: closed }, deadLetters: { publish: closed } };
    assert.equal((await last(broken, attributes)).acknowledged, false);
    assert.deepEqual([(await last({ ...broken, deadLetters: works }, attributes)).acknowledged, put.length], [true, 1]);
  });

test('a message about an email that the ledger does not know is poison: it is acknowledged only as a dead letter', async () => {
  const message = { data: JSON.stringify(MAIL), attributes: { mailgrantId: ID } };
  const given = { order: { body: MAIL, caller: PUBLISHER, key: 'k', retryFailed: false }, message, delivery: 1 };
  assert.equal((await processMessage(given, CONFIG, world({ deadLetters: { publish: closed } }))).acknowledged, false);
});

test('the dead letter of an order whose email another invocation holds names that email', async () => {
  const dead: QueueMessage[] = [];
  const ports = world({ deadLetters: { publish: async (message) => void dead.push(message) } });
  const stops = { ...ports, token: () => new Promise<never>(() => {}) };
  const order = { body: MAIL, caller: PUBLISHER, key: 'k', retryFailed: false };
  const message = { data: JSON.stringify(MAIL), attributes: {} };
  void processMessage({ order, message, delivery: DELIVERIES_MAX - 1 }, CONFIG, stops);
  while (ports.ledger.entries.size === 0) await Promise.resolve();
  assert.equal((await processMessage({ order, message, delivery: DELIVERIES_MAX }, CONFIG, ports)).acknowledged, true);
  assert.deepEqual(
    dead.map(({ attributes }) => attributes),
    [{ mailgrantKey: 'k', mailgrantMail: [...ports.ledger.entries.keys()][0], reason: 'in_flight' }],
  );
});

/** An email that an API accepted and queued, and what the worker makes of its message under a config that was deployed since. */
async function refusedSince(change: (config: Config) => Config, publish: () => Promise<void>) {
  const messages: QueueMessage[] = [];
  const dead: QueueMessage[] = [];
  const ports = world({
    queue: { publish: async (message) => void messages.push(message) },
    deadLetters: { publish: (message) => publish().then(() => void dead.push(message)) },
  });
  const [caller] = CONFIG.keys;
  const order = { body: MAIL, caller: caller ?? PUBLISHER, key: 'k', retryFailed: true };
  assert.equal((await accept(order, { ...CONFIG, delivery: 'queued' }, ports)).state, 'queued');
  const [message] = messages;
  assert.ok(message);
  const given = { order: { body: JSON.parse(message.data), caller: PUBLISHER, key: null, retryFailed: false }, message, delivery: 1 };
  const work = () => processMessage(given, change(CONFIG), ports);
  return { work, dead, sent: ports.sent };
}
const since: [what: string, change: (config: Config) => Config, code: string][] = [
  ['its key was removed', (config) => ({ ...config, keys: [] }), 'key_invalid'],
  [
    'its key may no longer send to it',
    (config) => ({ ...config, keys: config.keys.map((key) => ({ ...key, to: ['*@example.org'] })) }),
    'recipient_not_allowed',
  ],
  ['its mailbox was removed', (config) => ({ ...config, mailboxes: [] }), 'sender_not_allowed'],
];
for (const [what, change, code] of since)
  test(`an email that was valid when it was accepted: ${what}; it is a dead letter with its reason, once, and not lost content`, async () => {
    let works = false;
    const { work, dead, sent } = await refusedSince(change, async () => (works ? undefined : closed()));
    assert.equal((await work()).acknowledged, false); // the dead letter could not be published
    works = true;
    assert.deepEqual([(await work()).acknowledged, (await work()).acknowledged], [true, true]);
    assert.deepEqual([dead.map(({ attributes }) => attributes['reason']), dead[0]?.data.includes('canary-body'), sent], [[code], true, []]);
  });
