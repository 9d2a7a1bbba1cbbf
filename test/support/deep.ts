import { test } from 'node:test';

/** True under `npm test` alone, which runs a quick part of the long tests; `npm run test:all` and a file run by itself run all. */
export const QUICK = process.env['MAILGRANT_TESTS'] === 'quick';

/** A test that `npm test` leaves out, because a quicker one of its kind is there. */
export const longTest = (QUICK ? async () => {} : test) as typeof test;

/** Every case; under `npm test` `count` of them, spread over the list, with its two ends. */
export function sampled<T>(cases: readonly T[], count: number): readonly T[] {
  if (!QUICK || cases.length <= count) return cases;
  if (count < 2) return cases.slice(0, count);
  return Array.from({ length: count }, (_, index) => cases[Math.round((index * (cases.length - 1)) / (count - 1))] as T);
}

/** How often a random test is repeated: `count`; under `npm test` a tenth, and at least `least`. */
export const runs = (count: number, least = 10): number => (QUICK ? Math.min(count, Math.max(least, Math.ceil(count / 10))) : count);
