import { EventEmitter, once } from 'node:events';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Certificate } from './certificate.ts';
import { type Clients, createClients } from './clients.ts';
import { createConsent } from './consent.ts';
import { createDelegation, type Delegation } from './delegation.ts';
import { createFaults, DOORS, type Door, type Faults, readFault } from './faults.ts';
import { createFirestore } from './firestore.ts';
import { createGmail, type Gmail } from './gmail.ts';
import { strangerIn } from './guard.ts';
import { CUT, jsonOf, listen, type Reply, type Request } from './http.ts';
import { revoke, userInfo } from './identity.ts';
import { createInspection } from './inspection.ts';
import { createMailStore, type MailStore } from './mailstore.ts';
import { createOAuth, type OAuth } from './oauth.ts';
import { createProject, type Project } from './project.ts';
import { createPubSub, type PubSub } from './pubsub.ts';
import { REFUSALS, type RefusalName } from './refusals.ts';
import { createSecretManager } from './secrets.ts';
import { type Seen, seenOf } from './seen.ts';
import { createSigner, type Signer } from './signer.ts';
import type { FakeSmtp, SmtpOptions } from './smtp.ts';
import { createStorage } from './storage.ts';
import { createTasks, type Tasks } from './tasks.ts';

export interface GoogleOptions {
  readonly port?: number;
  /** SQLite file of the mails, sessions, grants and secrets; by default in memory. */
  readonly file?: string;
  /** SQLite file of the ledger. */
  readonly ledgerFile?: string;
  readonly aliasesOf?: (mailbox: string) => readonly string[];
  /** Accounts that the consent page offers. */
  readonly accounts?: readonly string[];
  readonly now?: () => number;
  /** Ports of the SMTP servers (0 takes a free one); without it there are none. */
  readonly smtp?: SmtpOptions;
  /** What goes wrong; by default what is scripted. */
  readonly faults?: Faults;
  /** Serves over TLS, as Google does; clients must be told to trust the certificate. */
  readonly certificate?: Certificate;
  /** Whether messages are delivered and tasks run by themselves; else `pubsub.flush()` and `tasks.flush()` do it. */
  readonly queues?: 'auto' | 'flushed';
}

/** The one bucket of the fake Cloud Storage. */
export const BUCKET = 'laptop-mails';

/** A running fake of the Google services that mailgrant speaks to, on loopback. */
export interface Google extends AsyncDisposable {
  readonly url: string;
  readonly faults: Faults;
  readonly mails: MailStore;
  readonly oauth: OAuth;
  readonly smtp: FakeSmtp | null;
  readonly clients: Clients;
  readonly delegation: Delegation;
  readonly project: Project;
  /** Signs identity tokens as Google does. */
  readonly signer: Signer;
  readonly pubsub: PubSub;
  readonly tasks: Tasks;
  /** Names of the objects in the bucket. */
  stored(): string[];
  /** How often each door was used. */
  readonly calls: Readonly<Record<Door, number>>;
  /** Resolves when the door is used next, before the call takes effect. */
  reached(door: Door): Promise<void>;
  /** Calls back after anything may have changed: with the call that was served, or null. Answers what ends it. */
  watch(listener: (seen: Seen | null) => void): () => void;
  /** Stores a secret's next version, creating the secret if needed. */
  storeSecret(project: string, id: string, payload: string): void;
  hasSecret(project: string, id: string): boolean;
  /** The scopes of the grant that the secret's latest version holds; none where there is no such grant. */
  scopesIn(project: string, id: string): readonly string[];
  /** The ledger's entry of a mail, as plain values; null if there is none. */
  ledgerEntry(id: string): Record<string, string | number | null> | null;
  ledgerEntries(): Record<string, string | number | null>[];
  /** The id of the mail whose entry holds this upload session; null if none does. */
  ledgerIdOf(session: string): string | null;
}

/** Starts the token endpoint, Gmail, Secret Manager, Firestore and the metadata server on one port. */
export async function startGoogle({
  port = 0,
  file = ':memory:',
  ledgerFile = ':memory:',
  aliasesOf = () => [],
  accounts = [],
  now = Date.now,
  smtp: smtpOptions,
  faults: given,
  certificate,
  queues = 'flushed',
}: GoogleOptions = {}): Promise<Google> {
  const db = open(file);
  const ledgerDb = open(ledgerFile);
  const knocks = new EventEmitter().setMaxListeners(0);
  const changed = (seen: Seen | null): void => void knocks.emit(CHANGED, seen);
  const faults = given ?? createFaults(() => changed(null));
  const oauth = createOAuth(db, now);
  const mails = createMailStore(db, now);
  const gmail = createGmail(mails, oauth, aliasesOf, now);
  const secretManager = createSecretManager(db, oauth, ['serviceAccount:api@laptop.iam.gserviceaccount.com']);
  const delegation = createDelegation(oauth, now);
  const project = createProject(oauth);
  const signer = createSigner(now);
  const inspection = createInspection(oauth, aliasesOf, now);
  const clients = createClients(db);
  const consent = createConsent(oauth, clients, accounts, now);
  const firestore = createFirestore(ledgerDb, oauth, now);
  const pubsub = createPubSub(db, oauth, now, queues === 'auto');
  const tasks = createTasks(db, oauth, now, queues === 'auto');
  const storage = createStorage(db, oauth, BUCKET);
  const calls = Object.fromEntries(DOORS.map((door) => [door, 0])) as Record<Door, number>;

  const effect = (door: Door, request: Request): Reply => {
    if (door === 'identity') return oauth.metadata(request);
    if (door === 'ledger') return firestore(request);
    if (door === 'secret') return secretManager(request);
    if (door === 'publish') return pubsub.answer(request);
    if (door === 'task') return tasks.answer(request);
    if (door === 'store') return storage.answer(request);
    if (door === 'search') return gmail.search(request);
    if (door === 'sign') return delegation.signJwt(request);
    if (door === 'consent') return consent.page(request);
    if (door === 'revoke') return revoke(request, oauth);
    if (door === 'inspect') return request.path === '/v1/userinfo' ? userInfo(request, oauth) : inspection(request);
    if (door === 'profile') return REFUSALS.bad_token; // what matters is that Gmail answers at all
    if (door === 'project') return project.answer(request);
    if (door === 'certs') return signer.certs();
    if (door !== 'token') return gmail.answer(request, running.url);
    const form = new URLSearchParams(request.body.toString('utf8'));
    if (form.get('grant_type') === 'authorization_code') return consent.exchange(form);
    return form.get('grant_type') === 'urn:ietf:params:oauth:grant-type:jwt-bearer' ? delegation.token(form) : oauth.token(request);
  };
  const running = await listen(
    port,
    async (request) => {
      if (request.path.startsWith('/control/')) {
        const stranger = strangerIn(request);
        if (stranger) return { status: 403, body: { error: stranger } };
      }
      if (request.path === '/control/faults') return control(request, faults);
      if (request.path === '/control/client') return { status: 200, body: clients.file('installed') };
      const door = doorOf(request);
      if (!door) return REFUSALS.not_found;
      calls[door]++;
      knocks.emit(door);
      return serveDoor(door, request, faults, effect, gmail, changed);
    },
    certificate,
  );

  const pass = (door: Door): ReturnType<Faults['take']> => {
    calls[door]++;
    knocks.emit(door);
    const fault = faults.take(door);
    setImmediate(changed, { door, answer: null, fault: fault ?? null, session: null, mail: null });
    return fault;
  };
  // Only who wants SMTP pays for loading its library.
  const deliver: typeof gmail.take = (...mail) => {
    setImmediate(changed, null);
    return gmail.take(...mail);
  };
  const smtp = smtpOptions ? await (await import('./smtp.ts')).startSmtp(smtpOptions, { oauth, pass, deliver }) : null;

  const entries = (): Record<string, string | number | null>[] => {
    const rows = ledgerDb
      .prepare("SELECT name, fields FROM documents WHERE name LIKE '%/documents/mails/%' ORDER BY update_time DESC")
      .all() as { name: string; fields: string }[];
    return rows.map(({ name, fields }) => ({ id: name.slice(name.lastIndexOf('/') + 1), ...plain(JSON.parse(fields)) }));
  };
  return {
    url: running.url,
    faults,
    mails,
    oauth,
    smtp,
    clients,
    delegation,
    project,
    signer,
    pubsub,
    tasks,
    stored: storage.names,
    calls,
    reached: async (door) => void (await once(knocks, door)),
    watch(listener) {
      knocks.on(CHANGED, listener);
      return () => void knocks.off(CHANGED, listener);
    },
    storeSecret(project, id, payload) {
      const name = `projects/${project}/secrets/${id}`;
      db.prepare('INSERT OR IGNORE INTO secrets(name) VALUES (?)').run(name);
      db.prepare("INSERT INTO versions SELECT ?, coalesce(max(number), 0) + 1, ?, 'ENABLED' FROM versions WHERE secret = ?").run(
        name,
        Buffer.from(payload),
        name,
      );
    },
    hasSecret: (project, id) =>
      db.prepare('SELECT 1 FROM versions WHERE secret = ?').get(`projects/${project}/secrets/${id}`) !== undefined,
    scopesIn(project, id) {
      const row = db.prepare('SELECT data FROM versions WHERE secret = ? ORDER BY number DESC').get(`projects/${project}/secrets/${id}`);
      const { scopes } = JSON.parse(row ? Buffer.from(row['data'] as Uint8Array).toString() : '{}') as { scopes?: string[] };
      return scopes ?? [];
    },
    ledgerEntries: entries,
    ledgerIdOf(session) {
      const found = ledgerDb.prepare("SELECT name FROM documents WHERE instr(fields, 'upload_id=' || ?) > 0").get(session);
      return found ? String(found['name']).replace(/^.*\//, '') : null;
    },
    ledgerEntry: (id) => entries().find((entry) => entry['id'] === id) ?? null,
    async [Symbol.asyncDispose]() {
      await Promise.all([pubsub, tasks].map((one) => one[Symbol.asyncDispose]()));
      await Promise.all([running[Symbol.asyncDispose](), smtp?.[Symbol.asyncDispose]()]);
      db.close();
      ledgerDb.close();
    },
  };
}

const CHANGED = Symbol('changed');

function open(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: 5_000 });
  db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL');
  return db;
}

/** Which service a request is for; a session that is asked counts apart from one that is sent to. */
function doorOf({ method, path, query, headers }: Request): Door | null {
  if (path === '/token') return 'token';
  if (path === '/o/oauth2/v2/auth') return 'consent';
  if (path === '/revoke') return 'revoke';
  if (path === '/oauth2/v1/certs') return 'certs';
  if (path === '/tokeninfo' || path === '/v1/userinfo' || path.endsWith('/settings/sendAs')) return 'inspect';
  if (path.endsWith(':signJwt')) return 'sign';
  if (path.endsWith('/users/me/profile')) return 'profile';
  if (path.endsWith('/services:batchGet') || /^\/v1\/projects\/-\/serviceAccounts\/[^/:]+$/.test(path)) return 'project';
  if (path.startsWith('/computeMetadata/v1/instance/service-accounts/')) return 'identity';
  if (/^\/v1\/projects\/[^/]+\/secrets/.test(path)) return 'secret';
  if (/^\/v1\/projects\/[^/]+\/(topics|subscriptions)\//.test(path)) return 'publish';
  if (/^\/v2\/projects\/[^/]+\/locations\/[^/]+\/queues\//.test(path)) return 'task';
  if (/^(\/upload)?\/storage\/v1\//.test(path)) return 'store';
  if (/^\/v1\/projects\/[^/]+\/databases/.test(path)) return 'ledger';
  if (method === 'GET' && /^\/gmail\/v1\/users\/me\/messages$/.test(path)) return 'search';
  if (!/^\/(upload\/)?gmail\/v1\/users\/[^/]+\/messages\/send$/.test(path)) return null;
  if (method === 'PUT') return /^bytes \*/.test(headers['content-range'] ?? '') ? 'ask' : 'transfer';
  return query.get('uploadType') === 'resumable' ? 'open' : 'send';
}

async function serveDoor(
  door: Door,
  request: Request,
  faults: Faults,
  effect: (door: Door, request: Request) => Reply,
  gmail: Gmail,
  tell: (seen: Seen) => void,
): Promise<Reply | typeof CUT> {
  const fault = faults.take(door);
  const told = <T extends Reply | typeof CUT>(reply: T): T => {
    tell(seenOf(door, request, reply, fault));
    return reply;
  };
  if (fault?.reset === 'before') {
    if (door === 'transfer' && fault.keepBytes) gmail.keep(request, fault.keepBytes);
    await sleep(fault.delayMs ?? 0, undefined, { ref: false }); // nobody waits for it once the server is gone
    return told(CUT);
  }
  const canned: Reply | null = fault?.answer
    ? REFUSALS[fault.answer as RefusalName]
    : fault?.status
      ? { status: fault.status, body: fault.body ?? '', headers: fault.headers ?? {} }
      : null;
  const reply = canned ?? effect(door, request);
  if (fault?.delayMs) await sleep(fault.delayMs, undefined, { ref: false });
  return told(fault?.reset === 'after' ? CUT : reply);
}

/** The control door: POST scripts a fault, GET shows what is pending, DELETE forgets it. */
function control(request: Request, faults: Faults): Reply {
  if (request.method === 'DELETE') faults.clear();
  if (request.method === 'POST') {
    const fault = readFault(jsonOf(request));
    if (typeof fault === 'string') return { status: 400, body: { error: fault } };
    faults.script(fault);
  }
  return { status: 200, body: { pending: faults.pending() } };
}

/** Firestore's typed values as plain ones; lists are left out. */
function plain(fields: Record<string, Record<string, unknown>>): Record<string, string | number | null> {
  const value = (typed: Record<string, unknown>): string | number | null =>
    typed['integerValue'] === undefined
      ? String(typed['stringValue'] ?? typed['timestampValue'] ?? '') || null
      : Number(typed['integerValue']);
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, typed]) => !('arrayValue' in typed))
      .map(([name, typed]) => [name, value(typed)]),
  );
}
