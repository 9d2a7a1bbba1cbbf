/** `npm run chaos`: is every mail there exactly once, although everything fails and processes are killed? */
import { parseArgs } from 'node:util';
import { emulator, sdkRoot, skipUnless } from '../support/programs/emulators.ts';
import { type ChaosReport, runChaos } from './chaos.ts';
import { MUTATIONS, type MutationName } from './mutation.ts';
import { isGood } from './verdict.ts';

const HELP = `npm run chaos -- [options]

Sends mails through the built functions under functions-framework, with Google's Pub/Sub and Firestore
emulators and a fake Google that fails as the seed has drawn; kills processes with -9 and starts them again.
At the end every mail must be in the mailbox exactly once, or be recorded truthfully.

  --mails N    how many mails              (2000)
  --kills N    how many kills              (40)
  --workers N  worker processes            (3)
  --seed N     what is drawn               (another one each time; it is printed)
  --seconds N  patience, once all is up (240, or more for more mails)
  --break NAME with a broken copy of the core: ${Object.keys(MUTATIONS).join(', ')}
  --log FILE   keep every line that a function prints
  --json

Exit code: 0 all is well; 1 duplicates, lost or untrue mails, or mails that did not come to an end.`;

async function main(): Promise<number> {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const { values } = parseArgs({
    options: { mails: text, kills: text, workers: text, seed: text, seconds: text, break: text, log: text, json: flag, help: flag },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const root = sdkRoot();
  const [pubsub, firestore] = [emulator(root, 'pubsub'), emulator(root, 'firestore')];
  const skip = skipUnless(pubsub !== null && firestore !== null, 'an emulator of Pub/Sub or Firestore (gcloud and Java)');
  if (skip || !pubsub || !firestore) {
    console.log(skip);
    return 0;
  }
  const number = (name: 'mails' | 'kills' | 'workers' | 'seed' | 'seconds', usual: number): number => {
    const given = Number(values[name] ?? usual);
    if (!Number.isInteger(given) || given < 0) throw new Error(`--${name}: expected a whole number`);
    return given;
  };
  const broken = values.break ?? null;
  if (broken !== null && !Object.hasOwn(MUTATIONS, broken))
    throw new Error(`--break: expected one of ${Object.keys(MUTATIONS).join(', ')}`);
  const mails = number('mails', 2_000);
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => stop.abort(new Error(`ended by ${name}`)));
  const report = await runChaos({
    seed: number('seed', Math.floor(Math.random() * 1_000_000)),
    mails,
    kills: number('kills', 40),
    workers: Math.max(1, number('workers', 3)),
    broken: broken as MutationName | null,
    timeoutMs: number('seconds', Math.max(240, mails / 8)) * 1_000,
    pubsub,
    firestore,
    log: values.log ?? null,
    signal: stop.signal,
    tell: (line) => console.error(line),
  });
  console.log(values.json ? JSON.stringify(report, null, 2) : table(report));
  return isGood(report) ? 0 : 1;
}

function table(report: ChaosReport): string {
  const { accepted, answered, requests, sent, failed, parked, unknown, attempts, tasks, kills, seconds, seed } = report;
  const bad = ['duplicates', 'lost', 'untrue', 'stray', 'open'] as const;
  const rows: [string, number][] = [
    ['accepted', accepted],
    ['requests', requests],
    ['answered by an API', answered],
    ['sent', sent],
    ['failed', failed],
    ['parked', parked],
    ['unknown', unknown],
    ...bad.map((name): [string, number] => [name, report[name].length]),
    ['attempts', attempts],
    ['tasks created or found', tasks.created],
    ['task names taken (409)', tasks.taken],
    ['tasks that had run by then', tasks.ran],
    ['kills', kills],
    ...Object.entries(report.faults).map(([kind, count]): [string, number] => [`fault: ${kind}`, count]),
    ['seconds', seconds],
    ['seed', seed],
  ];
  const details = bad.flatMap((name) => (report[name].length > 0 ? [`${name}: ${report[name].slice(0, 10).join(', ')}`] : []));
  const verdict = isGood(report) ? 'Every mail exactly once, or recorded truthfully.' : 'NOT exactly once.';
  return [...rows.map(([name, value]) => `${name.padEnd(34)} ${value}`), ...details, verdict].join('\n');
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  },
);
