/**
 * Once bytes of an email were handed to an upload session, only that session says what became of it. Each row is one way in which
 * something else used to decide.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry } from '../../../functions/mail/delivery/ledger.ts';
import type { Ports, Transport, UploadStatus } from '../../../functions/mail/delivery/ports.ts';
import { type FailureCode, MailFailure } from '../../../functions/mail/model/failure.ts';
import { send } from '../../../functions/mail/queue/process-message.ts';
import { world } from '../../explore/world.ts';
import { CONFIG, MAIL, MAILBOX } from '../../support/stack/laptop.ts';

const CALLER = { id: 'shop', from: [MAILBOX], to: null };
const run = (ports: Ports & Transport) => send({ body: MAIL, caller: CALLER, key: 'k1', retryFailed: true }, CONFIG, ports);
const refused = (code: FailureCode): never => {
  throw new MailFailure(code, 'scripted');
};
const only = (ports: ReturnType<typeof world>): Entry => {
  const [found] = ports.ledger.entries.values();
  assert.ok(found);
  return found.entry;
};
type Said = UploadStatus | FailureCode | 'whole' | 'half';

/** A Gmail that says what is scripted, call by call, and counts its sessions; the last word is repeated. */
function scripted(transfers: Said[], questions: Said[], tokens: (FailureCode | null)[] = []) {
  const did = { opened: 0, transferred: 0, asked: 0 };
  let bytes = 0;
  const say = (script: Said[], at: number): UploadStatus => {
    const said = script[Math.min(at, script.length - 1)] ?? 'delivery_unknown';
    if (said === 'whole' || said === 'half') return { state: 'partial', received: said === 'whole' ? bytes : bytes >> 1 };
    return typeof said === 'string' ? refused(said) : said;
  };
  const base = world();
  const { token } = base;
  const ports = world({
    openSession: async () => `session-${++did.opened}`,
    upload: async (_session, letter) => {
      bytes = letter.bytes.length;
      return say(transfers, did.transferred++);
    },
    querySession: async () => say(questions, did.asked++),
    token: async (sender) => {
      const trouble = did.transferred > 0 ? tokens.shift() : null;
      return trouble ? refused(trouble) : token(sender);
    },
  });
  return { ports, did };
}

const SENT: UploadStatus = { state: 'accepted', gmailId: 'g' };
const GONE: UploadStatus = { state: 'gone' };
const TROUBLES: FailureCode[] = [
  'rate_limited',
  'quota_daily',
  'token_refused',
  'mail_refused',
  'google_unavailable',
  'delivery_unknown',
  'unexpected',
  'scope_missing',
];

for (const first of ['whole', 'half'] as const)
  for (const trouble of TROUBLES)
    test(`308 with the ${first} email, then ${trouble} to every further call: unknown, the session stays, and it is asked later`, async () => {
      const { ports, did } = scripted([first, trouble], [trouble]);
      const outcome = await run(ports);
      assert.deepEqual([outcome.state, only(ports).state, only(ports).sessionUri], ['unknown', 'unknown', 'session-1']);
      ports.querySession = async () => SENT;
      assert.equal((await run(ports)).state, 'sent');
      assert.equal(did.opened, 1);
    });

for (const trouble of ['grant_revoked', 'google_unavailable'] as const)
  test(`308 with the whole email, then no token (${trouble}): unknown, and the session stays`, async () => {
    const { ports, did } = scripted(['whole'], [SENT], [trouble, trouble, trouble, trouble]);
    assert.deepEqual([(await run(ports)).state, only(ports).sessionUri], ['unknown', 'session-1']);
    ports.token = world().token;
    assert.equal((await run(ports)).state, 'sent');
    assert.equal(did.opened, 1);
  });

test('a token that is refused once, and then cannot be minted: the bytes left with the first call', async () => {
  const { ports } = scripted(['token_refused'], [SENT]);
  let minted = 0;
  const { token } = world();
  ports.token = async (sender, old) => (old ? refused('google_unavailable') : minted++ > 9 ? refused('unexpected') : token(sender));
  assert.equal((await run(ports)).state, 'sent');
});

test('308 with the whole email, and Gmail makes the message later: it is asked, not sent to again', async () => {
  const { ports, did } = scripted(['whole'], ['whole', 'whole', SENT]);
  assert.equal((await run(ports)).state, 'sent');
  assert.deepEqual(did, { opened: 1, transferred: 1, asked: 3 });
});

const REFUSALS: FailureCode[] = [
  'rate_limited',
  'quota_daily',
  'mail_refused',
  'too_large',
  'scope_missing',
  'unexpected',
  'token_refused',
];
const ENDS: Partial<Record<FailureCode, [string, string]>> = { rate_limited: ['retry', 'waiting'], quota_daily: ['parked', 'parked'] };
for (const code of REFUSALS) {
  test(`${code} to the whole email, though Gmail took it: the session says so`, async () => {
    const { ports, did } = scripted([code], [SENT]);
    assert.deepEqual([(await run(ports)).state, did.opened], ['sent', 1]);
  });
  test(`${code} to the whole email, and the session has not all of it: the refusal stands`, async () => {
    const { ports } = scripted([code], ['half']);
    const [outcome, state] = ENDS[code] ?? ['failed', 'failed'];
    assert.deepEqual([(await run(ports)).state, only(ports).state, only(ports).code], [outcome, state, code]);
  });
  test(`${code} to the whole email, and the session has all of it: unknown, and asked later`, async () => {
    const { ports, did } = scripted([code], ['whole']);
    assert.deepEqual([(await run(ports)).state, only(ports).sessionUri], ['unknown', 'session-1']);
    ports.querySession = async () => SENT;
    assert.deepEqual([(await run(ports)).state, did.opened], ['sent', 1]);
  });
  test(`${code} to the whole email, and the question is refused too: unknown, and asked later`, async () => {
    const { ports } = scripted([code], [code]);
    assert.deepEqual([(await run(ports)).state, only(ports).sessionUri], ['unknown', 'session-1']);
  });
  test(`${code} to the whole email, and the session is gone: for a person`, async () => {
    const { ports, did } = scripted([code], [GONE]);
    assert.deepEqual([(await run(ports)).state, only(ports).code], ['unknown', 'session_gone']);
    assert.deepEqual([(await run(ports)).state, did.opened], ['unknown', 1]);
  });
}

test('a refused email that Gmail made after all, between two attempts, is found before a second session is opened', async () => {
  const { ports, did } = scripted(['rate_limited'], ['half']);
  assert.equal((await run(ports)).state, 'retry');
  ports.querySession = async () => SENT;
  assert.deepEqual([(await run(ports)).state, did.opened, did.transferred], ['sent', 1, 1]);
});

for (const said of ['half', GONE, 'unexpected', 'delivery_unknown'] as const)
  test(`a refused email goes by a new session once the old one has nothing to say: ${JSON.stringify(said)}`, async () => {
    const { ports, did } = scripted(['rate_limited', SENT], ['half', said]);
    assert.equal((await run(ports)).state, 'retry');
    assert.deepEqual([(await run(ports)).state, did.opened, did.transferred], ['sent', 2, 2]);
  });

for (const trouble of ['rate_limited', 'google_unavailable', 'delivery_unknown'] as const)
  test(`${trouble} to one question does not end the asking`, async () => {
    const { ports, did } = scripted(['delivery_unknown'], [trouble, trouble, SENT]);
    assert.deepEqual([(await run(ports)).state, did.asked], ['sent', 3]);
  });

/** SMTP: each transfer is an email, and a search tells what became of it. */
const overSmtp = (transfers: Said[], questions: Said[]) => {
  const made = scripted(transfers, questions);
  Object.assign(made.ports, { resumable: false, refusalIsProof: true });
  return made;
};
const NOT_FOUND: UploadStatus = { state: 'partial', received: 0 };

test('over SMTP an email that is not found is sent a second time and never a third, however often it is asked for', async () => {
  const { ports, did } = overSmtp(['delivery_unknown'], [NOT_FOUND]);
  for (let request = 0; request < 5; request++) {
    assert.equal((await run(ports)).state, 'unknown');
    ports.clock += 5 * 60_000;
  }
  assert.deepEqual([did.transferred, only(ports).code], [2, 'delivery_unknown']);
  ports.clock += 60 * 60_000; // no index is that late: a person decides
  assert.deepEqual([(await run(ports)).state, only(ports).code, did.transferred], ['unknown', 'session_gone', 2]);
});

test('over SMTP a late index settles it', async () => {
  const { ports, did } = overSmtp(['delivery_unknown'], [NOT_FOUND]);
  await run(ports);
  ports.querySession = async () => SENT;
  assert.deepEqual([(await run(ports)).state, did.transferred], ['sent', 2]);
});

test('over SMTP a refusal is proof, and nothing is searched for; of the second email it proves nothing of the first', async () => {
  const { ports, did } = overSmtp(['mail_refused'], [SENT]);
  assert.deepEqual([(await run(ports)).state, did.asked], ['failed', 0]);
  const second = overSmtp(['delivery_unknown', 'mail_refused'], [NOT_FOUND]);
  assert.equal((await run(second.ports)).state, 'unknown');
});
