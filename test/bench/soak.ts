import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Running, usageOf } from './child.ts';
import { load } from './client.ts';
import { type Laptop, ours, startFake } from './laptop.ts';
import { type Figure, rangeOf } from './report/figures.ts';
import { mailTo, warmed } from './warm.ts';

const AT_ONCE = 8;
/** Collects twice and says what is left: what is alive, not what the collector has not looked at yet. */
const COLLECT = `process.on('SIGUSR2', () => {
  gc(); gc();
  process.stderr.write('live ' + process.memoryUsage().heapUsed + '\\n');
});`;

/** Whether a process that goes on sending goes on growing: resident memory and live objects over many emails, after a warm-up. */
export async function soak(laptop: Laptop, quick: boolean): Promise<Figure[]> {
  const [steps, each] = quick ? [8, 500] : [20, 5_000];
  const collect = join(laptop.folder, 'collect.cjs');
  writeFileSync(collect, COLLECT);
  await using fake = await startFake(laptop, { kind: 'sink', tls: true });
  await using api = await warmed(ours(laptop, 'api', fake, { node: ['--expose-gc', '--require', collect] }), laptop.folder, mailTo);
  const resident: number[] = [];
  const live: number[] = [];
  const began = performance.now();
  for (let step = 1; step <= steps; step++) {
    await load(each, AT_ONCE, () => mailTo(api.url));
    resident.push(usageOf(api.child).rssMb);
    // The first quarter warms: V8 compiles, and its heap finds its size. Collected only at both ends, or nothing would grow between.
    if (step === steps / 4 || step === steps) live.push(await liveMb(api));
  }
  const perSecond = (steps * each * 1_000) / (performance.now() - began);
  const [early, late] = [resident.slice(steps / 4, (steps * 5) / 8), resident.slice((steps * 5) / 8)].map(rangeOf);
  const growth = (late?.median ?? Number.NaN) / (early?.median ?? Number.NaN);
  const [after, end] = [live[0] ?? Number.NaN, live[1] ?? Number.NaN];
  const all = (steps * each).toLocaleString('en');
  return [
    {
      id: 'soak.growth',
      what: `resident memory over ${all} emails: the last three eighths against the three before`,
      unit: '×',
      ours: rangeOf([growth]),
      target: { atMost: 1.05 },
      note: `${resident.map((mb) => mb.toFixed(0)).join(', ')} MB, each after ${each.toLocaleString('en')} more; ${perSecond.toFixed(0)} emails a second`,
    },
    {
      id: 'soak.live',
      what: `live objects after a collection, at the end of the ${all} against after the first quarter`,
      unit: '×',
      ours: rangeOf([end / after]),
      target: { atMost: 1.05 },
      note: `${after.toFixed(1)} MB, then ${end.toFixed(1)} MB`,
    },
  ];
}

/** What is alive in the process, in megabytes. */
async function liveMb({ child, printed }: Running): Promise<number> {
  const said = (): string[] => [...printed().matchAll(/^live (\d+)$/gm)].map(([, bytes]) => bytes ?? '');
  const before = said().length;
  child.kill('SIGUSR2');
  while (said().length <= before) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the function ended: ${printed()}`);
    await sleep(20);
  }
  return Number(said().at(-1)) / 1e6;
}
