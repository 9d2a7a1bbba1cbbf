/** Least, middle and greatest of a series. */
export interface Range {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

export function rangeOf(values: readonly number[]): Range {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 ? sorted[middle] : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
  return { min: sorted[0] ?? Number.NaN, median: median ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN };
}

/** What was measured of one side in one round, by the name of the figure. */
export type Sample = Readonly<Record<string, number>>;
type Sides = Readonly<Record<string, () => Promise<Sample>>>;

export interface Rounds {
  /** One figure of one side over all rounds. */
  range(side: string, figure: string): Range;
  /** `a` through `b`, formed in each round: what disturbs the machine disturbs both. */
  ratio(a: string, b: string, figure: string): Range;
}

/** Runs every side once per round, in turn and in an order that changes; the first rounds warm up and do not count. */
export async function interleave(sides: Sides, rounds: number, warmUps = 1): Promise<Rounds> {
  const samples: Record<string, Sample>[] = [];
  for (let round = 0; round < warmUps + rounds; round++) {
    const taken: Record<string, Sample> = {};
    const order = Object.entries(sides);
    for (const [name, run] of round % 2 ? order.reverse() : order) taken[name] = await run();
    if (round >= warmUps) samples.push(taken);
  }
  const value = (sample: Record<string, Sample>, side: string, figure: string): number => sample[side]?.[figure] ?? Number.NaN;
  return {
    range: (side, figure) => rangeOf(samples.map((sample) => value(sample, side, figure))),
    ratio: (a, b, figure) => rangeOf(samples.map((sample) => value(sample, a, figure) / value(sample, b, figure))),
  };
}

/** One line of the report. `ratio` is ours through the peer's, or the other way round where the row says so. */
export interface Figure {
  /** Stable name, by which the baseline knows it. */
  readonly id: string;
  readonly what: string;
  readonly unit: string;
  readonly ours: Range;
  readonly peer?: { readonly name: string; readonly range: Range };
  readonly ratio?: Range;
  readonly target?: Target;
  /** What was seen on the way and belongs beside the figure. */
  readonly note?: string;
}

/** What the median of the ratio, or of our own figure where there is none, should come to. */
export interface Target {
  readonly atMost?: number;
  readonly atLeast?: number;
  /** Better than the target by so much. */
  readonly stretch?: number;
}

export type Verdict = 'stretch' | 'met' | 'missed' | '';

export function judge({ ours, ratio, target }: Figure): Verdict {
  if (!target) return '';
  const { median } = ratio ?? ours;
  const { atMost, atLeast, stretch } = target;
  const fits = (limit: number): boolean => (atMost === undefined ? median >= limit : median <= limit);
  if (stretch !== undefined && fits(stretch)) return 'stretch';
  return fits(atMost ?? atLeast ?? 0) ? 'met' : 'missed';
}
