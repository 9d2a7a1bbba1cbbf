import { type Running, type Served, serve, untilListening, usageOf } from './child.ts';
import { ask, load, type Posting } from './client.ts';
import { AUTHORISED, careful, type Laptop, MAIL, ours, startFake } from './laptop.ts';
import { type Figure, interleave, type Sample } from './report/figures.ts';

const CONCURRENCY = 8;

/** A function that runs already and has answered once. */
export async function warmed(served: Served, folder: string, first: (url: string) => Posting): Promise<Running> {
  const running = await serve(served, folder);
  await untilListening(running);
  await ask(first(running.url));
  return running;
}

export const mailTo = (url: string): Posting => ({ url: `${url}/emails`, headers: AUTHORISED, body: JSON.stringify(MAIL) });

/** Loads one process and returns what an email took there. */
async function burden({ child }: Pick<Running, 'child'>, count: number, run: () => Promise<number>): Promise<Sample> {
  const before = usageOf(child);
  await run();
  const after = usageOf(child);
  return {
    cpuMs: (after.cpuMs - before.cpuMs) / count,
    rssMb: after.rssMb,
  };
}

/** The whole api function against the careful one, in the same rounds. */
export async function warm(laptop: Laptop, quick: boolean): Promise<Figure[]> {
  const count = quick ? 150 : 400;
  await using fake = await startFake(laptop, { kind: 'sink', tls: true });
  await using api = await warmed(ours(laptop, 'api', fake), laptop.folder, mailTo);
  await using peer = await warmed(careful(laptop, fake), laptop.folder, mailTo);
  const side = (running: Running) => () => burden(running, count, () => load(count, CONCURRENCY, () => mailTo(running.url)));
  const seen = await interleave({ ours: side(api), careful: side(peer) }, quick ? 3 : 9, 2);
  return [
    {
      id: 'warm.cpu',
      what: 'processor time of a warm function per email of 2 kB; a mailbox sends about one a second',
      unit: 'ms',
      ours: seen.range('ours', 'cpuMs'),
      peer: { name: 'careful', range: seen.range('careful', 'cpuMs') },
      ratio: seen.ratio('ours', 'careful', 'cpuMs'),
      note: `${seen.range('ours', 'rssMb').median.toFixed(0)} and ${seen.range('careful', 'rssMb').median.toFixed(0)} MB resident`,
    },
  ];
}
