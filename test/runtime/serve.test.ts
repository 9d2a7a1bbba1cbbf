/** Odd requests to the functions under the real framework: what they answer, and that nothing of what was said is printed. */
import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { freePort, type RunningFunction, startFunction } from '../../functions/dev/function-process.ts';
import { type Google, startGoogle } from '../../functions/fake-google/google.ts';
import { CONFIG, KEY, MAIL, MAILBOX, PROJECT, SECRET } from '../support/stack/laptop.ts';

type Target = 'api' | 'worker' | 'hooks';
const TARGETS: readonly Target[] = ['api', 'worker', 'hooks'];
const output: string[] = [];
const running = new Map<Target, RunningFunction>();
let google: Google;

before(async () => {
  google = await startGoogle();
  google.storeSecret(PROJECT, SECRET, JSON.stringify(google.oauth.enrol(MAILBOX)));
  const config = join(mkdtempSync(join(tmpdir(), 'mailgrant-')), 'config.json');
  writeFileSync(config, JSON.stringify(CONFIG));
  const env = { GOOGLE_CLOUD_PROJECT: PROJECT, MAILGRANT_GOOGLE_URL: google.url, MAILGRANT_CONFIG: config, NODE_ENV: 'production' };
  for (const target of TARGETS) {
    const options = { target, source: `functions/${target}.ts`, port: await freePort(0), env, onLine: (line: string) => output.push(line) };
    running.set(target, await startFunction(options));
  }
});
after(async () => {
  for (const one of running.values()) await one[Symbol.asyncDispose]();
  await google[Symbol.asyncDispose]();
});

interface Asked {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** As a client sends it that cleans nothing up. */
const ask = (target: Target, { method = 'POST', path, headers = {}, body = '' }: Asked) =>
  new Promise<{ status: number; type: string; text: string }>((done, fail) => {
    const url = running.get(target)?.url ?? '';
    const call = request(url, { method, path, headers: { authorization: `Bearer ${KEY}`, ...headers } }, async (response) => {
      const text = Buffer.concat(await response.toArray()).toString('utf8');
      done({ status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', text });
    });
    call.once('error', fail).end(body);
  });

const JSON_TYPE = { 'content-type': 'application/json' };
const push = (message: object): string => JSON.stringify({ subscription: 'mails', message });

const odd: readonly (Asked & { readonly name: string; readonly to: Target; readonly status: number })[] = [
  { name: 'a mail asked for by no id', to: 'api', method: 'GET', path: '/emails/canary-ann@example.com%', status: 404 },
  { name: 'a path that is no UTF-8', to: 'api', method: 'GET', path: '/canary-path%ff?canary-token', status: 404 },
  { name: 'a path that is no UTF-8', to: 'worker', path: '/documents/canary-path%E0%A4', body: '{}', status: 400 },
  { name: 'a route in no UTF-8', to: 'worker', path: '/routes/canary-path%zz', body: '{}', status: 404 },
  { name: 'a hook in no UTF-8', to: 'hooks', path: '/hooks/canary-path%c0', body: '{}', status: 404 },
  { name: 'JSON that breaks off', to: 'api', path: '/emails', headers: JSON_TYPE, body: '{"subject":"canary-subject', status: 422 },
  {
    name: 'another content type',
    to: 'api',
    path: '/emails',
    headers: { 'content-type': 'text/canary-type' },
    body: 'canary-body',
    status: 422,
  },
  {
    name: 'a charset',
    to: 'api',
    path: '/emails',
    headers: { 'content-type': 'application/json; charset=canary-set' },
    body: '{}',
    status: 422,
  },
  {
    name: 'a field of its own',
    to: 'api',
    path: '/emails',
    body: JSON.stringify({ ...MAIL, headers: { 'canary-name \n': 1 } }),
    status: 422,
  },
  {
    name: 'a letter of two minds',
    to: 'api',
    path: '/v1/raw',
    headers: { 'content-type': 'message/rfc822' },
    body: 'canary-body: \n',
    status: 422,
  },
  { name: 'a query', to: 'api', path: '/emails?[canary-query]=%ff&__proto__[a]=canary-b', body: '{}', status: 422 },
  { name: 'a push that is none', to: 'worker', path: '/', headers: JSON_TYPE, body: '"canary-body', status: 400 },
  {
    name: 'a digest that is none',
    to: 'worker',
    path: '/',
    headers: JSON_TYPE,
    body: push({ messageId: '1', attributes: { mailgrantDigest: 'canary-ann@example.com' }, data: 'Y2FuYXJ5' }),
    status: 400,
  },
  {
    name: 'a message that is no mail',
    to: 'worker',
    path: '/',
    headers: JSON_TYPE,
    body: push({ messageId: '2', data: 'ImNhbmFyeS1ib2R5Ig==' }),
    status: 204,
  },
  {
    name: 'a webhook without a content type, and of nobody',
    to: 'hooks',
    path: '/hooks/shop',
    headers: { 'x-hub-signature-256': 'sha256=canary-mac' },
    body: '{"a":"canary-body"}',
    status: 401,
  },
];
for (const { name, to, status, ...asked } of odd)
  test(`${name} is ${status} of ${to}, in the form of its contract`, async () => {
    const reply = await ask(to, asked);
    assert.deepEqual([reply.status, reply.text === '' || /^application\/json/.test(reply.type)], [status, true], reply.text);
  });

const QUOTE = 'canary-body <canary-ann@example.com>';
const quoting = { error: { code: 403, status: QUOTE, message: QUOTE, errors: [{ reason: QUOTE }], details: [{ reason: QUOTE }] } };
for (const on of ['identity', 'ledger', 'secret', 'token', 'open', 'transfer'] as const)
  for (const status of [403, 500])
    test(`a ${status} at ${on} that quotes the email is a failure of the table`, async () => {
      google.faults.script({ on, status, body: on === 'token' ? { error: QUOTE, error_description: QUOTE } : quoting });
      const reply = await ask('api', {
        path: '/emails',
        headers: JSON_TYPE,
        body: JSON.stringify({ ...MAIL, subject: `canary-${on}${status}` }),
      });
      google.faults.clear();
      assert.doesNotMatch(reply.text, /canary/);
      const { code } = JSON.parse(reply.text) as { code?: string };
      assert.ok(reply.status === 200 || code !== undefined, reply.text); // what passes is tried again, and then it may be sent
    });

test('of all that there is no word in the output, no address, no token and no address of an upload session', async () => {
  assert.equal((await ask('api', { path: '/emails', headers: JSON_TYPE, body: JSON.stringify(MAIL) })).status, 200);
  for (const one of running.values()) await one[Symbol.asyncDispose](); // all that it had to say is said
  assert.ok(output.length > 20);
  assert.deepEqual(
    output.filter((line) => !line.startsWith('{"severity"') || /canary|@example|upload_id|Bearer|ya29|%|GOCSPX|1\/\/0/.test(line)),
    [],
  );
});
