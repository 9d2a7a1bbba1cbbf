import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { CALIBRATION, type Likelihood, leastShare, likelihood, type Place, PROMISES } from '../../functions/diagnose/likelihood.ts';
import { FIRST_SIGHT, withFit } from '../bench/diagnosis/fit.ts';
import { ROUNDS } from './thread-texts.ts';

test('the steps are those that the fit finds in what was measured (else: npm run bench:diagnosis -- --fit)', () => {
  const source = readFileSync('functions/diagnose/likelihood.ts', 'utf8');
  assert.equal(withFit(source), source);
});

test('what was measured at first sight is of the texts that are here, and of all of them', () => {
  const programs = ROUNDS.flatMap(({ texts }, round) => texts.map(([, program]) => `${round + 1} ${program}`));
  assert.deepEqual(
    FIRST_SIGHT.map(({ round, program }) => `${round} ${program}`),
    programs,
  );
});

for (const [word, promise] of Object.entries(PROMISES) as [Likelihood, number][])
  test(`"${word}" keeps its promise at first sight`, () => {
    const shown = FIRST_SIGHT.flatMap(({ answers }) =>
      answers
        .map(([confidence, right], at) => ({ word: likelihood(confidence, at === 0 ? 'first' : 'later'), right }))
        .filter((one) => one.word === word),
    );
    assert.ok(shown.length > 0);
    assert.ok(shown.filter(({ right }) => right).length >= promise * shown.length);
  });

for (const place of ['first', 'later'] as Place[])
  test(`a higher confidence is never a weaker word: ${place}`, () => {
    const ranks = Object.keys(PROMISES);
    const words = [0.1, ...CALIBRATION[place].map(([from]) => from), 1].map((confidence) => ranks.indexOf(likelihood(confidence, place)));
    assert.deepEqual(
      words,
      words.toSorted((a, b) => b - a),
    );
  });

test('few texts promise less than many with the same share', () => {
  assert.ok(leastShare(9, 10) < leastShare(90, 100));
  assert.equal(leastShare(0, 0), 0);
});
