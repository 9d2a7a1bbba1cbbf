/** Dead letters: looked at, put into the queue again as the emails that they were, or dropped. */
import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Terminal } from '../../../functions/cli/common/terminal.ts';
import { createSubscription } from '../../../functions/cli/ledger/dead-letter-subscription.ts';
import { type DeadLetter, type DeadLetterResult, pullDeadLetters, replay } from '../../../functions/cli/ledger/dead-letters.ts';
import { runDeadCommand } from '../../../functions/cli/ledger/dead-letters-command.ts';
import { createIdentity } from '../../../functions/google/auth/service-identity.ts';
import { connect } from '../../../functions/google/connect.ts';
import { createExchange } from '../../../functions/google/http/exchange.ts';
import { createTopic } from '../../../functions/google/queue/pubsub-topic.ts';
import { drop, release } from '../../../functions/mail/delivery/operator-decisions.ts';
import { emails, queued } from '../../explore/queued.ts';
import { DEAD_TOPIC, type Laptop, MAIL, MAILBOX, PROJECT, post, SECRET, settingsFor, TOPIC } from '../../support/stack/laptop.ts';
import { PLAIN, ROUTE, routed } from '../../support/stack/routes.ts';

const config = join(mkdtempSync(join(tmpdir(), 'mailgrant-')), 'mailgrant.yaml');
writeFileSync(config, `mailboxes:\n  ${MAILBOX}: { name: Example Notices, secret: ${SECRET} }\n`);
const SUBSCRIPTION = `projects/${PROJECT}/subscriptions/mailgrant-dead`;
const nobody: Terminal = { interactive: false, say: () => {}, ask: async () => null, open: async () => false };

/** One command at a time needs no pause between two pulls. */
const brief = async (): Promise<void> => {};

/** A laptop whose dead letters are kept, and whose mailbox has lost its grant. */
async function sick(change: Parameters<typeof queued>[0] = {}) {
  const own = await queued(change);
  own.google.pubsub.keep(SUBSCRIPTION, DEAD_TOPIC);
  own.google.oauth.revoke(MAILBOX);
  return {
    ...own,
    mend: () =>
      own.google.storeSecret(
        PROJECT,
        SECRET,
        JSON.stringify(own.google.oauth.enrol(MAILBOX, ['https://www.googleapis.com/auth/gmail.send'])),
      ),
    order: (id: string, attributes: Record<string, string> = {}, data: unknown = MAIL) =>
      post(own.worker, {
        subscription: 'projects/laptop/subscriptions/mails',
        deliveryAttempt: 1,
        message: { messageId: id, attributes, data: Buffer.from(JSON.stringify(data)).toString('base64') },
      }),
    run: async (
      verb: string,
      words: string[] = [],
      options: Record<string, string | boolean> = {},
      terminal = nobody,
      pause: typeof brief | null = brief,
    ) => {
      const env = { MAILGRANT_GOOGLE_URL: own.google.url };
      const {
        data,
        text,
        exitCode = 0,
      } = await runDeadCommand({ config, project: PROJECT, ...options }, verb, words, env, terminal, pause ?? undefined);
      return { data: data as { code?: string; letters: (DeadLetter & Partial<DeadLetterResult>)[] }, text, exitCode };
    },
    sent: () => own.google.mails.count(),
    [Symbol.asyncDispose]: () => own[Symbol.asyncDispose](),
  };
}
type Sick = Awaited<ReturnType<typeof sick>>;
const said = ({ data, exitCode }: Awaited<ReturnType<Sick['run']>>) => [exitCode, ...data.letters.map(({ did, reason }) => did ?? reason)];

test('what a dead grant left behind is looked at, and goes out once when it is mended and replayed', async () => {
  await using own = await sick();
  const { body } = await emails(own);
  await own.order('m1');
  await own.order('m2', { idempotencyKey: 'order/7' });
  await own.flush();
  const listed = await own.run('list');
  assert.deepEqual(said(listed), [0, 'grant_revoked', 'grant_revoked', 'grant_revoked']);
  assert.ok(listed.data.letters.every(({ mail, state }) => mail !== null && state === 'failed'));
  assert.doesNotMatch(`${listed.text}${JSON.stringify(listed.data)}`, /canary|@/);
  assert.deepEqual([(await own.run('replay', [], { all: true })).data.code, own.sent()], ['confirmation_missing', 0]);

  assert.deepEqual(said(await own.run('replay', [String(body?.['id'])], { yes: true })), [0, 'replayed']);
  await own.flush();
  assert.deepEqual(said(await own.run('list')), [0, 'grant_revoked', 'grant_revoked', 'grant_revoked']); // nothing was mended: it is back
  own.mend();
  assert.deepEqual(said(await own.run('replay', [], { reason: 'grant_revoked', yes: true })), [0, 'replayed', 'replayed', 'replayed']);
  await own.flush();
  assert.deepEqual([own.sent(), own.google.ledgerEntries().map((one) => one['state'])], [3, ['sent', 'sent', 'sent']]);
  assert.deepEqual([(await own.run('list')).data.letters, (await own.run('replay', ['1'], { yes: true })).exitCode], [[], 1]);
});

test('a dead letter whose email was sent after all sends nothing: the ledger knows it by its key', async () => {
  await using own = await sick();
  own.mend();
  assert.deepEqual([(await own.order('m1')).status, own.sent()], [204, 1]);
  const attributes = { reason: 'in_flight', mailgrantKey: 'message:projects/laptop/subscriptions/mails:m1' };
  await putDead(own, attributes);
  assert.deepEqual(said(await own.run('replay', [], { all: true, yes: true })), [0, 'replayed']);
  await own.flush();
  assert.deepEqual([own.sent(), own.google.ledgerEntries().length], [1, 1]);
  await putDead(own, { reason: 'in_flight', mailgrantMail: String(own.google.ledgerEntries()[0]?.['id']) });
  assert.deepEqual(said(await own.run('replay', [], { all: true, yes: true })), [0, 'ended before']);
});

for (const [what, attributes] of [
  ['the worker gave up', { reason: 'in_flight', mailgrantKey: 'message:s:m1' }],
  ['Pub/Sub itself moved', { CloudPubSubDeadLetterSourceSubscription: 'mailgrant-worker', CloudPubSubDeadLetterSourceDeliveryCount: '8' }],
] as const)
  test(`an operator who dies between the two halves of a replay has sent once what ${what}`, async () => {
    await using own = await sick();
    own.mend();
    await putDead(own, attributes);
    const line = {
      baseUrl: own.google.url,
      exchange: createExchange()(AbortSignal.timeout(300_000)),
      token: createIdentity(own.google.url),
    };
    const pulled = createSubscription({ settings: settingsFor(own.google.url), identity: line.token }, SUBSCRIPTION);
    const { startInvocation: begin } = connect(settingsFor(own.google.url), () => {});
    const [held] = await pullDeadLetters({ pulled }, 5);
    assert.ok(held);
    const dying = {
      pulled: { ...pulled, acknowledge: () => Promise.reject(new Error('killed')) },
      queue: createTopic(line, TOPIC),
      routes: [],
      begin,
    };
    assert.equal((await replay(held, dying)).did, 'left');
    await pulled.nack([held]);
    await own.flush();
    assert.equal(own.sent(), 1);
    assert.deepEqual(said(await own.run('replay', [], { all: true, yes: true })), [0, 'replayed']);
    await own.flush();
    assert.deepEqual([own.sent(), (await own.run('list')).data.letters], [1, []]);
  });

for (const [delivery, route] of [
  ['direct', 'failed-builds'],
  ['queued', null], // its mail was in the queue already, and is known by its id
] as const)
  test(`an event goes back to its route, with its own attributes, whoever moved it (${delivery})`, async () => {
    const routes = { 'failed-builds': { ...ROUTE, when: 'attributes.kind == "b" && event.status == "FAILURE"' } };
    writeFileSync(
      config,
      `mailboxes:\n  ${MAILBOX}: { name: Example Notices, secret: ${SECRET} }\nroutes:\n  failed-builds: { topic: cloud-builds, from: ${MAILBOX}, to: [dev@example.com], template: plain }\n`,
    );
    await using own = await sick({ ...routed(routes, { 'plain.hbs': PLAIN }), delivery });
    const event = (id: string, extra = {}) => ({
      subscription: 's',
      message: {
        messageId: id,
        attributes: { kind: 'b', ...extra },
        data: Buffer.from('{"id":"7","status":"FAILURE"}').toString('base64'),
      },
    });
    await post(`${own.worker}/routes/failed-builds`, event('e1'));
    await own.flush();
    await putDead(
      own,
      { kind: 'b', CloudPubSubDeadLetterSourceSubscription: 'mailgrant-route-failed-builds' },
      { id: '8', status: 'FAILURE' },
    );
    const listed = await own.run('list');
    assert.deepEqual(
      listed.data.letters.map(({ route }) => route),
      [route, 'failed-builds'],
    );
    own.mend();
    assert.deepEqual(said(await own.run('replay', [], { all: true, yes: true })), [0, 'replayed', 'replayed']);
    await own.flush();
    assert.deepEqual([own.sent(), (await own.run('list')).data.letters], [2, []]);
    await post(`${own.worker}/routes/failed-builds`, event('e1')); // and the event itself, should it come again, is that mail
    await own.flush();
    assert.equal(own.sent(), 2);
  });

test('an email of which nobody knows keeps its content: once a person has decided, it goes out by its dead letter', async () => {
  await using own = await sick();
  own.mend();
  own.google.faults.script({ on: 'transfer', answer: 'session_gone' });
  assert.deepEqual([(await own.order('m1')).status, own.sent()], [204, 0]);
  const { mail, state } = (await own.run('list')).data.letters[0] ?? {};
  assert.equal(state, 'unknown');
  const undecided = await own.run('replay', [], { all: true, yes: true });
  assert.deepEqual([said(undecided), /ledger resend/.test(undecided.text)], [[1, 'left'], true]);
  await decide(own, mail, release);
  assert.deepEqual(said(await own.run('replay', [], { reason: 'session_gone', yes: true })), [0, 'replayed']);
  await own.flush();
  assert.deepEqual([own.sent(), own.google.ledgerEntry(String(mail))?.['state'], (await own.run('list')).data.letters], [1, 'sent', []]);
});

for (const { name, fault, reason } of [
  { name: 'unknown', fault: 'session_gone', reason: 'session_gone' },
  { name: 'failed for what an operator must mend', fault: 'missing_scope', reason: 'scope_missing' },
] as const)
  test(`an email that is ${name} makes one dead letter, however often it comes again, and another once it is let go`, async () => {
    await using own = await sick();
    own.mend();
    const refuse = () => own.google.faults.script({ on: 'transfer', answer: fault });
    refuse();
    for (const id of ['m1', 'm2', 'm3']) assert.equal((await own.order(id, { idempotencyKey: 'order/7' })).status, 204);
    const [letter, ...more] = (await own.run('list')).data.letters;
    assert.deepEqual([letter?.reason, more], [reason, []]);
    await decide(own, letter?.mail, release);
    refuse();
    assert.deepEqual(said(await own.run('replay', [], { all: true, yes: true })), [0, 'replayed']);
    await own.flush();
    assert.deepEqual(said(await own.run('list')), [0, reason]); // its content is not lost with the first one
    assert.equal(own.sent(), 0);
  });

for (const delivery of ['direct', 'queued'] as const)
  test(`events that stand for one email make one dead letter of it, and none once a person has dropped it (${delivery})`, async () => {
    await using own = await sick({ ...routed({ alike: { ...ROUTE, dedupe: 'event.group' } }, { 'plain.hbs': PLAIN }), delivery });
    own.mend();
    own.google.faults.script({ on: 'transfer', answer: 'session_gone' });
    const event = (messageId: string) => ({
      subscription: 's',
      message: { messageId, data: Buffer.from('{"id":"7","status":"FAILURE","group":"a"}').toString('base64') },
    });
    const come = async (...ids: string[]): Promise<void> => {
      for (const id of ids) assert.equal((await post(`${own.worker}/routes/alike`, event(id))).status, 204);
      await own.flush();
    };
    await come('e1', 'e2', 'e3');
    const [letter, ...more] = (await own.run('list')).data.letters;
    assert.deepEqual([letter?.reason, more], ['session_gone', []]);
    await decide(own, letter?.mail, drop);
    await come('e4', 'e5');
    assert.deepEqual([(await own.run('list')).data.letters.length, own.sent()], [1, 0]);
  });

test('an event whose email a person has dropped before it was given up makes no dead letter', async () => {
  await using own = await sick(routed({ alike: { ...ROUTE, dedupe: 'event.group' } }, { 'plain.hbs': PLAIN }));
  own.mend();
  own.google.faults.script({ on: 'open', answer: 'backend' });
  const data = Buffer.from('{"id":"7","status":"FAILURE","group":"a"}').toString('base64');
  const come = async (messageId: string) =>
    (await post(`${own.worker}/routes/alike`, { subscription: 's', message: { messageId, data } })).status;
  assert.equal(await come('e1'), 204); // the queue has it
  await decide(own, own.google.ledgerEntries()[0]?.['id'], drop);
  assert.deepEqual([await come('e1'), await come('e2'), (await own.run('list')).data.letters, own.sent()], [204, 204, [], 0]);
});

test('an unknown email that Gmail can be asked about keeps its content through a replay that finds nothing out', async () => {
  await using own = await sick();
  own.mend();
  own.google.faults.script({ on: 'transfer', reset: 'after' }, { on: 'ask', answer: 'bad_token', times: 99 });
  await own.order('m1');
  const id = String(own.google.ledgerEntries()[0]?.['id']);
  const old = { attempts: 16, acceptedAt: own.clock.now - 48 * 3_600_000, leaseUntil: 0 };
  await decide(own, id, (found, { ledger }) => ledger.replace(found, { ...found.entry, ...old }));
  await own.order('m1');
  for (let round = 0; round < 2; round++) {
    assert.deepEqual(said(await own.run('list')), [0, 'delivery_unknown']);
    assert.deepEqual(said(await own.run('replay', [], { all: true, yes: true })), [0, 'replayed']);
    await own.flush();
  }
  own.google.faults.clear();
  assert.deepEqual(said(await own.run('replay', [], { all: true, yes: true })), [0, 'replayed']);
  await own.flush();
  assert.deepEqual([own.sent(), own.google.ledgerEntry(id)?.['state'], (await own.run('list')).data.letters], [1, 'sent', []]);
});

test('looks at the same time, and a replay right after them, each see every dead letter', async () => {
  await using own = await sick();
  own.mend();
  for (let n = 0; n < 25; n++)
    await putDead(own, { reason: 'in_flight', mailgrantKey: `message:s:m${n}` }, { ...MAIL, subject: `canary ${n}` });
  const looks = await Promise.all([1, 2, 3].map(() => own.run('list', [], {}, nobody, null)));
  assert.deepEqual(
    looks.map(({ data }) => data.letters.length),
    [25, 25, 25],
  );
  const done = await own.run('replay', [], { all: true, yes: true });
  assert.deepEqual([done.exitCode, done.data.letters.length, (done.data as { left?: number }).left], [0, 25, 0]);
  await own.flush();
  assert.deepEqual([own.sent(), (await own.run('list')).data.letters], [25, []]);
});

test('a replay says how many are left, and fails while one of those that it was to put back is', async () => {
  await using own = await sick();
  for (const reason of ['in_flight', 'grant_revoked', 'mail_unknown']) await putDead(own, { reason, mailgrantKey: `message:s:${reason}` });
  await putDead(own, { reason: 'mail_unknown', mailgrantId: '00000000-0000-4000-8000-000000000000' });
  const one = await own.run('replay', [], { reason: 'in_flight', yes: true });
  assert.deepEqual([one.exitCode, /Left: 3 dead letters\./.test(one.text)], [0, true]);
  const both = await own.run('replay', [], { reason: 'mail_unknown', yes: true });
  assert.deepEqual([both.exitCode, /Left: 2 dead letters\./.test(both.text)], [1, true]);
  const limited = await own.run('replay', [], { all: true, yes: true, limit: '1' });
  assert.equal(limited.exitCode, 1);
});

test('a dead letter that another command holds is left, and said to be', async () => {
  await using own = await sick();
  await putDead(own, { reason: 'in_flight', mailgrantKey: 'message:s:1' });
  const exchange = createExchange()(AbortSignal.timeout(300_000));
  const line = { baseUrl: own.google.url, exchange, token: createIdentity(own.google.url) };
  const other = createSubscription({ settings: settingsFor(own.google.url), identity: line.token }, SUBSCRIPTION);
  const terminal: Terminal = {
    ...nobody,
    interactive: true,
    ask: async () => {
      await other.pull(10); // between the question and the answer
      return 'y';
    },
  };
  const done = await own.run('replay', [], { all: true }, terminal);
  assert.deepEqual(
    [done.exitCode, done.data.letters.map(({ did, why }) => [did, /another command/.test(why ?? '')])],
    [1, [['left', true]]],
  );
});

test('what Pub/Sub itself moved has a reason, and can be chosen by it', async () => {
  await using own = await sick();
  own.mend();
  await putDead(own, { CloudPubSubDeadLetterSourceSubscription: 'mailgrant-worker', CloudPubSubDeadLetterSourceDeliveryCount: '8' });
  assert.deepEqual(said(await own.run('list')), [0, 'deliveries_exhausted']);
  assert.deepEqual(said(await own.run('replay', [], { reason: 'deliveries_exhausted', yes: true })), [0, 'replayed']);
});

test('what must be decided first is left where it is, and says so', async () => {
  await using own = await sick();
  await emails(own);
  await own.flush();
  const [entry] = own.google.ledgerEntries();
  const id = String(entry?.['id']);
  await putDead(own, { reason: 'mail_unknown', mailgrantId: '00000000-0000-4000-8000-000000000000' });
  const dry = await own.run('replay', [], { all: true, 'dry-run': true });
  assert.deepEqual([dry.exitCode, dry.data.letters.length, own.google.ledgerEntries()[0]?.['state']], [0, 2, 'failed']);
  const done = await own.run('replay', [], { reason: 'mail_unknown', yes: true });
  assert.deepEqual([done.exitCode, done.data.letters[0]?.did], [1, 'left']);
  assert.deepEqual(said(await own.run('drop', [], { all: true, yes: true })), [0, 'dropped', 'dropped']);
  await own.flush();
  assert.deepEqual([own.sent(), (await own.run('list')).data.letters, own.google.ledgerEntries()[0]?.['id']], [0, [], id]);
});

const wrong = [
  { words: ['burn'], options: {} },
  { words: ['replay'], options: {} },
  { words: ['drop'], options: {} },
  { words: ['replay', '1'], options: { all: true } },
  { words: ['list'], options: { limit: '0' } },
];
for (const { words, options } of wrong)
  test(`dead ${words.join(' ')} ${Object.keys(options).join(' ')} is refused before anything is looked at`, async () => {
    const { data, text, exitCode } = await runDeadCommand({ config, project: PROJECT, ...options }, words[0], words.slice(1), {}, nobody);
    assert.deepEqual([(data as { code: string }).code, exitCode, /^Fix: /m.test(text)], ['option_invalid', 2, true]);
  });

/** Changes the record of an email as a person does by `ledger resend` (release) or `ledger drop`. */
async function decide({ google }: Pick<Laptop, 'google'>, id: unknown, change: typeof release): Promise<void> {
  const ports = connect(settingsFor(google.url), () => {}).startInvocation();
  const found = await ports.ledger.read(String(id));
  assert.ok(found && (await change(found, ports)));
  ports.close();
}

async function putDead(own: Pick<Laptop, 'google'>, attributes: Record<string, string>, data: unknown = MAIL): Promise<void> {
  const exchange = createExchange()(AbortSignal.timeout(300_000));
  const line = { baseUrl: own.google.url, exchange, token: createIdentity(own.google.url) };
  await createTopic(line, DEAD_TOPIC).publish({ data: JSON.stringify(data), attributes });
}

test('a digest that a dead grant held up goes out once when it is fixed and replayed', async () => {
  const files = { 'plain.hbs': PLAIN, 'digest.hbs': '---\nsubject: canary-digest\n---\n<p>{{digest.count}} more</p>\n' };
  await using own = await sick(routed({ builds: { ...ROUTE, dedupe: 'event.group', every: '1h' } }, files));
  own.mend();
  for (const id of ['1', '2', '3']) {
    const data = Buffer.from(JSON.stringify({ id, group: 'a', status: 'FAILURE' })).toString('base64');
    assert.equal((await post(`${own.worker}/routes/builds`, { subscription: 's', message: { messageId: id, data } })).status, 204);
  }
  await own.flush();
  assert.equal(own.sent(), 1);
  own.google.oauth.revoke(MAILBOX);
  await own.live(2 * 60 * 60_000);
  assert.deepEqual([said(await own.run('list')), own.sent()], [[0, 'grant_revoked'], 1]);
  own.mend();
  assert.deepEqual(said(await own.run('replay', [], { reason: 'grant_revoked', yes: true })), [0, 'replayed']);
  await own.flush();
  assert.deepEqual([own.sent(), said(await own.run('list'))], [2, [0]]);
  assert.match(own.google.mails.list()[0]?.raw.toString() ?? '', /2 more/);
});
