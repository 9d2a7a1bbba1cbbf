import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BUCKET, type Google, type GoogleOptions, startGoogle } from '../../../functions/fake-google/google.ts';
import { connect } from '../../../functions/google/connect.ts';
import { inspectGrants } from '../../../functions/google/inspect/inspect-grants.ts';
import type { Config } from '../../../functions/mail/model/config.ts';
import { scopesOf } from '../../../functions/mail/model/scopes.ts';
import { DELIVERIES_MAX } from '../../../functions/mail/queue/retry-policy.ts';
import type { FunctionContext } from '../../../functions/runtime/function-context.ts';
import { type GoogleUrls, googleUrls } from '../../../functions/runtime/google-urls.ts';
import { createLog } from '../../../functions/runtime/log.ts';
import type { Handler } from '../../../functions/runtime/serve.ts';
import type { Settings } from '../../../functions/runtime/settings.ts';
import { byPath } from '../../../functions/trigger/common/paths.ts';
import { grantWatch } from '../../../functions/trigger/grant-watch.ts';
import { resendApi } from '../../../functions/trigger/http/resend-api.ts';
import { pubsubWorker } from '../../../functions/trigger/pubsub/push-handler.ts';
import { routeEvents } from '../../../functions/trigger/pubsub/route-events.ts';

export const MAILBOX = 'notices@example.com';
export const ALIAS = 'no-reply@example.com';
export const SECRET = 'mailgrant-notices';
export const PROJECT = 'laptop';
/** Shaped like a key that `key create` would make; the marker is looked for in everything that is printed. */
export const KEY = `mg_shop_canary-${'k'.repeat(40)}`;

export const CONFIG: Config = {
  mailboxes: [
    {
      address: MAILBOX,
      name: 'Example Notices',
      grant: 'refresh-token',
      secret: SECRET,
      delegate: '',
      via: 'api',
      aliases: [ALIAS],
      tokens: 'per-invocation',
    },
  ],
  keys: [{ id: 'shop', sha256: createHash('sha256').update(KEY).digest('hex'), from: [MAILBOX, ALIAS], to: null }],
  ledger: { addresses: 'hashed' },
};

export const MAIL = { from: MAILBOX, to: 'you@example.net', subject: 'Grüße canary-subject', text: 'canary-body' };

export interface Laptop extends AsyncDisposable {
  readonly google: Google;
  readonly settings: Settings;
  readonly edge: FunctionContext;
  /** Everything that was logged, as parsed lines. */
  readonly lines: Record<string, unknown>[];
  readonly api: string;
  readonly worker: string;
  readonly watch: string;
}

/** The fake Google and both functions in this process, on loopback, with real adapters between them. */
export async function startLaptop(
  change: { config?: Config; google?: GoogleOptions; settings?: Partial<Settings>; urls?: Partial<GoogleUrls>; now?: () => number } = {},
): Promise<Laptop> {
  const google = await startGoogle({ aliasesOf: () => [ALIAS], ...(change.now && { now: change.now }), ...change.google });
  const config = change.config ?? CONFIG;
  google.storeSecret(PROJECT, SECRET, JSON.stringify(google.oauth.enrol(MAILBOX, scopesOf(config.mailboxes[0] ?? { via: 'api' }))));
  const smtp = google.smtp && { smtp: { host: '127.0.0.1', port: google.smtp.startTls, secure: false, ca: google.smtp.certificate } };
  const settings = settingsFor(google.url, { config, ...smtp, urls: { ...googleUrls(google.url), ...change.urls }, ...change.settings });
  const lines: Record<string, unknown>[] = [];
  const log = createLog((line) => lines.push(JSON.parse(line)));
  const edge = connect(settings, log, undefined, change.now);
  const servers = await Promise.all(
    [
      resendApi(edge, log),
      byPath({ '/routes/': routeEvents(edge, log) }, pubsubWorker(edge, log)),
      grantWatch({ ...edge, inspectAll: () => inspectGrants(settings, edge) }, log),
    ].map(serveOn),
  );
  const [api = '', worker = '', watch = ''] = servers.map(({ url }) => url);
  return {
    google,
    settings,
    edge,
    lines,
    api,
    worker,
    watch,
    async [Symbol.asyncDispose]() {
      for (const { close } of servers) close();
      await google[Symbol.asyncDispose]();
    },
  };
}

export const TOPIC = `projects/${PROJECT}/topics/mails`;
export const DEAD_TOPIC = `projects/${PROJECT}/topics/dead-letters`;

/** The settings of everything that belongs to the queue. */
export const QUEUE: Pick<Settings, 'topic' | 'deadTopic' | 'bucket' | 'tasks'> = {
  topic: TOPIC,
  deadTopic: DEAD_TOPIC,
  bucket: BUCKET,
  tasks: { queue: `projects/${PROJECT}/locations/europe-west1/queues/later`, account: `tasks@${PROJECT}.iam.gserviceaccount.com` },
};

/** A laptop with queue, dead letters, bucket and task queue; nothing is delivered before a test says so. */
export async function startQueued({
  delivery = 'queued',
  settings = {},
  config = CONFIG,
  ...rest
}: NonNullable<Parameters<typeof startLaptop>[0]> & { delivery?: 'direct' | 'queued' } = {}): Promise<Laptop> {
  const laptop = await startLaptop({ ...rest, config: { ...config, delivery }, settings: { ...QUEUE, ...settings } });
  for (const name of [TOPIC, DEAD_TOPIC]) laptop.google.pubsub.createTopic(name);
  laptop.google.pubsub.subscribe({
    name: `projects/${PROJECT}/subscriptions/mails`,
    topic: TOPIC,
    endpoint: laptop.worker,
    deadLetter: { topic: DEAD_TOPIC, maxDeliveryAttempts: DELIVERIES_MAX },
  });
  return laptop;
}

export function settingsFor(google: string, change: Partial<Settings> = {}): Settings {
  return {
    config: CONFIG,
    project: PROJECT,
    database: `projects/${PROJECT}/databases/(default)`,
    pushAudience: null,
    trustIam: false,
    stopped: false,
    routesFile: null,
    deadlineMs: 60_000, // so that no test depends on speed; one that is about the deadline sets its own
    topic: null,
    deadTopic: null,
    bucket: null,
    tasks: null,
    eventTasks: null,
    inboxTopic: null,
    urls: googleUrls(google),
    smtp: { host: '127.0.0.1', port: 1, secure: false, ca: null }, // nobody listens: a test that sends by SMTP says where
    ...change,
  };
}

/** Serves a handler on a free port of loopback. */
export async function serveOn(handler: Handler): Promise<{ url: string; close(): void }> {
  const server = createServer((req, res) => void handler(req, res));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** POSTs JSON and answers status, headers and parsed body. */
export async function post(url: string, body: unknown, headers: Record<string, string> = {}) {
  const reply = await fetch(url, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  });
  const text = await reply.text();
  return { status: reply.status, headers: reply.headers, body: (text ? JSON.parse(text) : null) as Record<string, unknown> | null };
}

/** Stops the clock by which limits are counted, so that no minute ends in the middle of a test. */
export function stopClock({ edge }: Laptop): void {
  const now = Date.now();
  const { startInvocation: begin } = edge;
  edge.now = () => now;
  edge.startInvocation = () => ({ ...begin(), now: () => now });
}

export const authorised = { authorization: `Bearer ${KEY}` };

/** A Pub/Sub push envelope around a mail. */
export const envelope = (mail: unknown, change: Record<string, unknown> = {}): Record<string, unknown> => ({
  subscription: 'projects/laptop/subscriptions/mails',
  deliveryAttempt: 1,
  message: {
    messageId: '1001',
    publishTime: '2026-11-24T08:00:00.000Z',
    data: Buffer.from(JSON.stringify(mail)).toString('base64'),
    attributes: {},
    ...change,
  },
});
