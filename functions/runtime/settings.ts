import { readFileSync } from 'node:fs';
import type { Config } from '../mail/model/config.ts';
import { type GoogleUrls, googleUrls } from './google-urls.ts';
import { GMAIL_SMTP, readSmtpUrl, type SmtpServer } from './smtp-url.ts';

/** Everything that a function reads from its environment, once at its start. */
export interface Settings {
  readonly config: Config;
  readonly project: string;
  /** Firestore database, as `projects/P/databases/D`. */
  readonly database: string;
  /** Expected audience of the push subscription's identity token; null where only IAM decides. */
  readonly pushAudience: string | null;
  /** True if Google's IAM checks every call before the function gets it, so that the caller's identity can be trusted. */
  readonly trustIam: boolean;
  /** True if an operator has stopped all sending. */
  readonly stopped: boolean;
  /** Path of a module with compiled routes that replaces the embedded ones; null for the embedded ones. */
  readonly routesFile: string | null;
  /** The deadline of one invocation, in milliseconds. The lease of a claim is a fifth longer. */
  readonly deadlineMs: number;
  /** The queue of emails, as `projects/P/topics/T`; null for none. */
  readonly topic: string | null;
  /** The topic for dead letters, as `projects/P/topics/T`; null for none. */
  readonly deadTopic: string | null;
  /** Cloud Storage bucket for content that is too big for a message or a task; null for none. */
  readonly bucket: string | null;
  /**
   * Cloud Tasks queue for emails that wait for a time, as `projects/P/locations/L/queues/Q`, and the account whose token its tasks
   * carry; null for none.
   */
  readonly tasks: { readonly queue: string; readonly account: string } | null;
  /**
   * Cloud Tasks queue of events for URLs, the account whose token its tasks carry, and the worker that they call; null for none.
   */
  readonly eventTasks: { readonly queue: string; readonly account: string; readonly worker: string } | null;
  /** Topic that Gmail reports new messages of mailboxes with `bounces: true` on, as `projects/P/topics/T`; null for none. */
  readonly inboxTopic: string | null;
  readonly urls: GoogleUrls;
  readonly smtp: SmtpServer;
}

/** The build replaces it with the validated configuration; it is absent when the sources run directly. */
declare const MAILGRANT_EMBEDDED_CONFIG: Config | undefined;

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Every environment variable that a function reads, with its purpose; tests compare Terraform and docs/configuration.md with it.
 */
export const ENVIRONMENT = {
  GOOGLE_CLOUD_PROJECT: 'project that holds the secrets and the ledger (required)',
  MAILGRANT_DATABASE: 'id of the Firestore database of the ledger (default: "(default)")',
  MAILGRANT_PUSH_AUDIENCE: 'audience that the push subscription puts in its identity token (worker; default: not checked, IAM decides)',
  MAILGRANT_TRUST_IAM:
    '"true" if Google IAM checks every call first: then keys with "identity" work (api; default: identities are ignored)',
  MAILGRANT_TOPIC: 'the queue of emails, as projects/P/topics/T (api, hooks, worker; default: no queue)',
  MAILGRANT_DEAD_TOPIC: 'where the worker publishes the messages that it gives up, as projects/P/topics/T (worker; default: nowhere)',
  MAILGRANT_BUCKET:
    'Cloud Storage bucket for emails too big for a message or a task (api, hooks, worker; default: such emails are refused)',
  MAILGRANT_TASKS:
    'Cloud Tasks queue for emails that wait for a time, as projects/P/locations/L/queues/Q (api, hooks, worker; default: none, and scheduled_at is refused)',
  MAILGRANT_TASKS_ACCOUNT: 'email of the service account whose token those tasks carry; it may publish on MAILGRANT_TOPIC',
  MAILGRANT_EVENT_TASKS:
    'Cloud Tasks queue of the events that go to URLs, as projects/P/locations/L/queues/Q (api, hooks, worker; default: none, and they wait in the ledger)',
  MAILGRANT_WORKER_URL: 'base URL of the worker, which those tasks call with the token of MAILGRANT_TASKS_ACCOUNT',
  MAILGRANT_INBOX_TOPIC:
    'topic that Gmail reports new messages of mailboxes with "bounces: true" on, as projects/P/topics/T (watch; default: none, and nothing is watched)',
  MAILGRANT_DEADLINE_SECONDS: 'how long one invocation may work, 1 to 500 (default: 50)',
  MAILGRANT_STOPPED: '"true" if nothing may be sent until further notice; set by `npx mailgrant stop` (api, worker, hooks; default: false)',
  MAILGRANT_CONFIG: 'path of a validated config as JSON, instead of the one that the build embedded (development)',
  MAILGRANT_ROUTES: 'path of compiled routes as a JavaScript module, instead of those that the build embedded (development)',
  MAILGRANT_GOOGLE_URL: "one base URL in place of all of Google's (development: the fake Google)",
  MAILGRANT_SMTP_URL: `where mailboxes with "via: smtp" send, also smtps://smtp.gmail.com:465 (default: ${GMAIL_SMTP})`,
  MAILGRANT_SMTP_CA: 'path of the certificate of an SMTP server on loopback, as PEM (development: the fake Google)',
  MAILGRANT_FIRESTORE_URL: 'base URL of Firestore (development: the emulator)',
  MAILGRANT_PUBSUB_URL: 'base URL of Pub/Sub (development: the emulator)',
} as const;

const TOPIC = /^projects\/[^/]+\/topics\/[\w.~+%-]{3,255}$/;
const TASKS = /^projects\/[^/]+\/locations\/[^/]+\/queues\/[A-Za-z0-9-]{1,100}$/;
const ACCOUNT = /^[^\s@]+@[^\s@]+$/;
const BUCKET = /^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/;

/**
 * Reads environment and configuration; wrong settings stop the start, and the error names every problem. A function that hands
 * over emails `needs` the queue if the configuration says `delivery: queued`.
 */
export function readSettings(env: Env, needs: 'queue' | null = null): Settings {
  const problems: string[] = [];
  const config = readConfig(env['MAILGRANT_CONFIG'] ?? '', problems);
  return checkSettings(env, config, problems, needs);
}

/** The same for a configuration that is read already, as in commands. */
export function checkSettings(env: Env, config: Config, problems: string[] = [], needs: 'queue' | null = null): Settings {
  const get = (name: keyof typeof ENVIRONMENT): string => env[name] ?? '';
  const url = (name: keyof typeof ENVIRONMENT, usual: string): string => {
    const given = get(name).replace(/\/+$/, '');
    if (given !== '' && !/^(https:\/\/|http:\/\/(127\.0\.0\.1|localhost|\[::1\])[:/])/.test(`${given}/`))
      problems.push(`${name}: expected https, or http on the loopback interface`);
    return given || usual;
  };
  const project = get('GOOGLE_CLOUD_PROJECT');
  if (project === '') problems.push('GOOGLE_CLOUD_PROJECT: missing; set it to the project that holds the secrets');
  const seconds = Number(get('MAILGRANT_DEADLINE_SECONDS') || 50);
  if (!(seconds >= 1 && seconds <= 500)) problems.push('MAILGRANT_DEADLINE_SECONDS: expected 1 to 500');
  const trust = get('MAILGRANT_TRUST_IAM');
  if (trust !== '' && trust !== 'true' && trust !== 'false') problems.push('MAILGRANT_TRUST_IAM: expected true or false');
  const stopped = get('MAILGRANT_STOPPED');
  if (stopped !== '' && stopped !== 'true' && stopped !== 'false') problems.push('MAILGRANT_STOPPED: expected true or false');
  const urls = googleUrls(url('MAILGRANT_GOOGLE_URL', ''));
  const named = (name: keyof typeof ENVIRONMENT, form: RegExp, example: string): string | null => {
    const given = get(name);
    if (given !== '' && !form.test(given)) problems.push(`${name}: expected ${example}`);
    return given || null;
  };
  const topic = named('MAILGRANT_TOPIC', TOPIC, 'projects/P/topics/T');
  const queue = named('MAILGRANT_TASKS', TASKS, 'projects/P/locations/L/queues/Q');
  const account = named('MAILGRANT_TASKS_ACCOUNT', ACCOUNT, 'the email of a service account');
  if (queue !== null && account === null) problems.push('MAILGRANT_TASKS_ACCOUNT: missing; MAILGRANT_TASKS needs it');
  if (queue !== null && topic === null) problems.push('MAILGRANT_TOPIC: missing; MAILGRANT_TASKS has its emails published there');
  const eventQueue = named('MAILGRANT_EVENT_TASKS', TASKS, 'projects/P/locations/L/queues/Q');
  const worker = url('MAILGRANT_WORKER_URL', '');
  if (eventQueue !== null && account === null) problems.push('MAILGRANT_TASKS_ACCOUNT: missing; MAILGRANT_EVENT_TASKS needs it');
  if (eventQueue !== null && worker === '') problems.push('MAILGRANT_WORKER_URL: missing; MAILGRANT_EVENT_TASKS has it called');
  if (needs === 'queue' && config.delivery === 'queued' && topic === null)
    problems.push('MAILGRANT_TOPIC: missing; the config says `delivery: queued`');
  const settings = {
    config,
    project,
    database: `projects/${project}/databases/${get('MAILGRANT_DATABASE') || '(default)'}`,
    pushAudience: get('MAILGRANT_PUSH_AUDIENCE') || null,
    trustIam: trust === 'true',
    stopped: stopped === 'true',
    routesFile: get('MAILGRANT_ROUTES') || null,
    deadlineMs: seconds * 1_000,
    topic,
    deadTopic: named('MAILGRANT_DEAD_TOPIC', TOPIC, 'projects/P/topics/T'),
    bucket: named('MAILGRANT_BUCKET', BUCKET, 'the name of a bucket'),
    tasks: queue && account ? { queue, account } : null,
    eventTasks: eventQueue && account && worker ? { queue: eventQueue, account, worker } : null,
    inboxTopic: named('MAILGRANT_INBOX_TOPIC', TOPIC, 'projects/P/topics/T'),
    urls: {
      ...urls,
      firestore: url('MAILGRANT_FIRESTORE_URL', urls.firestore),
      pubsub: url('MAILGRANT_PUBSUB_URL', urls.pubsub),
    },
    smtp: readSmtp(get('MAILGRANT_SMTP_URL') || GMAIL_SMTP, get('MAILGRANT_SMTP_CA'), problems),
  };
  if (problems.length > 0) throw new Error(`mailgrant cannot start: ${problems.join('; ')}`);
  return settings;
}

function readSmtp(url: string, caFile: string, problems: string[]): SmtpServer {
  const server = readSmtpUrl(url);
  if (!server) problems.push('MAILGRANT_SMTP_URL: expected smtp:// or smtps://, smtp.gmail.com or the loopback interface, and a port');
  if (caFile !== '' && server?.loopback === false) problems.push('MAILGRANT_SMTP_CA: only for a server on the loopback interface');
  const { host = '', port = 0, secure = false } = server ?? {};
  try {
    return { host, port, secure, ca: caFile === '' ? null : readFileSync(caFile, 'utf8') };
  } catch {
    problems.push(`MAILGRANT_SMTP_CA: ${caFile} cannot be read`);
    return { host, port, secure, ca: null };
  }
}

function readConfig(path: string, problems: string[]): Config {
  if (path === '' && typeof MAILGRANT_EMBEDDED_CONFIG !== 'undefined') return MAILGRANT_EMBEDDED_CONFIG;
  if (path === '') {
    problems.push('MAILGRANT_CONFIG: missing; a built function carries its config, the sources need the path of a validated one');
  } else {
    try {
      return JSON.parse(readFileSync(path, 'utf8')) as Config;
    } catch {
      problems.push(`MAILGRANT_CONFIG: ${path} cannot be read as JSON`);
    }
  }
  return { mailboxes: [], keys: [], ledger: { addresses: 'hashed' } };
}
