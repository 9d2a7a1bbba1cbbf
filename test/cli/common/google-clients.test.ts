import assert from 'node:assert/strict';
import { globSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { UserRefreshClient } from 'google-auth-library';
import { answered, callOptions } from '../../../functions/cli/common/google-clients.ts';
import type { Operator } from '../../../functions/cli/common/operator.ts';
import { ownLogin } from '../../../functions/cli/common/own-login.ts';
import { CALLS } from '../../../functions/google/inspect/google-asked.ts';
import { googleUrls } from '../../../functions/runtime/google-urls.ts';
import { settingsFor } from '../../support/stack/laptop.ts';

const identity = async () => ({ secret: { reveal: () => 'canary-token' }, expiresAt: Number.MAX_SAFE_INTEGER });

/** A server that answers each request as told, and counts them. */
async function server(answer: (path: string) => { status: number; headers?: Record<string, string> }) {
  const seen: string[] = [];
  const one = createServer((req, res) => {
    seen.push(`${req.method} ${req.url} ${req.headers.authorization}`);
    const { status, headers } = answer(req.url ?? '');
    res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(status === 200 ? '{}' : '{"error":{}}');
  });
  await new Promise<void>((done) => one.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(one.address() as AddressInfo).port}`;
  const operator: Operator = { settings: settingsFor(url, { urls: googleUrls(url) }), identity };
  return { url, seen, operator, [Symbol.asyncDispose]: async () => void one.close().closeAllConnections() };
}

async function publish(operator: Operator, url: string) {
  const { pubsub_v1 } = await import('googleapis/build/src/apis/pubsub/v1.js');
  const { topics } = new pubsub_v1.Pubsub({}).projects;
  return answered(topics.publish({ topic: 'projects/p/topics/t', requestBody: {} }, await callOptions(operator, url, false)));
}

test('a call is made as the operator; what is not a read is made once, whatever it is answered', async () => {
  for (const status of [500, 503, 429, 401, 403]) {
    await using at = await server(() => ({ status }));
    assert.deepEqual(await publish(at.operator, at.url), { status, data: null });
    assert.deepEqual(at.seen, ['POST /v1/projects/p/topics/t:publish Bearer canary-token']);
  }
});

for (const status of [307, 308])
  test(`a ${status} is not followed: it would be the same request once more`, async () => {
    await using at = await server((path) => (path === '/other' ? { status: 200 } : { status, headers: { location: '/other' } }));
    assert.deepEqual(await publish(at.operator, at.url), { status, data: null });
    assert.equal(at.seen.length, 1);
  });

test('no call of a generated client follows a redirect', () => {
  const loading = globSync('functions/**/*.ts').filter((file) => /import\('googleapis\//.test(readFileSync(file, 'utf8')));
  assert.ok(loading.length >= 5, String(loading));
  const following = loading.filter(
    (file) => !/\b(callOptions|reading)\(|redirect: 'manual'|\.\.\.CALLS\b/.test(readFileSync(file, 'utf8')),
  );
  assert.deepEqual([following, CALLS.redirect], [[], 'manual']);
});

test('a read is tried again while Google is away for a moment', async () => {
  let count = 0;
  await using at = await server(() => ({ status: ++count === 1 ? 503 : 200 }));
  const { pubsub_v1 } = await import('googleapis/build/src/apis/pubsub/v1.js');
  const { topics } = new pubsub_v1.Pubsub({}).projects;
  const reply = await answered(topics.get({ topic: 'projects/p/topics/t' }, await callOptions(at.operator, at.url, true)));
  assert.deepEqual([reply?.status, count], [200, 2]);
});

test('where nothing answers there is no status', async () => {
  const at = await server(() => ({ status: 200 }));
  await at[Symbol.asyncDispose]();
  assert.equal(await publish(at.operator, at.url), null);
});

test("a person's own credentials name the project that is charged, unless they name another", async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
  const before = process.env['GOOGLE_APPLICATION_CREDENTIALS'];
  for (const [quota, wanted] of [
    [undefined, 'operators-project'],
    ['their-own', 'their-own'],
  ] as const) {
    const file = join(folder, `${wanted}.json`);
    const login = { type: 'authorized_user', client_id: 'c', client_secret: 'canary-secret', refresh_token: 'canary-refresh' };
    writeFileSync(file, JSON.stringify({ ...login, ...(quota && { quota_project_id: quota }) }));
    process.env['GOOGLE_APPLICATION_CREDENTIALS'] = file;
    const client = await ownLogin('operators-project');
    assert.ok(client instanceof UserRefreshClient);
    client.setCredentials({ access_token: 'canary-token', expiry_date: Date.now() + 3_600_000 });
    const headers = await client.getRequestHeaders();
    assert.equal(headers.get('x-goog-user-project'), wanted);
  }
  if (before === undefined) delete process.env['GOOGLE_APPLICATION_CREDENTIALS'];
  else process.env['GOOGLE_APPLICATION_CREDENTIALS'] = before;
});
