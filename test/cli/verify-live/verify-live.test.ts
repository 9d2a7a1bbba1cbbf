import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CommandAnswer } from '../../../functions/cli/common/command.ts';
import { CommandError } from '../../../functions/cli/common/refusal.ts';
import type { ProbeVerdict } from '../../../functions/cli/verify-live/probes.ts';
import { chosen, emailsOf, type LiveOptions, verifyLive } from '../../../functions/cli/verify-live/verify-live.ts';
import { VERIFY_LIVE } from '../../../functions/cli/verify-live/verify-live-command.ts';
import { BREAKABLE } from '../../../functions/fake-google/faults/assumptions.ts';
import { type Google, startGoogle } from '../../../functions/fake-google/google.ts';
import { ASSUMPTIONS, type TriedId } from '../../../functions/google/assumptions.ts';
import { createIdentity } from '../../../functions/google/auth/service-identity.ts';
import type { Mailbox } from '../../../functions/mail/model/config.ts';
import { SCOPE_MAIL, SCOPE_SEND } from '../../../functions/mail/model/scopes.ts';
import { CONFIG, MAILBOX, PROJECT, SECRET, settingsFor } from '../../support/stack/laptop.ts';

const DAY_MS = 24 * 60 * 60_000;
const TRIED = ASSUMPTIONS.filter(({ tried }) => tried !== null).map(({ id }) => id as TriedId);

interface Try extends LiveOptions {
  readonly scopes?: readonly string[];
  readonly prepare?: (google: Google) => void;
}

/** Runs some assumptions against an emulator, whose clock only moves as `pause` says. */
async function tried(id: TriedId, { scopes = [SCOPE_MAIL], prepare = () => {}, ...options }: Try = {}) {
  await using google = await startGoogle({ aliasesOf: () => [] });
  google.storeSecret(PROJECT, SECRET, JSON.stringify(google.oauth.enrol(MAILBOX, [...scopes])));
  prepare(google);
  const settings = settingsFor(google.url, {});
  const operator = { settings, identity: createIdentity(settings.urls.metadata) };
  const waits: number[] = [];
  const pause = async (ms: number): Promise<void> => {
    waits.push(ms);
    while (id === 'lost-reply-is-told' && google.mails.count() === 0) await new Promise(setImmediate);
  };
  const { report, sessions } = await verifyLive(operator, CONFIG.mailboxes[0] as Mailbox, '0.0.0', { only: [id], pause, ...options });
  const [found] = report.findings;
  return { report, sessions, waits, verdict: found?.verdict, detail: found?.detail, mails: google.mails.list(), google };
}

/** What each needs to be told beside an emulator that holds it. */
const NEEDS: Partial<Record<TriedId, Try>> = {
  'send-scope-asks': { scopes: [SCOPE_SEND] },
  'minute-quota-is-named': { prepare: (google) => google.faults.script({ on: 'open', answer: 'rate' }) },
};
/** What cannot be told, and where. */
const UNTOLD: Partial<Record<TriedId, Try>> = {
  'send-scope-asks': { scopes: [SCOPE_MAIL] },
  'minute-quota-is-named': {},
  'session-lives-a-week': {},
  'message-id-is-kept': { scopes: [SCOPE_SEND] },
  'own-header-is-kept': { scopes: [SCOPE_SEND] },
  'encoded-names-are-kept': { scopes: [SCOPE_SEND] },
  'search-finds-in-seconds': { scopes: [SCOPE_SEND] },
  'lost-reply-is-told': { prepare: (google) => google.faults.script({ on: 'ledger', answer: 'cloud_unavailable', standing: true }) },
};

for (const id of TRIED.filter((one) => one !== 'session-lives-a-week')) {
  test(`${id}: held by an emulator that holds it`, async () => {
    const { verdict, detail } = await tried(id, NEEDS[id]);
    assert.equal(verdict, 'held', detail);
  });
  test(`${id}: not held by one that does not`, async () => {
    const { scopes } = NEEDS[id] ?? {};
    const { verdict, detail } = await tried(id, { ...(scopes && { scopes }), prepare: (google) => void google.assumptions.broken.add(id) });
    assert.equal(verdict, 'did not hold', detail);
  });
}
for (const [id, needs] of Object.entries(UNTOLD) as [TriedId, Try][])
  test(`${id}: could not be told without what it takes`, async () => {
    const { verdict, detail } = await tried(id, needs);
    assert.equal(verdict, 'could not be told', detail);
  });

test('session-lives-a-week: the sessions of one run are asked by a later one', async () => {
  let now = Date.now();
  await using google = await startGoogle({ now: () => now });
  google.storeSecret(PROJECT, SECRET, JSON.stringify(google.oauth.enrol(MAILBOX, [SCOPE_SEND])));
  const settings = settingsFor(google.url, {});
  const run = async (only: TriedId, options: LiveOptions = {}) =>
    verifyLive({ settings, identity: createIdentity(settings.urls.metadata) }, CONFIG.mailboxes[0] as Mailbox, '0.0.0', {
      only: [only],
      now: () => now,
      pause: async () => {},
      ...options,
    });
  const { sessions } = await run('thread-id-in-answer');
  const rows: [days: number, broken: boolean, verdict: ProbeVerdict][] = [
    [2, false, 'could not be told'],
    [6.6, false, 'held'],
    [3, true, 'did not hold'],
    [8, false, 'could not be told'],
  ];
  const began = now;
  for (const [days, broken, verdict] of rows) {
    now = began + days * DAY_MS;
    if (broken) google.assumptions.broken.add('session-lives-a-week');
    else google.assumptions.broken.clear();
    // Only this one is asked after its whole life; at eight days Gmail may have forgotten it.
    const { report } = await run('session-lives-a-week', { earlier: sessions });
    assert.equal(report.findings[0]?.verdict, verdict, `${days} days: ${report.findings[0]?.detail}`);
  }
});

test('every assumption that is tried can be broken, and every id is said once', () => {
  assert.deepEqual(BREAKABLE.toSorted(), TRIED.toSorted());
  assert.equal(new Set(ASSUMPTIONS.map(({ id }) => id)).size, ASSUMPTIONS.length);
  assert.throws(() => chosen(['no-such-one']), CommandError);
});

test('a whole run: no more emails than it said, each marked and to the mailbox itself', async () => {
  await using google = await startGoogle({});
  google.storeSecret(PROJECT, SECRET, JSON.stringify(google.oauth.enrol(MAILBOX, [SCOPE_MAIL])));
  const settings = settingsFor(google.url, {});
  const pause = async (): Promise<void> => {
    while (google.mails.count() === 0) await new Promise(setImmediate);
  };
  const operator = { settings, identity: createIdentity(settings.urls.metadata) };
  const { report } = await verifyLive(operator, CONFIG.mailboxes[0] as Mailbox, '0.0.0', { pause });
  assert.deepEqual(
    report.findings.filter(({ verdict }) => verdict !== 'held').map(({ id }) => id),
    [
      'session-lives-a-week',
      'send-scope-asks',
      'task-names-stay-taken',
      'commit-is-atomic',
      'pushes-are-repeated',
      'minute-quota-is-named',
    ],
  );
  const sent = google.mails.list();
  assert.match(readFileSync('docs/assumptions.md', 'utf8'), new RegExp(`up to ${emailsOf(chosen())} emails`));
  assert.ok(report.emails >= sent.length && sent.length <= emailsOf(chosen()));
  for (const { raw, recipients } of sent) {
    assert.deepEqual(recipients, [MAILBOX]);
    assert.match(raw.toString(), /^Subject: mailgrant verify-live /m);
  }
  assert.doesNotMatch(JSON.stringify(report), SECRETS);
});

/** What a report must not hold: addresses, tokens, sessions, ids of messages. */
const SECRETS = /@|canary|ya29|upload_id|https?:|[0-9a-f]{16}/;

test('the command says what it would send, asks, and writes a report without secrets and sessions that nobody else can read', async () => {
  await using google = await startGoogle({});
  google.storeSecret(PROJECT, SECRET, JSON.stringify(google.oauth.enrol(MAILBOX, [SCOPE_MAIL])));
  const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
  const [config = '', report = '', sessions = ''] = ['config.yaml', 'report.json', 'sessions.json'].map((name) => join(folder, name));
  writeFileSync(config, `mailboxes:\n  ${MAILBOX}: { secret: ${SECRET} }\n`);
  const before = { ...process.env };
  Object.assign(process.env, { MAILGRANT_GOOGLE_URL: google.url, GOOGLE_CLOUD_PROJECT: PROJECT });
  const run = (options: Record<string, string | boolean | readonly string[]>): Promise<CommandAnswer> =>
    VERIFY_LIVE.run({ config, json: true, report, sessions, only: ['thread-id-in-answer', 'session-lives-a-week'], ...options }, MAILBOX);
  try {
    const dry = await run({ 'dry-run': true });
    assert.deepEqual([(dry.data as { emails: number }).emails, google.mails.count()], [1, 0]);
    await assert.rejects(run({}), { code: 'confirmation_missing' });
    await assert.rejects(run({ only: ['no-such-one'], yes: true }), { code: 'option_invalid' });
    assert.equal(google.mails.count(), 0);
    assert.deepEqual([(await run({ yes: true })).exitCode, google.mails.count()], [0, 1]);
    assert.doesNotMatch(readFileSync(report, 'utf8'), SECRETS);
    assert.equal(statSync(sessions).mode & 0o777, 0o600);
    const control = `${google.url}/control/assumptions`;
    const broken = (body: string) => fetch(control, { method: 'POST', body }).then(({ status }) => status);
    assert.deepEqual([await broken('{"broken":["x"]}'), await broken('{"broken":["session-lives-a-week"]}')], [400, 200]);
    assert.equal((await run({ yes: true })).exitCode, 1);
    await fetch(control, { method: 'DELETE' });
    assert.equal((await run({ yes: true })).exitCode, 0);
  } finally {
    for (const name of ['MAILGRANT_GOOGLE_URL', 'GOOGLE_CLOUD_PROJECT'])
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
  }
});
