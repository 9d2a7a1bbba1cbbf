/** The cause that stands first, or one of those below it: an answer is right once. */
export type Place = 'first' | 'later';

/** From this confidence on, so many answers were right of so many shown. */
export type Step = readonly [from: number, right: number, shown: number];

/**
 * How often a cause was right, by its place and confidence, on texts that were measured before a row was changed for them.
 * Fitted, not set by hand: `npm run bench:diagnosis -- --fit` writes the lines between the marks.
 */
export const CALIBRATION: Readonly<Record<Place, readonly Step[]>> = {
  // fitted
  first: [
    [0.5, 6, 8],
    [0.66, 38, 41],
    [0.75, 40, 42],
    [0.89, 60, 61],
    [0.94, 72, 73],
  ],
  later: [
    [0.14, 0, 80],
    [0.45, 1, 28],
    [0.62, 5, 12],
  ],
  // end of fitted
};

export type Likelihood = 'almost certain' | 'likely' | 'possible' | 'less likely';

/** What a word promises: at least this share of such answers is right. */
export const PROMISES: Readonly<Record<Likelihood, number>> = { 'almost certain': 0.9, likely: 0.6, possible: 0.2, 'less likely': 0 };

/** How likely a cause is, in a word. The word is of what was measured, and of the lower end of what the number of texts allows to say. */
export function likelihood(confidence: number, place: Place): Likelihood {
  const step = CALIBRATION[place].findLast(([from]) => confidence >= from);
  if (!step) return place === 'first' ? 'possible' : 'less likely'; // nothing so low was measured
  const share = leastShare(step[1], step[2]);
  return (Object.keys(PROMISES) as Likelihood[]).find((word) => share >= PROMISES[word]) ?? 'less likely';
}

const Z = 1.28; // nine in ten: the true share is above this bound

/** The lower bound of a share (Wilson's interval): few texts promise less than many with the same share. */
export function leastShare(right: number, shown: number): number {
  if (shown === 0) return 0;
  const share = right / shown;
  const spread = Z * Math.sqrt((share * (1 - share)) / shown + (Z * Z) / (4 * shown * shown));
  return (share + (Z * Z) / (2 * shown) - spread) / (1 + (Z * Z) / shown);
}
