/**
 * The journey of a mail, by every way that a tape can take through it: who goes on at each call of a port, who dies there, whose
 * answer is lost. Seeded and short here; `npm run explore` runs long (MAILGRANT_SCHEDULES) with seeds of its own. A failure prints its
 * seed, for MAILGRANT_SEED, and what happened, a line each.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { mutated } from '../chaos/mutation.ts';
import { QUICK, runs, sampled } from '../support/deep.ts';
import { BREAKS, brokenCore } from './broken-core.ts';
import * as core from './core.ts';
import { play } from './journeys.ts';
import { broken } from './promises.ts';
import { RARE } from './rare-mutations.ts';
import type { Core, Scenario } from './scenario.ts';
import { ASK, scenario, tapeOf } from './schedules.ts';
import { ONCE, SHOWN_BY } from './shown-by.ts';

const RUNS = Number(process.env['MAILGRANT_SCHEDULES'] ?? 0);
const SEED = Number(process.env['MAILGRANT_SEED'] ?? 0);
const options = { numRuns: RUNS || 4_000, ...((SEED > 0 || RUNS === 0) && { seed: SEED || 20_261_125 }) };

/** Throws with the story where a promise is broken. */
async function keep(one: Scenario, broke: Core = core): Promise<void> {
  const ended = await play(one, broke);
  const wrong = broken(ended);
  assert.deepEqual(wrong, [], `${wrong.join('\n')}\n${ended.stage.story.join('\n')}`);
}

test('whoever goes on, dies or hears nothing: every mail is sent once, or recorded as what became of it', () =>
  fc.assert(
    fc.asyncProperty(scenario, (one) => keep(one)),
    { ...options, numRuns: RUNS || runs(4_000, 800) },
  ));

/** What only long runs have found, in its shortest form. */
const FOUND: Readonly<Record<string, Scenario>> = {
  'a claim whose answer is lost, and a person who has the mail sent before it is made again': {
    ...ONCE,
    acts: [ASK, { ...ASK }, { does: 'resend', of: 0, withMail: true, asks: false }],
    tape: tapeOf({ 1: [2, 1], 3: [2, 6], 5: [0, 8, 2] }),
  },
  'a mail that is handed over while the same request takes it, dies, and its message cannot be put': {
    ...ONCE,
    acts: [ASK, { ...ASK }],
    tape: tapeOf({ 0: [0, 1], 3: [0, 2], 6: [1], 10: [0, 2], 12: [1, 1] }),
  },
};
for (const [name, one] of Object.entries(FOUND)) test(`found once: ${name}`, () => keep(one));

test('each mutation finds its place in the code', () => {
  for (const places of [...Object.values(BREAKS), ...Object.values(RARE).map((rare) => rare.places)])
    for (const place of places) assert.ok(mutated(place, readFileSync(place.file, 'utf8')));
});

for (const [name, places] of Object.entries(BREAKS).slice(0, QUICK ? 2 : undefined))
  test(`it is found out if ${name}`, async (t) => {
    const broke = await brokenCore(places);
    const { failed, numRuns } = await fc.check(
      fc.asyncProperty(scenario, (one) => keep(one, broke)),
      { ...options, endOnFailure: true },
    );
    t.diagnostic(`${numRuns} schedules`);
    assert.ok(failed);
  });

const SHOWN = [
  ...Object.entries(BREAKS).map(([name, places]) => ({ name, places, shows: SHOWN_BY[name] as Scenario })),
  ...Object.entries(RARE).map(([name, rare]) => ({ name, ...rare })),
];

test('the core keeps its promises in the schedule of each break', async () => {
  for (const { shows } of SHOWN) await keep(shows);
});

for (const { name, places, shows } of sampled(SHOWN, 8))
  test(`one schedule shows it if ${name}`, async () => {
    await assert.rejects(keep(shows, await brokenCore(places)), assert.AssertionError);
  });
