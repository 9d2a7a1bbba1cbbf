/** The schedules that the exploration draws: who does what, who goes on at each call, and what goes wrong there. */
import fc from 'fast-check';
import type { Act, Scenario } from './scenario.ts';
import { NOTHING, type Step } from './stage.ts';

const MINUTE = 60_000;
const of = fc.constantFrom(0, 0, 0, 1);
const ask: fc.Arbitrary<Act> = fc.record({
  does: fc.constant('ask' as const),
  key: fc.constantFrom('a', 'a', 'a', 'b'),
  mail: fc.constantFrom(1, 1, 1, 2),
  inMs: fc.constantFrom(0, 0, 0, 10 * MINUTE),
});
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 4, arbitrary: ask },
  { weight: 1, arbitrary: fc.constant({ does: 'publish' as const }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('cancel' as const), of }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('move' as const), of, inMs: fc.constantFrom(MINUTE, 10 * MINUTE, 0) }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('resend' as const), of, withMail: fc.boolean(), asks: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('drop' as const), of }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('replay' as const) }) },
);
/** One step in so many goes wrong, and one in so many is not the next one's. */
const steps = (often: number, other: number): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.record({
      who: fc.oneof({ weight: other - 1, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(5) }),
      wrong: fc.oneof({ weight: often - 1, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 15 }) }),
      how: fc.nat(5),
    }),
    { maxLength: 60, size: 'max' },
  );
/** A few steps that are not as they would be, and nothing else. */
const few: fc.Arbitrary<Step[]> = fc
  .array(fc.record({ at: fc.nat(24), who: fc.nat(4), wrong: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 15 })), how: fc.nat(5) }), {
    minLength: 1,
    maxLength: 5,
    size: 'max',
  })
  .map((odd) => Array.from({ length: 25 }, (_, step) => odd.find(({ at }) => at === step) ?? NOTHING));
/** One cause, such as a ledger that is down or a line that is cut, goes on over several steps. */
const lasting: fc.Arbitrary<Step[]> = fc
  .record({
    from: fc.nat(20),
    times: fc.integer({ min: 2, max: 7 }),
    every: fc.integer({ min: 1, max: 3 }),
    wrong: fc.integer({ min: 1, max: 15 }),
    how: fc.nat(5),
  })
  .map(({ from, times, every, wrong, how }) =>
    Array.from({ length: 45 }, (_, step) => {
      const hit = step >= from && step < from + times * every && (step - from) % every === 0;
      return hit ? { who: 0, wrong, how } : NOTHING;
    }),
  );
// A storm finds what many troubles do together; what needs two, each at its one moment, is found where little else happens.
const tape = fc.oneof(steps(5, 2), steps(12, 4), few, few, lasting);
const anybody: fc.Arbitrary<Act[]> = fc
  .tuple(
    fc.oneof({ weight: 5, arbitrary: ask }, { weight: 1, arbitrary: fc.constant({ does: 'publish' as const }) }),
    fc.array(act, { maxLength: 3 }),
  )
  .map(([first, others]) => [first, ...others]);
export const ASK: Act = { does: 'ask', key: 'a', mail: 1, inMs: 0 };
const RESEND: Act = { does: 'resend', of: 0, withMail: true, asks: true };
/** Those who get into each other's way at one mail. */
const PAIRS: Act[][] = [
  [ASK, { ...ASK }],
  [ASK, RESEND],
  [ASK, RESEND, { ...ASK }],
  [ASK, { does: 'drop', of: 0 }],
  [{ does: 'publish' }, { does: 'replay' }],
  [{ does: 'publish' }, { ...RESEND, asks: true, withMail: false }, { does: 'replay' }],
  [ASK, { does: 'cancel', of: 0 }, { ...ASK }],
  [
    { ...ASK, inMs: 10 * MINUTE },
    { does: 'move', of: 0, inMs: 5 * MINUTE },
    { does: 'cancel', of: 0 },
  ],
  [
    { ...ASK, inMs: 10 * MINUTE },
    { does: 'move', of: 0, inMs: 5 * MINUTE },
  ],
];
export const scenario: fc.Arbitrary<Scenario> = fc.record({
  delivery: fc.constantFrom('direct' as const, 'queued' as const),
  later: fc.constantFrom(true, true, true, false),
  patient: fc.boolean(),
  prompt: fc.boolean(),
  via: fc.constantFrom('api' as const, 'api' as const, 'api' as const, 'smtp' as const),
  clocks: fc.constantFrom<number[][]>([0], [0], [-20_000, 0], [20_000, -20_000], [-8_000]),
  acts: fc.oneof(anybody, fc.constantFrom(...PAIRS)),
  tape,
});

/** A tape of which only some steps are other than usual: at which place, whose turn, what goes wrong, and how. */
export const tapeOf = (odd: Readonly<Record<number, readonly [who: number, wrong?: number, how?: number]>>): Step[] =>
  Array.from({ length: 1 + Math.max(...Object.keys(odd).map(Number)) }, (_, at) => {
    const [who, wrong = 0, how = 0] = odd[at] ?? [0];
    return { who, wrong, how };
  });
