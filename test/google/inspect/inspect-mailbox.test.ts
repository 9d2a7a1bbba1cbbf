/** What the watch does with answers that Google's own clients would act upon. The rest of it: test/trigger and test/cli/doctor. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { inspectMailbox } from '../../../functions/google/inspect/inspect-mailbox.ts';
import { SCOPE_MAIL } from '../../../functions/mail/model/scopes.ts';
import { googleUrls } from '../../../functions/runtime/google-urls.ts';
import { CONFIG } from '../../support/stack/laptop.ts';

const token = async () => ({ secret: { reveal: () => 'canary-token' }, expiresAt: Number.MAX_SAFE_INTEGER });

/** Asks a server whose answer to `path` is a redirect to itself. */
async function inspected(path: RegExp, status: number) {
  const seen: string[] = [];
  const server = createServer((req, res) => {
    const asked = (req.url ?? '').split('?', 1)[0] ?? '';
    seen.push(asked);
    const body = asked.endsWith('/sendAs')
      ? '{"sendAs":[]}'
      : JSON.stringify({ scope: SCOPE_MAIL, email: 'notices@example.com', expires_in: 9 });
    if (path.test(asked)) res.writeHead(status, { location: '/elsewhere' }).end();
    else res.writeHead(200, { 'content-type': 'application/json' }).end(body);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const [mailbox] = CONFIG.mailboxes;
  assert.ok(mailbox);
  const { findings } = await inspectMailbox(
    { ...mailbox, via: 'smtp', aliases: ['a@example.com'] },
    { send: token, bounces: token },
    googleUrls(url),
    null,
  );
  server.close().closeAllConnections();
  return { seen, states: Object.fromEntries(findings.map(({ check, ok }) => [check, ok])) };
}

for (const status of [301, 307, 308]) {
  test(`a ${status} of tokeninfo is not followed: the token is shown to nobody else`, async () => {
    const { seen, states } = await inspected(/tokeninfo/, status);
    assert.equal(states['scope'], null);
    assert.ok(seen.length > 0 && !seen.includes('/elsewhere'), String(seen));
  });
  test(`a ${status} of sendAs is not followed`, async () => {
    const { seen, states } = await inspected(/sendAs$/, status);
    assert.deepEqual([states['scope'], states['aliases']], [true, null]);
    assert.ok(!seen.includes('/elsewhere'), String(seen));
  });
}
