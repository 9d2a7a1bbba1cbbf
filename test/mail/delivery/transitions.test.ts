import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Entry, STATES, type State } from '../../../functions/mail/delivery/ledger.ts';
import { allows, apply, type Event, hasTransition, type RefusalProof, TABLE } from '../../../functions/mail/delivery/transitions.ts';

const entry = (state: State): Entry => ({
  ...{ id: 'i', state, requestHash: 'p', caller: 'c', mailbox: 'm', recipients: [], acceptedAt: 0, attempts: 3 },
  ...{
    leaseUntil: 5,
    claimId: 'h',
    sessionUri: 's',
    mimeHash: 'l',
    mimeBytes: 9,
    gmailId: null,
    code: 'x',
    notBefore: 7,
    deadLetterAt: 1,
    repeatedAt: 1,
  },
  expireAt: 10,
});
/** Their sessions are a matter of their own. */
const WITH_SESSION: readonly string[] = ['open', 'bounce', 'deadLetter', 'clearDeadLetter'];
const EVENTS: { readonly [T in Event['type']]: Extract<Event, { type: T }> } = {
  claim: { type: 'claim', claimId: 'n', leaseUntil: 60 },
  open: { type: 'open', sessionUri: 's2', mimeHash: 'l2', mimeBytes: 4 },
  repeat: { type: 'repeat', at: 3 },
  ask: { type: 'ask' },
  accept: { type: 'accept', gmailId: 'g', threadId: 't' },
  fail: { type: 'fail', code: 'mail_refused', proof: 'refused' },
  retry: { type: 'retry', code: 'rate_limited', notBefore: 9, proof: 'refused' },
  park: { type: 'park', code: 'quota_daily', notBefore: 9, proof: 'not_sent' },
  lose: { type: 'lose', code: 'delivery_unknown' },
  enqueue: { type: 'enqueue', contentHash: 'c', claimId: 'n' },
  republish: { type: 'republish', claimId: 'n' },
  reschedule: { type: 'reschedule', notBefore: 20, expireAt: 30 },
  resubmit: { type: 'resubmit', fresh: { ...entry('queued'), attempts: 0, sessionUri: null, mimeHash: null, code: null }, claimId: 'n' },
  cancel: { type: 'cancel' },
  release: { type: 'release' },
  drop: { type: 'drop' },
  bounce: { type: 'bounce', bounce: { type: 'Permanent', subType: 'General', message: 'g', at: 5, recipients: [] } },
  deadLetter: { type: 'deadLetter', at: 4 },
  clearDeadLetter: { type: 'clearDeadLetter' },
} as unknown as { readonly [T in Event['type']]: Extract<Event, { type: T }> };

test('an event that the table does not have for a state is impossible, and any other hasTransition where the table says', () => {
  for (const event of Object.values(EVENTS))
    for (const state of STATES) {
      const to = TABLE[event.type][state];
      assert.equal(allows({ state }, event.type), to !== undefined);
      if (to === undefined) assert.throws(() => apply(entry(state), event), { code: 'unexpected' });
      else assert.equal(apply(entry(state), event).state, event.type === 'resubmit' ? 'queued' : to);
    }
  for (const state of ['sent', 'canceled'] as const)
    for (const to of STATES) assert.equal(hasTransition(state, to), state === 'sent' && to === 'sent'); // what was sent stays sent, also when it bounces
});

for (const type of ['fail', 'retry', 'park'] as const)
  test(`${type}: once the session is stored, only with proof that nothing was sent`, () => {
    const event = (proof?: RefusalProof | null): Event => ({ ...EVENTS[type], proof }) as Event;
    for (const proof of [undefined, null]) assert.throws(() => apply(entry('sending'), event(proof)), { code: 'unexpected' });
    for (const proof of ['refused', 'not_sent'] as const) assert.notEqual(apply(entry('sending'), event(proof)).state, 'sending');
    assert.notEqual(apply(entry('claimed'), event(null)).state, 'claimed'); // nothing of it can have left
  });

test('no session is kept of an email that is over, and what may be asked keeps it', () => {
  for (const event of Object.values(EVENTS))
    for (const state of STATES) {
      if (!allows({ state }, event.type) || WITH_SESSION.includes(event.type)) continue;
      const after = apply(entry(state), event);
      const over = ['sent', 'failed', 'canceled'].includes(after.state) || ['release', 'resubmit'].includes(event.type);
      assert.equal(after.sessionUri, over ? null : 's', `${event.type} from ${state}`);
    }
});

test('a second chance begins with nothing of the first: no dead letter, no repetition, no bounce as the last event', () => {
  for (const type of ['release', 'resubmit'] as const) {
    const { fresh } = EVENTS.resubmit;
    const { deadLetterAt: _, repeatedAt: __, ...bare } = fresh;
    const after = apply(
      { ...entry('failed'), lastEvent: 'bounced' },
      type === 'resubmit' ? { ...EVENTS.resubmit, fresh: bare } : EVENTS.release,
    );
    assert.deepEqual([after.deadLetterAt, after.repeatedAt, after.lastEvent], [undefined, undefined, undefined]);
  }
});

test('the bounces of a released email stay known, so that an old report is not taken for one of the second chance', () => {
  const { bounces } = apply(apply(entry('unknown'), EVENTS.bounce), EVENTS.release);
  assert.deepEqual(
    bounces?.map(({ message }) => message),
    ['g'],
  );
});
