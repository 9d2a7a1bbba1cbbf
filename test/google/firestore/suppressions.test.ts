import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startGoogle } from '../../../functions/fake-google/google.ts';
import { createIdentity } from '../../../functions/google/auth/service-identity.ts';
import { createSuppressions } from '../../../functions/google/firestore/suppressions.ts';
import { createExchange, type Exchange } from '../../../functions/google/http/exchange.ts';

const DATABASE = 'projects/laptop/databases/(default)';
const suppression = (until: number) => ({ reason: 'bounced', email: 'e', since: 1, until }) as const;

/** Suppressions whose commits `contend` may refuse, as where another writer was quicker. */
async function contended(contend: (commits: number) => boolean) {
  const google = await startGoogle();
  let commits = 0;
  const real = createExchange()(new AbortController().signal);
  const exchange: Exchange = async (call) => {
    if (!call.url.endsWith(':commit')) return real(call);
    if (++commits > 50) throw new Error('endless');
    if (!contend(commits)) return real(call);
    return { status: 409, headers: {}, body: Buffer.from(JSON.stringify({ error: { code: 409, status: 'ALREADY_EXISTS' } })) };
  };
  const token = createIdentity(google.url);
  const suppressions = createSuppressions({ baseUrl: google.url, exchange, token, pause: async () => {}, random: () => 0.5 }, DATABASE);
  return { suppressions, commits: () => commits, [Symbol.asyncDispose]: () => google[Symbol.asyncDispose]() };
}

test('another writer was quicker: it is tried again, and the longer suppression stays', async () => {
  await using own = await contended((commits) => commits <= 2);
  await own.suppressions.add('a', suppression(200));
  await own.suppressions.add('a', suppression(100));
  assert.deepEqual([await own.suppressions.among(['a', 'b'], 150), own.commits()], [new Set(['a']), 3]);
});

test('another writer is always quicker: that ends as an unavailable ledger', async () => {
  await using own = await contended(() => true);
  await assert.rejects(own.suppressions.add('a', suppression(200)), { code: 'ledger_unavailable' });
  assert.equal(own.commits(), 5);
});
