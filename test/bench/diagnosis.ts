/** `npm run bench:diagnosis -- FILE.jsonl`: how often `explain` names the confirmed cause of a log, first or among three. */
import { readFileSync } from 'node:fs';
import { explain } from '../../functions/diagnose/explain.ts';

interface Case {
  readonly id: string;
  readonly log: string;
  readonly cause: string;
  /** Whether the log alone tells the cause. */
  readonly log_sufficient: boolean;
}

interface Judged extends Case {
  readonly answers: readonly { readonly cause: string; readonly confidence: number }[];
}

const share = (part: number, whole: number): string => `${part}/${whole} = ${whole === 0 ? '-' : `${((100 * part) / whole).toFixed(1)} %`}`;

function report(name: string, cases: readonly Judged[]): string {
  const first = cases.filter(({ cause, answers }) => answers[0]?.cause === cause).length;
  const three = cases.filter(({ cause, answers }) => answers.slice(0, 3).some((one) => one.cause === cause)).length;
  return `${name.padEnd(14)} top-1 ${share(first, cases.length)}   top-3 ${share(three, cases.length)}`;
}

const file = process.argv[2];
if (!file) {
  console.error('npm run bench:diagnosis -- FILE.jsonl');
  process.exit(2);
}
const judged: Judged[] = readFileSync(file, 'utf8')
  .split('\n')
  .filter((line) => line.trim() !== '')
  .map((line) => JSON.parse(line) as Case)
  .map((one) => ({ ...one, answers: explain(one.log).matches }));

console.log(report('all', judged));
console.log(
  report(
    'log_sufficient',
    judged.filter((one) => one.log_sufficient),
  ),
);
const confused = judged.filter(({ cause, answers }) => answers[0]?.cause !== cause);
console.log(confused.length > 0 ? '\nNot first (* where the log alone tells the cause):' : '\nNo confusion.');
for (const { id, cause, answers, log_sufficient } of confused) {
  const said = answers.slice(0, 3).map((one) => `${one.cause} ${one.confidence}`);
  console.log(`${log_sufficient ? '*' : ' '} ${id}  ${cause}  <-  ${said.join(', ') || 'nothing recognised'}`);
}
