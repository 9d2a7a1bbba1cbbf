import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TaskQueue } from '../../../functions/mail/delivery/ports.ts';
import { publishLater } from '../../../functions/mail/queue/publish-later.ts';
import { BACKOFF_MIN_MS, JITTER_MAX_MS, publishTime } from '../../../functions/mail/queue/retry-policy.ts';
import { world } from '../../explore/world.ts';

const AT = Date.UTC(2026, 10, 24, 8);
const MESSAGE = { data: 'x', attributes: {} };

/** Cloud Tasks: a name is taken once its task ran, too. */
function tasks() {
  const all = new Map<string, { at: number; waits: boolean }>();
  const queue: TaskQueue = {
    async schedule(_, at, name) {
      if (all.has(name)) return 'taken';
      all.set(name, { at, waits: true });
      return 'created';
    },
    get: async (name) => (all.get(name)?.waits ? MESSAGE : null),
    cancel: async () => {},
  };
  return { all, queue };
}

test('a task that waits is kept once; one that has run is published again, a little later each time', async () => {
  const { all, queue } = tasks();
  for (let time = 0; time < 3; time++) await publishLater(MESSAGE, AT, 'a', queue);
  assert.equal(all.size, 1);
  for (const name of ['a', 'a-1', 'a-2']) {
    Object.assign(all.get(name) ?? {}, { waits: false });
    await publishLater(MESSAGE, AT, 'a', queue);
  }
  assert.deepEqual(
    [...all].map(([name, { at }]) => [name, at - AT]),
    [
      ['a', 0],
      ['a-1', 10_000],
      ['a-2', 20_000],
      ['a-3', 40_000],
    ],
  );
});

test('what waits nowhere is never taken for kept', async () => {
  const { queue } = tasks();
  await assert.rejects(publishLater(MESSAGE, AT, 'a', { ...queue, schedule: async () => 'taken' }), { code: 'queue_unavailable' });
});

test('of two hundred emails that wait for the same time none comes with another; one that its caller scheduled comes at its time', () => {
  const { digest, newId } = world();
  const times = Array.from({ length: 200 }, () => publishTime({ id: newId(), attempts: 1, state: 'parked' }, AT, digest));
  assert.ok(new Set(times).size > 195 && times.every((at) => at >= AT && at <= AT + JITTER_MAX_MS));
  assert.equal(publishTime({ id: newId(), attempts: 0, state: 'scheduled' }, AT, digest), AT);
  assert.ok(JITTER_MAX_MS < BACKOFF_MIN_MS);
});
