/** The playbooks of docs/operations.md, played: each command is read from the page, in the state that it is for, and ends as the page promises. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { INSTALLED_ID } from '../functions/fake-google/oauth/clients.ts';
import { connect } from '../functions/google/connect.ts';
import { scopeFor } from '../functions/mail/model/scopes.ts';
import { pubsubWorker } from '../functions/trigger/pubsub/push-handler.ts';
import { emails } from './explore/queued.ts';
import { typed } from './support/programs/command-line.ts';
import { CONFIG, MAIL, MAILBOX, PROJECT, post, SECRET, serveOn, settingsFor, startQueued } from './support/stack/laptop.ts';
import { PLAIN, ROUTE, routed } from './support/stack/routes.ts';

const PAGE = readFileSync('docs/operations.md', 'utf8');

/** The commands of a section, as they stand there: in blocks and in running text, without what a comment says. */
function commandsOf(section: string): string[] {
  const text = PAGE.split(/^##+ /m).find((one) => one.startsWith(`${section}\n`)) ?? assert.fail(`no section ${section}`);
  return [...text.matchAll(/(?<![\w|] )npx mailgrant ([^`\n#]+)/g)].map(([, command = '']) => command.trim());
}

const ROTATES: Readonly<Record<string, string>> = { BROWSER: `node ${join(process.cwd(), 'test/support/programs/browser.ts')} %s` };
/** Commands that ask; a person says yes. */
const ASKS = /^(ledger (resend|drop)|dead (replay|drop)|revoke)\b/;

/** A local stack, and an operator in front of it who types what the page says. */
async function started(change: Parameters<typeof startQueued>[0] = {}) {
  const laptop = await startQueued(change);
  laptop.google.pubsub.keep(`projects/${PROJECT}/subscriptions/mailgrant-dead`, `projects/${PROJECT}/topics/dead-letters`);
  const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
  cpSync('config', join(folder, 'config'), { recursive: true });
  const config = join(folder, 'config/mailgrant.yaml');
  const keys = `keys:\n  shop: { sha256: ${CONFIG.keys[0]?.sha256}, from: [${MAILBOX}] }\n`;
  writeFileSync(config, `mailboxes:\n  ${MAILBOX}: { secret: ${SECRET}, aliases: [no-reply@example.com] }\n${keys}`);
  /** Types a command that the section has, with the reader's own values in it. */
  const types = async (section: string, command: string, values: Readonly<Record<string, string>> = {}) => {
    assert.ok(commandsOf(section).includes(command), `${section} has no ${command}, but ${commandsOf(section).join(' | ')}`);
    played.add(command);
    const line = Object.entries({ 'your-project': PROJECT, ...values }).reduce((text, [from, to]) => text.replaceAll(from, to), command);
    const words = [...line.split(/\s+/), '--config', config, ...(ASKS.test(line) ? ['--yes'] : [])];
    const env = { MAILGRANT_GOOGLE_URL: laptop.google.url, GOOGLE_CLOUD_PROJECT: PROJECT, MAILGRANT_DATABASE: undefined, ...ROTATES };
    const { status, stdout, stderr } = await typed(words, env);
    return { status, text: stdout + stderr };
  };
  const says = async (section: string, command: string, status: number, pattern: RegExp, values: Readonly<Record<string, string>> = {}) => {
    const ran = await types(section, command, values);
    assert.equal(ran.status, status, `${command}\n${ran.text}`);
    assert.match(ran.text, pattern);
    assert.doesNotMatch(ran.text, /canary/);
    return ran.text;
  };
  const flush = async (): Promise<void> => {
    await laptop.google.tasks.flush();
    await laptop.google.pubsub.flush();
  };
  const ask = async (more: object = {}): Promise<string> => {
    const reply = await emails(laptop, { ...MAIL, ...more });
    assert.equal(reply.status, 200);
    return String(reply.body?.['id']);
  };
  const stateOf = (id: string) => laptop.google.ledgerEntry(id)?.['state'];
  return {
    ...laptop,
    config,
    says,
    flush,
    ask,
    stateOf,
    sent: () => laptop.google.mails.count(),
    [Symbol.asyncDispose]: () => laptop[Symbol.asyncDispose](),
  };
}
const played = new Set<string>();

test('a mailbox cannot send: watch names it, rotate gives it a grant, a replay sends what waited', async () => {
  await using own = await started();
  const play = 'a mailbox cannot send';
  const client = own.google.clients.find(INSTALLED_ID);
  assert.ok(client);
  const refresh_token = own.google.oauth.consent(client, MAILBOX, [scopeFor('api')]);
  const grant = { client_id: client.id, client_secret: client.secret, refresh_token, address: MAILBOX };
  own.google.storeSecret(PROJECT, SECRET, JSON.stringify(grant));
  own.google.oauth.revoke(MAILBOX);
  const id = await own.ask();
  await own.flush();
  assert.deepEqual([own.stateOf(id), own.sent()], ['failed', 0]);
  await own.says(play, 'watch', 1, /WRONG.*\n.*grant_revoked.*\n.*fix: /);
  await own.says(play, 'rotate notices@example.com', 0, /Disabled: version 2, version 1/);
  await own.says(play, 'watch', 0, /Every mailbox can send/);
  await own.says(play, 'dead replay --reason grant_revoked', 0, /Left: 0|none left|replayed/i);
  await own.flush();
  assert.deepEqual([own.stateOf(id), own.sent()], ['sent', 1]);
  await own.says('A dead letter', 'dead list', 0, /No dead letter/i);
});

for (const [there, verb] of [
  [true, 'drop'],
  [false, 'resend'],
] as const)
  test(`nobody knows whether an email was sent, and it is ${there ? '' : 'not '}in the Sent folder: ledger ${verb}`, async () => {
    await using own = await started();
    const play = 'nobody knows whether an email was sent';
    own.google.faults.script({ on: 'transfer', answer: 'session_gone' });
    const id = await own.ask();
    await own.flush();
    await own.says(play, 'ledger list --state unknown', 0, new RegExp(id));
    await own.says(play, 'ledger show ID', 0, /session_gone/, { ID: id });
    await own.says(play, `ledger ${verb} ID`, 0, verb === 'drop' ? /will never be sent/ : /It is released/, { ID: id });
    if (verb === 'drop') await own.says(play, 'dead drop ID', 0, /dropped/, { ID: id });
    else await own.says('A dead letter', 'dead replay --reason grant_revoked', 0, /replayed/, { grant_revoked: 'session_gone' });
    await own.flush();
    assert.deepEqual([own.stateOf(id), own.sent()], verb === 'drop' ? ['failed', 0] : ['sent', 1]);
    await own.says('A dead letter', 'dead list', 0, /No dead letter/i);
  });

test('nobody knows, and Gmail can be asked: ledger resend asks first, and nothing goes out twice', async () => {
  await using own = await started();
  const play = 'nobody knows whether an email was sent';
  own.google.faults.script({ on: 'transfer', reset: 'after' }, { on: 'ask', answer: 'unavailable', times: 9 });
  const id = await own.ask();
  await own.google.pubsub.flush();
  assert.deepEqual([own.stateOf(id), own.sent()], ['unknown', 1]);
  own.google.faults.clear();
  await own.says(play, 'ledger resend ID', 0, /sent/, { ID: id });
  await own.flush();
  assert.deepEqual([own.stateOf(id), own.sent()], ['sent', 1]);
});

test('accepted emails are overdue: the list says so, and drop ends one', async () => {
  const accepted = Date.now() - 60 * 60_000;
  await using own = await started({ now: () => accepted });
  const id = await own.ask();
  const play = 'accepted emails are overdue';
  await own.says(play, 'ledger list', 0, /overdue/);
  await own.says(play, 'ledger drop ID', 0, /will never be sent/, { ID: id });
  await own.flush();
  assert.deepEqual([own.stateOf(id), own.sent()], ['failed', 0]);
});

test('dead letters are waiting: two looks see them, and a replay right after', async () => {
  await using own = await started();
  const play = 'dead letters are waiting';
  own.google.oauth.revoke(MAILBOX);
  for (let n = 0; n < 3; n++) await own.ask({ subject: `${n}` });
  await own.flush();
  for (let look = 0; look < 2; look++)
    assert.equal((await own.says(play, 'dead list', 0, /grant_revoked/)).match(/grant_revoked/g)?.length, 3);
  own.google.storeSecret(PROJECT, SECRET, JSON.stringify(own.google.oauth.enrol(MAILBOX)));
  const text = await own.says('A dead letter', 'dead replay --reason grant_revoked', 0, /replayed/);
  assert.equal(text.match(/replayed/g)?.length, 3);
  await own.flush();
  assert.equal(own.sent(), 3);
});

test("what happened to a customer's email: it is found by its address, which is hashed", async () => {
  await using own = await started();
  const id = await own.ask({ to: 'ann@example.com' });
  await own.ask();
  await own.flush();
  const text = await own.says("What happened to a customer's email?", 'ledger list --to ann@example.com --since 7d', 0, /sent/);
  assert.deepEqual([text.includes(id), text.match(/ sent /g)?.length], [true, 1]);
});

test('emails are parked: the list says until when, midnight UTC for our own limit', async () => {
  const [box] = CONFIG.mailboxes;
  assert.ok(box);
  await using own = await started({ config: { ...CONFIG, mailboxes: [{ ...box, limits: { perDay: 1, perMinute: null } }] } });
  for (const subject of ['1', '2']) await own.ask({ subject });
  await own.google.pubsub.flush();
  const text = await own.says('Emails are parked', 'ledger list --state parked --json', 0, /notBefore/);
  const { mails } = JSON.parse(text) as { mails: { notBefore: string }[] };
  assert.match(mails[0]?.notBefore ?? '', /T00:0[01]:/);
  assert.deepEqual([mails.length, own.sent()], [1, 1]);
});

test('a new API key without downtime: the list shows what still waits for the old one', async () => {
  await using own = await started();
  const play = 'A new API key without downtime';
  await own.says(play, 'key create shop-2 --from notices@example.com', 0, /mg_shop-2_/);
  const id = await own.ask();
  await own.says(play, 'ledger list --state queued,scheduled,waiting,parked --json', 0, /"caller": ?"shop"/);
  await own.flush();
  assert.equal(own.stateOf(id), 'sent');
  assert.doesNotMatch(await own.says(play, 'ledger list --state queued,scheduled,waiting,parked --json', 0, /"mails"/), /"shop"/);
  await own.says(play, 'key revoke shop', 0, /shop is out/);
  assert.doesNotMatch(readFileSync(own.config, 'utf8'), /^ {2}shop:/m);
});

test('what a deployment does to emails that wait: it is said before, and a replay sends them once the config allows it', async () => {
  await using own = await started();
  const play = 'What a deployment does to emails that wait';
  const id = await own.ask();
  const allowed = readFileSync(own.config, 'utf8');
  writeFileSync(own.config, allowed.replace(/^keys:\n.*\n/m, ''));
  await own.says(play, 'config --project your-project', 0, /1 email that waits of shop would be refused, key_invalid/);
  // The worker of that config, for the message that waits.
  const { routes: _, ...rest } = own.settings.config;
  const narrower = connect(settingsFor(own.google.url, { ...own.settings, config: { ...rest, keys: [] } }), () => {});
  const worker = pubsubWorker(narrower, () => {});
  own.google.pubsub.subscribe({
    name: `projects/${PROJECT}/subscriptions/mails`,
    topic: `projects/${PROJECT}/topics/mails`,
    endpoint: await serve(worker),
  });
  await own.flush();
  assert.deepEqual([own.stateOf(id), own.google.ledgerEntry(id)?.['code']], ['failed', 'key_invalid']);
  writeFileSync(own.config, allowed);
  own.google.pubsub.subscribe({
    name: `projects/${PROJECT}/subscriptions/mails`,
    topic: `projects/${PROJECT}/topics/mails`,
    endpoint: own.worker,
  });
  await own.says(play, 'dead replay --reason CODE', 0, /replayed/, { CODE: 'key_invalid' });
  await own.flush();
  assert.deepEqual([own.stateOf(id), own.sent()], ['sent', 1]);
});

const served: (() => void)[] = [];
after(() => {
  for (const close of served) close();
});
async function serve(handler: Parameters<typeof serveOn>[0]): Promise<string> {
  const { url, close } = await serveOn(handler);
  served.push(close);
  return url;
}

test('a digest that a dead grant held up: dead list names it, and a replay sends it', async () => {
  const clock = { now: Date.now() };
  const files = { 'plain.hbs': PLAIN, 'digest.hbs': '---\nsubject: Digest\n---\n<p>{{digest.count}} more</p>\n' };
  await using own = await started({ ...routed({ builds: { ...ROUTE, dedupe: 'event.group', every: '1h' } }, files), now: () => clock.now });
  for (const id of ['1', '2', '3']) {
    const data = Buffer.from(JSON.stringify({ id, group: 'a', status: 'FAILURE' })).toString('base64');
    assert.equal((await post(`${own.worker}/routes/builds`, { subscription: 's', message: { messageId: id, data } })).status, 204);
  }
  await own.flush();
  own.google.oauth.revoke(MAILBOX);
  for (const end = clock.now + 2 * 60 * 60_000; clock.now < end; clock.now += 10 * 60_000) await own.flush();
  await own.says('A dead letter', 'dead list', 0, /grant_revoked/);
  own.google.storeSecret(PROJECT, SECRET, JSON.stringify(own.google.oauth.enrol(MAILBOX)));
  await own.says('A dead letter', 'dead replay --reason grant_revoked', 0, /replayed/);
  await own.flush();
  assert.deepEqual([own.sent(), /2 more/.test(own.google.mails.list()[0]?.raw.toString() ?? '')], [2, true]);
});

/** Commands that are not played here, and the test that holds what they do. */
const ELSEWHERE: readonly (readonly [RegExp, string])[] = [
  [/^deploy\b/, 'test/cli/deploy/deploy.test.ts'],
  [/^(stop|start)\b/, 'test/cli/deploy/stop-command.test.ts'],
  [/^dead replay --reason stopped/, 'test/trigger/pubsub/keep-while-stopped.test.ts'],
  [/^smoke\b/, 'test/cli/verify-live/verify-live.test.ts'],
  [/^doctor\b/, 'test/cli/doctor/doctor-checks.test.ts'],
  [/^(test-route|preview)\b/, 'test/cli/events/try-route.test.ts'],
  [/^authorize\b/, 'test/cli/grants/authorize.test.ts'],
  [/^revoke\b/, 'test/cli/grants/rotate.test.ts'],
  [/^dead drop 1234567890/, 'test/cli/ledger/dead-letters.test.ts'],
  [/^ledger list --state queued,scheduled,waiting,parked$/, 'test/cli/ledger/list-emails.test.ts'],
  [/^(watch|ledger list|explain)$/, 'test/cli/ledger/list-emails.test.ts'],
];

test('each command of the page is played, or has a test that is named', () => {
  const all = PAGE.split(/^##+ /m).flatMap((text) => commandsOf(text.split('\n')[0] ?? ''));
  const missing = all.filter((command) => !played.has(command) && !ELSEWHERE.some(([pattern]) => pattern.test(command)));
  assert.deepEqual(missing, []);
  for (const [, file] of ELSEWHERE) assert.ok(readFileSync(file, 'utf8').length > 0);
});
