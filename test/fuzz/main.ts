/** `npm run fuzz`: inputs that nobody thought of, at every door, for as long as one wants. */
import { fork } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { shape } from './door.ts';
import { DOORS, type Told } from './player.ts';

const HELP = `npm run fuzz -- [options]

Draws inputs for every door of mailgrant, and changes those that had a new answer. A finding is a crash, a hang, an answer of
5xx that the input caused, a header or recipient that nobody asked for, content in the log, or more than a second of processor
time for a megabyte (beside half a second for each input).

  --minutes N   how long                        (1)
  --door NAME   one door; may be repeated       (all)
  --seed N      what is drawn                   (another one each time; it is printed)
  --keep FILE   write the inputs whose answers were new

Doors: ${DOORS.map(({ name }) => name).join(', ')}
Exit code: 0 nothing was found; 1 findings.`;

// A process that says nothing for so long hangs in one input.
const SILENCE_MS = 120_000;

async function main(): Promise<number> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: { minutes: text, seed: text, keep: text, door: { ...text, multiple: true }, help: { type: 'boolean' } },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const doors = values.door ?? DOORS.map(({ name }) => name);
  const unknown = doors.filter((name) => !DOORS.some((door) => door.name === name));
  if (unknown.length > 0) throw new Error(`there is no door ${unknown.join(', ')}; --help lists them`);
  const file = join(mkdtempSync(join(tmpdir(), 'mailgrant-fuzz-')), 'current.json');
  const until = Date.now() + Number(values.minutes ?? 1) * 60_000;
  let seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`seed ${seed}`);
  const played: Record<string, number> = Object.fromEntries(doors.map((name) => [name, 0]));
  const interesting: { door: string; input: unknown }[] = [];
  const findings = new Map<string, number>();
  const found = (door: string, what: string, input: string): void => {
    const key = `${door}: ${shape(what)}`;
    findings.set(key, (findings.get(key) ?? 0) + 1);
    if (findings.get(key) === 1) console.log(`FINDING at ${door}: ${what.slice(0, 1_000)}\n  ${input.slice(0, 4_000)}`);
  };
  while (Date.now() < until) {
    const ended = await child({ doors, seed, until, file }, (told) => {
      if (told.type === 'finding') return found(told.door, told.what, told.input);
      played[told.door] = (played[told.door] ?? 0) + told.count;
      interesting.push(...told.interesting.map((input) => ({ door: told.door, input })));
    });
    if (ended === null) break;
    const input = readFileSync(file, 'utf8');
    found((JSON.parse(input) as { door: string }).door, ended, input);
    seed += 1_000_000;
  }
  if (values.keep) writeFileSync(values.keep, `${JSON.stringify(interesting, null, 1)}\n`);
  console.table(
    Object.fromEntries(
      doors.map((name) => [name, { inputs: played[name], answers: interesting.filter(({ door }) => door === name).length }]),
    ),
  );
  console.log(`${Object.values(played).reduce((sum, one) => sum + one, 0)} inputs, ${findings.size} kinds of findings`);
  for (const [key, count] of findings) console.log(`  ${count} × ${key}`);
  return findings.size > 0 ? 1 : 0;
}

/** Plays in a process of its own. Answers null where it came to its end, or why it did not. */
const child = (work: object, heard: (told: Told) => void): Promise<string | null> =>
  new Promise((done) => {
    const player = fork(new URL('player.ts', import.meta.url), [JSON.stringify(work)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    let hangs = false;
    const kill = (): void => {
      hangs = true;
      player.kill('SIGKILL');
    };
    let watchdog = setTimeout(kill, SILENCE_MS);
    player.on('message', (told: Told) => {
      clearTimeout(watchdog);
      watchdog = setTimeout(kill, SILENCE_MS);
      heard(told);
    });
    player.on('exit', (code, signal) => {
      clearTimeout(watchdog);
      done(code === 0 ? null : hangs ? `no answer within ${SILENCE_MS / 1_000} s` : `the process ended: ${signal ?? code}`);
    });
  });

process.exitCode = await main();
