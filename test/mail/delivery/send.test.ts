import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import type { Entry, Ledger } from '../../../functions/mail/delivery/ledger.ts';
import type { Ports, Transport, UploadStatus } from '../../../functions/mail/delivery/ports.ts';
import { recordRefusal } from '../../../functions/mail/delivery/send.ts';

import type { Submission } from '../../../functions/mail/delivery/submission.ts';
import { MailFailure } from '../../../functions/mail/model/failure.ts';
import { send } from '../../../functions/mail/queue/process-message.ts';
import { world } from '../../explore/world.ts';
import { ALIAS, CONFIG, MAIL, MAILBOX } from '../../support/stack/laptop.ts';

const CALLER = { id: 'shop', from: [MAILBOX, ALIAS], to: null };
const order = (change: Partial<Submission> = {}): Submission => ({ body: MAIL, caller: CALLER, key: 'k1', retryFailed: true, ...change });
/** The journey, over a world that is its own way to Gmail. */
const run = (what: Submission, ports: Ports & Transport) => send(what, CONFIG, ports);
const fail =
  (code: ConstructorParameters<typeof MailFailure>[0], retryAt: number | null = null) =>
  async (): Promise<never> => {
    throw new MailFailure(code, 'scripted', retryAt);
  };
const only = (ports: ReturnType<typeof world>): Entry => {
  const entries = [...ports.ledger.entries.values()].map(({ entry }) => entry);
  assert.equal(entries.length, 1);
  return entries[0] as Entry;
};

test('an email is claimed, sent and settled, and the ledger holds none of its content', async () => {
  const ports = world();
  const outcome = await run(order(), ports);
  assert.deepEqual(outcome, { state: 'sent', id: only(ports).id, gmailId: 'gmail-1' });
  const { state, attempts, leaseUntil, gmailId, sessionUri } = only(ports);
  assert.deepEqual(
    { state, attempts, leaseUntil, gmailId, sessionUri },
    { state: 'sent', attempts: 1, leaseUntil: 0, gmailId: 'gmail-1', sessionUri: null },
  );
  assert.doesNotMatch(JSON.stringify(only(ports)), /canary|example\.(com|net)|k1/);
});

test('recipients that Gmail refused while it took the email are in the outcome and in the ledger, and stay there', async () => {
  const ports = world({ upload: async () => ({ state: 'accepted', gmailId: 'g', rejected: 2 }) });
  const outcomes = [await run(order(), ports), await run(order(), ports)];
  const sent = { state: 'sent', id: only(ports).id, gmailId: 'g', rejected: 2 };
  assert.deepEqual(outcomes, [sent, { ...sent, repeated: true }]);
  assert.equal(only(ports).rejected, 2);
});

test('the sessionUri is in the ledger before the first byte of the letter leaves', async () => {
  const ports = world();
  const seen: unknown[] = [];
  const transfer = ports.upload;
  ports.upload = (sessionUri, ...rest) => {
    seen.push([only(ports).state, only(ports).sessionUri === sessionUri]);
    return transfer(sessionUri, ...rest);
  };
  await run(order(), ports);
  assert.deepEqual(seen, [['sending', true]]);
});

test('nothing is sent when the sessionUri cannot be kept', async () => {
  const ports = world();
  const { replace } = ports.ledger;
  const ledger: Ledger = {
    ...ports.ledger,
    replace: async (found, entry) => (entry.state === 'sending' ? fail('ledger_unavailable')() : replace(found, entry)),
  };
  const outcome = await run(order(), { ...ports, ledger });
  assert.deepEqual([outcome.state, ports.sent], ['retry', []]);
});

test('the same key is answered from the ledger, not sent again', async () => {
  const ports = world();
  const first = await run(order(), ports);
  assert.deepEqual(await run(order(), ports), { ...first, repeated: true });
  assert.equal(ports.sent.length, 1);
});

test('without a key each order is an email of its own', async () => {
  const ports = world();
  await run(order({ key: null }), ports);
  await run(order({ key: null }), ports);
  assert.equal(ports.sent.length, 2);
});

test('a key belongs to its caller, and to its payload, for 24 hours', async () => {
  const ports = world();
  await run(order(), ports);
  await run(order({ caller: { ...CALLER, id: 'other' } }), ports);
  assert.equal(ports.sent.length, 2);
  ports.clock += 24 * 60 * 60_000 - 60_000;
  await assert.rejects(run(order({ body: { ...MAIL, text: 'other' } }), ports), { code: 'idempotency_mismatch' });
  ports.clock += 60_001;
  await run(order({ body: { ...MAIL, text: 'other' } }), ports);
  assert.equal(ports.sent.length, 3);
});

const refused = [
  { change: { body: { ...MAIL, to: 'nobody' } }, code: 'request_invalid' },
  { change: { body: { ...MAIL, from: 'ceo@example.com' } }, code: 'sender_not_allowed' },
  { change: { body: { ...MAIL, from: 'ceo@example.com' }, caller: { ...CALLER, from: null } }, code: 'sender_not_allowed' },
  { change: { caller: { ...CALLER, from: [ALIAS] } }, code: 'sender_not_allowed' },
  { change: { caller: { ...CALLER, to: ['*@example.com'] } }, code: 'recipient_not_allowed' },
  { change: { caller: { ...CALLER, to: ['*@example.net'] }, body: { ...MAIL, bcc: 'x@evil.example.net' } }, code: 'recipient_not_allowed' },
] as const;
for (const { change, code } of refused)
  test(`${code} leaves no trace in the ledger: ${JSON.stringify(change).slice(0, 60)}`, async () => {
    const ports = world();
    await assert.rejects(run(order(change), ports), { code });
    assert.deepEqual([ports.ledger.entries.size, ports.sent.length], [0, 0]);
  });

test('an allowed recipient passes whatever the case', async () => {
  const outcome = await run(
    order({
      caller: { ...CALLER, to: ['*@example.net', 'one@example.org'] },
      body: { ...MAIL, to: ['You@EXAMPLE.net', 'One@example.org'] },
    }),
    world(),
  );
  assert.equal(outcome.state, 'sent');
});

const endings = [
  { at: 'token', code: 'grant_revoked', state: 'failed', entry: 'failed' },
  { at: 'token', code: 'google_unavailable', state: 'retry', entry: 'waiting' },
  { at: 'openSession', code: 'rate_limited', state: 'retry', entry: 'waiting' },
  { at: 'openSession', code: 'quota_daily', state: 'parked', entry: 'parked' },
  { at: 'openSession', code: 'scope_missing', state: 'failed', entry: 'failed' },
  { at: 'upload', code: 'mail_refused', state: 'failed', entry: 'failed' },
  { at: 'upload', code: 'rate_limited', state: 'retry', entry: 'waiting' },
  { at: 'upload', code: 'google_unavailable', state: 'retry', entry: 'waiting' },
] as const;
for (const { at, code, state, entry } of endings)
  test(`${code} at ${at} ends as ${state}`, async () => {
    const ports = world({ [at]: fail(code) });
    const outcome = await run(order(), ports);
    assert.deepEqual(
      [outcome.state, only(ports).state, only(ports).code, only(ports).leaseUntil, ports.sent.length],
      [state, entry, code, 0, 0],
    );
  });

test('a letter that turns out too large fails after the claim, and is recorded; attachments that cannot fit are refused before', async () => {
  const ports = world();
  const outcome = await run(order({ body: { ...MAIL, text: 'ä'.repeat(14_000_000) } }), ports);
  assert.deepEqual([outcome.state, only(ports).state, only(ports).code], ['failed', 'failed', 'too_large']);
  const file = { filename: 'a', content: Buffer.alloc(27_000_000).toString('base64') };
  await assert.rejects(run(order({ key: 'k2', body: { ...MAIL, attachments: [file] } }), ports), {
    code: 'too_large',
    message: /36700160/,
  });
  assert.equal(only(ports).code, 'too_large');
});

const lost: { name: string; answers: (UploadStatus | 'lost')[]; state: string; transfers: number; askable?: boolean }[] = [
  { name: 'Gmail says it has the mail', answers: [{ state: 'accepted', gmailId: 'g' }], state: 'sent', transfers: 1 },
  { name: 'Gmail says it has nothing', answers: [{ state: 'partial', received: 0 }], state: 'sent', transfers: 2 },
  { name: 'Gmail answers only the second question', answers: ['lost', { state: 'accepted', gmailId: 'g' }], state: 'sent', transfers: 1 },
  { name: 'the session is gone', answers: [{ state: 'gone' }], state: 'unknown', transfers: 1, askable: false },
  { name: 'Gmail never answers', answers: ['lost', 'lost', 'lost', 'lost'], state: 'unknown', transfers: 1, askable: true },
];
for (const { name, answers, state, transfers, askable } of lost)
  test(`the reply to the letter is lost, and ${name}: ${state}`, async () => {
    let transferred = 0;
    const pending = [...answers];
    const ports = world({
      upload: async () => {
        if (++transferred === 1) throw new MailFailure('delivery_unknown', 'scripted');
        return { state: 'accepted', gmailId: 'g' };
      },
      querySession: async () => {
        const answer = pending.shift() ?? 'lost';
        if (answer === 'lost') throw new MailFailure('delivery_unknown', 'scripted');
        return answer;
      },
    });
    const outcome = await run(order(), ports);
    assert.deepEqual([outcome.state, transferred, 'askable' in outcome ? outcome.askable : undefined], [state, transfers, askable]);
  });

test('a transfer is resumed from the byte that Gmail names', async () => {
  const from: number[] = [];
  const ports = world({
    upload: async (_handle, _letter, start) => {
      from.push(start);
      if (from.length === 1) throw new MailFailure('delivery_unknown', 'scripted');
      return { state: 'accepted', gmailId: 'g' };
    },
    querySession: async () => ({ state: 'partial', received: 100 }),
  });
  assert.equal((await run(order(), ports)).state, 'sent');
  assert.deepEqual(from, [0, 100]);
});

/** A world whose process died in the middle of the transfer: the entry stays as it was, with its lease. */
async function died(gmail: UploadStatus) {
  const ports = world();
  const crash = new Promise<never>(() => {});
  let reached: () => void = () => {};
  const transferring = new Promise<void>((done) => {
    reached = done;
  });
  const transfer = (): Promise<never> => {
    reached();
    return crash;
  };
  void run(order(), { ...ports, upload: transfer });
  await transferring;
  ports.querySession = async () => gmail;
  return ports;
}

test('while the lease of a dead process holds, nobody else works on the mail', async () => {
  const ports = await died({ state: 'accepted', gmailId: 'g' });
  await assert.rejects(run(order(), ports), { code: 'in_flight' });
});

const afterDeath: { gmail: UploadStatus; state: string; sent: number }[] = [
  { gmail: { state: 'accepted', gmailId: 'g' }, state: 'sent', sent: 0 },
  { gmail: { state: 'partial', received: 0 }, state: 'sent', sent: 1 },
  { gmail: { state: 'gone' }, state: 'unknown', sent: 0 },
];
for (const { gmail, state, sent } of afterDeath)
  test(`after the lease a redelivery asks Gmail first; ${gmail.state}: ${state}, ${sent} transfers`, async () => {
    const ports = await died(gmail);
    ports.clock += ports.leaseMs + 1;
    const outcome = await run(order(), ports);
    assert.deepEqual([outcome.state, ports.sent.length, only(ports).attempts], [state, sent, 2]);
  });

test('a redelivery that cannot even mint leaves the email unknown, never failed', async () => {
  const ports = await died({ state: 'accepted', gmailId: 'g' });
  ports.clock += ports.leaseMs + 1;
  const outcome = await run(order(), { ...ports, token: fail('grant_revoked') });
  assert.deepEqual([outcome.state, only(ports).state], ['unknown', 'unknown']);
  assert.equal((await run(order(), ports)).state, 'sent'); // and it is asked again next time
  assert.equal(ports.sent.length, 0);
});

test('a letter that composes to other bytes than the ones begun is not resumed', async () => {
  const ports = await died({ state: 'partial', received: 100 });
  ports.clock += ports.leaseMs + 1;
  const [found] = ports.ledger.entries.values();
  if (found) ports.ledger.entries.set(found.entry.id, { ...found, entry: { ...found.entry, mimeHash: 'another' } });
  const outcome = await run(order(), ports);
  assert.deepEqual([outcome.state, ports.sent.length], ['unknown', 0]);
});

test('a holder that lost its lease writes nothing', async () => {
  const ports = world();
  ports.openSession = async () => {
    const [found] = ports.ledger.entries.values();
    if (found) ports.ledger.entries.set(found.entry.id, { ...found, version: 'taken over' });
    return 'session';
  };
  await assert.rejects(run(order(), ports), { code: 'in_flight' });
  assert.deepEqual([only(ports).state, ports.sent.length], ['claimed', 0]);
});

test('a sent email that the ledger cannot be told of is answered as sent, and marked', async () => {
  const ports = world();
  const { replace } = ports.ledger;
  const ledger: Ledger = {
    ...ports.ledger,
    replace: async (found, entry) => (entry.state === 'sent' ? fail('ledger_unavailable')() : replace(found, entry)),
  };
  assert.deepEqual(await run(order(), { ...ports, ledger }).then(({ state, unrecorded }) => [state, unrecorded]), ['sent', true]);
});

test('a failed email is tried anew when its caller asks, also with another payload; a redelivery is only answered', async () => {
  const ports = world({ token: fail('grant_revoked') });
  await run(order(), ports);
  const working = { ...ports, token: world().token };
  assert.equal((await run(order({ retryFailed: false }), working)).state, 'failed');
  assert.equal((await run(order({ body: { ...MAIL, text: 'mended' } }), working)).state, 'sent');
  assert.deepEqual([ports.sent.length, only(ports).attempts], [1, 2]);
});

test('a parked email rests until its time', async () => {
  const ports = world();
  const until = ports.clock + 3_600_000;
  await run(order(), { ...ports, openSession: fail('quota_daily', until) });
  const again = await run(order(), ports);
  assert.deepEqual([again.state, 'notBefore' in again && again.notBefore, ports.sent.length], ['parked', until, 0]);
  ports.clock = until;
  assert.equal((await run(order(), ports)).state, 'sent');
});

test('a token that Gmail refuses is minted anew once', async () => {
  const refusedTokens: unknown[] = [];
  const ports = world();
  const { token } = ports;
  let opened = 0;
  const outcome = await run(order(), {
    ...ports,
    token: async (sender, old) => {
      refusedTokens.push(old !== undefined);
      return token(sender);
    },
    openSession: async () => (++opened === 1 ? fail('token_refused')() : 'session'),
  });
  assert.deepEqual([outcome.state, refusedTokens.filter(Boolean).length], ['sent', 1]);
});

test('what a platform delivers and can never be an email is recorded once and answered', async () => {
  const ports = world();
  const bad = order({ body: { to: 1 }, retryFailed: false });
  const first = await recordRefusal(bad, new MailFailure('field_missing', 'x'), ports);
  const second = await recordRefusal(bad, new MailFailure('field_missing', 'x'), ports);
  assert.deepEqual([first.state, second.id, only(ports).state, only(ports).code], ['failed', first.id, 'failed', 'field_missing']);
  await assert.rejects(recordRefusal(bad, new MailFailure('in_flight', 'x'), ports), { code: 'in_flight' });
});

test('a file is fetched for the letter only, once the email is claimed; the same key is answered without it', async () => {
  const asked: unknown[] = [];
  const ports = world({
    fetchFile: async (url, room) => {
      asked.push([url, room > 20_000_000, ports.ledger.entries.size]);
      return Buffer.from('hello');
    },
  });
  const config = { ...CONFIG, attachments: { fetchFrom: ['cdn.example.com'] } };
  const mail = order({ body: { ...MAIL, attachments: [{ path: 'https://cdn.example.com/a.txt' }] } });
  const first = await send(mail, config, ports);
  assert.deepEqual([first.state, await send(mail, config, ports)], ['sent', { ...first, repeated: true }]);
  assert.deepEqual(asked, [['https://cdn.example.com/a.txt', true, 1]]);
});

test('a file that cannot be fetched fails the email by its field, and the same key tries again', async () => {
  const ports = world({ fetchFile: fail('attachment_invalid') });
  const config = { ...CONFIG, attachments: { fetchFrom: ['cdn.example.com'] } };
  const mail = order({ body: { ...MAIL, attachments: [{ path: 'https://cdn.example.com/a.txt' }] } });
  const first = await send(mail, config, ports);
  assert.match('failure' in first ? first.failure.message : '', /`attachments\[0\]\.path` could not be fetched: scripted/);
  assert.deepEqual([first.state, only(ports).code], ['failed', 'attachment_invalid']);
  assert.equal((await send(mail, config, { ...ports, fetchFile: async () => Buffer.from('x') })).state, 'sent');
});

for (const code of ['rate_limited', 'google_unavailable', 'mail_refused', 'quota_daily'] as const)
  test(`after a lost reply nothing else makes the email unsent: ${code} on the second transfer leaves it unknown, its sessionUri kept`, async () => {
    let transfers = 0;
    const ports = world({
      upload: () => fail(++transfers === 1 ? 'delivery_unknown' : code)(),
      querySession: async () => ({ state: 'partial', received: 0 }),
    });
    const outcome = await run(order(), ports);
    assert.deepEqual([outcome.state, only(ports).state, only(ports).sessionUri], ['unknown', 'unknown', 'session-1']);
  });

test('a platform may deliver an email again for a month: its key does not lapse after a day', async () => {
  const ports = world();
  await run(order({ retryFailed: false }), ports);
  ports.clock += 31 * 24 * 60 * 60_000;
  await run(order({ retryFailed: false }), ports);
  assert.equal(ports.sent.length, 1);
});

test('a refusal of what was sent before says that it was sent', async () => {
  const ports = world();
  const sent = await run(order({ retryFailed: false }), ports);
  const again = await recordRefusal(order({ retryFailed: false }), new MailFailure('idempotency_mismatch', 'x'), ports);
  assert.deepEqual([again.state, again.id, only(ports).state], ['sent', sent.id, 'sent']);
});

test('a refusal of what was begun keeps the question open, and of what waits ends it', async () => {
  const begun = await died({ state: 'accepted', gmailId: 'g' });
  begun.clock += begun.leaseMs + 1;
  const unsure = await recordRefusal(order({ retryFailed: false }), new MailFailure('sender_not_allowed', 'x'), begun);
  assert.deepEqual([unsure.state, only(begun).state], ['unknown', 'sending']);
  const waiting = world({ openSession: fail('google_unavailable') });
  await run(order({ retryFailed: false }), waiting);
  const ended = await recordRefusal(order({ retryFailed: false }), new MailFailure('sender_not_allowed', 'x'), waiting);
  assert.deepEqual([ended.state, only(waiting).state, only(waiting).code], ['failed', 'failed', 'sender_not_allowed']);
});

test('a ledger that hiccups at the last write is tried again', async () => {
  const ports = world();
  const { replace } = ports.ledger;
  let tries = 0;
  const ledger: Ledger = {
    ...ports.ledger,
    replace: async (found, entry) => (entry.state === 'sent' && ++tries < 3 ? fail('ledger_unavailable')() : replace(found, entry)),
  };
  const outcome = await run(order(), { ...ports, ledger });
  assert.deepEqual([outcome.state, outcome.unrecorded, only(ports).state], ['sent', undefined, 'sent']);
});

test('the attempts of one email that sent nothing use nothing of the limit up', async () => {
  const ports = world({ openSession: fail('google_unavailable') });
  const caller = { ...CALLER, limits: { perDay: 3, perMinute: null } };
  for (let attempt = 0; attempt < 5; attempt++) assert.equal((await run(order({ caller }), ports)).state, 'retry');
  const working = { ...ports, openSession: world().openSession };
  const states = [];
  for (const key of ['a', 'b', 'c', 'd']) states.push((await run(order({ caller, key }), working)).state);
  assert.deepEqual(states, ['sent', 'sent', 'sent', 'parked']);
});

const CDN = { ...CONFIG, attachments: { fetchFrom: ['cdn.example.com'] } };
const withFile = (change: Partial<Submission> = {}): Submission =>
  order({ body: { ...MAIL, attachments: [{ path: 'https://cdn.example.com/a.txt' }] }, ...change });

test('an email that Gmail may have is asked about before its files are fetched again', async () => {
  const ports = world({
    fetchFile: async () => Buffer.from('hello'),
    upload: fail('delivery_unknown'),
    querySession: fail('delivery_unknown'),
  });
  assert.equal((await send(withFile(), CDN, ports)).state, 'unknown');
  Object.assign(ports, { querySession: async () => ({ state: 'accepted', gmailId: 'g' }) });
  const down = { ...ports, fetchFile: fail('attachment_unavailable') };
  assert.deepEqual([(await send(withFile(), CDN, down)).state, only(ports).state], ['sent', 'sent']);
});

test('an email that Gmail has in part is finished once its files can be fetched again, and is unknown until then', async () => {
  const ports = world({ fetchFile: async () => Buffer.from('hello') });
  const { upload: transfer } = ports;
  ports.upload = fail('delivery_unknown');
  ports.querySession = fail('delivery_unknown');
  await send(withFile(), CDN, ports);
  Object.assign(ports, { upload: transfer, querySession: async () => ({ state: 'partial', received: 10 }) });
  const down = { ...ports, fetchFile: fail('attachment_unavailable') };
  assert.deepEqual([(await send(withFile(), CDN, down)).state, only(ports).sessionUri], ['unknown', 'session-1']);
  assert.equal((await send(withFile(), CDN, ports)).state, 'sent');
});

test('a host of files that is down is over soon: the email waits, and goes with the same key', async () => {
  const ports = world({ fetchFile: fail('attachment_unavailable') });
  const first = await send(withFile(), CDN, ports);
  assert.deepEqual([first.state, only(ports).state, only(ports).code], ['retry', 'waiting', 'attachment_unavailable']);
  assert.equal((await send(withFile(), CDN, { ...ports, fetchFile: async () => Buffer.from('x') })).state, 'sent');
});

test('of two that ask again for a failed email in the same millisecond one sends it, also where the letter is its own sessionUri', async () => {
  const ports = world({ token: fail('grant_revoked') });
  await run(order(), ports);
  const working = { ...ports, token: world().token, openSession: async () => 'smtp:<id>', ledger: knowing(ports.ledger) };
  const both = await Promise.allSettled([run(order(), working), run(order(), working)]);
  assert.deepEqual([both.map(({ status }) => status).sort(), ports.sent.length], [['fulfilled', 'rejected'], 1]);
});

/** As Firestore's: a replacement that finds what it was about to write takes it for its own, whose reply was lost. */
const knowing = (ledger: ReturnType<typeof world>['ledger']): Ledger => ({
  ...ledger,
  async replace(found, entry, counters) {
    const there = ledger.entries.get(entry.id);
    return (await ledger.replace(found, entry, counters)) ?? (isDeepStrictEqual(there?.entry, entry) ? (there ?? null) : null);
  },
});

test('another email under the same key of a publisher ends neither what waits nor what is in the queue: it is recorded by itself', async () => {
  const ports = world({ openSession: fail('google_unavailable') });
  const event = order({ retryFailed: false });
  const first = await run(event, ports);
  const other = order({ retryFailed: false, body: { ...MAIL, text: 'other' } });
  const refusal = await run(other, ports).catch((error: MailFailure) => error);
  assert.equal((refusal as MailFailure).code, 'idempotency_mismatch');
  const outcome = await recordRefusal(other, refusal as MailFailure, ports);
  const entries = [...ports.ledger.entries.values()].map(({ entry }) => [entry.id, entry.state, entry.code]);
  assert.deepEqual(entries, [
    [first.id, 'waiting', 'google_unavailable'],
    [outcome.id, 'failed', 'idempotency_mismatch'],
  ]);
  assert.equal((await run(event, { ...ports, openSession: world().openSession })).state, 'sent');
});

test('a holder that slept through its lease sends nothing: another one may have asked Gmail and gone on', async () => {
  const ports = world();
  const { replace } = ports.ledger;
  const ledger: Ledger = {
    ...ports.ledger,
    async replace(found, entry) {
      const kept = await replace(found, entry);
      if (entry.state === 'sending' && entry.attempts === 1) ports.clock += ports.leaseMs; // the process stood still
      return kept;
    },
  };
  await assert.rejects(run(order(), { ...ports, ledger, now: () => ports.clock }), { code: 'in_flight' });
  assert.deepEqual([ports.sent.length, only(ports).state], [0, 'sending']);
  assert.deepEqual([(await run(order(), ports)).state, ports.sent.length], ['sent', 1]);
});

test('nor does one that slept while it waited for its token', async () => {
  const ports = world();
  const { token } = ports;
  ports.token = async (...of) => {
    if (only(ports).state === 'sending') ports.clock += ports.leaseMs;
    return token(...of);
  };
  await assert.rejects(run(order({ key: null, retryFailed: false }), ports), { code: 'in_flight' });
  assert.deepEqual(ports.sent, []);
});
