import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accept } from '../../../functions/mail/accept.ts';
import type { Ledger } from '../../../functions/mail/delivery/ledger.ts';
import type { Ports, Transport } from '../../../functions/mail/delivery/ports.ts';
import { sendNow } from '../../../functions/mail/delivery/send.ts';
import type { Submission } from '../../../functions/mail/delivery/submission.ts';
import { parseRawMessage, prepareRawMessage } from '../../../functions/mail/message/raw-message.ts';
import { MailFailure } from '../../../functions/mail/model/failure.ts';
import { send } from '../../../functions/mail/queue/process-message.ts';
import { world } from '../../explore/world.ts';
import { CONFIG, MAIL, MAILBOX } from '../../support/stack/laptop.ts';

const CALLER = { id: 'shop', from: [MAILBOX], to: null };
const order = (change: Partial<Submission> = {}): Submission => ({ body: MAIL, caller: CALLER, key: 'k1', retryFailed: true, ...change });

/** A world that keeps what was called, in order, and the email of each session that was opened. */
function watched(change: Partial<Ports & Transport> = {}, ledgerChange: Partial<Ledger> = {}) {
  const calls: string[] = [];
  const opened: string[] = [];
  const ports = world();
  const { create, replace } = ports.ledger;
  Object.assign(ports.ledger, {
    create: (...how: Parameters<Ledger['create']>) => {
      calls.push('claim');
      return create(...how);
    },
    replace: (...how: Parameters<Ledger['replace']>) => {
      calls.push(how[1].state);
      return replace(...how);
    },
    ...ledgerChange,
  });
  const { upload } = ports;
  ports.openSession = async ({ messageId }) => {
    calls.push('open');
    opened.push(messageId.slice(1, 37));
    return `session-${opened.length}`;
  };
  ports.upload = (...how) => {
    calls.push(`bytes to ${how[0]}`);
    return upload(...how);
  };
  return { ports: Object.assign(ports, change), calls, opened };
}

test('the session is opened while the claim is on its way; bytes wait for the claim and for the stored session URI', async () => {
  let claimed = (): void => {};
  const held = new Promise<void>((done) => {
    claimed = done;
  });
  const { ports, calls } = watched();
  const { create } = ports.ledger;
  ports.ledger.create = async (...how) => {
    const made = await create(...how);
    await held;
    return made;
  };
  const sending = accept(order(), CONFIG, ports);
  while (!calls.includes('open')) await new Promise(setImmediate);
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  assert.deepEqual(calls, ['claim', 'open']);
  claimed();
  assert.equal((await sending).state, 'sent');
  assert.deepEqual(calls, ['claim', 'open', 'sending', 'bytes to session-1', 'sent']);
});

/** How many calls to Google an email waits for, one after the other: what waits together is answered together. */
async function callsInSequence(kept: boolean): Promise<number> {
  let waiting: (() => void)[] = [];
  const distant =
    <A extends unknown[], R>(call: (...how: A) => Promise<R>) =>
    async (...how: A): Promise<R> => {
      await new Promise<void>((done) => waiting.push(done));
      return call(...how);
    };
  const ports = world();
  const minted = distant(ports.token);
  let minting: ReturnType<Ports['token']> | null = null;
  // One mint for each invocation, shared by all who ask.
  if (!kept)
    ports.token = (sender) => {
      minting ??= minted(sender);
      return minting;
    };
  Object.assign(ports, { openSession: distant(ports.openSession), upload: distant(ports.upload) });
  Object.assign(ports.ledger, { create: distant(ports.ledger.create), replace: distant(ports.ledger.replace) });
  let over = false;
  const sending = accept(order(), CONFIG, ports).finally(() => {
    over = true;
  });
  for (let rounds = 0; ; rounds++) {
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
    if (over) {
      assert.equal((await sending).state, 'sent');
      return rounds;
    }
    const together = waiting;
    waiting = [];
    for (const answer of together) answer();
  }
}

test('an email waits for five calls to Google, one after the other, and for four where its token is kept', async () => {
  await accept(order(), CONFIG, world()); // loads what composes a message
  assert.deepEqual([await callsInSequence(false), await callsInSequence(true)], [5, 4]);
});

test('a claim that fails leaves a session without a byte, and no email', async () => {
  const { ports, calls } = watched({}, { create: () => Promise.reject(new MailFailure('ledger_unavailable', 'scripted')) });
  await assert.rejects(accept(order(), CONFIG, ports), { code: 'ledger_unavailable' });
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  assert.deepEqual(calls, []); // the claim was answered before the message was composed: then no session is opened either
});

/** Makes the claim the slowest call of all. */
function slowClaim(ports: ReturnType<typeof world>): void {
  const { create } = ports.ledger;
  ports.ledger.create = async (...how) => {
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
    return create(...how);
  };
}

test('a known email is answered from the ledger: its session gets no byte, and for a minute none is opened beside a claim', async () => {
  const { ports, opened } = watched();
  slowClaim(ports);
  const ask = async (key: string): Promise<[boolean, number, number]> => {
    const outcome = await accept(order({ key }), CONFIG, ports);
    return [outcome.state === 'sent' && outcome.repeated === true, opened.length, ports.sent.length];
  };
  assert.deepEqual(await ask('a'), [false, 1, 1]);
  assert.deepEqual(await ask('a'), [true, 2, 1]);
  assert.deepEqual(await ask('a'), [true, 2, 1]);
  assert.deepEqual(await ask('b'), [false, 3, 2]); // a new email has its session all the same, after the claim
  ports.clock += 60_001;
  assert.deepEqual(await ask('b'), [true, 4, 2]);
});

test('an email beyond the limit of its mailbox is refused with no byte sent, and the next ones open no session', async () => {
  const [mailbox] = CONFIG.mailboxes;
  assert.ok(mailbox);
  const config = { ...CONFIG, mailboxes: [{ ...mailbox, limits: { perDay: 1, perMinute: null } }] };
  const { ports, opened } = watched();
  slowClaim(ports);
  const states: string[] = [];
  for (const key of ['a', 'b', 'c', 'd']) states.push((await accept(order({ key }), config, ports)).state);
  assert.deepEqual([states, ports.sent.length, opened.length], [['sent', 'parked', 'parked', 'parked'], 1, 2]);
});

test('an email that failed and is asked for again keeps its id: the session that was opened under another one is not used', async () => {
  const { ports, opened } = watched();
  const { openSession } = ports;
  ports.openSession = () => Promise.reject(new MailFailure('scope_missing', 'scripted'));
  const first = await accept(order(), CONFIG, ports);
  assert.equal(first.state, 'failed');
  ports.openSession = openSession;
  ports.clock += 60_001;
  slowClaim(ports);
  const second = await accept(order(), CONFIG, ports);
  assert.deepEqual([second.state, second.id], ['sent', first.id]);
  assert.equal(opened.length, 2);
  assert.deepEqual([opened[0] === first.id, opened[1] === first.id, ports.sent], [false, true, ['session-2']]);
});

test('a token that Gmail refuses is minted once more for the session beside the claim', async () => {
  let tokens = 0;
  const { ports } = watched({ token: async () => ({ secret: { reveal: () => `t${++tokens}` }, expiresAt: Number.MAX_SAFE_INTEGER }) });
  const { openSession } = ports;
  let refused = 0;
  ports.openSession = (...how) => (refused++ === 0 ? Promise.reject(new MailFailure('token_refused', 'scripted')) : openSession(...how));
  assert.equal((await accept(order(), CONFIG, ports)).state, 'sent');
  assert.equal(refused, 2);
});

const RAW = 'From: notices@example.com\r\nTo: you@example.net\r\nSubject: x\r\n\r\nx\r\n';
const oneAfterTheOther: Record<string, (ports: ReturnType<typeof watched>['ports']) => Promise<unknown>> = {
  'a platform delivers it': (ports) => send(order({ retryFailed: false }), CONFIG, ports),
  'its caller has limits of its own': (ports) =>
    accept(order({ caller: { ...CALLER, limits: { perDay: 9, perMinute: null } } }), CONFIG, ports),
  'it has a file': (ports) => accept(order({ body: { ...MAIL, attachments: [{ filename: 'a.txt', content: 'YQ==' }] } }), CONFIG, ports),
  'it is a raw message': (ports) => {
    const message = parseRawMessage(Buffer.from(RAW.replace('notices@example.com', MAILBOX)));
    return sendNow(prepareRawMessage(message, { from: null, to: [] }, CALLER, CONFIG, ports.digest), order(), CONFIG, ports);
  },
  'it goes over SMTP': (ports) => accept(order(), CONFIG, Object.assign(ports, { resumable: false })),
};
for (const [why, run] of Object.entries(oneAfterTheOther))
  test(`no session is opened beside the claim where ${why}`, async () => {
    const { ports, calls } = watched();
    const { create } = ports.ledger;
    ports.ledger.create = async (...how) => {
      for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
      calls.push('claimed');
      return create(...how);
    };
    await run(ports);
    assert.deepEqual([calls.indexOf('open') > calls.indexOf('claimed'), ports.sent.length], [true, 1]);
  });
