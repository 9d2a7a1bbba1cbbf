/**
 * Each exchange on the path of an email beside the same call made by Google's own generated client with a captured transport: method,
 * host, path, query, body, and whether our scope is one that the method takes. The types of both are checked by the compiler.
 */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { Compute, JWT, OAuth2Client, UserRefreshClient } from 'google-auth-library';
import { cloudtasks_v2 } from 'googleapis/build/src/apis/cloudtasks/v2.js';
import { firestore_v1 } from 'googleapis/build/src/apis/firestore/v1.js';
import { gmail_v1 } from 'googleapis/build/src/apis/gmail/v1.js';
import { iamcredentials_v1 } from 'googleapis/build/src/apis/iamcredentials/v1.js';
import { pubsub_v1 } from 'googleapis/build/src/apis/pubsub/v1.js';
import { secretmanager_v1 } from 'googleapis/build/src/apis/secretmanager/v1.js';
import { storage_v1 } from 'googleapis/build/src/apis/storage/v1.js';
import { createIdTokens } from '../../functions/google/auth/id-token.ts';
import { assertFor, signByIam, signWithKey } from '../../functions/google/auth/jwt-bearer.ts';
import { createSecrets } from '../../functions/google/auth/secret-manager.ts';
import { createIdentity } from '../../functions/google/auth/service-identity.ts';
import { refresh } from '../../functions/google/auth/token-endpoint.ts';
import { createEventDelivery } from '../../functions/google/events/email-events.ts';
import { createEventTasks } from '../../functions/google/events/event-tasks.ts';
import { firestoreClient } from '../../functions/google/firestore/firestore-client.ts';
import { createDedupeWindows } from '../../functions/google/firestore/firestore-dedupe-windows.ts';
import { createDocumentStore } from '../../functions/google/firestore/firestore-documents.ts';
import { createLedger } from '../../functions/google/firestore/firestore-ledger.ts';
import { listEmails } from '../../functions/google/firestore/firestore-query.ts';
import { countOverdue } from '../../functions/google/firestore/overdue-emails.ts';
import { createSuppressions } from '../../functions/google/firestore/suppressions.ts';
import { createSearch, createSentSearch } from '../../functions/google/gmail/message-search.ts';
import { createGmail } from '../../functions/google/gmail/upload-session.ts';
import type { Call, Exchange } from '../../functions/google/http/exchange.ts';
import { createTaskQueue } from '../../functions/google/queue/cloud-tasks.ts';
import { createContentStore } from '../../functions/google/queue/content-bucket.ts';
import { createTopic } from '../../functions/google/queue/pubsub-topic.ts';
import type { Entry } from '../../functions/mail/delivery/ledger.ts';
import { SCOPE_MAIL, SCOPE_SEND } from '../../functions/mail/model/scopes.ts';
import { SecretString } from '../../functions/mail/model/secret.ts';
import { googleUrls } from '../../functions/runtime/google-urls.ts';

const urls = googleUrls('');
const CLOUD = 'https://www.googleapis.com/auth/cloud-platform';
const DATABASE = 'projects/p/databases/mailgrant';
const QUEUE = 'projects/p/locations/europe-west1/queues/later';
const TOPIC = 'projects/p/topics/mails';
const ID = '00000000-0000-4000-8000-000000000001';
const message = { data: 'Grüße', attributes: { a: 'b' } };
const access = { secret: new SecretString('canary-token'), expiresAt: Number.MAX_SAFE_INTEGER };
const token = async () => access;
const AT = Date.UTC(2026, 10, 28);

/** What goes over the wire, without what is said of its framing. */
interface Sent {
  readonly method: string;
  readonly url: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
}

const STOP = new Error('captured');
const parsed = (body: unknown): unknown => {
  const text = body instanceof Uint8Array ? Buffer.from(body).toString() : String(body ?? '');
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};
const sentOf = (method: string, href: string, body: unknown): Sent => {
  const { origin, pathname, searchParams } = new URL(href);
  return {
    method,
    url: origin + pathname.replaceAll('%40', '@'),
    query: Object.fromEntries([...searchParams.keys()].map((name) => [name, searchParams.getAll(name).join(' ')])),
    body: parsed(body),
  };
};

/** The last call of ours; each answer before it is an empty one. */
async function oursOf(make: (exchange: Exchange) => Promise<unknown>): Promise<{ readonly sent: Sent; readonly call: Call }> {
  const calls: Call[] = [];
  const exchange: Exchange = async (call) => {
    calls.push(call);
    return { status: 404, headers: {}, body: Buffer.from('{}') };
  };
  await make(exchange).catch(() => {});
  const call = calls.at(-1);
  assert.ok(call, 'nothing was called');
  return { sent: sentOf(call.method, call.url, call.body), call };
}

type Captured = { readonly url: URL | string; readonly method?: string; readonly data?: unknown; readonly body?: unknown };
/** The same by Google's client, whose transport is ours. */
async function theirsOf(make: (options: object) => Promise<unknown>): Promise<Sent> {
  let sent: Sent | null = null;
  const adapter = async ({ url, method = 'GET', data, body }: Captured): Promise<never> => {
    const given = data ?? body;
    const whole =
      typeof given === 'object' && given !== null && Symbol.asyncIterator in given ? await readAll(given as AsyncIterable<Buffer>) : given;
    sent = sentOf(
      method,
      String(url),
      typeof whole === 'object' && !(whole instanceof Uint8Array) && !(whole instanceof URLSearchParams) ? JSON.stringify(whole) : whole,
    );
    throw STOP;
  };
  await make({ adapter, retry: false }).catch((error: unknown) => {
    if (!sent) throw error;
  });
  assert.ok(sent);
  return sent;
}
const readAll = async (stream: AsyncIterable<Buffer>): Promise<Buffer> =>
  Buffer.concat(await Array.fromAsync(stream, (one) => Buffer.from(one)));

const firestore = (exchange: Exchange) =>
  firestoreClient({ baseUrl: urls.firestore, exchange, token, pause: async () => {}, random: () => 0.5 });
const suppressions = (exchange: Exchange) =>
  createSuppressions({ baseUrl: urls.firestore, exchange, token, pause: async () => {}, random: () => 0.5 }, DATABASE);
const secrets = createSecrets(urls.secrets, 'p', token);
const tasks = (exchange: Exchange) =>
  createTaskQueue({ baseUrl: urls.tasks, exchange, token }, QUEUE, {
    pubsub: urls.pubsub,
    topic: TOPIC,
    account: 'tasks@p.iam.gserviceaccount.com',
  });
const bucket = (exchange: Exchange) => createContentStore({ baseUrl: urls.storage, exchange, token }, 'p-mails');
const mime = { bytes: Buffer.from('canary-mime') } as never;

const version = '2026-11-28T00:00:00Z';
const counter = { name: 'c', expireAt: AT };
const reserved = { hash: 'h', expireAt: AT };
const entry: Entry = {
  ...{
    id: ID,
    state: 'sending',
    requestHash: 'r',
    caller: 'shop',
    mailbox: 'm',
    recipients: ['a'],
    acceptedAt: AT,
    attempts: 1,
    idHeader: 1,
  },
  ...{ leaseUntil: AT, claimId: 'c', sessionUri: 's', mimeHash: 'h', mimeBytes: 1, gmailId: 'g', threadId: 't', repeatedAt: AT, key: 'h' },
  ...{ rejected: 1, code: 'x', fields: 'to', notBefore: AT, scheduledAt: AT, messageHash: 'q', deadLetterAt: AT, expireAt: AT },
  ...{ tags: [{ name: 'a', value: 'b' }], outbox: [{ id: 'e', type: 'email.sent', at: AT }], outboxAt: AT },
} as Entry;
const eventQueue = { queue: QUEUE, account: 'tasks@p.iam.gserviceaccount.com', worker: 'https://worker.example.com' };
const eventTask = { target: 'crm', id: 'e', type: 'email.sent', email: ID, since: AT, payload: '{}' } as never;

const google = {
  secretmanager: new secretmanager_v1.Secretmanager({}),
  iam: new iamcredentials_v1.Iamcredentials({}),
  firestore: new firestore_v1.Firestore({}),
  pubsub: new pubsub_v1.Pubsub({}),
  tasks: new cloudtasks_v2.Cloudtasks({}),
  storage: new storage_v1.Storage({}),
  gmail: new gmail_v1.Gmail({}),
};

interface Exchanged {
  readonly name: string;
  /** Where the call is written. */
  readonly file: string;
  /** Where the method is declared: its comment lists the scopes that it takes. */
  readonly api: string;
  readonly method: string;
  readonly scope: string;
  readonly ours: (exchange: Exchange) => Promise<unknown>;
  /** Given what we sent, so that a body of ours is Google's request body: the compiler has held it against the schema. */
  readonly theirs: (options: object, sent: Sent) => Promise<unknown>;
  /** What Google's client cannot do, and we do by another documented way. */
  readonly differs?: Partial<Sent>;
}

const exchanges: readonly Exchanged[] = [
  {
    name: 'a secret is read',
    file: 'auth/secret-manager',
    api: 'secretmanager/v1',
    method: 'access',
    scope: CLOUD,
    ours: (exchange) => secrets.latest('mailgrant-notices', exchange),
    theirs: (options) =>
      google.secretmanager.projects.secrets.versions.access({ name: 'projects/p/secrets/mailgrant-notices/versions/latest' }, options),
  },
  {
    name: 'a version is added',
    file: 'auth/secret-manager',
    api: 'secretmanager/v1',
    method: 'addVersion',
    scope: CLOUD,
    ours: (exchange) => secrets.add('mailgrant-notices', new SecretString('canary-grant'), exchange),
    theirs: (options) =>
      google.secretmanager.projects.secrets.addVersion(
        {
          parent: 'projects/p/secrets/mailgrant-notices',
          requestBody: { payload: { data: Buffer.from('canary-grant').toString('base64') } },
        },
        options,
      ),
  },
  {
    name: 'a JWT is signed',
    file: 'auth/jwt-bearer',
    api: 'iamcredentials/v1',
    method: 'signJwt',
    scope: CLOUD,
    ours: (exchange) => signByIam(urls.iamCredentials, 'd@p.iam.gserviceaccount.com', token, exchange)({ iss: 'd' } as never),
    theirs: (options) =>
      google.iam.projects.serviceAccounts.signJwt(
        { name: 'projects/-/serviceAccounts/d@p.iam.gserviceaccount.com', requestBody: { payload: '{"iss":"d"}' } },
        options,
      ),
  },
  {
    name: 'an entry of the ledger is read',
    file: 'firestore/firestore-client',
    api: 'firestore/v1',
    method: 'get',
    scope: CLOUD,
    ours: (exchange) => createLedger(firestore(exchange), DATABASE).read(ID),
    theirs: (options) => google.firestore.projects.databases.documents.get({ name: `${DATABASE}/documents/mails/${ID}` }, options),
  },
  ...(
    [
      [
        'an entry of the ledger is created',
        (exchange) => createLedger(firestore(only(exchange, 1)), DATABASE).create(entry, reserved, AT, [counter]),
      ],
      [
        'an entry of the ledger is replaced',
        (exchange) => createLedger(firestore(only(exchange, 1)), DATABASE).replace({ entry, version }, entry, [counter]),
      ],
      ['counters are incremented', (exchange) => createLedger(firestore(exchange), DATABASE).count([{ name: 'c', expireAt: AT }], 1)],
      ['a key is reserved', (exchange) => createLedger(firestore(exchange), DATABASE).reserve({ hash: 'h', expireAt: AT } as never, ID)],
      ['a window is opened', (exchange) => createDedupeWindows(firestore(accepting(exchange)), DATABASE).assign('g', 'e', 60_000, AT)],
      [
        'a document is written',
        (exchange) => createDocumentStore(firestore(exchange)).write(`${DATABASE}/documents/app/1`, { 'delivery.state': 'SUCCESS' }, null),
      ],
    ] satisfies [string, (exchange: Exchange) => Promise<unknown>][]
  ).map(
    ([name, ours]): Exchanged => ({
      name,
      file: 'firestore/firestore-client',
      api: 'firestore/v1',
      method: 'commit',
      scope: CLOUD,
      ours,
      theirs: (options, { body }) =>
        google.firestore.projects.databases.documents.commit(
          { database: DATABASE, requestBody: body as firestore_v1.Schema$CommitRequest },
          options,
        ),
    }),
  ),
  ...(
    [
      [
        'a caller’s emails are listed',
        (exchange) => listEmails(firestore(exchange), DATABASE, { caller: 'shop', limit: 20, cursor: { direction: 'before', entry } }),
      ],
      ['emails that wait too long are counted', (exchange) => countOverdue(firestore(exchange), DATABASE, AT)],
      ['events that were not told are looked for', (exchange) => swept(exchange)],
    ] satisfies [string, (exchange: Exchange) => Promise<unknown>][]
  ).map(
    ([name, ours]): Exchanged => ({
      name,
      file: 'firestore/firestore-client',
      api: 'firestore/v1',
      method: 'runQuery',
      scope: CLOUD,
      ours,
      theirs: (options, { body }) =>
        google.firestore.projects.databases.documents.runQuery(
          { parent: `${DATABASE}/documents`, requestBody: body as firestore_v1.Schema$RunQueryRequest },
          options,
        ),
    }),
  ),
  {
    name: 'suppressed recipients are looked for',
    file: 'firestore/suppressions',
    api: 'firestore/v1',
    method: 'batchGet',
    scope: CLOUD,
    ours: (exchange) => suppressions(exchange).among(['a', 'b'], AT),
    theirs: (options, { body }) =>
      google.firestore.projects.databases.documents.batchGet(
        { database: DATABASE, requestBody: body as firestore_v1.Schema$BatchGetDocumentsRequest },
        options,
      ),
  },
  {
    name: 'an event is handed to a task',
    file: 'events/event-tasks',
    api: 'cloudtasks/v2',
    method: 'create',
    scope: CLOUD,
    ours: (exchange) => createEventTasks({ baseUrl: urls.tasks, exchange, token }, eventQueue)(eventTask, 'one'),
    theirs: (options, { body }) =>
      google.tasks.projects.locations.queues.tasks.create(
        { parent: QUEUE, requestBody: body as cloudtasks_v2.Schema$CreateTaskRequest },
        options,
      ),
  },
  {
    name: 'a message is published',
    file: 'queue/pubsub-topic',
    api: 'pubsub/v1',
    method: 'publish',
    scope: CLOUD,
    ours: (exchange) => createTopic({ baseUrl: urls.pubsub, exchange, token }, TOPIC).publish(message),
    theirs: (options) =>
      google.pubsub.projects.topics.publish(
        { topic: TOPIC, requestBody: { messages: [{ data: Buffer.from('Grüße').toString('base64'), attributes: { a: 'b' } }] } },
        options,
      ),
  },
  {
    name: 'a task is scheduled',
    file: 'queue/cloud-tasks',
    api: 'cloudtasks/v2',
    method: 'create',
    scope: CLOUD,
    ours: (exchange) => tasks(exchange).schedule(message, AT, 'one'),
    theirs: (options, { body }) =>
      google.tasks.projects.locations.queues.tasks.create(
        { parent: QUEUE, requestBody: body as cloudtasks_v2.Schema$CreateTaskRequest },
        options,
      ),
  },
  {
    name: 'a task is read',
    file: 'queue/cloud-tasks',
    api: 'cloudtasks/v2',
    method: 'get',
    scope: CLOUD,
    ours: (exchange) => tasks(exchange).get('one'),
    theirs: (options) => google.tasks.projects.locations.queues.tasks.get({ name: `${QUEUE}/tasks/one`, responseView: 'FULL' }, options),
  },
  {
    name: 'a task is canceled',
    file: 'queue/cloud-tasks',
    api: 'cloudtasks/v2',
    method: 'delete',
    scope: CLOUD,
    ours: (exchange) => tasks(exchange).cancel('one'),
    theirs: (options) => google.tasks.projects.locations.queues.tasks.delete({ name: `${QUEUE}/tasks/one` }, options),
  },
  {
    name: 'content is stored',
    file: 'queue/content-bucket',
    api: 'storage/v1',
    method: 'insert',
    scope: CLOUD,
    ours: (exchange) => bucket(exchange).put('mails/ä 1.json', '{"a":1}'),
    theirs: (options) =>
      google.storage.objects.insert(
        { bucket: 'p-mails', name: 'mails/ä 1.json', media: { mimeType: 'application/json', body: '{"a":1}' } },
        options,
      ),
  },
  {
    name: 'content is read',
    file: 'queue/content-bucket',
    api: 'storage/v1',
    method: 'get',
    scope: CLOUD,
    ours: (exchange) => bucket(exchange).get('mails/ä 1.json'),
    theirs: (options) => google.storage.objects.get({ bucket: 'p-mails', object: 'mails/ä 1.json', alt: 'media' }, options),
  },
  {
    name: 'content is removed',
    file: 'queue/content-bucket',
    api: 'storage/v1',
    method: 'delete',
    scope: CLOUD,
    ours: (exchange) => bucket(exchange).remove('mails/ä 1.json'),
    theirs: (options) => google.storage.objects.delete({ bucket: 'p-mails', object: 'mails/ä 1.json' }, options),
  },
  {
    name: 'an upload session is opened',
    file: 'gmail/upload-session',
    api: 'gmail/v1',
    method: 'send',
    scope: SCOPE_SEND,
    ours: (exchange) => createGmail(urls.gmail, exchange, () => AT).openSession(mime, access, async () => true),
    theirs: (options) =>
      google.gmail.users.messages.send({ userId: 'me', media: { mimeType: 'message/rfc822', body: 'canary-mime' } }, options),
    differs: { query: { uploadType: 'resumable' }, body: '' }, // Google's client has no resumable session: the guide for uploads does
  },
  {
    name: 'a message is searched',
    file: 'gmail/message-search',
    api: 'gmail/v1',
    method: 'list',
    scope: SCOPE_MAIL,
    ours: (exchange) => createSearch(urls.gmail, exchange, () => AT)('<a+b@example.com>', access),
    theirs: (options) =>
      google.gmail.users.messages.list(
        { userId: 'me', maxResults: 1, includeSpamTrash: true, q: 'rfc822msgid:<a+b@example.com>' },
        options,
      ),
  },
  {
    name: 'the newest sent messages are listed',
    file: 'gmail/message-search',
    api: 'gmail/v1',
    method: 'list',
    scope: SCOPE_MAIL,
    ours: (exchange) => createSentSearch(urls.gmail, exchange, () => AT)('<a+b@example.com>', access),
    theirs: (options) => google.gmail.users.messages.list({ userId: 'me', maxResults: 20, labelIds: ['SENT'] }, options),
  },
  {
    name: 'the headers of a sent message are read',
    file: 'gmail/message-search',
    api: 'gmail/v1',
    method: 'get',
    scope: SCOPE_MAIL,
    ours: (exchange) => createSentSearch(urls.gmail, listing(exchange), () => AT)('<a+b@example.com>', access),
    theirs: (options) =>
      google.gmail.users.messages.get(
        { userId: 'me', id: 'g1', format: 'metadata', metadataHeaders: ['Message-ID', 'X-Google-Original-Message-ID', 'X-Mailgrant-Id'] },
        options,
      ),
  },
];

/** Lists one message, so that its headers are read. */
function listing(exchange: Exchange): Exchange {
  let calls = 0;
  return async (call) => {
    const reply = await exchange(call);
    return ++calls > 1 ? reply : { status: 200, headers: {}, body: Buffer.from('{"messages":[{"id":"g1"}],"resultSizeEstimate":1}') };
  };
}

/** The exchange for the first so many calls; what comes after them is not looked at. */
function only(exchange: Exchange, most: number): Exchange {
  let calls = 0;
  return (call) => (++calls > most ? Promise.reject(STOP) : exchange(call));
}

/** What the sweep asks Firestore for. */
const swept = (exchange: Exchange): Promise<unknown> =>
  createEventDelivery({} as never, secrets, firestore(exchange), exchange, AbortSignal.timeout(10_000), {
    settings: { urls, database: DATABASE },
    exchange,
    token,
    now: () => AT,
  } as never).sweep();

/** Says yes to the question whether a window is open: there is none, so that the commit comes. */
function accepting(exchange: Exchange): Exchange {
  let calls = 0;
  return async (call) => {
    const reply = await exchange(call);
    return ++calls === 1 ? reply : { status: 200, headers: {}, body: Buffer.from('{"writeResults":[{},{}]}') };
  };
}

for (const { name, ours, theirs, differs = {} } of exchanges)
  test(`${name}: what we send is what Google's client sends`, async () => {
    const { sent, call } = await oursOf(ours);
    assert.deepEqual(sent, { ...(await theirsOf((options) => theirs(options, sent))), ...differs });
    assert.equal(call.headers?.['authorization'], 'Bearer canary-token');
  });

/** The scopes that a method takes, by the sample in its comment. */
function scopesOf(api: string, method: string): Set<string> {
  const text = readFileSync(new URL(`../../node_modules/googleapis/build/src/apis/${api}.d.ts`, import.meta.url), 'utf8');
  const comments = [...text.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s+(\w+)\(params/g)].filter(([, , name]) => name === method);
  return new Set(
    comments.flatMap(([, comment = '']) => comment.match(/https:\/\/(?:www\.googleapis\.com\/auth\/[\w.-]+|mail\.google\.com\/)/g) ?? []),
  );
}
for (const { name, api, method, scope } of exchanges)
  test(`${name}: ${scope} is a scope of ${api} ${method}`, () => {
    const scopes = scopesOf(api, method);
    assert.ok(scopes.has(scope), `${[...scopes]}`);
  });

test('the scope of a task’s token is one of topics.publish', () =>
  assert.ok(scopesOf('pubsub/v1', 'publish').has('https://www.googleapis.com/auth/pubsub')));

test('a refresh token is traded as Google’s library trades it', async () => {
  const { sent, call } = await oursOf((exchange) =>
    refresh(
      urls.token,
      { clientId: 'client', clientSecret: new SecretString('canary-secret'), refreshToken: new SecretString('canary-refresh') },
      exchange,
      () => AT,
    ),
  );
  const theirs = await theirsOf(async (options) => {
    const client = new UserRefreshClient({ clientId: 'client', clientSecret: 'canary-secret', refreshToken: 'canary-refresh' });
    client.transporter.defaults = options;
    return client.getAccessToken();
  });
  const form = (body: unknown): Record<string, string> => Object.fromEntries([...new URLSearchParams(String(body))].sort());
  assert.deepEqual({ ...sent, body: form(sent.body) }, { ...theirs, body: form(theirs.body) });
  assert.equal(call.headers?.['content-type'], 'application/x-www-form-urlencoded');
});

test('an assertion of a service account is traded as Google’s library trades it', async () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const subject = { iss: 'd@p.iam.gserviceaccount.com', sub: 'notices@example.com', scope: SCOPE_SEND };
  const { sign } = signWithKey(new SecretString(JSON.stringify({ client_email: subject.iss, private_key: pem })));
  const ours = await oursOf((exchange) => assertFor(subject, sign, urls.token, exchange, Date.now));
  const theirs = await theirsOf(async (options) => {
    const client = new JWT({ email: subject.iss, key: pem, scopes: [subject.scope], subject: subject.sub });
    client.transporter.defaults = options;
    return client.authorize();
  });
  const read = ({ body, ...rest }: Sent) => {
    const form = typeof body === 'string' ? Object.fromEntries(new URLSearchParams(body)) : (body as Record<string, string>);
    const { assertion = '', ...others } = form;
    const [header, claims] = assertion.split('.').map((part) => parsed(Buffer.from(part, 'base64url')) as Record<string, unknown>);
    const { iat, exp, ...named } = claims ?? {};
    return { ...rest, form: others, alg: header?.['alg'], named, life: Number(exp) - Number(iat) };
  };
  assert.deepEqual(read(ours.sent), read(theirs));
});

test('the certificates of identity tokens are asked for where Google’s library asks', async () => {
  const [head, rest] = [{ alg: 'RS256', kid: 'k' }, {}].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
  const ours = await oursOf((exchange) => createIdTokens(urls.certs)(`${head}.${rest}.x`, 'aud', exchange, AT));
  const theirs = await theirsOf(async (options) => {
    const client = new OAuth2Client();
    client.transporter.defaults = options;
    return client.getFederatedSignonCertsAsync();
  });
  assert.deepEqual(ours.sent, theirs);
});

test('the function’s own token is asked for where Google’s library asks the metadata server', async () => {
  const seen: { path: string; flavor: IncomingHttpHeaders[string] }[] = [];
  const server = createServer(({ url = '', headers }, res) => {
    seen.push({ path: url.replace(/\?$/, ''), flavor: headers['metadata-flavor'] });
    res
      .writeHead(200, { 'metadata-flavor': 'Google', 'content-type': 'application/json' })
      .end('{"access_token":"canary-t","expires_in":3600}');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const before = process.env['GCE_METADATA_HOST'];
  process.env['GCE_METADATA_HOST'] = host;
  try {
    await createIdentity(`http://${host}`)();
    await new Compute().getAccessToken();
  } finally {
    if (before === undefined) delete process.env['GCE_METADATA_HOST'];
    else process.env['GCE_METADATA_HOST'] = before;
    server.close();
  }
  assert.equal(seen.length, 2);
  assert.deepEqual(seen[0], seen[1]);
});

/** Calls that Google's clients cannot make, or that are compared above by a test of their own. */
const OTHERS: Readonly<Record<string, number>> = {
  'auth/token-endpoint': 1, // the token endpoint: compared twice above
  'auth/service-identity': 1, // the metadata server
  'auth/id-token': 1, // certificates
  'gmail/upload-session': 2, // bytes and question of an upload session: the guide for uploads, see upload-session.test.ts
};

test('each call that is written in functions/google is compared here', () => {
  const written: Record<string, number> = {};
  for (const file of globSync('functions/google/**/*.ts')) {
    const name = file.replace(/^functions\/google\/|\.ts$/g, '');
    const calls = readFileSync(file, 'utf8').match(/^(?!\s*\*|.*readonly).*\bmethod: '(GET|POST|PUT|PATCH|DELETE)'/gm) ?? [];
    if (calls.length > 0 && !STRANGERS.has(name)) written[name] = calls.length;
  }
  const compared: Record<string, number> = { ...OTHERS };
  const methods = new Set(exchanges.map(({ file, method }) => `${file} ${method}`));
  for (const one of methods) {
    const [file = ''] = one.split(' ');
    compared[file] = (compared[file] ?? 0) + 1;
  }
  assert.deepEqual(Object.keys(compared).sort(), Object.keys(written).sort());
  for (const [file, calls] of Object.entries(written))
    assert.ok((compared[file] ?? 0) >= calls, `${file}: ${calls} calls, ${compared[file]} compared`);
});

/** They call other hosts than Google's. */
const STRANGERS = new Set(['http/fetch-file', 'http/post-webhook']);

test('a path or a field that Google does not have is seen', async () => {
  const wrong = await oursOf((exchange) =>
    createTopic({ baseUrl: urls.pubsub, exchange, token }, 'projects/p/topic/mails').publish(message),
  );
  const right = await theirsOf((options) => google.pubsub.projects.topics.publish({ topic: TOPIC, requestBody: {} }, options));
  assert.notDeepEqual(wrong.sent, right);
});
