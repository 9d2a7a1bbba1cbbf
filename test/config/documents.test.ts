import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConfig } from '../../functions/config/schema.ts';

const VALID = { collection: 'mail', from: 'notices@example.com' };
const check = (documents: unknown) => checkConfig({ mailboxes: { 'notices@example.com': { aliases: ['shop@example.com'] } }, documents });

test('every default is filled in, and one address is a list of one', () =>
  assert.deepEqual(check(VALID).config?.documents, { collection: 'mail', database: '(default)', from: ['notices@example.com'] }));

test('everything that can be said', () => {
  const all = {
    collection: 'tenants/{tenant}/mail',
    database: 'shop-data',
    from: ['Notices@Example.com', 'shop@example.com'],
    replyTo: 'help@example.com',
    users: 'users',
    to: ['*@example.net'],
    limits: { perDay: 100, perMinute: null },
    expireDays: 30,
  };
  assert.deepEqual(check(all).config?.documents, { ...all, from: ['notices@example.com', 'shop@example.com'] });
});

const mistakes: readonly (readonly [Record<string, unknown>, RegExp])[] = [
  [{ collection: undefined }, /^documents\.collection: missing/],
  [{ collection: 'mail/x' }, /^documents\.collection: expected the path of a collection/],
  [{ collection: '/mail' }, /^documents\.collection: /],
  [{ collection: 'a/../b' }, /^documents\.collection: /],
  [{ database: 'X' }, /^documents\.database: /],
  [{ from: undefined }, /^documents\.from: missing/],
  [{ from: [] }, /^documents\.from/],
  [{ from: 'nobody' }, /^documents\.from/],
  [{ from: 'ceo@example.com' }, /^documents\.from: ceo@example\.com is no mailbox/],
  [{ replyTo: 'x' }, /^documents\.replyTo: /],
  [{ users: 'users/u1' }, /^documents\.users: /],
  [{ expireDays: 0 }, /^documents\.expireDays: /],
  [{ templates: 'x' }, /^documents\.templates: unknown setting/],
];
for (const [change, problem] of mistakes)
  test(`${JSON.stringify(change)} is named with its place in the file`, () => {
    const { problems } = check({ ...VALID, ...change });
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? '', problem);
  });
