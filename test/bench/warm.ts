import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Running, type Served, serve, untilListening, usageOf } from './child.ts';
import { ask, load, type Posting } from './client.ts';
import { AUTHORISED, type Fake, KEEPING_MAILBOX, type Laptop, MAIL, naive, ours, startFake } from './laptop.ts';
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

let messages = 0;
const dataOf = (mail: object): string => Buffer.from(JSON.stringify(mail)).toString('base64');
/** A push of Pub/Sub with a message of its own. */
export const pushTo = (url: string, data = dataOf(MAIL)): Posting => {
  const message = { messageId: `bench-${messages++}`, publishTime: '2026-11-24T08:00:00Z', data, attributes: {} };
  const body = JSON.stringify({ subscription: 'projects/bench/subscriptions/mails', deliveryAttempt: 1, message });
  return { url: `${url}/`, headers: { 'content-type': 'application/json' }, body };
};

/** Loads one process and answers what a mail took there. */
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

/** The whole api function against the naive one: mails per second and processor time, in the same rounds. */
export async function warm(laptop: Laptop, quick: boolean): Promise<Figure[]> {
  const count = quick ? 150 : 400;
  await using fake = await startFake(laptop, { kind: 'sink', tls: true });
  await using api = await warmed(ours(laptop, 'api', fake), laptop.folder, mailTo);
  await using peer = await warmed(naive(laptop, fake), laptop.folder, mailTo);
  const side = (running: Running) => () => burden(running, fake, count, () => load(count, CONCURRENCY, () => mailTo(running.url)));
  const seen = await interleave({ ours: side(api), naive: side(peer) }, quick ? 3 : 9, 2);
  const note = `the sink was busy for ${(seen.range('ours', 'fakeShare').median * 100).toFixed(0)} % of one core with ours, ${(seen.range('naive', 'fakeShare').median * 100).toFixed(0)} % with naive; ${seen.range('ours', 'rssMb').median.toFixed(0)} and ${seen.range('naive', 'rssMb').median.toFixed(0)} MB resident`;
  return [
    {
      id: 'warm.throughput',
      what: `warm throughput of api, 2 kB mails, ${CONCURRENCY} at a time, against naive`,
      unit: 'mails/s',
      ours: seen.range('ours', 'mailsPerSecond'),
      peer: { name: 'naive', range: seen.range('naive', 'mailsPerSecond') },
      ratio: seen.ratio('ours', 'naive', 'mailsPerSecond'),
      target: { atLeast: 1, stretch: 1.5 },
      note,
    },
    {
      id: 'warm.cpu',
      what: 'the same, processor time of the function per mail',
      unit: 'ms',
      ours: seen.range('ours', 'cpuMs'),
      peer: { name: 'naive', range: seen.range('naive', 'cpuMs') },
      ratio: seen.ratio('ours', 'naive', 'cpuMs'),
    },
  ];
}

/** The worker, push in to Gmail out, against nodemailer's own pool in a process that does nothing else. */
export async function worker(laptop: Laptop, quick: boolean): Promise<Figure[]> {
  const count = quick ? 150 : 400;
  await using fake = await startFake(laptop, { kind: 'sink', tls: true });
  await using smtp = await startFake(laptop, { kind: 'smtp', tls: true });
  await using running = await warmed(ours(laptop, 'worker', fake), laptop.folder, pushTo);
  await using reusing = await warmed(ours(laptop, 'worker', fake), laptop.folder, pushTo); // of its own: else one would be warmer than the pool
  await using pool = startPool(laptop, smtp);
  const usual = dataOf(MAIL);
  const keeping = dataOf({ ...MAIL, from: KEEPING_MAILBOX });
  const pushed = (to: Running, data: string) => () => burden(to, fake, count, () => load(count, CONCURRENCY, () => pushTo(to.url, data)));
  const seen = await interleave(
    {
      ours: pushed(running, usual),
      keeping: pushed(reusing, keeping),
      nodemailer: () => burden(pool, smtp, count, () => pool.send(count)),
    },
    quick ? 3 : 21,
    quick ? 2 : 30, // V8 goes on compiling for the first ten thousand mails, on both sides
  );
  return [
    {
      id: 'worker.cpu',
      what: "processor time per mail in the worker, against nodemailer's pooled SMTP",
      unit: 'ms',
      ours: seen.range('ours', 'cpuMs'),
      peer: { name: 'nodemailer', range: seen.range('nodemailer', 'cpuMs') },
      ratio: seen.ratio('ours', 'nodemailer', 'cpuMs'),
      target: { atMost: 1.3, stretch: 1 },
      note: `${seen.range('ours', 'mailsPerSecond').median.toFixed(0)} mails/s against ${seen.range('nodemailer', 'mailsPerSecond').median.toFixed(0)}`,
    },
    {
      id: 'worker.cpu.keeping',
      what: 'the same for a mailbox with `tokens: reuse`, since the pool keeps its token too',
      unit: 'ms',
      ours: seen.range('keeping', 'cpuMs'),
      peer: { name: 'nodemailer', range: seen.range('nodemailer', 'cpuMs') },
      ratio: seen.ratio('keeping', 'nodemailer', 'cpuMs'),
    },
  ];
}

function startPool(laptop: Laptop, smtp: Fake): Pick<Running, 'child'> & AsyncDisposable & { send(count: number): Promise<number> } {
  const options = { port: smtp.smtpPort, ca: laptop.certificate.cert, concurrency: CONCURRENCY, mail: MAIL };
  const child = spawn(process.execPath, [fileURLToPath(new URL('peers/nodemailer.cjs', import.meta.url)), JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  const ended = new Promise((done) => child.once('exit', done));
  return {
    child,
    send: (count) =>
      new Promise((done) => {
        lines.once('line', (line) => done(Number(line)));
        child.stdin.write(`${count}\n`);
      }),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
