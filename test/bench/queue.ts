import { setTimeout as sleep } from 'node:timers/promises';
import { emulator, sdkRoot, startEmulator } from '../support/emulators.ts';
import { type Served, serve, untilListening, usageOf } from './child.ts';
import { ask } from './client.ts';
import { type Figure, interleave, type Sample } from './figures.ts';
import { type Laptop, MAIL, ours, peer, startFake } from './laptop.ts';
import { pushTo } from './warm.ts';

const JSON_TYPE = { 'content-type': 'application/json' };

/** Mails that wait in Pub/Sub's emulator, pushed to the worker and on to the fake Gmail; against a function that only acknowledges. */
export async function queue(laptop: Laptop, quick: boolean): Promise<Figure[]> {
  const command = emulator(sdkRoot(), 'pubsub');
  if (!command) {
    console.error('queue: not measured, the Pub/Sub emulator or Java is missing');
    return [];
  }
  const count = quick ? 1_000 : 5_000;
  const rounds = quick ? 1 : 2;
  await using pubsub = await startEmulator(command);
  await using fake = await startFake(laptop, { kind: 'google', tls: true });
  const running = async (served: Served) => {
    const function_ = await serve(served, laptop.folder);
    await untilListening(function_);
    await ask(pushTo(function_.url));
    return function_;
  };
  await using worker = await running(ours(laptop, 'worker', fake));
  await using trivial = await running({ target: 'trivial', source: peer('trivial'), env: {} });

  const call = (method: 'PUT' | 'POST' | 'DELETE', path: string, body: unknown = {}): Promise<Response> =>
    fetch(`${pubsub.url}/v1/projects/bench/${path}`, {
      method,
      headers: JSON_TYPE,
      ...(method !== 'DELETE' && { body: JSON.stringify(body) }),
    });
  let run = 0;
  /** Publishes first and turns the pushing on then, so that only the way out is measured. */
  const drain = async (url: string, countUrl: string): Promise<Sample> => {
    const name = `run-${run++}`;
    await call('PUT', `topics/${name}`);
    await call('PUT', `subscriptions/${name}`, { topic: `projects/bench/topics/${name}`, ackDeadlineSeconds: 60 });
    const data = Buffer.from(JSON.stringify(MAIL)).toString('base64');
    for (let sent = 0; sent < count; sent += 500)
      await call('POST', `topics/${name}:publish`, { messages: Array.from({ length: 500 }, () => ({ data })) });
    const arrived = async (): Promise<number> => Number(await ask({ method: 'GET', url: countUrl }));
    const before = await arrived();
    const fakeBefore = usageOf(fake.child).cpuMs;
    const started = performance.now();
    await call('POST', `subscriptions/${name}:modifyPushConfig`, { pushConfig: { pushEndpoint: url } });
    while ((await arrived()) - before < count) await sleep(20);
    const ms = performance.now() - started;
    const result = { mailsPerSecond: (count / ms) * 1_000, fakeShare: (usageOf(fake.child).cpuMs - fakeBefore) / ms };
    await sleep(300); // the last acknowledgements
    const extra = (await arrived()) - before - count;
    if (extra !== 0) throw new Error(`${extra} mails more than were published`);
    await call('DELETE', `subscriptions/${name}`);
    return result;
  };
  const seen = await interleave(
    { ours: () => drain(`${worker.url}/`, `${fake.metadata}/mails`), trivial: () => drain(`${trivial.url}/`, trivial.url) },
    rounds,
    quick ? 0 : 1,
  );
  return [
    {
      id: 'queue.throughput',
      what: `${(count * rounds).toLocaleString('en')} mails from Pub/Sub's emulator through worker to the fake Gmail, against pushes that are only acknowledged`,
      unit: 'mails/s',
      ours: seen.range('ours', 'mailsPerSecond'),
      peer: { name: 'trivial', range: seen.range('trivial', 'mailsPerSecond') },
      ratio: seen.ratio('ours', 'trivial', 'mailsPerSecond'),
      target: { atLeast: 0.6, stretch: 0.9 },
      note: `every mail arrived once; the fake was busy for ${(seen.range('ours', 'fakeShare').median * 100).toFixed(0)} % of one core`,
    },
  ];
}
