/** Where events may go: the rules of attachments, and loopback on the local stack alone. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { isPublic, type Reach } from '../../../functions/google/http/fetch-file.ts';
import { postWebhook } from '../../../functions/google/http/post-webhook.ts';

const never = new AbortController().signal;
const body = Buffer.from('{}');
const resolving = (...found: string[]): Reach =>
  ({
    isAllowed: isPublic,
    lookup: (_name: string, _options: object, done: (error: null, all: object[]) => void) =>
      done(
        null,
        found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      ),
  }) as unknown as Reach;

const REFUSED: readonly (readonly [url: string, found: readonly string[]])[] = [
  ['https://app.example.com/e', ['127.0.0.1']],
  ['https://app.example.com/e', ['169.254.169.254']],
  ['https://app.example.com/e', ['8.8.8.8', '10.0.0.1']], // one of them is enough
  ['https://app.example.com/e', ['::1']],
  ['https://app.example.com/e', []],
  ['https://127.0.0.1/e', ['8.8.8.8']],
  ['https://[::1]/e', ['8.8.8.8']],
  ['https://[::ffff:169.254.169.254]/e', ['8.8.8.8']],
  ['http://app.example.com/e', ['8.8.8.8']],
  ['http://169.254.169.254/computeMetadata/v1/', ['8.8.8.8']],
];
for (const local of [false, true])
  for (const [url, found] of REFUSED)
    test(`${url} at ${found.join(', ') || 'no address'} gets no event${local ? ', on the local stack neither' : ''}`, async () =>
      assert.equal(typeof (await postWebhook(url, {}, body, never, { reach: resolving(...found), local })), 'string'));

test('loopback gets an event on the local stack alone, and a redirect is an answer, not a way', async () => {
  const seen: string[] = [];
  const server = createServer((req, res) => {
    seen.push(req.url ?? '');
    req.resume();
    res.writeHead(302, { location: '/elsewhere' }).end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/e`;
  assert.equal(typeof (await postWebhook(url, {}, body, never)), 'string');
  assert.equal(await postWebhook(url, {}, body, never, { local: true }), 302);
  server.close().closeAllConnections();
  assert.deepEqual(seen, ['/e']);
});
