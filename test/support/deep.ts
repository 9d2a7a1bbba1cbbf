/** `npm test` is quick; `npm run test:all`, which `.ci/run` calls, sets this and tests everything. */
export const DEEP = process.env['MAILGRANT_TESTS'] === 'all';

/** Every case under `npm run test:all`; otherwise `count` of them, spread over the list and its two ends among them. */
export function sampled<T>(cases: readonly T[], count: number): readonly T[] {
  if (DEEP || cases.length <= count) return cases;
  if (count < 2) return cases.slice(0, count);
  return Array.from({ length: count }, (_, index) => cases[Math.round((index * (cases.length - 1)) / (count - 1))] as T);
}

/** How often a random test is repeated: `count` under `npm run test:all`, otherwise a tenth, and at least `least`. */
export const runs = (count: number, least = 10): number => (DEEP ? count : Math.min(count, Math.max(least, Math.ceil(count / 10))));
