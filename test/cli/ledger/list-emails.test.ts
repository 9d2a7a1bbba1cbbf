import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { operatorFor } from '../../../functions/cli/common/operator.ts';
import type { Terminal } from '../../../functions/cli/common/terminal.ts';
import { runLedgerCommand } from '../../../functions/cli/ledger/ledger-command.ts';
import type { Fault } from '../../../functions/fake-google/faults/faults.ts';
import { connect } from '../../../functions/google/connect.ts';
import {
  authorised,
  envelope,
  type Laptop,
  MAIL,
  MAILBOX,
  PROJECT,
  post,
  SECRET,
  serveOn,
  settingsFor,
  startLaptop,
} from '../../support/stack/laptop.ts';

const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
const config = join(folder, 'mailgrant.yaml');
writeFileSync(config, `mailboxes:\n  ${MAILBOX}: { name: Example Notices, secret: ${SECRET}, aliases: [no-reply@example.com] }\n`);
let laptop: Laptop;
before(async () => {
  laptop = await startLaptop({ settings: { deadlineMs: 30_000 } });
});
after(() => laptop?.[Symbol.asyncDispose]());

const env = () => ({ GOOGLE_CLOUD_PROJECT: PROJECT, MAILGRANT_GOOGLE_URL: laptop.google.url, MAILGRANT_DEADLINE_SECONDS: '30' });
const nobody: Terminal = { interactive: false, say: () => {}, ask: async () => null, open: async () => false };
interface Data {
  readonly ok?: boolean;
  readonly code?: string;
  readonly changed?: boolean;
  readonly says?: string;
  readonly mail?: { readonly state: string; readonly code: string | null };
  readonly mails?: { readonly id: string; readonly state: string }[];
  readonly [more: string]: unknown;
}
async function run(
  verb: string,
  words: readonly string[] = [],
  options: Record<string, string | boolean | string[]> = {},
  terminal = nobody,
) {
  const { data, text, exitCode = 0 } = await runLedgerCommand({ config, ...options }, verb, words, env(), terminal);
  return { data: data as Data, text, exitCode };
}
const stateOf = ({ data }: { data: Data }) => [data.changed, data.mail?.state, data.mail?.code];
const count = () => laptop.google.mails.count();

let keys = 0;
/** Posts an email while Gmail fails that way; answers its id, and the same request again. */
async function mailThat(...faults: Fault[]) {
  const key = `ledger-${++keys}`;
  laptop.google.faults.script(...faults);
  const again = () => post(`${laptop.api}/emails`, MAIL, { ...authorised, 'idempotency-key': key });
  const reply = await again();
  laptop.google.faults.clear();
  return { id: String(reply.body?.['id']), again };
}
const LOST: Fault[] = [
  { on: 'transfer', reset: 'after' },
  { on: 'ask', answer: 'session_gone' },
];
const NEVER_CAME: Fault[] = [{ on: 'transfer', answer: 'session_gone' }];
const OPEN_QUESTION: Fault[] = [
  { on: 'transfer', reset: 'after' },
  { on: 'ask', answer: 'bad_token', times: 9 },
];
const FAILED: Fault[] = [{ on: 'open', answer: 'invalid_to' }];

test('list shows what needs a look, newest first, and nothing of the content, the recipients or the session', async () => {
  const sent = await mailThat();
  const failed = await mailThat(...FAILED);
  const unknown = await mailThat(...OPEN_QUESTION);
  const { data, text } = await run('list');
  assert.deepEqual(
    data.mails?.map(({ id, state }) => [id, state]),
    [
      [unknown.id, 'unknown'],
      [failed.id, 'failed'],
    ],
  );
  assert.ok(laptop.google.ledgerEntry(unknown.id)?.['handle']); // so that the next line means something
  assert.doesNotMatch(`${text}${JSON.stringify(data)}`, /canary|you@example|upload_id|handle/);
  const ids = async (options: Record<string, string | string[]>) => (await run('list', [], options)).data.mails?.map(({ id }) => id);
  assert.deepEqual(await ids({ state: ['sent'] }), [sent.id]);
  assert.deepEqual(await ids({ limit: '1' }), [unknown.id]);
  assert.deepEqual(await ids({ mailbox: MAILBOX, to: 'YOU@example.net', since: '1h' }), [unknown.id, failed.id, sent.id]);
  assert.deepEqual(
    [await ids({ mailbox: 'other@example.com' }), await ids({ to: 'other@example.com' }), await ids({ since: 'in 1 hour' })],
    [[], [], []],
  );
});

test('list shows what somebody began and left ten minutes ago, too, and not what somebody works on', async () => {
  const ports = connect(settingsFor(laptop.google.url), () => {}).startInvocation();
  const begun = async (state: 'claimed' | 'sending' | 'queued', minutesAgo: number): Promise<string> => {
    const id = ports.newId();
    const leaseUntil = minutesAgo === 0 ? 0 : Date.now() - minutesAgo * 60_000;
    const rest = { recipients: [], acceptedAt: Date.now(), attempts: 1, gmailId: null, code: null, notBefore: null, mimeHash: null };
    const names = { requestHash: 'p', caller: 'api:shop', mailbox: MAILBOX };
    await ports.ledger.create(
      { id, state, ...names, ...rest, leaseUntil, sessionUri: null, expireAt: Date.now() + 3_600_000 },
      null,
      Date.now(),
    );
    return id;
  };
  const left = [await begun('claimed', 11), await begun('sending', 11), await begun('sending', 0)];
  const others = [await begun('claimed', 9), await begun('sending', -1), await begun('queued', 11)];
  ports.close();
  const { data, text } = await run('list');
  const shown = new Map(data.mails?.map((one) => [one.id, one]));
  assert.deepEqual([left.map((id) => shown.has(id)), others.map((id) => shown.has(id))], [left.map(() => true), others.map(() => false)]);
  assert.equal(text.match(/nobody holds it/g)?.length, 3);
  assert.deepEqual((shown.get(left[2] ?? '') as { may?: string[] } | undefined)?.may, ['resend', 'drop']);
  assert.deepEqual((await run('list', [], { state: ['parked'] })).data.mails, []);
});

for (const to of ['Ann.Smith@example.org', 'ann@bücher.example'])
  test(`list --to ${to} finds what was sent to it, however it is written`, async () => {
    const { body } = await post(`${laptop.api}/emails`, { ...MAIL, to }, authorised);
    for (const written of [to, to.toLowerCase(), ` ${to.toUpperCase()}`]) {
      const { data } = await run('list', [], { to: written });
      assert.deepEqual(
        data.mails?.map(({ id, state }) => [id, state]),
        [[body?.['id'], 'sent']],
      );
    }
    assert.deepEqual((await run('list', [], { to, state: ['failed'] })).data.mails, []);
  });

const wrong: { words: string[]; options?: Record<string, string | string[]>; code: string }[] = [
  { words: [], code: 'option_invalid' },
  { words: ['burn'], code: 'option_invalid' },
  { words: ['list', 'x'], code: 'option_invalid' },
  { words: ['list'], options: { state: ['gone'] }, code: 'option_invalid' },
  { words: ['list'], options: { since: 'once' }, code: 'option_invalid' },
  { words: ['list'], options: { limit: '0' }, code: 'option_invalid' },
  { words: ['show'], code: 'mail_missing' },
  { words: ['show', 'x'], code: 'mail_missing' },
  { words: ['show', '00000000-0000-4000-8000-000000000000'], code: 'mail_missing' },
  { words: ['drop', '00000000-0000-4000-8000-000000000000'], code: 'mail_unknown' },
  { words: ['resend', '00000000-0000-4000-8000-000000000000', 'y'], code: 'option_invalid' },
  { words: ['resend', '00000000-0000-4000-8000-000000000000'], options: { message: join(folder, 'none.json') }, code: 'file_unreadable' },
];
for (const { words, options, code } of wrong)
  test(`ledger ${words.join(' ')} ${Object.keys(options ?? {}).join(' ')} is ${code}`, async () => {
    const { data, text, exitCode } = await run(words[0] as string, words.slice(1), options);
    assert.deepEqual([data.ok, data.code, exitCode], [false, code, code === 'option_invalid' || code === 'project_missing' ? 2 : 1]);
    assert.match(text, /^Fix: /m);
  });

test('without a name the database is the one that infra/ makes, on the laptop the one of the fake', () => {
  const database = (given: Record<string, string>) => operatorFor(config, PROJECT, given).settings.database.split('/').at(-1);
  assert.deepEqual(
    [
      database({}),
      database({ MAILGRANT_DATABASE: '(default)' }),
      database({ MAILGRANT_GOOGLE_URL: laptop.google.url }),
      database({ MAILGRANT_FIRESTORE_URL: 'http://127.0.0.1:1' }),
    ],
    ['mailgrant', '(default)', '(default)', '(default)'],
  );
});

test('list --tag finds the emails with that tag, in whatever state, and no others', async () => {
  const { body } = await post(`${laptop.api}/emails`, { ...MAIL, tags: [{ name: 'order', value: '7' }] }, authorised);
  await post(`${laptop.api}/emails`, { ...MAIL, tags: [{ name: 'order', value: '77' }] }, authorised);
  const { data } = await run('list', [], { tag: 'order=7' });
  assert.deepEqual(
    data.mails?.map(({ id, state }) => [id, state]),
    [[body?.['id'], 'sent']],
  );
});

test('a database that is not there is told from an outage, with its name', async () => {
  const nowhere = await serveOn(async (_, res) => void res.writeHead(404).end('[{"error":{"code":404,"status":"NOT_FOUND"}}]'));
  const there = { ...env(), MAILGRANT_FIRESTORE_URL: nowhere.url };
  const { data } = await runLedgerCommand({ config, database: 'elsewhere' }, 'list', [], there, nobody);
  nowhere.close();
  assert.deepEqual([(data as Data).code, /databases\/elsewhere/.test(String((data as Data)['detail']))], ['database_missing', true]);
});

test('show says what a code means, what mends it, and what may be done', async () => {
  const { id } = await mailThat(...FAILED);
  const { data, text } = await run('show', [id]);
  assert.deepEqual(
    [data['state'], data['code'], data['cause'], data['mailbox'], data['may']],
    ['failed', 'mail_refused', 'invalid-recipient', MAILBOX, ['resend', 'drop']],
  );
  assert.match(text, /fix +Correct the addresses[\s\S]*ledger resend/);
  assert.deepEqual((await run('show', [(await mailThat()).id])).data['may'], []);
});

test('resend of an email that Gmail has after all records it as sent, and sends nothing', async () => {
  const { id, again } = await mailThat(...OPEN_QUESTION);
  const before = count();
  assert.deepEqual(stateOf(await run('resend', [id])), [true, 'sent', null]);
  assert.deepEqual([(await again()).status, count()], [200, before]);
  assert.deepEqual(stateOf(await run('resend', [id], { yes: true })), [false, 'sent', null]);
});

test('resend of an email that nobody knows of asks first, and the next request with its key sends it once', async () => {
  const { id, again } = await mailThat(...NEVER_CAME);
  const before = count();
  assert.deepEqual([(await run('resend', [id])).data.code, (await again()).status], ['confirmation_missing', 422]);
  const questions: string[] = [];
  const says = (answer: string): Terminal => ({
    ...nobody,
    interactive: true,
    ask: async (question) => {
      questions.push(question);
      return answer;
    },
  });
  assert.equal((await run('resend', [id], {}, says('n'))).data.code, 'confirmation_missing');
  assert.deepEqual(stateOf(await run('resend', [id], {}, says('y'))), [true, 'waiting', null]);
  assert.match(questions[1] ?? '', /Gmail may have sent it[\s\S]*twice/);
  assert.deepEqual(stateOf(await run('resend', [id], { yes: true })), [false, 'waiting', null]);
  const replies = await Promise.all([again(), again(), again()]);
  assert.ok(replies.some(({ status }) => status === 200));
  assert.deepEqual([(await again()).body?.['id'], count() - before], [id, 1]);
  assert.match(laptop.google.mails.list()[0]?.raw.toString() ?? '', new RegExp(`^Message-ID: <${id}@example\\.com>\r$`, 'm'));
});

test('an email that came by Pub/Sub and failed goes out by its message, once it is released', async () => {
  const push = () => post(laptop.worker, envelope(MAIL, { attributes: { idempotencyKey: 'released' } }));
  laptop.google.faults.script(...FAILED);
  await push();
  const id = (await run('list', [], { state: ['failed'], limit: '1' })).data.mails?.[0]?.id ?? '';
  const before = count();
  assert.deepEqual([(await push()).status, count() - before], [204, 0]);
  assert.deepEqual(stateOf(await run('resend', [id], { yes: true })), [true, 'waiting', null]);
  assert.deepEqual([(await push()).status, (await push()).status, count() - before], [204, 204, 1]);
});

const file = (name: string, mail: unknown): string => {
  writeFileSync(join(folder, name), JSON.stringify(mail));
  return join(folder, name);
};

test('with the message at hand resend sends it, once, however many do so at the same time', async () => {
  const { id } = await mailThat(...NEVER_CAME);
  const before = count();
  const message = file('mail.json', MAIL);
  const all = await Promise.all(Array.from({ length: 4 }, () => run('resend', [id], { yes: true, message })));
  assert.ok(all.some(({ data }) => data.mail?.state === 'sent'));
  for (const { data } of all) assert.ok(data.ok || data.code === 'in_flight', data.code);
  assert.deepEqual([stateOf(await run('resend', [id], { yes: true, message })), count() - before], [[false, 'sent', null], 1]);
});

test('another message than the one that was asked for is refused, and nothing is changed', async () => {
  const { id } = await mailThat(...NEVER_CAME);
  const before = count();
  const { data, text } = await run('resend', [id], { yes: true, message: file('other.json', { ...MAIL, text: 'canary-body of another' }) });
  assert.equal(data.code, 'idempotency_mismatch');
  assert.deepEqual([(await run('show', [id])).data['state'], count()], ['unknown', before]);
  assert.doesNotMatch(text, /canary/);
});

test('a dry run changes nothing', async () => {
  const { id } = await mailThat(...NEVER_CAME);
  for (const verb of ['resend', 'drop'])
    assert.deepEqual(stateOf(await run(verb, [id], { 'dry-run': true })), [false, 'unknown', 'session_gone']);
  assert.equal((await run('show', [id])).data['state'], 'unknown');
});

for (const { name, faults } of [
  { name: 'failed', faults: FAILED },
  { name: 'unknown', faults: LOST },
])
  test(`a ${name} mail that is dropped is never sent, whoever asks for it`, async () => {
    const { id, again } = await mailThat(...faults);
    const before = count();
    assert.equal((await run('drop', [id])).data.code, 'confirmation_missing');
    assert.deepEqual(stateOf(await run('drop', [id], { yes: true })), [true, 'failed', 'dropped']);
    assert.deepEqual(stateOf(await run('drop', [id], { yes: true })), [false, 'failed', 'dropped']);
    const { status, body } = await again();
    assert.deepEqual([status, body?.['code'], count()], [409, 'dropped', before]);
  });

test('an email that was dropped while nobody knew of it may be there all the same, and resend says so before it lets it go', async () => {
  const { id } = await mailThat(...LOST);
  await run('drop', [id], { yes: true });
  const questions: string[] = [];
  const ask = async (question: string) => String(questions.push(question));
  const terminal = { ...nobody, interactive: true, ask };
  assert.equal((await run('resend', [id], {}, terminal)).data.code, 'confirmation_missing');
  assert.match(questions.join(), /Gmail may have sent it[\s\S]*twice/);
  assert.match((await run('resend', [id], { 'dry-run': true })).data.says ?? '', /twice/);
});

test('what was sent, and what somebody works on, is not to be decided about', async () => {
  const sent = await mailThat();
  assert.equal((await run('drop', [sent.id], { yes: true })).data.code, 'nothing_to_decide');
  const reached = laptop.google.reached('transfer');
  const busy = mailThat({ on: 'transfer', delayMs: 600 });
  await reached;
  const id = (await run('list', [], { state: ['sending'] })).data.mails?.[0]?.id ?? '';
  assert.deepEqual((await run('show', [id])).data['may'], []);
  for (const verb of ['resend', 'drop']) assert.equal((await run(verb, [id], { yes: true })).data.code, 'in_flight');
  await busy;
});

test('on the command line, with --json', async () => {
  const child = spawn(process.execPath, ['functions/cli/main.ts', 'ledger', 'list', '--state', 'sent', '--json', '--config', config], {
    env: { ...process.env, ...env() },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const answer = JSON.parse(Buffer.concat(await child.stdout.toArray()).toString()) as Data;
  assert.ok((answer.mails?.length ?? 0) > 0);
});
