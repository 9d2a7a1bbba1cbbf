import { type Running, type Served, serve, untilListening, usageOf } from './child.ts';
import { ask, load, type Posting } from './client.ts';
import { AUTHORISED, careful, type Fake, type Laptop, MAIL, ours, startFake } from './laptop.ts';
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

/** Loads one process and answers what an email took there. */
async function burden(
  { child }: Pick<Running, 'child'>,
  fake: Pick<Fake, 'child'>,
  count: number,
  run: () => Promise<number>,
): Promise<Sample> {
  const before = usageOf(child);
  const fakeBefore = usageOf(fake.child);
  const ms = await run();
  const after = usageOf(child);
  return {
    mailsPerSecond: (count / ms) * 1_000,
    cpuMs: (after.cpuMs - before.cpuMs) / count,
    rssMb: after.rssMb,
    fakeShare: (usageOf(fake.child).cpuMs - fakeBefore.cpuMs) / ms,
  };
}

/** The whole api function against the careful one: emails per second and processor time, in the same rounds. */
export async function warm(laptop: Laptop, quick: boolean): Promise<Figure[]> {
  const count = quick ? 150 : 400;
  await using fake = await startFake(laptop, { kind: 'sink', tls: true });
  await using api = await warmed(ours(laptop, 'api', fake), laptop.folder, mailTo);
  await using peer = await warmed(careful(laptop, fake), laptop.folder, mailTo);
  const side = (running: Running) => () => burden(running, fake, count, () => load(count, CONCURRENCY, () => mailTo(running.url)));
  const seen = await interleave({ ours: side(api), careful: side(peer) }, quick ? 3 : 9, 2);
  const note = `the sink was busy for ${(seen.range('ours', 'fakeShare').median * 100).toFixed(0)} % of one core with ours, ${(seen.range('careful', 'fakeShare').median * 100).toFixed(0)} % with careful; ${seen.range('ours', 'rssMb').median.toFixed(0)} and ${seen.range('careful', 'rssMb').median.toFixed(0)} MB resident`;
  return [
    {
      id: 'warm.throughput',
      what: `warm throughput of api, 2 kB emails, ${CONCURRENCY} at a time, against careful`,
      unit: 'emails/s',
      ours: seen.range('ours', 'mailsPerSecond'),
      peer: { name: 'careful', range: seen.range('careful', 'mailsPerSecond') },
      ratio: seen.ratio('ours', 'careful', 'mailsPerSecond'),
      target: { atLeast: 1, stretch: 1.5 },
      note,
    },
    {
      id: 'warm.cpu',
      what: 'the same, processor time of the function per email',
      unit: 'ms',
      ours: seen.range('ours', 'cpuMs'),
      peer: { name: 'careful', range: seen.range('careful', 'cpuMs') },
      ratio: seen.ratio('ours', 'careful', 'cpuMs'),
    },
  ];
}
