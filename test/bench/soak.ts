import { usageOf } from './child.ts';
import { load } from './client.ts';
import { type Laptop, ours, startFake } from './laptop.ts';
import { type Figure, rangeOf } from './report/figures.ts';
import { mailTo, warmed } from './warm.ts';

const AT_ONCE = 8;

/** Whether a process that goes on sending goes on growing: resident memory over many emails, after a warm-up. */
export async function soak(laptop: Laptop, quick: boolean): Promise<Figure[]> {
  const [steps, each] = quick ? [4, 500] : [20, 5_000];
  await using fake = await startFake(laptop, { kind: 'sink', tls: true });
  await using api = await warmed(ours(laptop, 'api', fake), laptop.folder, mailTo);
  const seen: number[] = [];
  for (let step = 0; step < steps; step++) {
    await load(each, AT_ONCE, () => mailTo(api.url));
    seen.push(usageOf(api.child).rssMb);
  }
  // The first quarter warms: V8 compiles, and its heap finds its size.
  const [early, late] = [seen.slice(steps / 4, (steps * 5) / 8), seen.slice((steps * 5) / 8)].map(rangeOf);
  const growth = (late?.median ?? Number.NaN) / (early?.median ?? Number.NaN);
  return [
    {
      id: 'soak.growth',
      what: `resident memory over ${(steps * each).toLocaleString('en')} emails: the last three eighths against the three before`,
      unit: '×',
      ours: { min: growth, median: growth, max: growth },
      target: { atMost: 1.05 },
      note: `${seen.map((mb) => mb.toFixed(0)).join(', ')} MB, each after ${each.toLocaleString('en')} more`,
    },
  ];
}
