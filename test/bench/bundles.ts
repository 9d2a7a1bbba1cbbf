import type { Laptop } from './laptop.ts';
import { type Figure, rangeOf } from './report/figures.ts';

/** What an instance loads before it answers, and what it may load in all; the framework is not counted. */
export async function bundles({ built }: Laptop): Promise<Figure[]> {
  return built
    .filter(({ name }) => name !== 'watch')
    .map(({ name, bytes, allBytes }) => ({
      id: `bundle.${name}`,
      what: `bundle of ${name}: loaded at the start`,
      unit: 'kB',
      ours: rangeOf([bytes / 1_000]),
      target: { atMost: 600, stretch: 300 },
      note: `${(allBytes / 1_000).toFixed(0)} kB with all that is loaded later`,
    }));
}
