import type { Running } from './child.ts';
import { ask } from './client.ts';
import { AUTHORISED, careful, type Fake, KEEPING_MAILBOX, type Laptop, MAIL, ours, startFake } from './laptop.ts';
import { type Figure, type Range, rangeOf } from './report/figures.ts';
import { mailTo, warmed } from './warm.ts';

/** What is put before every answer of Google: far more than anything else that an email takes. */
const DELAY_MS = 50;

/** How many exchanges with Google an email waits for, one after the other, in an instance that is warm. */
async function sequential(running: Running, body: object, times: number): Promise<Range> {
  const seen: number[] = [];
  for (let round = 0; round <= times; round++) {
    const started = performance.now();
    await ask({ url: `${running.url}/emails`, headers: AUTHORISED, body: JSON.stringify(body) });
    // The first one warms. Our own time is far below one delay, and what a busy machine adds is no exchange.
    if (round > 0) seen.push(Math.floor((performance.now() - started) / DELAY_MS));
  }
  return rangeOf(seen);
}

/** The critical path: what a distant Google costs is the number of exchanges that wait for each other. */
export async function path(laptop: Laptop, quick: boolean): Promise<Figure[]> {
  await using fake: Fake = await startFake(laptop, { kind: 'sink', tls: true, delayMs: DELAY_MS });
  await using api = await warmed(ours(laptop, 'api', fake), laptop.folder, mailTo);
  await using peer = await warmed(careful(laptop, fake), laptop.folder, mailTo);
  const times = quick ? 3 : 11;
  const beside = { name: 'careful', range: await sequential(peer, MAIL, times) };
  const note = 'careful keeps its token, opens no upload session and asks nobody after a lost reply';
  return [
    {
      id: 'path.mint',
      what: 'exchanges with Google that a warm email waits for, one after the other, with a token for each invocation',
      unit: '',
      ours: await sequential(api, MAIL, times),
      peer: beside,
      target: { atMost: 5 },
      note,
    },
    {
      id: 'path.reuse',
      what: 'the same for a mailbox with `tokens: reuse`',
      unit: '',
      ours: await sequential(api, { ...MAIL, from: KEEPING_MAILBOX }, times),
      peer: beside,
      target: { atMost: 4 },
    },
  ];
}
