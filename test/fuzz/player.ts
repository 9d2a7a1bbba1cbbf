/** The process that plays: started by main.ts, which tells of it when it does not come back. */
import { ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import fc from 'fast-check';
import type { Door, Played } from './door.ts';
import { EVENT_DOORS } from './event-doors.ts';
import { HTTP_DOORS } from './http-doors.ts';
import { mutated, randomFrom } from './mutate.ts';
import { PURE_DOORS } from './pure-doors.ts';
import { SMTP_DOOR } from './smtp-door.ts';
import { startWorld, type World } from './world.ts';

export const DOORS: readonly Door[] = [...HTTP_DOORS, ...EVENT_DOORS, SMTP_DOOR, ...PURE_DOORS];

/** An input that is kept, because its answer was new or because it once was a finding. */
export interface Kept {
  readonly door: string;
  readonly input: unknown;
}
export const corpus = (): Kept[] => JSON.parse(readFileSync(new URL('corpus.json', import.meta.url), 'utf8')) as Kept[];

/** One line of what is told to main.ts. */
export type Told =
  | { readonly type: 'played'; readonly door: string; readonly count: number; readonly interesting: readonly unknown[] }
  | { readonly type: 'finding'; readonly door: string; readonly what: string; readonly input: string };

// A second of processor time for each megabyte, beside what a request costs however small it is.
const SECONDS_EACH = 0.5;
const SECONDS_PER_MB = 1;

/** Plays one input. Answers what is wrong, or what was answered. `timed`: also that it cost too much processor time. */
export async function playOne(
  door: Door,
  input: unknown,
  world: World,
  { timed = true } = {},
): Promise<{ readonly wrong: string } | Played> {
  const once = async (): Promise<Played & { seconds: number }> => {
    world.clear();
    const before = process.cpuUsage();
    const played = await door.play(input, world);
    const { user, system } = process.cpuUsage(before);
    return { ...played, seconds: (user + system) / 1e6 };
  };
  try {
    let played = await once();
    const allowed = timed ? SECONDS_EACH + (SECONDS_PER_MB * played.bytes) / 1e6 : Number.POSITIVE_INFINITY;
    for (let again = 0; again < 2 && played.seconds > allowed; again++) played = await once(); // the first may have compiled something
    if (played.seconds > allowed) return { wrong: `${played.seconds.toFixed(1)} s of processor time for ${played.bytes} bytes` };
    const told = JSON.stringify(world.laptop.lines);
    if (told.includes('canary-body') || told.includes('canary-subject')) return { wrong: 'content in a line of the log' };
    return played;
  } catch (error) {
    return {
      wrong:
        error instanceof Error
          ? `${error.name}: ${error.message} ${
              error.stack
                ?.split('\n')
                .find((at) => /functions|test\/fuzz/.test(at))
                ?.trim() ?? ''
            }`
          : String(error),
    };
  }
}

const ROUND = 25;
const WORLD_INPUTS = 4_000;
const POOL_MAX = 2_000;

async function play(doors: readonly Door[], firstSeed: number, until: number, current: number): Promise<void> {
  const told = (line: Told): void => void process.send?.(line);
  const failed = { what: '' };
  for (const event of ['uncaughtException', 'unhandledRejection'] as const)
    process.on(event, (error: unknown) => {
      failed.what = `${event}: ${error instanceof Error ? error.stack : error}`;
    });
  const random = randomFrom(firstSeed);
  const answers = new Map(doors.map(({ name }) => [name, new Set<string>()]));
  const pool = new Map(
    doors.map(({ name }) => [
      name,
      corpus()
        .filter((one) => one.door === name)
        .map(({ input }) => input),
    ]),
  );
  let world = await startWorld();
  let inputs = 0;
  for (let seed = firstSeed; Date.now() < until; seed++)
    for (const door of doors) {
      const kept = pool.get(door.name) ?? [];
      const drawn = seed === firstSeed ? [...kept] : [];
      drawn.push(...fc.sample(door.inputs, { seed, numRuns: ROUND }));
      for (let more = 0; more < ROUND && kept.length > 0; more++)
        drawn.push(mutated(kept[Math.floor(random() * kept.length)], kept[Math.floor(random() * kept.length)], random));
      const interesting: unknown[] = [];
      for (const input of drawn) {
        const text = JSON.stringify({ door: door.name, input });
        ftruncateSync(current, 0);
        writeSync(current, text, 0);
        const played = await playOne(door, input, world);
        const what = 'wrong' in played ? played.wrong : failed.what;
        failed.what = '';
        if (what !== '') told({ type: 'finding', door: door.name, what, input: text.slice(0, 20_000) });
        const seen = answers.get(door.name);
        if ('answer' in played && seen && !seen.has(played.answer) && text.length < 5_000) {
          seen.add(played.answer);
          interesting.push(input);
          kept.push(input);
          if (kept.length > POOL_MAX) kept.shift();
        }
        inputs++;
      }
      told({ type: 'played', door: door.name, count: drawn.length, interesting });
      if (inputs > WORLD_INPUTS) {
        inputs = 0;
        await world[Symbol.asyncDispose]();
        world = await startWorld();
      }
      if (Date.now() > until) break;
    }
  await world[Symbol.asyncDispose]();
}

if (process.send && process.argv[2]) {
  const { doors, seed, until, file } = JSON.parse(process.argv[2]) as {
    doors: string[];
    seed: number;
    until: number;
    file: string;
  };
  await play(
    DOORS.filter(({ name }) => doors.includes(name)),
    seed,
    until,
    openSync(file, 'w'),
  );
  process.exit(0);
}
