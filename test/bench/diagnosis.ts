/** `npm run bench:diagnosis -- FILE.jsonl [--stress]`: how often `explain` names the confirmed cause of a log, first or among three. */
import { readFileSync } from 'node:fs';
import { explain } from '../../functions/diagnose/explain.ts';
import { DEFORMATIONS } from '../diagnose/deformations.ts';

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
const isFirst = ({ cause, answers }: Judged): boolean => answers[0]?.cause === cause;
const isAmongThree = ({ cause, answers }: Judged): boolean => answers.slice(0, 3).some((one) => one.cause === cause);

function report(name: string, cases: readonly Judged[]): string {
  return `${name.padEnd(14)} top-1 ${share(cases.filter(isFirst).length, cases.length)}   top-3 ${share(cases.filter(isAmongThree).length, cases.length)}`;
}

const args = process.argv.slice(2);
const file = args.find((arg) => !arg.startsWith('--'));
if (!file) {
  console.error('npm run bench:diagnosis -- FILE.jsonl [--stress]');
  process.exit(2);
}
const cases = readFileSync(file, 'utf8')
  .split('\n')
  .filter((line) => line.trim() !== '')
  .map((line) => JSON.parse(line) as Case);
const judge = (deform: (text: string) => string): Judged[] => cases.map((one) => ({ ...one, answers: explain(deform(one.log)).matches }));

const judged = judge((text) => text);
if (args.includes('--stress')) {
  const before = judged.filter(isFirst).length;
  console.log('| deformation | top-1 | top-3 | lost | cases lost |\n|---|---|---|---|---|');
  for (const [name, deform] of Object.entries(DEFORMATIONS)) {
    const after = judge(deform);
    const lost = after.filter((one, place) => !isFirst(one) && judged[place] && isFirst(judged[place]));
    const first = after.filter(isFirst).length;
    console.log(
      `| ${name} | ${share(first, after.length)} | ${share(after.filter(isAmongThree).length, after.length)} | ${before - first} | ${lost.map(({ id }) => id).join(' ')} |`,
    );
  }
} else {
  console.log(report('all', judged));
  console.log(
    report(
      'log_sufficient',
      judged.filter((one) => one.log_sufficient),
    ),
  );
  const confused = judged.filter((one) => !isFirst(one));
  console.log(confused.length > 0 ? '\nNot first (* where the log alone tells the cause):' : '\nNo confusion.');
  for (const { id, cause, answers, log_sufficient } of confused) {
    const said = answers.slice(0, 3).map((one) => `${one.cause} ${one.confidence}`);
    console.log(`${log_sufficient ? '*' : ' '} ${id}  ${cause}  <-  ${said.join(', ') || 'nothing recognised'}`);
  }
}
