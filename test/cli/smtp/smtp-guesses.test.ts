import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGuesses, networkOf, WRONG_IN_ALL, WRONG_PER_ADDRESS } from '../../../functions/cli/smtp/smtp-guesses.ts';

const networks = [
  ['127.0.0.1', '127.0.0.1'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8:1:2::9', '2001:db8:1:2'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
] as const;
for (const [address, network] of networks)
  test(`guesses of ${address} count for ${network}`, () => assert.equal(networkOf(address), network));

test('an address has so many guesses a minute, all together have more, and what was right is given back', () => {
  let now = 0;
  const guesses = createGuesses(() => now);
  const granted = (address: string, times: number): number =>
    Array.from({ length: times }, () => guesses.take(address)).filter(Boolean).length;
  assert.equal(granted('192.0.2.1', 50), WRONG_PER_ADDRESS);
  assert.equal(granted('2001:db8::1', 15) + granted('2001:db8::2', 15), WRONG_PER_ADDRESS);
  guesses.refund('192.0.2.1');
  assert.equal(granted('192.0.2.1', 5), 1);
  const others = Array.from({ length: 200 }, (_, n) => granted(`198.51.100.${n}`, 1)).reduce((sum, one) => sum + one);
  assert.equal(others, WRONG_IN_ALL - 2 * WRONG_PER_ADDRESS);
  now += 60_000;
  assert.equal(granted('192.0.2.1', 50), WRONG_PER_ADDRESS);
});
