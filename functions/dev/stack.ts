import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BUCKET, type Google, startGoogle } from '../fake-google/google.ts';
import type { HostRule } from '../fake-google/http/origin-check.ts';
import type { CallerKey, Config } from '../mail/model/config.ts';
import { DELIVERIES_MAX } from '../mail/queue/retry-policy.ts';
import { createLines } from '../pages/parts/log-lines.ts';
import { type Pages, startPages } from '../pages/server.ts';
import { decide } from './decide.ts';
import { openDoor } from './front-door.ts';
import { type RunningFunction, startFunction } from './function-process.ts';
import { keepHookSecrets } from './hook-secrets.ts';
import { takeFolder } from './own-folder.ts';
import { seedGrants } from './seed-grants.ts';
import { siblingFile } from './sibling-file.ts';

export const LOCAL_PROJECT = 'laptop';
const TOPIC = `projects/${LOCAL_PROJECT}/topics/mails`;
const DEAD_TOPIC = `projects/${LOCAL_PROJECT}/topics/dead-letters`;
const INBOX_TOPIC = `projects/${LOCAL_PROJECT}/topics/inbox`;

export interface StackOptions {
  readonly config: Config;
  /** The configuration file, for the commands that the pages run; without it the pages offer no commands. */
  readonly configFile?: string;
  /** The JavaScript module of its compiled routes and templates; without it there are none. */
  readonly routes?: string;
  /** The folder of the emails, the ledger and the local stack's API key. */
  readonly folder: string;
  /** Sources or built folders to serve, by name of the function; those beside this file by default. */
  readonly sources?: Readonly<Record<FunctionName, string>>;
  /** Wanted ports; where one is in use the next free port is taken. */
  readonly ports: Readonly<Record<'api' | 'worker' | 'hooks' | 'google' | 'inbox' | 'smtp' | 'smtps', number>>;
  /** The address that its servers listen on; loopback by default. */
  readonly host?: string | undefined;
  /** Host names that its servers accept, beside those of loopback. */
  readonly hosts?: HostRule | undefined;
  /** Keeps emails and ledger in memory. */
  readonly ephemeral?: boolean;
  readonly deadlineSeconds: number;
  /** One line of output of a function, or of the stack. */
  readonly onLine: (name: string, line: string) => void;
}

/** Everything of the local stack: the fake Google, the functions under functions-framework, and the pages. */
export interface Stack extends AsyncDisposable {
  readonly google: Google;
  readonly inbox: Pages;
  readonly key: string;
  /** The folder that holds everything: the wanted one, or one in it where another stack runs already. */
  readonly folder: string;
  readonly functions: Readonly<Record<'api' | 'worker', Kept>>;
  /** The function for webhooks; null where no route has a webhook. */
  readonly hooks: Kept | null;
}

/** A function that is restarted when it ends, on the same port. */
interface Kept {
  readonly url: string;
  current(): RunningFunction;
}

type FunctionName = 'api' | 'worker' | 'hooks';

/** Starts the stack. A function that ends by itself is restarted, as a platform would. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const own = takeFolder(options.folder);
  await using started = new AsyncDisposableStack(); // a start that fails half-way leaves nothing behind
  started.defer(own.release);
  const stack = await startIn(own.path, options, started);
  const all = started.move();
  return { ...stack, folder: own.path, [Symbol.asyncDispose]: () => all[Symbol.asyncDispose]() };
}

async function startIn(
  folder: string,
  { config, configFile, routes, sources, ports, host, hosts, ephemeral = false, deadlineSeconds, onLine }: StackOptions,
  started: AsyncDisposableStack,
): Promise<Omit<Stack, 'folder' | typeof Symbol.asyncDispose>> {
  const at = (port: number) => ({ port, tries: PORTS_TRIED, ...(host !== undefined && { host }), hosts });
  const key = laptopKey(folder);
  const served: Config = { ...config, keys: [...config.keys.filter(({ id }) => id !== key.policy.id), key.policy] };
  const lines = createLines();
  const say = (name: string, line: string): void => {
    lines.add(name, line);
    onLine(name, line);
  };
  const servedFile = join(folder, 'config.json');
  writeFileSync(servedFile, JSON.stringify(served), PRIVATE);
  const routesFile = resolve(folder, 'routes.mjs');
  if (routes !== undefined) writeFileSync(routesFile, routes, PRIVATE);

  const aliases = new Map(config.mailboxes.map(({ address, aliases }) => [address, aliases]));
  const { port, ...address } = at(ports.google);
  const files = { file: join(folder, 'google.sqlite'), ledgerFile: join(folder, 'ledger.sqlite') };
  const google = await startGoogle({
    port,
    address,
    hosts,
    ...(!ephemeral && files),
    aliasesOf: (mailbox) => aliases.get(mailbox) ?? [],
    smtp: { startTls: ports.smtp, tls: ports.smtps },
    accounts: config.mailboxes.map(({ address }) => address),
    queues: 'auto',
  });
  started.use(google);
  for (const name of [TOPIC, DEAD_TOPIC]) google.pubsub.createTopic(name);
  for (const { topic } of config.events ?? [])
    if (topic !== undefined) google.pubsub.createTopic(topic.includes('/') ? topic : `projects/${LOCAL_PROJECT}/topics/${topic}`);
  google.pubsub.keep(`projects/${LOCAL_PROJECT}/subscriptions/mailgrant-dead`, DEAD_TOPIC);
  const certificate = join(folder, 'smtp-certificate.pem');
  writeFileSync(certificate, google.smtp?.certificate ?? '', PRIVATE);
  seedGrants(config.mailboxes, google, LOCAL_PROJECT);
  const hooked = (config.routes ?? []).flatMap(({ hook }) => hook ?? []);
  keepHookSecrets(hooked, folder, google);

  const signed = (config.events ?? []).flatMap(({ secret }) => (secret === undefined ? [] : [{ verify: 'standard-webhooks', secret }]));
  keepHookSecrets(signed, folder, google);

  const sockets = mkdtempSync(join(tmpdir(), 'mailgrant-')); // the path of a socket file must be short
  const removeSockets = (): void => rmSync(sockets, { recursive: true, force: true });
  process.once('exit', removeSockets); // also where an error ends the process, such as a closed pipe of the program that started it
  started.defer(() => {
    process.off('exit', removeSockets);
    removeSockets();
  });
  const socketOf = (target: FunctionName): string =>
    process.platform === 'win32' ? `\\\\.\\pipe\\${sockets.split('\\').at(-1)}-${target}` : join(sockets, target);
  const workerDoor = started.use(await openDoor(socketOf('worker'), at(ports.worker))); // the tasks of events name it

  const env = {
    GOOGLE_CLOUD_PROJECT: LOCAL_PROJECT,
    MAILGRANT_CONFIG: servedFile,
    ...(routes !== undefined && { MAILGRANT_ROUTES: routesFile }),
    MAILGRANT_GOOGLE_URL: google.url,
    MAILGRANT_SMTP_URL: `smtp://127.0.0.1:${google.smtp?.startTls}`,
    MAILGRANT_SMTP_CA: certificate,
    MAILGRANT_DEADLINE_SECONDS: String(deadlineSeconds),
    MAILGRANT_TOPIC: TOPIC,
    MAILGRANT_DEAD_TOPIC: DEAD_TOPIC,
    MAILGRANT_BUCKET: BUCKET,
    MAILGRANT_TASKS: `projects/${LOCAL_PROJECT}/locations/europe-west1/queues/later`,
    ...(config.events && {
      MAILGRANT_EVENT_TASKS: `projects/${LOCAL_PROJECT}/locations/europe-west1/queues/events`,
      MAILGRANT_WORKER_URL: workerDoor.url,
    }),
    MAILGRANT_TASKS_ACCOUNT: `tasks@${LOCAL_PROJECT}.iam.gserviceaccount.com`,
    NODE_ENV: 'production', // as deployed: the framework prints no stack traces into answers
  };
  let stopping = false;
  const keepRunning = async (target: FunctionName, wanted: number): Promise<Kept> => {
    const socket = socketOf(target);
    const source = sources?.[target] ?? siblingFile(`../${target}`);
    const start = (): Promise<RunningFunction> => {
      rmSync(socket, { force: true }); // a killed process leaves the file behind
      return startFunction({ target, source, port: socket, env, onLine: (line) => say(target, line) });
    };
    const door = target === 'worker' ? workerDoor : started.use(await openDoor(socket, at(wanted)));
    let current = await start();
    started.defer(async () => {
      stopping = true;
      await current[Symbol.asyncDispose]();
    });
    const watch = async (): Promise<void> => {
      for (let restarts = 0; restarts < 20; restarts++) {
        const how = await current.ended;
        if (stopping) return;
        say(target, `ended (${how}); starting again`);
        await sleep(200);
        if (stopping) return; // Ctrl-C reaches the functions too, and sometimes first
        current = await start();
      }
    };
    watch().catch((error: Error) => say(target, `stays down: ${error.message}`));
    return { url: door.url, current: () => current };
  };
  const starts = [keepRunning('api', ports.api), keepRunning('worker', ports.worker)] as const;
  const [api, worker, hooks] = await whenAllEnded([...starts, hooked.length > 0 ? keepRunning('hooks', ports.hooks) : null]);
  const urls = { api: api.url, hooks: hooks?.url ?? null };
  const inbox = await startPages(
    {
      google,
      config,
      key: key.text,
      urls,
      lines,
      ...(!ephemeral && { inboxFile: join(folder, 'inbox.sqlite') }),
      ...(configFile !== undefined && { decide: (verb: 'resend' | 'drop', id: string) => decide(verb, id, configFile, google.url) }),
    },
    at(ports.inbox),
  );
  started.use(inbox);
  writeFileSync(join(folder, 'api-url'), `${api.url}\n`, PRIVATE); // commands of this folder read it, where no URL is given

  // A person waits: the first redelivery comes after a second, not after ten as in production.
  const backoff = { minimumBackoffMs: 1_000, maximumBackoffMs: 60_000 };
  const deadLetter = { topic: DEAD_TOPIC, maxDeliveryAttempts: DELIVERIES_MAX };
  const subscribe = (name: string, topic: string, path: string): void => {
    google.pubsub.createTopic(topic);
    google.pubsub.subscribe({
      name: `projects/${LOCAL_PROJECT}/subscriptions/${name}`,
      topic,
      endpoint: `${worker.url}${path}`,
      ...backoff,
      deadLetter,
    });
  };
  subscribe('mails', TOPIC, '/');
  for (const { name, topic } of config.routes ?? [])
    if (topic !== null)
      subscribe(`route-${name}`, topic.includes('/') ? topic : `projects/${LOCAL_PROJECT}/topics/${topic}`, `/routes/${name}`);

  const bouncing = config.mailboxes.filter(({ bounces }) => bounces);
  if (bouncing.length > 0) subscribe('inbox', INBOX_TOPIC, '/inbox');
  for (const { address } of bouncing) google.received.watch(address, INBOX_TOPIC); // as the function `watch` does every day

  const where = join(folder, 'stack.json'); // commands of this project find the stack by it
  writeFileSync(
    where,
    `${JSON.stringify({ pid: process.pid, env: commandEnv(env), api: api.url, hooks: hooks?.url ?? null, inbox: inbox.url })}\n`,
    PRIVATE,
  );
  started.defer(() => rmSync(where, { force: true }));
  return { google, inbox, key: key.text, functions: { api, worker }, hooks };
}

/** A function's environment as a command needs it: a command reads the configuration itself. */
const commandEnv = ({ MAILGRANT_CONFIG: _, MAILGRANT_ROUTES: __, NODE_ENV: ___, ...env }: Readonly<Record<string, string>>) => env;

/** As `Promise.all`, but after a failure it waits for the others, so that what they start can be ended too. */
async function whenAllEnded<T extends readonly unknown[]>(all: readonly [...T]): Promise<{ -readonly [P in keyof T]: Awaited<T[P]> }> {
  await Promise.allSettled(all);
  return Promise.all(all);
}

const PORTS_TRIED = 50;
const PRIVATE = { mode: 0o600 };

/** The local stack's own API key: created once, kept in the ignored folder, in no configuration that could be deployed. */
function laptopKey(folder: string): { text: string; policy: CallerKey } {
  const file = join(folder, 'api-key');
  const text = existsSync(file) ? readFileSync(file, 'utf8').trim() : `mg_laptop_${randomBytes(32).toString('base64url')}`;
  writeFileSync(file, `${text}\n`, PRIVATE);
  return { text, policy: { id: 'laptop', sha256: createHash('sha256').update(text).digest('hex'), from: null, to: null } };
}
