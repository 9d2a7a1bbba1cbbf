import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Caller, Config, Limits } from '../../../functions/mail/model/config.ts';
import { MailFailure } from '../../../functions/mail/model/failure.ts';

import { send } from '../../../functions/mail/queue/process-message.ts';
import { world } from '../../explore/world.ts';
import { CONFIG, MAIL, MAILBOX } from '../../support/stack/laptop.ts';

const DAY = 24 * 60 * 60_000;
const caller = (limits?: Limits, id = 'shop'): Caller => ({ id, from: [MAILBOX], to: null, ...(limits && { limits }) });
const order = (who: Caller, key: string | null = null) => ({ body: MAIL, caller: who, key, retryFailed: true });
const boxed = (limits: Limits): Config => ({ ...CONFIG, mailboxes: CONFIG.mailboxes.map((box) => ({ ...box, limits })) });

test('without limits nothing is counted', async () => {
  const ports = world();
  const { create } = ports.ledger;
  ports.ledger.count = async () => assert.fail('counted');
  ports.ledger.create = (entry, key, now, counters) => (counters?.length ? assert.fail('counted') : create(entry, key, now));
  assert.deepEqual([(await send(order(caller()), CONFIG, ports)).state], ['sent']);
});

test('a minute is full, the next one is open again, and the answer says how much is left', async () => {
  const ports = world();
  ports.clock += 15_000;
  const who = caller({ perMinute: 2, perDay: null });
  const left: unknown[] = [];
  for (let n = 0; n < 3; n++) {
    const outcome = await send(order(who), CONFIG, ports);
    left.push([outcome.state, outcome.quota?.remaining, 'failure' in outcome && outcome.failure.code]);
  }
  assert.deepEqual(left, [
    ['sent', 1, false],
    ['sent', 0, false],
    ['retry', 0, 'limit_minute'],
  ]);
  assert.equal(ports.sent.length, 2);
  ports.clock += 45_000;
  assert.equal((await send(order(who), CONFIG, ports)).state, 'sent');
});

test('a full day parks the email until midnight, and the same key is answered without counting', async () => {
  const ports = world();
  const who = caller({ perMinute: null, perDay: 1 });
  await send(order(who), CONFIG, ports);
  const midnight = (Math.floor(ports.clock / DAY) + 1) * DAY;
  for (let n = 0; n < 2; n++) {
    const outcome = await send(order(who, 'k'), CONFIG, ports);
    assert.deepEqual(
      [outcome.state, 'notBefore' in outcome && outcome.notBefore, 'failure' in outcome && outcome.failure.code],
      ['parked', midnight, 'limit_day'],
    );
  }
  ports.clock = midnight;
  assert.equal((await send(order(who, 'k'), CONFIG, ports)).state, 'sent');
});

test('an email that is refused by the minute does not use up the day', async () => {
  const ports = world();
  const who = caller({ perMinute: 1, perDay: 3 });
  for (let n = 0; n < 10; n++) await send(order(who), CONFIG, ports);
  for (let n = 0; n < 2; n++) {
    ports.clock += 60_000;
    assert.equal((await send(order(who), CONFIG, ports)).state, 'sent');
  }
  ports.clock += 60_000;
  assert.equal((await send(order(who), CONFIG, ports)).state, 'parked');
});

test("a mailbox's limit counts every caller together, and tells none of them how much the others send", async () => {
  const ports = world();
  const config = boxed({ perMinute: null, perDay: 2 });
  const outcomes = [];
  for (const id of ['a', 'b', 'c']) outcomes.push(await send(order(caller(undefined, id)), config, ports));
  assert.deepEqual(
    outcomes.map(({ state, quota }) => [state, quota]),
    [
      ['sent', undefined],
      ['sent', undefined],
      ['parked', undefined],
    ],
  );
});

test('of ten at once no more go out than the limit says', async () => {
  const ports = world();
  const who = caller({ perMinute: 4, perDay: null });
  await Promise.all(Array.from({ length: 10 }, () => send(order(who), CONFIG, ports)));
  assert.equal(ports.sent.length, 4);
});

test('an email with one idempotency key is counted once, however often it is asked for', async () => {
  const ports = world();
  const who = caller({ perMinute: 1, perDay: null });
  for (let n = 0; n < 3; n++) assert.equal((await send(order(who, 'k'), CONFIG, ports)).state, 'sent');
});

test('an email is counted in the same step as its claim: no exchange more, and one that cannot be counted is not claimed', async () => {
  const ports = world();
  const { create } = ports.ledger;
  ports.ledger.count = async () => assert.fail('counted apart');
  ports.ledger.create = async () => {
    throw new MailFailure('ledger_unavailable', 'scripted');
  };
  const who = caller({ perMinute: 1, perDay: null });
  await assert.rejects(send(order(who, 'k'), CONFIG, ports), { code: 'ledger_unavailable' });
  assert.deepEqual([ports.ledger.entries.size, ports.sent.length], [0, 0]);
  ports.ledger.create = create;
  assert.equal((await send(order(who, 'k'), CONFIG, ports)).state, 'sent');
});

test('a letter that may be with Gmail already is asked about, whatever the limit says', async () => {
  const ports = world({
    upload: async () => {
      throw new MailFailure('delivery_unknown', 'scripted');
    },
    querySession: async () => {
      throw new MailFailure('delivery_unknown', 'scripted');
    },
  });
  const who = caller({ perMinute: 1, perDay: null });
  assert.equal((await send(order(who, 'k'), CONFIG, ports)).state, 'unknown');
  ports.querySession = async () => ({ state: 'accepted', gmailId: 'g' });
  assert.equal((await send(order(who, 'k'), CONFIG, ports)).state, 'sent');
});
