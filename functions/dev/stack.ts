import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BUCKET, type Google, startGoogle } from '../fake-google/google.ts';
import type { Running } from '../fake-google/http/server.ts';
import type { CallerKey, Config } from '../mail/model/config.ts';
import { covers, scopeFor } from '../mail/model/scopes.ts';
import { DELIVERIES_MAX } from '../mail/queue/settle-message.ts';
import { createLines } from '../pages/parts/log-lines.ts';
import { startPages } from '../pages/server.ts';
import { freePort, type RunningFunction, startFunction } from './function-process.ts';
import { keepHookSecrets } from './hook-secrets.ts';

export const PROJECT = 'laptop';
const TOPIC = `projects/${PROJECT}/topics/mails`;
const DEAD_TOPIC = `projects/${PROJECT}/topics/dead-letters`;

export interface StackOptions {
  readonly config: Config;
  /** The JavaScript module that its routes and templates were compiled to; without it there are none. */
  readonly routes?: string;
  /** Folder that keeps the mails, the ledger and the laptop's API key. */
  readonly folder: string;
  /** What is served: sources or built folders, by name of the function. */
  readonly sources: Readonly<Record<'api' | 'worker' | 'hooks', string>>;
  /** Wanted ports; where one is taken the next free one is used. */
  readonly ports: Readonly<Record<'api' | 'worker' | 'hooks' | 'google' | 'inbox' | 'smtp' | 'smtps', number>>;
  readonly deadlineSeconds: number;
  /** One line that a function printed, or that the stack says of it. */
  readonly onLine: (name: string, line: string) => void;
}

/** Everything on loopback: the fake Google, the functions under functions-framework, and the pages. */
export interface Stack extends AsyncDisposable {
  readonly google: Google;
  readonly inbox: Running;
  readonly key: string;
  readonly functions: Readonly<Record<'api' | 'worker', Kept>>;
  /** The function that takes webhooks; null where no route has one. */
  readonly hooks: Kept | null;
}

/** A function that is started again when it ends. */
interface Kept {
  readonly url: string;
  current(): RunningFunction;
}

/** Starts the stack. A function that ends by itself is started again, as a platform would. */
export async function startStack({ config, routes, folder, sources, ports, deadlineSeconds, onLine }: StackOptions): Promise<Stack> {
  mkdirSync(folder, { recursive: true });
  const key = laptopKey(folder);
  const served: Config = { ...config, keys: [...config.keys.filter(({ id }) => id !== key.policy.id), key.policy] };
  const lines = createLines();
  const say = (name: string, line: string): void => {
    lines.add(name, line);
    onLine(name, line);
  };
  const configFile = join(folder, 'config.json');
  writeFileSync(configFile, JSON.stringify(served));
  const routesFile = resolve(folder, 'routes.mjs');
  if (routes !== undefined) writeFileSync(routesFile, routes);

  const promised = new Set<number>();
  const aliases = new Map(config.mailboxes.map(({ address, aliases }) => [address, aliases]));
  const google = await startGoogle({
    port: await freePort(ports.google, promised),
    file: join(folder, 'google.sqlite'),
    ledgerFile: join(folder, 'ledger.sqlite'),
    aliasesOf: (mailbox) => aliases.get(mailbox) ?? [],
    smtp: { startTls: await freePort(ports.smtp, promised), tls: await freePort(ports.smtps, promised) },
    accounts: config.mailboxes.map(({ address }) => address),
    queues: 'auto',
  });
  for (const name of [TOPIC, DEAD_TOPIC]) google.pubsub.createTopic(name);
  google.pubsub.keep(`projects/${PROJECT}/subscriptions/mailgrant-dead`, DEAD_TOPIC);
  const certificate = join(folder, 'smtp-certificate.pem');
  writeFileSync(certificate, google.smtp?.certificate ?? '');
  for (const { address, secret, via } of config.mailboxes)
    if (!covers(google.scopesIn(PROJECT, secret), via)) {
      google.storeSecret(PROJECT, secret, JSON.stringify(google.oauth.enrol(address, [scopeFor(via)])));
    }

  const hooked = (config.routes ?? []).flatMap(({ hook }) => hook ?? []);
  keepHookSecrets(hooked, folder, google);

  const env = {
    GOOGLE_CLOUD_PROJECT: PROJECT,
    MAILGRANT_CONFIG: configFile,
    ...(routes !== undefined && { MAILGRANT_ROUTES: routesFile }),
    MAILGRANT_GOOGLE_URL: google.url,
    MAILGRANT_SMTP_URL: `smtp://127.0.0.1:${google.smtp?.startTls}`,
    MAILGRANT_SMTP_CA: certificate,
    MAILGRANT_DEADLINE_SECONDS: String(deadlineSeconds),
    MAILGRANT_TOPIC: TOPIC,
    MAILGRANT_DEAD_TOPIC: DEAD_TOPIC,
    MAILGRANT_BUCKET: BUCKET,
    MAILGRANT_TASKS: `projects/${PROJECT}/locations/europe-west1/queues/later`,
    MAILGRANT_TASKS_ACCOUNT: `tasks@${PROJECT}.iam.gserviceaccount.com`,
    NODE_ENV: 'production', // as deployed: the framework prints no stack traces into answers
  };
  let stopping = false;
  const keepRunning = async (target: 'api' | 'worker' | 'hooks', wanted: number): Promise<Kept> => {
    const port = await freePort(wanted, promised);
    const start = () => startFunction({ target, source: sources[target], port, env, onLine: (line) => say(target, line) });
    let current = await start();
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
    return { url: `http://127.0.0.1:${port}`, current: () => current };
  };
  const [api, worker, hooks] = await Promise.all([
    keepRunning('api', ports.api),
    keepRunning('worker', ports.worker),
    hooked.length > 0 ? keepRunning('hooks', ports.hooks) : null,
  ]);
  const urls = { api: api.url, hooks: hooks?.url ?? null };
  const inbox = await startPages({ google, config, key: key.text, urls, lines }, await freePort(ports.inbox, promised));
  writeFileSync(join(folder, 'api-url'), `${api.url}\n`); // where commands of this folder look, when nobody names another

  // A person waits: the first redelivery comes after a second, not after ten as in production.
  const backoff = { minimumBackoffMs: 1_000, maximumBackoffMs: 60_000 };
  const deadLetter = { topic: DEAD_TOPIC, maxDeliveryAttempts: DELIVERIES_MAX };
  const subscribe = (name: string, topic: string, path: string): void => {
    google.pubsub.createTopic(topic);
    google.pubsub.subscribe({
      name: `projects/${PROJECT}/subscriptions/${name}`,
      topic,
      endpoint: `${worker.url}${path}`,
      ...backoff,
      deadLetter,
    });
  };
  subscribe('mails', TOPIC, '/');
  for (const { name, topic } of config.routes ?? [])
    if (topic !== null) subscribe(`route-${name}`, topic.includes('/') ? topic : `projects/${PROJECT}/topics/${topic}`, `/routes/${name}`);

  return {
    google,
    inbox,
    key: key.text,
    functions: { api, worker },
    hooks,
    async [Symbol.asyncDispose]() {
      stopping = true;
      await Promise.all([api, worker, hooks].map((one) => one?.current()[Symbol.asyncDispose]()));
      await inbox[Symbol.asyncDispose]();
      await google[Symbol.asyncDispose]();
    },
  };
}

/** The laptop's own API key: made once, kept in the ignored folder, in no config that could be deployed. */
function laptopKey(folder: string): { text: string; policy: CallerKey } {
  const file = join(folder, 'api-key');
  const text = existsSync(file) ? readFileSync(file, 'utf8').trim() : `mg_laptop_${randomBytes(32).toString('base64url')}`;
  writeFileSync(file, `${text}\n`, { mode: 0o600 });
  return { text, policy: { id: 'laptop', sha256: createHash('sha256').update(text).digest('hex'), from: null, to: null } };
}
