import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { emulator, sdkRoot, startEmulator } from '../support/programs/emulators.ts';
import { type Running, type Served, serve, untilListening, usageOf } from './child.ts';
import { ask } from './client.ts';
import { type Fake, type Laptop, MAIL, MAILBOXES, mailbox, ours, peer, startFake } from './laptop.ts';
import { type Figure, interleave, type Rounds, type Sample } from './report/figures.ts';
import { pushTo } from './warm.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const PATIENCE_MS = 30_000;

/** Mails that wait in Pub/Sub's emulator, pushed to the worker and on to the fake Gmail; against a function that only acknowledges. */
export async function queue(laptop: Laptop, quick: boolean): Promise<Figure[]> {
  const command = emulator(sdkRoot(), 'pubsub');
  if (!command) {
    console.error('queue: not measured, the Pub/Sub emulator or Java is missing');
    return [];
  }
  const figures: Figure[] = [];
  // The emulator pushes two messages of a subscription at a time, where Pub/Sub has a window that grows: so one is not the whole story.
  for (const subscriptions of [1, 4]) {
    await using emulated = await startEmulator(command);
    figures.push(await drained(laptop, emulated, subscriptions, quick));
  }
  return figures;
}

type Emulated = Awaited<ReturnType<typeof startEmulator>>;

/** One row: everything is started anew, since a mailbox takes its day's 1,600 mails and no more. */
async function drained(laptop: Laptop, emulated: Emulated, subscriptions: number, quick: boolean): Promise<Figure> {
  const count = quick ? 1_000 : 5_000;
  const rounds = quick ? 1 : 2;
  await using fake = await startFake(laptop, { kind: 'google', tls: true });
  await using worker = await running(ours(laptop, 'worker', fake), laptop);
  await using trivial = await running({ target: 'trivial', source: peer('trivial'), env: {} }, laptop);
  const sides = {
    ours: { url: `${worker.url}/`, count: `${fake.metadata}/mails`, people: `${fake.metadata}/recipients`, child: worker },
    trivial: { url: `${trivial.url}/`, count: trivial.url, people: null, child: trivial },
  };
  const drain = createDrain(emulated, subscriptions, fake);
  for (const side of Object.values(sides)) await drain(side, count * 0.6); // warms up
  const seen = await interleave({ ours: () => drain(sides.ours, count), trivial: () => drain(sides.trivial, count) }, rounds, 0);
  const from = subscriptions === 1 ? 'one subscription' : `${subscriptions} subscriptions`;
  return {
    id: `queue.${subscriptions}`,
    what: `${(count * rounds).toLocaleString('en')} mails from ${from} of Pub/Sub's emulator through worker to the fake Gmail, against pushes that are only acknowledged`,
    unit: 'mails/s',
    ours: seen.range('ours', 'mailsPerSecond'),
    peer: { name: 'trivial', range: seen.range('trivial', 'mailsPerSecond') },
    ratio: seen.ratio('ours', 'trivial', 'mailsPerSecond'),
    target: { atLeast: 0.6, stretch: 0.9 },
    note: `every mail arrived once; ${shares(seen)}`,
  };
}

interface Side {
  readonly url: string;
  /** Where it says how much has arrived. */
  readonly count: string;
  /** Where it says to how many people: each mail is to another one. Null where nothing is sent. */
  readonly people: string | null;
  readonly child: Pick<Running, 'child' | 'printed'>;
}

let topics = 0;

/** Publishes first and turns the pushing on then, so that only the way out is measured. */
function createDrain(emulated: Emulated, subscriptions: number, fake: Fake): (side: Side, count: number) => Promise<Sample> {
  const call = async (method: 'PUT' | 'POST' | 'DELETE', path: string, body: unknown = {}): Promise<void> => {
    const reply = await fetch(`${emulated.url}/v1/projects/bench/${path}`, {
      method,
      headers: JSON_TYPE,
      ...(method !== 'DELETE' && { body: JSON.stringify(body) }),
    });
    if (!reply.ok) throw new Error(`the emulator answered ${reply.status} to ${method} ${path}`);
  };
  let mails = 0;
  const message = (): { data: string } => {
    const mail = { ...MAIL, from: mailbox(mails % MAILBOXES), to: `you${mails++}@example.net` };
    return { data: Buffer.from(JSON.stringify(mail)).toString('base64') };
  };
  const asked = async (counter: string): Promise<number> => Number(await ask({ method: 'GET', url: counter }));
  return async ({ url, count: countUrl, people, child: { child, printed } }, count) => {
    const names = Array.from({ length: subscriptions }, () => `run-${topics++}`);
    for (const name of names) {
      await call('PUT', `topics/${name}`);
      await call('PUT', `subscriptions/${name}`, { topic: `projects/bench/topics/${name}`, ackDeadlineSeconds: 60 });
    }
    for (let sent = 0, turn = 0; sent < count; sent += 50, turn++)
      await call('POST', `topics/${names[turn % subscriptions]}:publish`, {
        messages: Array.from({ length: 50 }, message),
      });
    const arrived = (): Promise<number> => asked(countUrl);
    const known = people === null ? 0 : await asked(people);
    const cpu = (): number[] => [{ child }, fake, emulated].map((one) => usageOf(one.child).cpuMs);
    const before = await arrived();
    const cpuBefore = cpu();
    const started = performance.now();
    for (const name of names) await call('POST', `subscriptions/${name}:modifyPushConfig`, { pushConfig: { pushEndpoint: url } });
    for (let seen = before, movedAt = started; seen - before < count; ) {
      await sleep(20);
      const now = await arrived();
      if (now > seen) movedAt = performance.now();
      else if (performance.now() - movedAt > PATIENCE_MS)
        throw new Error(`after ${seen - before} of ${count} mails none arrived any more: ${printed()}`);
      seen = now;
    }
    const ms = performance.now() - started;
    const [own = 0, google = 0, pubsub = 0] = cpu().map((value, index) => (value - (cpuBefore[index] ?? 0)) / count);
    await sleep(300); // the last acknowledgements
    const extra = (await arrived()) - before - count;
    if (extra !== 0) throw new Error(`${extra} mails more than were published`);
    if (people !== null && (await asked(people)) - known !== count) throw new Error('a mail is missing, and another is there twice');
    for (const name of names) await call('DELETE', `subscriptions/${name}`);
    return { mailsPerSecond: (count / ms) * 1_000, own, google, pubsub, wall: ms / count };
  };
}

/** Where the processors' time went: together it cannot be more than the processors have. */
function shares(seen: Rounds): string {
  const ms = (side: string, figure: string): string => seen.range(side, figure).median.toFixed(2);
  const busy = ['own', 'google', 'pubsub'].reduce((sum, figure) => sum + seen.range('ours', figure).median, 0);
  const used = (100 * busy) / (seen.range('ours', 'wall').median * cpus().length);
  return `processor time a mail: worker ${ms('ours', 'own')} ms, fake ${ms('ours', 'google')} ms, emulator ${ms('ours', 'pubsub')} ms, which is ${used.toFixed(0)} % of the machine; a push that is only acknowledged: ${ms('trivial', 'own')} ms, emulator ${ms('trivial', 'pubsub')} ms`;
}

async function running(served: Served, { folder }: Laptop): Promise<Running> {
  const function_ = await serve(served, folder);
  await untilListening(function_);
  await ask(pushTo(function_.url));
  return function_;
}
