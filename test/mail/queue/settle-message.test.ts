import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry } from '../../../functions/mail/delivery/ledger.ts';
import { type Outcome, outcomeOf } from '../../../functions/mail/delivery/outcome.ts';
import { type FailureCode, MailFailure } from '../../../functions/mail/model/failure.ts';
import { type DeliveryAttempts, nextStep } from '../../../functions/mail/queue/retry-policy.ts';
import { settleMessage } from '../../../functions/mail/queue/settle-message.ts';
import { world } from '../../explore/world.ts';

const NOW = Date.UTC(2026, 10, 24, 8);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const failing = (code: FailureCode, retryAt: number | null = null): Outcome => outcomeOf(new MailFailure(code, '', retryAt), 'i', NOW);
const first: DeliveryAttempts = { delivery: 1, attempts: 1, dueForMs: 0, canPostpone: true, jitter: 0.5 };
const tired = { ...first, attempts: 16, dueForMs: 41 * HOUR };
const bare: DeliveryAttempts = { ...first, canPostpone: false };

const rows: { what: string; outcome: Outcome; at?: DeliveryAttempts; next: ReturnType<typeof nextStep> }[] = [
  { what: 'sent', outcome: { state: 'sent', id: 'i', gmailId: 'g' }, next: { verb: 'ack' } },
  { what: 'sent and not written down', outcome: { state: 'sent', id: 'i', gmailId: 'g', unrecorded: true }, next: { verb: 'nack' } },
  { what: 'canceled', outcome: { state: 'canceled', id: 'i' }, next: { verb: 'ack' } },
  { what: 'queued again', outcome: { state: 'queued', id: 'i', dueAt: NOW + HOUR }, next: { verb: 'ack' } },
  { what: 'a bad recipient', outcome: failing('mail_refused'), next: { verb: 'ack' } },
  { what: 'an invalid mail', outcome: failing('request_invalid'), next: { verb: 'ack' } },
  { what: 'a dead grant', outcome: failing('grant_revoked'), next: { verb: 'dead-letter', reason: 'grant_revoked' } },
  { what: 'lost content', outcome: failing('content_gone'), next: { verb: 'dead-letter', reason: 'content_gone' } },
  { what: 'an outage', outcome: failing('google_unavailable'), next: { verb: 'nack' } },
  { what: 'an outage without tasks', outcome: failing('google_unavailable'), at: { ...bare, attempts: 7 }, next: { verb: 'nack' } },
  {
    what: 'an outage at the fifth attempt',
    outcome: failing('google_unavailable'),
    at: { ...first, attempts: 5 },
    next: { verb: 'postpone', at: NOW + 10 * MINUTE },
  },
  {
    what: 'an outage at the seventh attempt',
    outcome: failing('google_unavailable'),
    at: { ...first, attempts: 7 },
    next: { verb: 'postpone', at: NOW + 40 * MINUTE },
  },
  {
    what: 'an outage at the fifteenth attempt',
    outcome: failing('google_unavailable'),
    at: { ...first, attempts: 15 },
    next: { verb: 'postpone', at: NOW + 6 * HOUR },
  },
  {
    what: 'an outage of two days',
    outcome: failing('google_unavailable'),
    at: tired,
    next: { verb: 'dead-letter', reason: 'deliveries_exhausted' },
  },
  {
    what: 'an outage that a mail meets after waiting for our own limit many times',
    outcome: failing('google_unavailable'),
    at: { ...tired, dueForMs: 2 * HOUR },
    next: { verb: 'postpone', at: NOW + 6 * HOUR },
  },
  {
    what: 'our own limit per minute, for the twentieth time',
    outcome: failing('limit_minute', NOW + MINUTE),
    at: { ...first, attempts: 20, dueForMs: 2 * HOUR },
    next: { verb: 'postpone', at: NOW + 11 * MINUTE },
  },
  {
    what: 'our own limit per minute, for two days',
    outcome: failing('limit_minute', NOW + MINUTE),
    at: { ...tired, attempts: 400 },
    next: { verb: 'dead-letter', reason: 'deliveries_exhausted' },
  },
  {
    what: 'an outage at the last delivery without tasks',
    outcome: failing('google_unavailable'),
    at: { ...bare, delivery: 8 },
    next: { verb: 'dead-letter', reason: 'deliveries_exhausted' },
  },
  {
    what: 'an outage, where the platform does not count',
    outcome: failing('google_unavailable'),
    at: { ...bare, delivery: null },
    next: { verb: 'nack' },
  },
  { what: "Gmail's rate", outcome: failing('rate_limited'), next: { verb: 'nack' } },
  {
    what: 'our own limit per minute',
    outcome: failing('limit_minute', NOW + MINUTE),
    next: { verb: 'postpone', at: NOW + 1.5 * MINUTE },
  },
  {
    what: 'our own limit per minute, for the third time',
    outcome: failing('limit_minute', NOW + MINUTE),
    at: { ...first, attempts: 3 },
    next: { verb: 'postpone', at: NOW + 2.5 * MINUTE },
  },
  { what: 'our own limit per minute without tasks', outcome: failing('limit_minute', NOW + MINUTE), at: bare, next: { verb: 'nack' } },
  { what: 'the daily quota', outcome: failing('quota_daily'), next: { verb: 'postpone', at: NOW + HOUR + MINUTE / 2 } },
  {
    what: 'our own limit per day',
    outcome: failing('limit_day', NOW + 16 * HOUR),
    next: { verb: 'postpone', at: NOW + 16 * HOUR + MINUTE / 2 },
  },
  { what: 'the daily quota without tasks', outcome: failing('quota_daily'), at: bare, next: { verb: 'nack' } },
  {
    what: 'the daily quota at the last delivery without tasks',
    outcome: failing('quota_daily'),
    at: { ...bare, delivery: 8 },
    next: { verb: 'dead-letter', reason: 'deliveries_exhausted' },
  },
  { what: 'an open question', outcome: failing('delivery_unknown'), next: { verb: 'nack' } },
  {
    what: 'an open question at the fifth attempt',
    outcome: failing('delivery_unknown'),
    at: { ...first, attempts: 5 },
    next: { verb: 'postpone', at: NOW + 10 * MINUTE },
  },
  {
    what: 'a question that stays open: it waits for a person, with its content',
    outcome: failing('delivery_unknown'),
    at: tired,
    next: { verb: 'dead-letter', reason: 'delivery_unknown' },
  },
  {
    what: 'a question that nobody can answer: a person may decide to send it again',
    outcome: failing('session_gone'),
    next: { verb: 'dead-letter', reason: 'session_gone' },
  },
];
const event: DeliveryAttempts = { ...bare, source: 'event' };
const document: DeliveryAttempts = { ...bare, delivery: null, source: 'document' };
rows.push(
  {
    what: 'an event that fails for its publisher',
    outcome: failing('request_invalid'),
    at: event,
    next: { verb: 'dead-letter', reason: 'request_invalid' },
  },
  { what: 'an event that an operator dropped', outcome: failing('dropped'), at: event, next: { verb: 'ack' } },
  { what: 'an event during an outage', outcome: failing('google_unavailable'), at: event, next: { verb: 'nack' } },
  {
    what: 'an event whose email nobody can be asked about',
    outcome: failing('session_gone'),
    at: event,
    next: { verb: 'dead-letter', reason: 'session_gone' },
  },
  {
    what: 'an event at its last delivery',
    outcome: failing('google_unavailable'),
    at: { ...event, delivery: 8 },
    next: { verb: 'dead-letter', reason: 'deliveries_exhausted' },
  },
  { what: 'a document that an operator must fix', outcome: failing('grant_revoked'), at: document, next: { verb: 'ack' } },
  { what: 'a document whose email nobody can be asked about', outcome: failing('session_gone'), at: document, next: { verb: 'ack' } },
  { what: 'a document with an open question', outcome: failing('delivery_unknown'), at: document, next: { verb: 'nack' } },
  { what: 'a document over the daily quota', outcome: failing('quota_daily'), at: document, next: { verb: 'nack' } },
  {
    what: 'a document whose outcome is not recorded',
    outcome: { ...failing('grant_revoked'), unrecorded: true },
    at: document,
    next: { verb: 'nack' },
  },
);
for (const { what, outcome, at = first, next } of rows)
  test(`${what}: ${next.verb}${'reason' in next ? ` as ${next.reason}` : ''}`, () => assert.deepEqual(nextStep(outcome, at, NOW), next));

test('an email that somebody else has taken over in the meantime is not given up: it may be on its way', async () => {
  const ports = world({ taskQueue: { schedule: async () => 'created', get: async () => null, cancel: async () => {} } });
  const id = ports.newId();
  const entry: Entry = {
    ...{ id, requestHash: 'p', caller: 'pubsub', mailbox: 'm', recipients: [], acceptedAt: NOW, attempts: 16 },
    state: 'sending',
    ...{ leaseUntil: ports.clock + 1, sessionUri: 'h', mimeHash: 'l', gmailId: null, code: null, notBefore: null, expireAt: NOW + HOUR },
  };
  await ports.ledger.create(entry, null, NOW);
  const outcome = { ...failing('google_unavailable'), id };
  assert.equal(await settleMessage(outcome, { data: '{}', attributes: {} }, 3, ports), false);
  assert.equal(ports.ledger.entries.get(id)?.entry.state, 'sending');
});

for (const { outcome, state } of [
  { outcome: 'google_unavailable', state: 'unknown' },
  { outcome: 'google_unavailable', state: 'sending' },
  { outcome: 'delivery_unknown', state: 'waiting' },
  { outcome: 'quota_daily', state: 'queued' },
] as const)
  test(`what ended as ${outcome} and is ${state} by now is delivered again: its last attempt was somebody else's`, async () => {
    const ports = world({ taskQueue: { schedule: async () => assert.fail('postpone'), get: async () => null, cancel: async () => {} } });
    const id = ports.newId();
    const entry: Entry = {
      ...{ id, requestHash: 'p', caller: 'pubsub', mailbox: 'm', recipients: [], acceptedAt: NOW - 100 * HOUR, attempts: 16 },
      ...{ state, leaseUntil: 0, sessionUri: 'h', mimeHash: 'l', gmailId: null, code: null, notBefore: null, expireAt: NOW + HOUR },
    };
    await ports.ledger.create(entry, null, NOW);
    assert.equal(await settleMessage({ ...failing(outcome), id }, { data: '{}', attributes: {} }, 8, ports), false);
    assert.equal(ports.ledger.entries.get(id)?.entry.state, state);
  });

const kept = { data: '', attributes: { mailgrantId: 'b4aefb8e-2f0c-4a40-9f2e-8e3f7d0c1a22', mailgrantStored: 'true' } };
for (const { outcome, removed } of [
  { outcome: { state: 'sent', id: 'i', gmailId: 'g' }, removed: true },
  { outcome: { state: 'canceled', id: 'i' }, removed: true },
  { outcome: { state: 'queued', id: 'i', dueAt: NOW + HOUR }, removed: false },
  { outcome: failing('mail_refused'), removed: false },
  { outcome: failing('grant_revoked'), removed: false },
  { outcome: failing('delivery_unknown'), removed: false },
] as const)
  test(`${outcome.state}: what the bucket holds of the email is ${removed ? 'removed, and a bucket that is down changes nothing' : 'kept'}`, async () => {
    const asked: string[] = [];
    const remove = (name: string): Promise<void> => Promise.reject(new MailFailure('queue_unavailable', String(asked.push(name))));
    const ports = { ...world(), contentStore: { put: async () => {}, get: async () => null, remove } };
    const acknowledged = await settleMessage(outcome, kept, 1, ports);
    assert.deepEqual([acknowledged, asked], [outcome.state !== 'unknown', removed ? [`mails/${kept.attributes.mailgrantId}.json`] : []]);
  });
