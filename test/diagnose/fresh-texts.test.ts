import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explain, likelihood } from '../../functions/diagnose/explain.ts';
import { FRESH, UNANSWERABLE } from './fresh-texts.ts';

const judged = FRESH.map(([cause, program, text]) => {
  const { matches } = explain(text);
  return { cause, program, matches, place: matches.findIndex((match) => match.cause === cause) };
});
const share = (within: number): number => judged.filter(({ place }) => place >= 0 && place < within).length / judged.length;
const missed = (within: number): string =>
  judged
    .filter(({ place }) => place < 0 || place >= within)
    .map(
      ({ cause, program, matches }) => `${program}: ${cause} <- ${matches.map((match) => `${match.cause} ${match.confidence}`).join(', ')}`,
    )
    .join('\n');

test('the table is as large as it says', () => assert.ok(FRESH.length >= 80 && UNANSWERABLE.length >= 15));
test('the cause stands first in nine texts of ten', () => assert.ok(share(1) >= 0.9, `${share(1)}\n${missed(1)}`));
test('the cause stands among three in 98 of a hundred', () => assert.ok(share(3) >= 0.98, `${share(3)}\n${missed(3)}`));
for (const text of UNANSWERABLE)
  test(`no guess: ${JSON.stringify(text.slice(0, 60))}`, () =>
    assert.deepEqual(
      explain(text).matches.map(({ cause }) => cause),
      [],
    ));

/** Of the causes that an answer shows, how many are the right one, by the word beside them: least and most. */
const PROMISES = { 'almost certain': [0.9, 1], likely: [0.6, 1], possible: [0, 0.6], 'less likely': [0, 0.4] } as const;
const shown = judged.flatMap(({ cause, matches }) =>
  matches.slice(0, 3).map((match) => ({ word: likelihood(match.confidence), right: match.cause === cause })),
);
for (const [word, [least, most]] of Object.entries(PROMISES))
  test(`"${word}" keeps its promise`, (t) => {
    const band = shown.filter((one) => one.word === word);
    const right = band.filter((one) => one.right).length;
    t.diagnostic(`${word}: ${right} of ${band.length} right`);
    assert.ok(right >= least * band.length && right <= most * band.length, `${right} of ${band.length}`);
  });
