/** One message that cannot be looked at does not stop the mark; what concerns the whole mailbox, or may pass, does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findBounces } from '../../../functions/mail/bounces/find-bounces.ts';
import type { BouncePorts } from '../../../functions/mail/bounces/inbox-ports.ts';
import { type FailureCode, MailFailure } from '../../../functions/mail/model/failure.ts';

const REPORT = [
  { name: 'From', value: 'mailer-daemon@example.net' },
  { name: 'Content-Type', value: 'multipart/report; report-type=delivery-status; boundary=b' },
  { name: 'In-Reply-To', value: '<other@example.net>' },
];

/** A mailbox with three new messages; the second of them fails: when it is read, or when its thread is. */
function mailbox(fails: 'read' | 'thread', error: unknown) {
  const marks: string[] = [];
  const ports: BouncePorts = {
    inbox: {
      since: async () => ({ ids: ['1', '2', '3'], historyId: '20', more: false }),
      latest: async () => '20',
      recent: async () => [],
      async read(id) {
        if (id === '2' && fails === 'read') throw error;
        return { id, threadId: id, labels: ['INBOX'], at: 1, bytes: 1, headers: id === '2' ? REPORT : [] };
      },
      raw: async () => null,
      async thread() {
        throw error;
      },
    },
    marks: { read: async () => ({ historyId: '10', at: 0 }), advance: async (_, { historyId }) => void marks.push(historyId) },
    find: async () => null,
    findByThread: async () => [],
    replace: async () => null,
    suppress: null,
    pseudonym: (address) => address,
    hasTime: () => true,
    events: { targets: [], now: () => 1, newId: () => 'id' },
    onBounce: () => {},
  };
  return { ports, marks };
}

const ROWS: readonly (readonly [code: FailureCode, passes: boolean])[] = [
  ['unexpected', true],
  ['mail_refused', true],
  ['too_large', true],
  ['scope_missing', false],
  ['grant_revoked', false],
  ['token_refused', false],
  ['mailbox_refused', false],
  ['identity_refused', false],
  ['google_unavailable', false],
  ['rate_limited', false],
  ['quota_daily', false],
  ['in_flight', false],
  ['ledger_unavailable', false],
];
for (const fails of ['read', 'thread'] as const)
  for (const [code, passes] of ROWS)
    test(`${code} of one message when its ${fails === 'read' ? 'headers are' : 'thread is'} read: the mark ${passes ? 'moves on' : 'stays'}`, async () => {
      const { ports, marks } = mailbox(fails, new MailFailure(code, 'scripted'));
      const finding = findBounces('a@example.com', null, ports);
      if (passes) assert.deepEqual(await finding, { other: 2, unreadable: 1, messages: 3, gap: false, code, detail: 'scripted' });
      else await assert.rejects(finding, { code });
      assert.deepEqual(marks, passes ? ['20'] : []);
    });

test('a fault of our own is one message’s too', async () => {
  const { ports, marks } = mailbox('thread', new TypeError('canary-detail'));
  const found = await findBounces('a@example.com', null, ports);
  assert.deepEqual([found.unreadable, found.code, found.detail, marks], [1, 'unexpected', 'TypeError', ['20']]);
});
