import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry } from '../../functions/mail/delivery/ledger.ts';
import { drawFaults } from './faults.ts';
import { drawPlan } from './plan.ts';
import { type Answer, isGood, judge, type Verdict } from './verdict.ts';

const ASKED = [{ recipient: 'n0@chaos.example', key: 'k', by: 'topic', inMs: null }] as const;
const record = (change: Partial<Entry> = {}): Entry => ({
  id: 'id',
  state: 'sent',
  requestHash: 'p',
  caller: 'pubsub',
  mailbox: 'm',
  recipients: ['n0@chaos.example'],
  acceptedAt: 0,
  attempts: 1,
  leaseUntil: 0,
  sessionUri: null,
  mimeHash: null,
  gmailId: 'g1',
  code: null,
  notBefore: null,
  expireAt: 0,
  ...change,
});
const mail = (id: string, to = 'n0@chaos.example') => ({ id, recipients: [to] });

const answer = (change: Partial<Answer> = {}): Answer => ({ recipient: 'n0@chaos.example', status: 200, id: 'id', ...change });
const refused = record({ state: 'failed', code: 'queue_unavailable' });
const rows: {
  name: string;
  entries: Entry[];
  mailbox: ReturnType<typeof mail>[];
  answers?: Answer[];
  found: Partial<Record<keyof Verdict, number>>;
}[] = [
  { name: 'answered as it is recorded', entries: [record()], mailbox: [mail('g1')], answers: [answer()], found: { sent: 1 } },
  {
    name: 'answered under another id',
    entries: [record()],
    mailbox: [mail('g1')],
    answers: [answer(), answer({ id: 'other' })],
    found: { sent: 1, untrue: 1 },
  },
  { name: 'answered as accepted, and never was', entries: [refused], mailbox: [], answers: [answer()], found: { failed: 1, untrue: 1 } },
  { name: 'answered as not accepted', entries: [refused], mailbox: [], answers: [answer({ status: 500, id: null })], found: { failed: 1 } },
  { name: 'sent and there once', entries: [record()], mailbox: [mail('g1')], found: { sent: 1 } },
  { name: 'sent and there twice', entries: [record()], mailbox: [mail('g1'), mail('g2')], found: { sent: 1, duplicates: 1 } },
  { name: 'sent and not there', entries: [record()], mailbox: [], found: { sent: 1, lost: 1 } },
  { name: 'sent as another mail', entries: [record()], mailbox: [mail('g2')], found: { sent: 1, untrue: 1 } },
  { name: 'no record of it', entries: [], mailbox: [], found: { lost: 1 } },
  { name: 'two records of it', entries: [record(), record({ id: 'other' })], mailbox: [mail('g1')], found: { untrue: 1 } },
  { name: 'failed and not there', entries: [record({ state: 'failed' })], mailbox: [], found: { failed: 1 } },
  { name: 'failed and there', entries: [record({ state: 'failed' })], mailbox: [mail('g1')], found: { failed: 1, untrue: 1 } },
  { name: 'parked and there', entries: [record({ state: 'parked' })], mailbox: [mail('g1')], found: { parked: 1, untrue: 1 } },
  { name: 'unknown and not there', entries: [record({ state: 'unknown', code: 'session_gone' })], mailbox: [], found: { unknown: 1 } },
  { name: 'unknown and there', entries: [record({ state: 'unknown', code: 'session_gone' })], mailbox: [mail('g')], found: { unknown: 1 } },
  {
    name: 'unknown and there twice',
    entries: [record({ state: 'unknown', code: 'session_gone' })],
    mailbox: [mail('g'), mail('h')],
    found: { unknown: 1, duplicates: 1 },
  },
  {
    name: 'unknown and still to be asked',
    entries: [record({ state: 'unknown', code: 'delivery_unknown' })],
    mailbox: [],
    found: { open: 1 },
  },
  { name: 'somebody works on it', entries: [record({ state: 'sending' })], mailbox: [mail('g1')], found: { open: 1 } },
  {
    name: 'a mail that nobody asked for',
    entries: [record()],
    mailbox: [mail('g1'), mail('g2', 'x@chaos.example')],
    found: { sent: 1, stray: 1 },
  },
];
const GOOD = ['sent', 'failed', 'parked', 'unknown'];
for (const { name, entries, mailbox, answers, found } of rows)
  test(`a mail that is ${name}`, () => {
    const verdict = judge(ASKED, entries, mailbox, answers);
    const size = (value: number | readonly string[]): number => (typeof value === 'number' ? value : value.length);
    const { attempts: _, ...counts } = Object.fromEntries(Object.entries(verdict).map(([key, value]) => [key, size(value)]));
    assert.deepEqual(Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)), found);
    assert.equal(
      isGood(verdict),
      Object.keys(found).every((one) => GOOD.includes(one)),
    );
  });

test('a seed draws the same mails, kills and faults each time, and another seed others', () => {
  const draw = (seed: number) => {
    const faults = drawFaults(seed);
    const doors = ['open', 'transfer', 'ask', 'token', 'secret'] as const;
    const calls = Array.from({ length: 400 }, (_, n) => faults.take(doors[n % doors.length] ?? 'open') ?? null);
    return {
      plan: drawPlan({ seed, mails: 300, kills: 20 }),
      calls,
      wire: Array.from({ length: 200 }, () => faults.onWire('ledger') ?? null),
    };
  };
  assert.deepEqual(draw(7), draw(7));
  assert.notDeepEqual(draw(7).plan, draw(8).plan);
  assert.notDeepEqual(draw(7).calls, draw(8).calls);
});

test('every mail of a plan is asked for, some more than once, by each way in', () => {
  const { asked, requests, kills } = drawPlan({ seed: 1, mails: 500, kills: 30 });
  assert.deepEqual(new Set(requests), new Set(asked));
  assert.ok(requests.length > 600);
  assert.deepEqual(new Set(asked.map(({ by }) => by)), new Set(['topic', 'direct', 'queued']));
  assert.ok(asked.some(({ inMs }) => inMs !== null) && asked.some(({ inMs }) => inMs === null));
  assert.deepEqual(new Set(kills.map(({ whom }) => whom)), new Set(['worker', 'direct', 'queued']));
});
