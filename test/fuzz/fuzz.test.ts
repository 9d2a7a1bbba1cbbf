/** That the fuzzing plays: each door with what is kept of it, and that it tells what goes wrong. `npm run fuzz` is the long form. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import type { Door } from './door.ts';
import { mutated, randomFrom } from './mutate.ts';
import { corpus, DOORS, playOne } from './player.ts';
import { startWorld, type World } from './world.ts';

let world: World;
before(async () => {
  world = await startWorld();
});
after(() => world[Symbol.asyncDispose]());

for (const door of DOORS)
  test(`${door.name}: nothing is found in what is kept, and in a few inputs more`, async () => {
    const kept = corpus().flatMap((one) => (one.door === door.name ? [one.input] : []));
    const random = randomFrom(7);
    const changed = kept.map((input) => mutated(input, kept[0], random)).filter((input) => JSON.stringify(input ?? null).length < 5_000);
    for (const input of [...kept, ...changed, ...fc.sample(door.inputs, { seed: 7, numRuns: 4 })]) {
      const played = await playOne(door, input, world, { timed: false });
      assert.ok(!('wrong' in played), `${'wrong' in played ? played.wrong : ''} ${JSON.stringify(input).slice(0, 500)}`);
    }
  });

const doorThat = (play: Door['play']): Door => ({ name: 'any', inputs: fc.constant(1), play });

test('what throws is a finding, and so is content in the log', async () => {
  const thrown = await playOne(
    doorThat(() => Promise.reject(new RangeError('deep'))),
    1,
    world,
  );
  assert.match('wrong' in thrown ? thrown.wrong : '', /RangeError: deep/);
  const logged = doorThat(async (_, { laptop }) => {
    laptop.lines.push({ detail: 'canary-body' });
    return { answer: '', bytes: 1 };
  });
  assert.deepEqual(await playOne(logged, 1, world, { timed: false }), { wrong: 'content in a line of the log' });
});

test('every kept input is of a door that there is', () => {
  const names = new Set(DOORS.map(({ name }) => name));
  assert.deepEqual(
    corpus().filter(({ door }) => !names.has(door)),
    [],
  );
});
