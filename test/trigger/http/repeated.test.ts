import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authorised, MAIL, post, startLaptop } from '../../support/stack/laptop.ts';

test('a repeat is logged as one, and not as a second email that was sent', async () => {
  await using laptop = await startLaptop();
  for (const _ of [1, 2, 3]) await post(`${laptop.api}/emails`, MAIL, { ...authorised, 'idempotency-key': 'k' });
  const lines = laptop.lines.filter(({ event }) => event === 'mail').map(({ outcome, repeated }) => [outcome, repeated]);
  assert.deepEqual(lines, [
    ['sent', undefined],
    ['sent', true],
    ['sent', true],
  ]);
  assert.equal(laptop.google.mails.count(), 1);
});
