import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Ports } from '../../../functions/mail/delivery/ports.ts';
import { PUBLISHER } from '../../../functions/mail/model/caller.ts';
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
