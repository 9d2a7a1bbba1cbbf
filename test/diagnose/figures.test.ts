/** The figures of docs/diagnosis.md are those that the code gives, within two texts: who changes a row makes the page anew. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Labelled } from '../bench/diagnosis/measure.ts';
import { OWN, PAGE, roundsTable, stressTable, wordsTable } from '../bench/diagnosis/page.ts';
import { longTest } from '../support/deep.ts';

const page = readFileSync(PAGE, 'utf8');
const printed = (name: string): string =>
  new RegExp(`<!-- bench: ${name} -->\\n([\\s\\S]*?)\\n<!-- end of bench -->`).exec(page)?.[1] ?? '';
const figures = (table: string): Map<string, number> =>
  new Map(
    table
      .split('\n')
      .slice(2)
      .map((row) => row.split(' | '))
      .map(([name = '', first = '']) => [name.replace('| ', ''), Number.parseFloat(first)]),
  );

test('rounds and words stand in the page as they are (else: npm run bench:diagnosis -- --write)', () => {
  assert.equal(printed('rounds'), roundsTable());
  assert.equal(printed('words'), wordsTable());
});

/** Harmless to the words of the error; what is cut off may take them along. */
const CUT = /cut off/;

function holds(name: string, texts: readonly Labelled[]): void {
  const [now, then] = [figures(stressTable(texts)), figures(printed(name))];
  assert.deepEqual([...then.keys()], [...now.keys()]);
  for (const [deformation, share] of now) {
    assert.ok(
      Math.abs(share - (then.get(deformation) ?? 0)) <= 200 / texts.length,
      `${deformation}: ${share}, in the page ${then.get(deformation)}`,
    );
    assert.ok(share >= (CUT.test(deformation) ? 85 : 95), `${deformation}: ${share}`);
  }
}

longTest('the stress table of our own texts', () => holds('own', OWN));

// The open set lies beside the checkout; where it is not, our own texts have to do.
const OPEN = process.env['MAILGRANT_OPEN_SET'] ?? '';
if (existsSync(OPEN))
  test('the stress table of the open set', () =>
    holds(
      'open',
      readFileSync(OPEN, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Labelled),
    ));
