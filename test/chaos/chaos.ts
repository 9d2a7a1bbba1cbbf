import { createHash, randomBytes } from 'node:crypto';
import { appendFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildFunctions } from '../../functions/cli/build/build.ts';
import { startGoogle } from '../../functions/fake-google/google.ts';
import { startEmulator } from '../support/programs/emulators.ts';
import { type PubSub, pubsubAt } from '../support/stack/pubsub.ts';
import { type Answered, postUntilAnswered } from './client.ts';
import { drawFaults } from './faults.ts';
import { type Fleet, startFleet } from './fleet.ts';
import { readEntries } from './ledger.ts';
import { breaking, type MutationName } from './mutation.ts';
import { type Api, type Asked, drawPlan, type Kill } from './plan.ts';
import { type Answer, isOver, judge, type Verdict } from './verdict.ts';
import { startWire } from './wire.ts';

export interface ChaosOptions {
  readonly seed: number;
  readonly mails: number;
  readonly kills: number;
  readonly workers: number;
  readonly broken: MutationName | null;
  /** Milliseconds after which what has not come to an end counts as open. */
  readonly timeoutMs: number;
  /** Command lines of the emulators. */
  readonly pubsub: (port: number) => string[];
  readonly firestore: (port: number) => string[];
  /** Where every line that a function prints is kept; null for nowhere. */
  readonly log: string | null;
  readonly signal: AbortSignal;
  readonly tell: (line: string) => void;
}

export interface ChaosReport extends Verdict {
  readonly accepted: number;
  /** Requests that the APIs answered for good. */
  readonly answered: number;
  readonly kills: number;
  readonly requests: number;
  /** How often Cloud Tasks took a task, refused a name that it knows, and did not have the one of such a name any more: it ran. */
  readonly tasks: { readonly created: number; readonly taken: number; readonly ran: number };
  /** How often each kind of fault was met. */
  readonly faults: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly seed: number;
}

const PROJECT = 'chaos';
const DATABASE = `projects/${PROJECT}/databases/(default)`;
const MAILBOX = 'notices@example.com';
const QUEUE = 'queue'; // where the API hands over
const TOPICS = Array.from({ length: 8 }, (_, lane) => `mails-${lane}`); // the emulator pushes two messages at a time of each
const DEADLINE_S = 4; // and a lease of 4.8 s: what a killed process held is taken over soon
const WINDOW = 200; // so many mails may be on their way at the same time
const PUBLISHED_AT_ONCE = 10;
const LOOK_MS = 1_000;

/** Runs mails through real processes, emulators and a fake Google that fails, kills processes, and judges what is left. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { seed, mails, signal, tell } = options;
  const began = performance.now();
  const plan = drawPlan(options);
  const faults = drawFaults(seed);
  const apiKey = `mg_chaos_${randomBytes(32).toString('base64url')}`;
  const folder = mkdtempSync(join(tmpdir(), 'mailgrant-chaos-'));
  await using ends = new AsyncDisposableStack();
  ends.defer(() => rmSync(folder, { recursive: true, force: true }));

  for (const delivery of ['direct', 'queued']) {
    const configFile = join(folder, `${delivery}.yaml`);
    writeFileSync(configFile, yaml(apiKey, delivery));
    await buildFunctions(configFile, join(folder, delivery), options.broken ? [breaking(options.broken)] : []);
  }
  // The framework is the bundle's one dependency; here it is the project's own.
  symlinkSync(join(import.meta.dirname, '../../node_modules'), join(folder, 'node_modules'));

  const google = ends.use(await startGoogle({ faults, queues: 'auto', runTaskAt: soon }));
  const tasks = { created: 0, taken: 0, ran: 0 };
  google.watch((seen) => {
    const what = seen?.door === 'task' ? TASK_ANSWERS[String(seen.answer)] : undefined;
    if (what) tasks[what]++;
  });
  google.storeSecret(PROJECT, 'mailgrant-notices', JSON.stringify(google.oauth.enrol(MAILBOX)));
  const firestore = ends.use(await startEmulator(options.firestore));
  const pubsub = ends.use(await startEmulator(options.pubsub));
  const queue = pubsubAt(pubsub.url, PROJECT);
  const wires = {
    ledger: ends.use(await startWire(firestore.url, () => faults.onWire('ledger'))),
    queue: ends.use(await startWire(pubsub.url, () => faults.onWire('queue'))),
  };

  const over = new Set<string>();
  const strange: string[] = [];
  const onLine = (line: string): void => {
    if (options.log) appendFileSync(options.log, `${line}\n`);
    const { event, id, outcome, code } = structured(line) ?? {};
    if (event === undefined) strange.push(line);
    if (event === 'mail' && isOver({ state: (outcome === 'retry' ? 'waiting' : outcome) as 'sent', code: code ?? null }))
      over.add(String(id));
  };
  const env = {
    GOOGLE_CLOUD_PROJECT: PROJECT,
    MAILGRANT_GOOGLE_URL: google.url,
    MAILGRANT_FIRESTORE_URL: wires.ledger.url,
    MAILGRANT_PUBSUB_URL: wires.queue.url,
    MAILGRANT_TOPIC: `projects/${PROJECT}/topics/${QUEUE}`,
    MAILGRANT_TASKS: `projects/${PROJECT}/locations/europe-west1/queues/later`,
    MAILGRANT_TASKS_ACCOUNT: `tasks@${PROJECT}.iam.gserviceaccount.com`,
    MAILGRANT_DEADLINE_SECONDS: String(DEADLINE_S),
    MAILGRANT_CONFIG: '',
    METADATA_SERVER_DETECTION: 'none',
    NODE_ENV: 'production',
  };
  const start = (target: 'worker' | 'api', delivery: Api, count: number): Promise<Fleet> =>
    startFleet({ target, count, source: join(folder, delivery, target), env, onLine });
  const fleets = {
    worker: ends.use(await start('worker', 'direct', options.workers)),
    direct: ends.use(await start('api', 'direct', 1)),
    queued: ends.use(await start('api', 'queued', 1)),
  };
  for (const topic of [QUEUE, ...TOPICS]) {
    await queue.createTopic(topic);
    await queue.createPush(topic, topic, fleets.worker.url);
  }
  tell(`up after ${seconds(began)} s: Pub/Sub and Firestore emulators, ${options.workers} workers, 2 APIs`);

  const halt = new AbortController();
  const until = AbortSignal.any([signal, halt.signal, AbortSignal.timeout(options.timeoutMs)]);
  const posts: Promise<void>[] = [];
  const asked = new Set<Asked>();
  const answers: Answer[] = [];
  let killed = 0;
  let entries = await readEntries(firestore.url, DATABASE);
  const progress = (): string =>
    `${seconds(began).padStart(6)} s  over ${over.size} of ${mails}  in the mailbox ${google.mails.count()}  kills ${killed}  faults ${total(faults.met)}`;
  const killing = killAlong(
    plan.kills,
    fleets,
    () => over.size / mails,
    () => killed++,
    until,
  );
  const telling = setInterval(() => tell(progress()), 5_000);
  ends.defer(() => clearInterval(telling));
  try {
    let turn = 0;
    const bodyOf = bodiesOf();
    for (const { requests, mailsBefore } of batches(plan.requests)) {
      while (mailsBefore - over.size > WINDOW) await sleep(20, undefined, { signal: until });
      for (const one of requests) asked.add(one);
      posts.push(...(await ask(requests, queue, TOPICS[turn++ % TOPICS.length] as string, fleets, apiKey, answers, bodyOf, until)));
    }
    await Promise.all([killing, ...posts]);
    while (entries.filter(isOver).length < mails) {
      await sleep(LOOK_MS, undefined, { signal: until });
      entries = await readEntries(firestore.url, DATABASE);
    }
  } catch (error) {
    signal.throwIfAborted();
    if (!until.aborted) throw error;
    tell(`not at an end after ${options.timeoutMs / 1_000} s`);
  } finally {
    halt.abort();
    await Promise.allSettled([killing, ...posts]);
  }
  entries = await readEntries(firestore.url, DATABASE);
  for (const line of strange.slice(0, 5)) tell(`printed by a function: ${line.slice(0, 160)}`);
  const verdict = judge([...asked], entries, google.mails.list(), answers);
  const unasked = plan.asked.filter((one) => !asked.has(one)).map(({ recipient }) => `${recipient} (not asked for in time)`);
  return {
    ...verdict,
    open: [...verdict.open, ...unasked],
    accepted: asked.size,
    answered: answers.length,
    requests: plan.requests.length,
    kills: killed,
    tasks,
    faults: faults.met,
    seconds: Number(seconds(began)),
    seed,
  };
}

const yaml = (apiKey: string, delivery: string): string => `mailboxes:
  ${MAILBOX}: { name: Chaos, secret: mailgrant-notices, limits: { perDay: null } }
keys:
  chaos: { sha256: ${createHash('sha256').update(apiKey).digest('hex')}, from: [${MAILBOX}] }
ledger: { addresses: plain }
delivery: ${delivery}
`;

/** The mail as each of its requests has it: the same time, however often it is asked for. */
function bodiesOf(): (mail: Asked) => Record<string, string> {
  const times = new Map<string, string>();
  return ({ recipient, inMs }) => {
    const at = times.get(recipient) ?? new Date(Date.now() + (inMs ?? 0)).toISOString();
    times.set(recipient, at);
    return { from: MAILBOX, to: recipient, subject: 'chaos', text: recipient, ...(inMs !== null && { scheduled_at: at }) };
  };
}

const TASK_ANSWERS: Readonly<Record<string, keyof ChaosReport['tasks']>> = { 200: 'created', 409: 'taken', 404: 'ran' };

/** A task that is put off by minutes or hours runs after seconds; what is parked for an hour is over for this run, and stays away. */
function soon(scheduled: number): number {
  const waitMs = scheduled - Date.now();
  return waitMs < 8_000 || Math.abs(waitMs - PARKED_MS) < 2 * 60_000 ? scheduled : Date.now() + 1_000 + waitMs / 600;
}
const PARKED_MS = 60 * 60_000;

/** The requests in groups, each with how many different mails came before it. */
function* batches(requests: readonly Asked[]): Generator<{ requests: readonly Asked[]; mailsBefore: number }> {
  const seen = new Set<string>();
  for (let from = 0; from < requests.length; from += PUBLISHED_AT_ONCE) {
    const group = requests.slice(from, from + PUBLISHED_AT_ONCE);
    yield { requests: group, mailsBefore: seen.size };
    for (const { key } of group) seen.add(key);
  }
}

/** Publishes and posts; what is posted goes on by itself until it is answered, and the answer is kept. */
async function ask(
  requests: readonly Asked[],
  queue: PubSub,
  topic: string,
  apis: Readonly<Record<Api, Fleet>>,
  apiKey: string,
  answers: Answer[],
  bodyOf: ReturnType<typeof bodiesOf>,
  signal: AbortSignal,
): Promise<Promise<void>[]> {
  const messages = requests
    .filter(({ by }) => by === 'topic')
    .map((mail) => ({ data: bodyOf(mail), attributes: { idempotencyKey: mail.key } }));
  if (messages.length > 0) await queue.publish(topic, messages);
  return requests
    .flatMap((mail) => (mail.by === 'topic' ? [] : [{ ...mail, api: apis[mail.by].url }]))
    .map(({ api, ...mail }) => {
      const keep = (answer: Answered): void => void answers.push({ recipient: mail.recipient, ...answer });
      return postUntilAnswered(api, apiKey, mail.key, bodyOf(mail), signal).then(keep, () => {}); // the run is over
    });
}

async function killAlong(
  kills: readonly Kill[],
  fleets: Readonly<Record<Kill['whom'], Fleet>>,
  share: () => number,
  count: () => void,
  signal: AbortSignal,
): Promise<void> {
  for (const { at, whom, index, delayMs } of kills) {
    while (share() < at && !signal.aborted) await sleep(5);
    await sleep(delayMs);
    while (!signal.aborted && !fleets[whom].kill(index)) await sleep(5);
    if (signal.aborted) return;
    count();
  }
}

function structured(line: string): Record<string, string> | null {
  try {
    return JSON.parse(line) as Record<string, string>;
  } catch {
    return null;
  }
}

const seconds = (since: number): string => ((performance.now() - since) / 1_000).toFixed(1);
const total = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((sum, one) => sum + one, 0);
