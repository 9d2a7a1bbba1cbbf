import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explain } from '../../functions/diagnose/explain.ts';
import { FRESH, UNANSWERABLE } from './fresh-texts.ts';
import { SILENT_THREADS, THREADS } from './thread-texts.ts';

for (const [name, texts, size] of [
  ['in the wording of many programs', FRESH, 80],
  ['of public threads', THREADS, 230],
] as const) {
  const judged = texts.map(([cause, program, text]) => {
    const { matches } = explain(text);
    return { cause, program, matches, place: matches.findIndex((match) => match.cause === cause) };
  });
  const missed = (within: number): string =>
    judged
      .filter(({ place }) => place < 0 || place >= within)
      .map(
        ({ cause, program, matches }) =>
          `${program}: ${cause} <- ${matches.map((match) => `${match.cause} ${match.confidence}`).join(', ')}`,
      )
      .join('\n');
  const share = (within: number): number => judged.filter(({ place }) => place >= 0 && place < within).length / judged.length;

  test(`texts ${name}: the table is as large as it says`, () => assert.ok(texts.length >= size));
  test(`texts ${name}: the cause stands first in 95 of a hundred`, () => assert.ok(share(1) >= 0.95, `${share(1)}\n${missed(1)}`));
  test(`texts ${name}: the cause stands among three in 98 of a hundred`, () => assert.ok(share(3) >= 0.98, `${share(3)}\n${missed(3)}`));
}

test('the tables of texts without an answer are as large as they say', () =>
  assert.ok(UNANSWERABLE.length >= 15 && SILENT_THREADS.length >= 30));
for (const text of [...UNANSWERABLE, ...SILENT_THREADS])
  test(`no guess: ${JSON.stringify(text.slice(0, 60))}`, () =>
    assert.deepEqual(
      explain(text).matches.map(({ cause }) => cause),
      [],
    ));
