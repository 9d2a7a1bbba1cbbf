import { EventEmitter, once } from 'node:events';
import { openDatabase } from './database.ts';
import { type Assumptions, controlAssumptions, createAssumptions } from './faults/assumptions.ts';
import { createFaults, DOORS, type Door, type Faults } from './faults/faults.ts';
import { readFaultOrder } from './faults/named-faults.ts';
import type { RequestRecord } from './faults/request-log.ts';
import type { BoundAddress } from './http/bind.ts';
import type { Certificate } from './http/certificate.ts';
import { ERROR_REPLIES } from './http/error-replies.ts';
import type { HostRule } from './http/origin-check.ts';
import { type FakeReply, type FakeRequest, jsonOf, listen } from './http/server.ts';
import { doorOf, serveDoor } from './inject-faults.ts';
import { type Clients, createClients } from './oauth/clients.ts';
import { createConsent } from './oauth/consent.ts';
import { createDelegation, type Delegation } from './oauth/delegation.ts';
import { revokeGrant, userInfo } from './oauth/identity.ts';
import { createOAuth, type OAuth } from './oauth/oauth.ts';
import { createSigner, type Signer } from './oauth/signer.ts';
import { createFirestore } from './services/firestore.ts';
import { createFakeGmail } from './services/gmail.ts';
import { createInspection } from './services/inspection.ts';
import { createMailStore, type MailStore } from './services/message-store.ts';
import { createProject, type Project } from './services/project.ts';
import { createPubSub, type PubSub } from './services/pubsub.ts';
import { createReceived, type Received } from './services/received.ts';
import { createSecretManager } from './services/secrets.ts';
import type { FakeSmtp, SmtpOptions } from './services/smtp.ts';
import { createStorage } from './services/storage.ts';
import { createTasks, type Tasks } from './services/tasks.ts';
import { createTables, type Tables } from './tables.ts';

export interface GoogleOptions {
  readonly port?: number;
  /** SQLite file of the emails, sessions, grants and secrets; by default in memory. */
  readonly file?: string;
  /** SQLite file of the ledger. */
  readonly ledgerFile?: string;
  readonly aliasesOf?: (mailbox: string) => readonly string[];
  /** Accounts that the consent page offers. */
  readonly accounts?: readonly string[];
  readonly now?: () => number;
  /** Ports of the SMTP servers (0 takes a free one); without it there are none. */
  readonly smtp?: SmtpOptions;
  /** The faults; by default those that are scripted. */
  readonly faults?: Faults;
  /** Serves over TLS, as Google does; clients must be told to trust the certificate. */
  readonly certificate?: Certificate;
  /** Whether messages are delivered and tasks run automatically; else `pubsub.flush()` and `tasks.flush()` do it. */
  readonly queues?: 'auto' | 'flushed';
  /** When a scheduled task runs, both in milliseconds since the epoch: for a test that does not wait for hours. */
  readonly runTaskAt?: (scheduled: number) => number;
  /** The address that its servers listen on, without the ports: loopback by default. */
  readonly address?: Omit<BoundAddress, 'port'>;
  /** Host names that are accepted, beside those of loopback. */
  readonly hosts?: HostRule | undefined;
}

/** The one bucket of the fake Cloud Storage. */
export const BUCKET = 'laptop-mails';

/** A running fake of the Google services that mailgrant speaks to, on loopback. */
export interface Google extends AsyncDisposable, Tables {
  readonly url: string;
  readonly faults: Faults;
  /** Which of mailgrant's assumptions about Google the fake breaks. */
  readonly assumptions: Assumptions;
  readonly mails: MailStore;
  readonly oauth: OAuth;
  readonly smtp: FakeSmtp | null;
  readonly clients: Clients;
  readonly delegation: Delegation;
  readonly project: Project;
  /** Signs identity tokens as Google does. */
  readonly signer: Signer;
  readonly pubsub: PubSub;
  /** What came back to mailboxes. */
  readonly received: Received;
  readonly tasks: Tasks;
  /** Names of the objects in the bucket. */
  stored(): string[];
  /** How the fake's databases were used since the last call: for tests of what an email costs. */
  usage(): { readonly plans: readonly string[]; readonly statements: number };
  /** How often each endpoint was called. */
  readonly calls: Readonly<Record<Door, number>>;
  /** Resolves when the endpoint is called next, before the call takes effect. */
  reached(door: Door): Promise<void>;
  /** Calls back after anything may have changed: with the call that was served, or null. Returns the function that stops it. */
  watch(listener: (seen: RequestRecord | null) => void): () => void;
}

/** Starts everything on one port, with the SMTP servers beside it. */
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
  runTaskAt,
  address = {},
  hosts,
}: GoogleOptions = {}): Promise<Google> {
  const [mailFile, ledger] = [openDatabase(file), openDatabase(ledgerFile)];
  const [db, ledgerDb] = [mailFile.db, ledger.db];
  const doorEvents = new EventEmitter().setMaxListeners(0);
  const changed = (seen: RequestRecord | null): void => void doorEvents.emit(CHANGED, seen);
  const faults = given ?? createFaults(() => changed(null));
  const oauth = createOAuth(db, now);
  const mails = createMailStore(db, now);
  const pubsub = createPubSub(db, oauth, now, queues === 'auto');
  const received = createReceived(db, mails, oauth, pubsub, now);
  const taken: MailStore = {
    ...mails,
    deliver(...mail) {
      const stored = mails.deliver(...mail);
      received.sent(stored);
      const fault = faults.take('bounce');
      if (fault) received.bounce(stored.id, fault.bouncing);
      return stored;
    },
  };
  const gmail = createFakeGmail(taken, oauth, aliasesOf, now);
  const secretManager = createSecretManager(db, oauth, ['serviceAccount:api@laptop.iam.gserviceaccount.com']);
  const delegation = createDelegation(oauth, now);
  const project = createProject(oauth);
  const signer = createSigner(now);
  const inspection = createInspection(oauth, aliasesOf, now);
  const clients = createClients(db);
  const consent = createConsent(oauth, clients, accounts, now);
  const firestore = createFirestore(ledgerDb, oauth, now);
  const tasks = createTasks(db, oauth, now, queues === 'auto', runTaskAt);
  const storage = createStorage(db, oauth, BUCKET);
  const assumptions = createAssumptions();
  const calls = Object.fromEntries(DOORS.map((door) => [door, 0])) as Record<Door, number>;

  const effect = (door: Door, request: FakeRequest): FakeReply => {
    if (door === 'identity') return oauth.metadata(request);
    if (door === 'ledger') return firestore(request);
    if (door === 'secret') return secretManager(request);
    if (door === 'publish') return pubsub.answer(request);
    if (door === 'task') return tasks.answer(request);
    if (door === 'store') return storage.answer(request);
    if (door === 'inbox') return received.answer(request) ?? ERROR_REPLIES.not_found;
    if (door === 'search') return received.answer(request) ?? gmail.search(request);
    if (door === 'sign') return delegation.signJwt(request);
    if (door === 'consent') return consent.page(request);
    if (door === 'revoke') return revokeGrant(request, oauth);
    if (door === 'inspect') return request.path === '/v1/userinfo' ? userInfo(request, oauth) : inspection(request);
    if (door === 'profile') return received.answer(request) ?? ERROR_REPLIES.bad_token;
    if (door === 'project') return project.answer(request);
    if (door === 'certs') return signer.certs();
    if (door !== 'token') return gmail.answer(request, running.url);
    const form = new URLSearchParams(request.body.toString('utf8'));
    if (form.get('grant_type') === 'authorization_code') return consent.exchange(form);
    return form.get('grant_type') === 'urn:ietf:params:oauth:grant-type:jwt-bearer' ? delegation.token(form) : oauth.token(request);
  };
  const running = await listen({ port, ...address, hosts, certificate }, async (request) => {
    if (request.path === '/control/faults') return control(request, faults);
    if (request.path === '/control/assumptions') return controlAssumptions(request, assumptions);
    if (request.path === '/control/client') return { status: 200, body: clients.file('installed') };
    const door = doorOf(request);
    if (!door) return ERROR_REPLIES.not_found;
    calls[door]++;
    doorEvents.emit(door);
    const answer: typeof effect = (at, call) => assumptions.answer(at, call, () => effect(at, call));
    return serveDoor(door, request, faults, answer, gmail, changed);
  });

  const pass = (door: Door): ReturnType<Faults['take']> => {
    calls[door]++;
    doorEvents.emit(door);
    const fault = faults.take(door);
    setImmediate(changed, { door, answer: null, fault: fault ?? null, session: null, mail: null });
    return fault;
  };
  // The SMTP library is loaded only where SMTP is wanted.
  const deliver: typeof gmail.take = (...mail) => {
    setImmediate(changed, null);
    return gmail.take(...mail);
  };
  const smtp = smtpOptions
    ? await (await import('./services/smtp.ts')).startSmtp({ ...smtpOptions, ...address }, { oauth, pass, deliver })
    : null;

  return {
    url: running.url,
    faults,
    assumptions,
    mails,
    oauth,
    smtp,
    clients,
    delegation,
    project,
    signer,
    pubsub,
    received,
    tasks,
    stored: storage.names,
    usage() {
      const [one, other] = [mailFile.usage(), ledger.usage()];
      return { plans: [...one.plans, ...other.plans], statements: one.statements + other.statements };
    },
    calls,
    reached: async (door) => void (await once(doorEvents, door)),
    watch(listener) {
      doorEvents.on(CHANGED, listener);
      return () => void doorEvents.off(CHANGED, listener);
    },
    ...createTables(db, ledgerDb, mails),
    async [Symbol.asyncDispose]() {
      await Promise.all([pubsub, tasks].map((one) => one[Symbol.asyncDispose]()));
      await Promise.all([running[Symbol.asyncDispose](), smtp?.[Symbol.asyncDispose]()]);
      db.close();
      ledgerDb.close();
    },
  };
}

const CHANGED = Symbol('changed');

/** The control endpoint: POST scripts a fault, GET shows the pending faults, DELETE clears all, or those of `?name=`. */
function control(request: FakeRequest, faults: Faults): FakeReply {
  if (request.method === 'DELETE') faults.clear(request.query.get('name') ?? undefined);
  if (request.method === 'POST') {
    const order = readFaultOrder(jsonOf(request));
    if (typeof order === 'string') return { status: 400, body: { error: order } };
    faults.script(...order);
  }
  return { status: 200, body: { pending: faults.pending() } };
}
