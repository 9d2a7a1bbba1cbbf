import { forgetPeak, usageOf } from '../child.ts';
import { ask, load, type Posting } from '../client.ts';
import { AUTHORISED, type Laptop, MAIL, MAILBOXES, mailbox, ours, startFake } from '../laptop.ts';
import { withFile } from '../memory.ts';
import { mailTo, warmed } from '../warm.ts';
import type { Panel } from './chart.ts';
import { type Figure, rangeOf } from './figures.ts';

const BATCH_MAX = 100;

/** So many emails by batches of at most a hundred. */
const batches = (url: string, mails: number): Posting[] =>
  Array.from({ length: Math.ceil(mails / BATCH_MAX) }, (_, index) => {
    const size = Math.min(BATCH_MAX, mails - index * BATCH_MAX);
    const body = JSON.stringify(Array.from({ length: size }, (_one, n) => ({ ...MAIL, to: `you${index * BATCH_MAX + n}@example.net` })));
    return { url: `${url}/emails/batch`, headers: AUTHORISED, body };
  });

interface Point {
  readonly x: number;
  readonly values: readonly number[];
}

/** How the cost of an email grows with the work. */
export async function curves(laptop: Laptop, quick: boolean): Promise<Figure[]> {
  await using fake = await startFake(laptop, { kind: 'sink', tls: true });
  await using api = await warmed(ours(laptop, 'api', fake), laptop.folder, mailTo);
  const repeats = quick ? 1 : 3;
  const points = async (xs: readonly number[], measure: (x: number) => Promise<number>): Promise<Point[]> => {
    const found: Point[] = [];
    for (const x of xs) {
      await measure(x); // warms up
      const values: number[] = [];
      for (let round = 0; round < repeats; round++) values.push(await measure(x));
      found.push({ x, values });
    }
    return found;
  };
  const rate = async (count: number, concurrency: number, make: (index: number) => Posting): Promise<number> =>
    (count / (await load(count, concurrency, make))) * 1_000;
  const from = (index: number): Posting => ({ ...mailTo(api.url), body: JSON.stringify({ ...MAIL, from: mailbox(index) }) });

  await load(quick ? 200 : 2_000, 8, () => mailTo(api.url)); // else the first curve shows V8 at work, not the mails
  const recipients = await points([1, 10, 100, 1_000], async (count) => {
    const times = Math.ceil((quick ? 50 : 300) / count);
    const before = usageOf(api.child).cpuMs;
    for (let sent = 0; sent < times; sent++) for (const posting of batches(api.url, count)) await ask(posting);
    return (usageOf(api.child).cpuMs - before) / (count * times);
  });
  const boxes = await points([1, 2, 5, MAILBOXES], (count) => rate(400, 8, (index) => from(index % count)));
  const concurrency = await points([1, 2, 4, 8, 20, 40, 80], (count) => rate(400, count, () => mailTo(api.url)));
  const peaks: Point[] = [];
  const size = await points([1_000, 10_000, 100_000, 1_000_000, 5_000_000, 24_000_000], async (bytes) => {
    const posting = withFile(bytes)(api.url);
    const times = bytes > 1_000_000 ? 1 : 10;
    forgetPeak(api.child);
    const { cpuMs, rssMb } = usageOf(api.child);
    for (let sent = 0; sent < times; sent++) await ask(posting);
    const after = usageOf(api.child);
    if (peaks.at(-1)?.x !== bytes) peaks.push({ x: bytes, values: [Math.max(0.1, after.peakMb - rssMb)] });
    return (after.cpuMs - cpuMs) / times;
  });
  return [
    ...figuresOf('recipients', 'processor time per email, emails by batch', 'ms', recipients),
    ...figuresOf('bytes', 'processor time, bytes of the file in an email', 'ms', size),
    ...figuresOf('peak', 'peak above what was resident, bytes of the file in an email', 'MB', peaks),
    ...figuresOf('mailboxes', 'emails per second, 8 at a time, mailboxes', 'emails/s', boxes),
    ...figuresOf('concurrency', 'emails per second, at a time', 'emails/s', concurrency),
  ];
}

const figuresOf = (name: string, what: string, unit: string, points: readonly Point[]): Figure[] =>
  points.map(({ x, values }) => ({ id: `curve.${name}.${x}`, what: `${what}: ${x.toLocaleString('en')}`, unit, ours: rangeOf(values) }));

/** The panels of docs/performance.svg, out of the figures. */
export function panels(figures: readonly Figure[]): Panel[] {
  const curve = (name: string) =>
    figures
      .filter(({ id }) => id.startsWith(`curve.${name}.`))
      .map(({ id, ours }) => ({ x: Number(id.slice(id.lastIndexOf('.') + 1)), y: ours.median }));
  return [
    { title: 'Emails by batch: processor time an email', unit: 'ms', x: 'emails', points: curve('recipients') },
    { title: 'Size of the file: processor time an email', unit: 'ms', x: 'bytes', points: curve('bytes'), log: true },
    { title: 'Mailboxes, 8 emails at a time', unit: 'emails/s', x: 'mailboxes', points: curve('mailboxes') },
    { title: 'Emails at a time', unit: 'emails/s', x: 'emails at a time', points: curve('concurrency') },
  ];
}
