import { type Served, serve, untilListening, usageOf } from './child.ts';
import { ask, type Posting } from './client.ts';
import { AUTHORISED, careful, hello, type Laptop, MAIL, naive, ours, startFake } from './laptop.ts';
import { type Figure, interleave } from './report/figures.ts';

type First = (url: string) => Posting;

/** A process is made, and asked as soon as it listens: until its first 200. */
async function coldStart(served: Served, first: First, folder: string): Promise<{ ms: number; cpuMs: number; rssMb: number }> {
  await using running = await serve(served, folder);
  await untilListening(running);
  await ask(first(running.url)).catch((error: Error) => {
    throw new Error(`${error.message} ${running.printed()}`);
  });
  const ms = performance.now() - running.spawnedAt;
  const { cpuMs, rssMb } = usageOf(running.child);
  return { ms, cpuMs, rssMb };
}

const greeting: First = (url) => ({ method: 'GET', url });
const firstMail: First = (url) => ({ url: `${url}/emails`, headers: AUTHORISED, body: JSON.stringify(MAIL) });

/** From nothing to the first email accepted, over TLS, ledger included. */
export async function cold(laptop: Laptop, quick: boolean): Promise<Figure[]> {
  await using fake = await startFake(laptop, { kind: 'google', tls: true });
  const { folder } = laptop;
  const seen = await interleave(
    {
      hello: () => coldStart(hello, greeting, folder),
      ours: () => coldStart(ours(laptop, 'api', fake), firstMail, folder),
      careful: () => coldStart(careful(laptop, fake), firstMail, folder),
      naive: () => coldStart(naive(laptop, fake), firstMail, folder),
    },
    quick ? 3 : 15,
  );
  const side = (name: string, figure: string) => ({ name, range: seen.range(name, figure) });
  return [
    {
      id: 'cold.hello',
      what: 'cold start to the first email accepted, against hello',
      unit: 'ms',
      ours: seen.range('ours', 'ms'),
      peer: side('hello', 'ms'),
      ratio: seen.ratio('ours', 'hello', 'ms'),
      target: { atMost: 1.2, stretch: 1.1 },
    },
    {
      id: 'cold.hello.cpu',
      what: 'the same, processor time',
      unit: 'ms',
      ours: seen.range('ours', 'cpuMs'),
      peer: side('hello', 'cpuMs'),
      ratio: seen.ratio('ours', 'hello', 'cpuMs'),
    },
    {
      id: 'cold.careful',
      what: 'the same, against careful doing the same work (careful through ours)',
      unit: 'ms',
      ours: seen.range('ours', 'ms'),
      peer: side('careful', 'ms'),
      ratio: seen.ratio('careful', 'ours', 'ms'),
    },
    {
      id: 'cold.naive',
      what: 'the same, against naive with no ledger (naive through ours)',
      unit: 'ms',
      ours: seen.range('ours', 'ms'),
      peer: side('naive', 'ms'),
      ratio: seen.ratio('naive', 'ours', 'ms'),
    },
    {
      id: 'cold.rss',
      what: 'resident after the first email',
      unit: 'MB',
      ours: seen.range('ours', 'rssMb'),
      peer: side('hello', 'rssMb'),
      note: `careful: ${seen.range('careful', 'rssMb').median.toFixed(0)} MB, naive: ${seen.range('naive', 'rssMb').median.toFixed(0)} MB`,
    },
  ];
}
