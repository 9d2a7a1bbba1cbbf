/** The tables of docs/diagnosis.md. */
import { CALIBRATION, leastShare, likelihood, type Place } from '../../../functions/diagnose/likelihood.ts';
import { FRESH } from '../../diagnose/fresh-texts.ts';
import { ROUNDS, THREADS } from '../../diagnose/thread-texts.ts';
import { isAmongThree, isFirst, judge, type Labelled, stress } from './measure.ts';

export const PAGE = 'docs/diagnosis.md';

const labelled = (texts: readonly (readonly [cause: string, program: string, text: string])[]): Labelled[] =>
  texts.map(([cause, program, log]) => ({ id: program, cause, log }));

/** The texts of this repository: those of threads, and those in the wording of many programs. */
export const OWN: readonly Labelled[] = [...labelled(THREADS), ...labelled(FRESH)];

export const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)} %`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

export function roundsTable(): string {
  const rows = ROUNDS.map(({ texts, first }, index) => {
    const now = judge(labelled(texts));
    return [
      `${index + 1}`,
      `${texts.length}`,
      percent(first.top1, texts.length),
      percent(first.top3, texts.length),
      percent(now.filter(isFirst).length, texts.length),
      percent(now.filter(isAmongThree).length, texts.length),
    ];
  });
  return table(['round', 'texts', 'first, at first sight', 'among three, at first sight', 'first, now', 'among three, now'], rows);
}

export function wordsTable(): string {
  const rows = (Object.keys(CALIBRATION) as Place[]).flatMap((place) =>
    CALIBRATION[place].map(([from, right, shown]) => [
      place,
      `${from}`,
      `${right} of ${shown}`,
      percent(right, shown),
      percent(leastShare(right, shown), 1),
      likelihood(from, place),
    ]),
  );
  return table(['place', 'confidence from', 'right', 'share', 'at least', 'word'], rows);
}

export const stressTable = (texts: readonly Labelled[]): string =>
  table(
    ['deformation', 'first', 'among three', 'lost'],
    stress(texts).map(({ deformation, first, amongThree, lost }) => [
      deformation,
      percent(first, texts.length),
      percent(amongThree, texts.length),
      `${lost.length}`,
    ]),
  );

/** The page with the tables that are given made anew. */
export const withTables = (page: string, tables: Readonly<Record<string, string>>): string =>
  page.replace(/(<!-- bench: (\w+) -->\n)[\s\S]*?(<!-- end of bench -->)/g, (whole, begin: string, name: string, end: string) =>
    tables[name] === undefined ? whole : `${begin}${tables[name]}\n${end}`,
  );

export const ownTables = (): Record<string, string> => ({ rounds: roundsTable(), words: wordsTable(), own: stressTable(OWN) });
