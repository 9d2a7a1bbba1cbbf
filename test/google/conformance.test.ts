/**
 * Each exchange on the path of an email beside the same call made by Google's own generated client with a captured transport: method,
 * host, path, query, body, and whether our scope is one that the method takes. The types of both are checked by the compiler.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { UserRefreshClient } from 'google-auth-library';
import { cloudtasks_v2 } from 'googleapis/build/src/apis/cloudtasks/v2.js';
import { firestore_v1 } from 'googleapis/build/src/apis/firestore/v1.js';
import { gmail_v1 } from 'googleapis/build/src/apis/gmail/v1.js';
import { iamcredentials_v1 } from 'googleapis/build/src/apis/iamcredentials/v1.js';
import { pubsub_v1 } from 'googleapis/build/src/apis/pubsub/v1.js';
import { secretmanager_v1 } from 'googleapis/build/src/apis/secretmanager/v1.js';
import { storage_v1 } from 'googleapis/build/src/apis/storage/v1.js';
import { signByIam } from '../../functions/google/auth/jwt-bearer.ts';
import { createSecrets } from '../../functions/google/auth/secret-manager.ts';
import { refresh } from '../../functions/google/auth/token-endpoint.ts';
import { firestoreClient } from '../../functions/google/firestore/firestore-client.ts';
import { createDedupeWindows } from '../../functions/google/firestore/firestore-dedupe-windows.ts';
import { createDocumentStore } from '../../functions/google/firestore/firestore-documents.ts';
import { createLedger } from '../../functions/google/firestore/firestore-ledger.ts';
import { createSearch, createSentSearch } from '../../functions/google/gmail/message-search.ts';
import { createGmail } from '../../functions/google/gmail/upload-session.ts';
import type { Call, Exchange } from '../../functions/google/http/exchange.ts';
import { createTaskQueue } from '../../functions/google/queue/cloud-tasks.ts';
import { createContentStore } from '../../functions/google/queue/content-bucket.ts';
import { createTopic } from '../../functions/google/queue/pubsub-topic.ts';
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
  return { method, url: origin + pathname.replaceAll('%40', '@'), query: Object.fromEntries(searchParams), body: parsed(body) };
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
const secrets = createSecrets(urls.secrets, 'p', token);
const tasks = (exchange: Exchange) =>
  createTaskQueue({ baseUrl: urls.tasks, exchange, token }, QUEUE, {
    pubsub: urls.pubsub,
    topic: TOPIC,
    account: 'tasks@p.iam.gserviceaccount.com',
  });
const bucket = (exchange: Exchange) => createContentStore({ baseUrl: urls.storage, exchange, token }, 'p-mails');
const mime = { bytes: Buffer.from('canary-mime') } as never;

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
    api: 'secretmanager/v1',
    method: 'access',
    scope: CLOUD,
    ours: (exchange) => secrets.latest('mailgrant-notices', exchange),
    theirs: (options) =>
      google.secretmanager.projects.secrets.versions.access({ name: 'projects/p/secrets/mailgrant-notices/versions/latest' }, options),
  },
  {
    name: 'a version is added',
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
    api: 'firestore/v1',
    method: 'get',
    scope: CLOUD,
    ours: (exchange) => createLedger(firestore(exchange), DATABASE).read(ID),
    theirs: (options) => google.firestore.projects.databases.documents.get({ name: `${DATABASE}/documents/mails/${ID}` }, options),
  },
  ...(
    [
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
  {
    name: 'a message is published',
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
    api: 'cloudtasks/v2',
    method: 'get',
    scope: CLOUD,
    ours: (exchange) => tasks(exchange).get('one'),
    theirs: (options) => google.tasks.projects.locations.queues.tasks.get({ name: `${QUEUE}/tasks/one`, responseView: 'FULL' }, options),
  },
  {
    name: 'a task is canceled',
    api: 'cloudtasks/v2',
    method: 'delete',
    scope: CLOUD,
    ours: (exchange) => tasks(exchange).cancel('one'),
    theirs: (options) => google.tasks.projects.locations.queues.tasks.delete({ name: `${QUEUE}/tasks/one` }, options),
  },
  {
    name: 'content is stored',
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
    api: 'storage/v1',
    method: 'get',
    scope: CLOUD,
    ours: (exchange) => bucket(exchange).get('mails/ä 1.json'),
    theirs: (options) => google.storage.objects.get({ bucket: 'p-mails', object: 'mails/ä 1.json', alt: 'media' }, options),
  },
  {
    name: 'content is removed',
    api: 'storage/v1',
    method: 'delete',
    scope: CLOUD,
    ours: (exchange) => bucket(exchange).remove('mails/ä 1.json'),
    theirs: (options) => google.storage.objects.delete({ bucket: 'p-mails', object: 'mails/ä 1.json' }, options),
  },
  {
    name: 'an upload session is opened',
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
    api: 'gmail/v1',
    method: 'list',
    scope: SCOPE_MAIL,
    ours: (exchange) => createSentSearch(urls.gmail, exchange, () => AT)('<a+b@example.com>', access),
    theirs: (options) => google.gmail.users.messages.list({ userId: 'me', maxResults: 20, labelIds: ['SENT'] }, options),
  },
];

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

test('a path or a field that Google does not have is seen', async () => {
  const wrong = await oursOf((exchange) =>
    createTopic({ baseUrl: urls.pubsub, exchange, token }, 'projects/p/topic/mails').publish(message),
  );
  const right = await theirsOf((options) => google.pubsub.projects.topics.publish({ topic: TOPIC, requestBody: {} }, options));
  assert.notDeepEqual(wrong.sent, right);
});
