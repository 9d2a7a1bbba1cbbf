/**
 * `npm run bench:diagnosis -- [FILE.jsonl] [--stress] [--fit] [--write]`: how often `explain` names the confirmed cause of a log, first or
 * among three; `--fit` fits the words to what was measured at first sight, `--write` makes the tables of docs/diagnosis.md anew.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { writeFit } from './fit.ts';
import { isAmongThree, isFirst, type Judged, judge, type Labelled, stress } from './measure.ts';
import { OWN, ownTables, PAGE, percent, stressTable, withTables } from './page.ts';

interface Case extends Labelled {
  /** Whether the log alone tells the cause. */
  readonly log_sufficient?: boolean;
}

const args = process.argv.slice(2);
const file = args.find((arg) => !arg.startsWith('--'));
const cases: readonly Case[] = file
  ? readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => JSON.parse(line) as Case)
  : OWN;

const report = (name: string, judged: readonly Judged[]): string =>
  `${name.padEnd(14)} ${judged.length} texts   top-1 ${percent(judged.filter(isFirst).length, judged.length)}   top-3 ${percent(judged.filter(isAmongThree).length, judged.length)}`;

if (args.includes('--fit')) writeFit();
if (args.includes('--write')) {
  const tables = { ...ownTables(), ...(file ? { open: stressTable(cases) } : {}) };
  writeFileSync(PAGE, withTables(readFileSync(PAGE, 'utf8'), tables));
}
if (args.includes('--stress')) {
  for (const { deformation, first, amongThree, lost } of stress(cases))
    console.log(`${deformation.padEnd(22)} ${percent(first, cases.length)}  ${percent(amongThree, cases.length)}  ${lost.join(' ')}`);
} else {
  const judged = judge(cases);
  console.log(report('all', judged));
  const sufficient = judged.filter((_, index) => cases[index]?.log_sufficient);
  if (sufficient.length > 0) console.log(report('log_sufficient', sufficient));
  for (const { id, cause, answers } of judged.filter((one) => !isFirst(one))) {
    const said = answers.slice(0, 3).map((one) => `${one.cause} ${one.confidence}`);
    console.log(`not first: ${id}  ${cause}  <-  ${said.join(', ') || 'nothing recognised'}`);
  }
}
