import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startGoogle } from '../../../functions/fake-google/google.ts';
import { createIdentity } from '../../../functions/google/auth/service-identity.ts';
import { createHistoryMarks } from '../../../functions/google/bounces/history-marks.ts';
import { firestoreClient } from '../../../functions/google/firestore/firestore-client.ts';
import { createExchange } from '../../../functions/google/http/exchange.ts';

test('the mark of a mailbox moves on, never back, and no two readers overwrite each other', async () => {
  await using google = await startGoogle();
  const exchange = createExchange()(new AbortController().signal);
  const token = createIdentity(google.url);
  const firestore = firestoreClient({ baseUrl: google.url, exchange, token, pause: async () => {}, random: () => 0.5 });
  const marks = createHistoryMarks(firestore, 'projects/laptop/databases/(default)', (address) => `hash-of-${address.length}`);
  assert.equal(await marks.read('a@example.com'), null);
  const steps: readonly (readonly [to: string, stands: string])[] = [
    ['1000', '1000'],
    ['999', '1000'], // as a number, not as a text
    ['18446744073709551615', '18446744073709551615'], // beyond what a number of JavaScript's holds
    ['18446744073709551614', '18446744073709551615'],
  ];
  for (const [historyId, stands] of steps) {
    await marks.advance('a@example.com', { historyId, at: 1 });
    assert.equal((await marks.read('a@example.com'))?.historyId, stands);
  }
  await Promise.all(['5', '7', '6', '3'].map((historyId) => marks.advance('other@example.com', { historyId, at: 1 })));
  assert.equal((await marks.read('other@example.com'))?.historyId, '7');
});
