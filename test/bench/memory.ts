import { execFileSync } from 'node:child_process';
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { forgetPeak, type Served, serve, untilListening, usageOf } from './child.ts';
import { ask, type Posting } from './client.ts';
import { AUTHORISED, KEY, type Laptop, MAIL, ours, startFake } from './laptop.ts';
import { type Figure, rangeOf } from './report/figures.ts';
import { mailTo } from './warm.ts';

const FILE_BYTES = 24_000_000;
const MEGABYTE = 1e6;

/** An email with a file of so many bytes, as base64 in JSON. */
export const withFile =
  (bytes: number) =>
  (url: string): Posting => {
    const content = Buffer.alloc(bytes, 'attached bytes ').toString('base64');
    return { url: `${url}/emails`, headers: AUTHORISED, body: JSON.stringify({ ...MAIL, attachments: [{ filename: 'a.bin', content }] }) };
  };

/** The same file inside a raw message. */
const rawMessage =
  (bytes: number) =>
  (url: string): Posting => {
    const file = Buffer.alloc(bytes, 'attached bytes ').toString('base64').replace(/.{76}/g, '$&\r\n');
    const head = `From: ${MAIL.from}\r\nTo: ${MAIL.to}\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n`;
    return {
      url: `${url}/v1/raw`,
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'message/rfc822' },
      body: `${head}${file}\r\n`,
    };
  };

/** The most that one such email makes resident above what was before it, again and again in one process, in megabytes. */
export async function growth(served: Served, make: (url: string) => Posting, folder: string, times: number): Promise<number[]> {
  await using running = await serve(served, folder);
  await untilListening(running);
  await ask(mailTo(running.url));
  const idle = usageOf(running.child).rssMb;
  const posting = make(running.url);
  const seen: number[] = [];
  for (let round = 0; round < times; round++) {
    forgetPeak(running.child);
    await ask(posting).catch((error: Error) => {
      throw new Error(`${error.message} ${running.printed()}`);
    });
    seen.push(usageOf(running.child).peakMb - idle);
  }
  return seen;
}

/** What a large email costs in memory, and whether it passes in the smallest instance that Cloud Run functions offer for it. */
export async function memory(laptop: Laptop, quick: boolean): Promise<Figure[]> {
  await using fake = await startFake(laptop, { kind: 'sink', tls: true });
  const times = quick ? 2 : 4;
  const figures: Figure[] = [];
  for (const [id, what, make, bytes, target] of [
    ['json', '24 MB of files in JSON', withFile(FILE_BYTES), FILE_BYTES, { atMost: 8, stretch: 4 }],
    ['raw', 'the same as a raw message of 33 MB by /v1/raw', rawMessage(FILE_BYTES), FILE_BYTES, { atMost: 2, stretch: 1.2 }],
  ] as const) {
    const seen = await growth(ours(laptop, 'api', fake), make, laptop.folder, times);
    figures.push({
      id: `memory.${id}`,
      what: `peak above idle, ${what}, through the bytes sent`,
      unit: '×',
      ours: rangeOf(seen.map((mb) => mb / (bytes / MEGABYTE))),
      target,
      note: `${rangeOf(seen).max.toFixed(0)} MB above idle; four at once in a container of 512 MB: ${await confined(laptop, fake.url, make, times)}`,
    });
  }
  return figures;
}

/** The same in a memory cgroup, as Cloud Run limits an instance; only where this process may make one. */
async function confined(laptop: Laptop, url: string, make: (url: string) => Posting, times: number): Promise<string> {
  const group = `/sys/fs/cgroup/memory/mailgrant-bench-${process.pid}`;
  try {
    mkdirSync(group);
    writeFileSync(`${group}/memory.limit_in_bytes`, String(512 * 1_024 * 1_024));
  } catch {
    return 'not tried, this machine grants no memory cgroup';
  }
  const wrap: Served['wrap'] = (command) => ['sh', '-c', `echo $$ > ${group}/cgroup.procs && exec "$@"`, 'sh', ...command];
  try {
    await using running = await serve(ours(laptop, 'api', { url, metadata: '' }, { wrap }), laptop.folder);
    await untilListening(running);
    await ask(mailTo(running.url));
    for (let round = 0; round < times; round++) await Promise.all([1, 2, 3, 4].map(() => ask(make(running.url))));
    return `${times} rounds of ${times} passed`;
  } catch (error) {
    return `killed (${(error as Error).message.slice(0, 60)})`;
  } finally {
    execFileSync('sleep', ['0.2']);
    rmdirSync(group);
  }
}
