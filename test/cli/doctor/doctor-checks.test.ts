import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type CheckFinding, type DoctorCheck, failed, passed, runChecks } from '../../../functions/cli/doctor/check.ts';
import { type DoctorOptions, doctorChecks } from '../../../functions/cli/doctor/doctor-checks.ts';
import { WATCH } from '../../../functions/cli/doctor/watch-command.ts';
import { type Google, startGoogle } from '../../../functions/fake-google/google.ts';
import { createIdentity } from '../../../functions/google/auth/service-identity.ts';
import type { Config, Mailbox } from '../../../functions/mail/model/config.ts';
import { SCOPE_MAIL, SCOPE_SEND } from '../../../functions/mail/model/scopes.ts';
import { ALIAS, CONFIG, MAILBOX, PROJECT, SECRET, settingsFor } from '../../support/stack/laptop.ts';

const DELEGATE = 'delegate@laptop.iam.gserviceaccount.com';
const API = 'api@laptop.iam.gserviceaccount.com';
const box = (change: Partial<Mailbox>): Config => ({
  ...CONFIG,
  mailboxes: [{ ...(CONFIG.mailboxes[0] as Mailbox), aliases: [], ...change }],
});
const delegated = box({ grant: 'delegation', delegate: DELEGATE });

interface Setup {
  readonly name: string;
  readonly config?: Config;
  readonly prepare?: (google: Google) => void;
  readonly options?: DoctorOptions;
  readonly smtpPort?: number;
  /** Every cause that must be named, and no other. */
  readonly causes: readonly string[];
}

const store = (google: Google, payload: unknown): void =>
  google.storeSecret(PROJECT, SECRET, typeof payload === 'string' ? payload : JSON.stringify(payload));
const enrol = (google: Google, address = MAILBOX, scopes = [SCOPE_SEND, 'email']) => ({
  ...google.oauth.enrol(address, scopes),
  address: undefined,
});
const letDelegate = (google: Google, ...scopes: string[]): void => {
  google.project.serviceAccounts.set(DELEGATE, false);
  google.delegation.letSign(DELEGATE);
  google.delegation.allow(DELEGATE, scopes);
};

/** A mail of the mailbox that met a limit, as the ledger keeps it. */
function remember(google: Google, code: string, notBefore: number): void {
  const mailbox = createHash('sha256').update(MAILBOX).digest('hex').slice(0, 16);
  const fields = {
    code: { stringValue: code },
    mailbox: { stringValue: mailbox },
    acceptedAt: { integerValue: String(Date.now()) },
    notBefore: { integerValue: String(notBefore) },
  };
  const rows = [{ document: { fields } }, { document: { fields: { ...fields, mailbox: { stringValue: 'other' } } } }, { readTime: 'x' }];
  google.faults.script({ on: 'ledger', status: 200, body: rows });
}

const setups: Setup[] = [
  { name: 'a healthy mailbox', causes: [] },
  { name: 'a healthy delegation', config: delegated, prepare: (google) => letDelegate(google, SCOPE_SEND), causes: [] },
  { name: 'a function that may read the grant', options: { serviceAccounts: [API] }, causes: [] },
  {
    name: 'no credentials of the operator',
    prepare: (google) => google.faults.script({ on: 'identity', status: 404, times: 9 }),
    causes: ['identity_refused'],
  },
  {
    name: 'a metadata server that is down',
    prepare: (google) => google.faults.script({ on: 'identity', reset: 'before', times: 30 }),
    causes: ['google_unavailable'],
  },
  {
    name: 'functions that an operator has stopped',
    prepare: ({ project }) => {
      project.services.set('mailgrant-api', { MAILGRANT_STOPPED: 'true' }).set('mailgrant-worker', { MAILGRANT_STOPPED: 'false' });
      project.services.set('other-worker', { MAILGRANT_STOPPED: 'true' });
    },
    causes: ['stopped'],
  },
  {
    name: 'functions of another prefix that run',
    options: { prefix: 'other' },
    causes: [],
    prepare: ({ project }) => void project.services.set('mailgrant-api', { MAILGRANT_STOPPED: 'true' }),
  },
  { name: 'a project that does not exist', prepare: (google) => google.project.hidden.set(PROJECT, 404), causes: ['project_missing'] },
  { name: 'the Gmail API off', prepare: (google) => google.project.off.add('gmail.googleapis.com'), causes: ['api-not-enabled'] },
  {
    name: 'two APIs off',
    prepare: (google) => void google.project.off.add('firestore.googleapis.com').add('secretmanager.googleapis.com'),
    causes: ['api-not-enabled', 'api-not-enabled'],
  },
  {
    name: 'IAM Credentials off with a delegation',
    config: delegated,
    prepare: (google) => {
      letDelegate(google, SCOPE_SEND);
      google.project.off.add('iamcredentials.googleapis.com');
    },
    causes: ['api-not-enabled'],
  },
  { name: 'IAM Credentials off without one', prepare: (google) => google.project.off.add('iamcredentials.googleapis.com'), causes: [] },
  { name: 'no secret', config: box({ secret: 'none' }), causes: ['grant_missing'] },
  {
    name: 'a function that may not read the grant',
    options: { serviceAccounts: ['worker@laptop.iam.gserviceaccount.com'] },
    causes: ['secret-access-denied'],
  },
  {
    name: 'an operator who may not read the payload',
    prepare: (google) =>
      google.faults.script(
        { on: 'secret', status: 200, body: { versions: [{ name: 'v/1', state: 'ENABLED' }] } },
        { on: 'secret', answer: 'permission_denied' },
      ),
    causes: ['grant_unreadable'],
  },
  {
    name: 'a latest version that is disabled',
    prepare: (google) => google.faults.script({ on: 'secret', status: 200, body: { versions: [{ name: 'v/2', state: 'DISABLED' }] } }),
    causes: ['grant_unreadable'],
  },
  {
    name: 'a latest version that is destroyed',
    prepare: (google) => google.faults.script({ on: 'secret', status: 200, body: { versions: [{ name: 'v/2', state: 'DESTROYED' }] } }),
    causes: ['grant_unreadable'],
  },
  {
    name: 'a secret without versions',
    prepare: (google) => google.faults.script({ on: 'secret', status: 200, body: {} }),
    causes: ['grant_missing'],
  },
  { name: 'a payload that is no JSON', prepare: (google) => store(google, 'canary'), causes: ['grant_malformed'] },
  {
    name: 'a payload without refresh token',
    prepare: (google) => store(google, { ...enrol(google), refresh_token: undefined }),
    causes: ['grant_malformed'],
  },
  {
    name: 'a payload with a line break at its end',
    prepare: (google) => store(google, { ...enrol(google), client_secret: 'canary\n' }),
    causes: ['grant_malformed'],
  },
  {
    name: 'a payload that names another mailbox',
    prepare: (google) => store(google, { ...enrol(google), address: 'ceo@example.com' }),
    causes: ['grant_malformed'],
  },
  { name: 'a revoked grant', prepare: (google) => google.oauth.revoke(MAILBOX), causes: ['grant_revoked'] },
  {
    name: 'a wrong client secret',
    prepare: (google) => store(google, { ...enrol(google), client_secret: 'GOCSPX-canary' }),
    causes: ['client_refused'],
  },
  { name: 'a wrong client id', prepare: (google) => store(google, { ...enrol(google), client_id: 'x' }), causes: ['client_refused'] },
  ...(
    [
      ['a deleted client', { error: 'deleted_client' }, 'oauth-client-deleted'],
      ['session control', { error: 'invalid_grant', error_subtype: 'invalid_rapt' }, 'reauth-required-rapt'],
      [
        'session control in words',
        { error: 'invalid_grant', error_description: 'reauth related error (rapt_required)' },
        'reauth-required-rapt',
      ],
      ['the grant of another client', { error: 'unauthorized_client' }, 'client-mismatch'],
      ['a revoked grant that names no session control', { error: 'invalid_grant', error_description: 'Bad Request' }, 'grant_revoked'],
    ] as const
  ).map(([name, body, cause]) => ({
    name,
    prepare: (google: Google) => google.faults.script({ on: 'token', status: 400, body, times: 3 }),
    causes: [cause],
  })),
  {
    name: 'the file of an OAuth client stored as the grant',
    prepare: (google) => store(google, { installed: { client_id: 'a', client_secret: 'canary' } }),
    causes: ['grant_malformed'],
  },
  {
    name: 'the key file of a service account stored as the grant',
    prepare: (google) => store(google, { type: 'service_account', client_email: DELEGATE, private_key: 'canary' }),
    causes: ['grant_malformed'],
  },
  {
    name: 'a refresh-token grant where a key file is wanted',
    config: box({ grant: 'service-account-key' }),
    prepare: (google) => store(google, enrol(google)),
    causes: ['grant_malformed'],
  },
  {
    name: 'a policy of the administrator',
    prepare: (google) => google.faults.script({ on: 'token', status: 400, body: { error: 'admin_policy_enforced' } }),
    causes: ['mailbox_refused'],
  },
  {
    name: 'a token endpoint that is down',
    prepare: (google) => google.faults.script({ on: 'token', answer: 'backend', times: 3 }),
    causes: ['google_unavailable'],
  },
  {
    name: 'a scope that only reads',
    prepare: (google) => store(google, enrol(google, MAILBOX, ['https://www.googleapis.com/auth/gmail.readonly', 'email'])),
    causes: ['scope_missing'],
  },
  { name: 'a send scope for SMTP', config: box({ via: 'smtp' }), causes: ['scope_missing'] },
  {
    name: 'a closed SMTP port',
    config: box({ via: 'smtp' }),
    smtpPort: 1,
    prepare: (google) => store(google, enrol(google, MAILBOX, [SCOPE_MAIL])),
    causes: ['port-blocked'],
  },
  {
    name: 'the grant of another account',
    prepare: (google) => store(google, enrol(google, 'ceo@example.com')),
    causes: ['account_mismatch'],
  },
  {
    name: 'an alias that is not verified',
    config: box({ aliases: [ALIAS, 'pending@example.com'] }),
    prepare: (google) => store(google, enrol(google, MAILBOX, [SCOPE_MAIL])),
    causes: ['alias_unverified'],
  },
  {
    name: 'two things at once',
    config: box({ aliases: ['pending@example.com'] }),
    prepare: (google) => store(google, enrol(google, 'ceo@example.com', [SCOPE_MAIL])),
    causes: ['account_mismatch', 'alias_unverified'],
  },
  { name: 'a delegate that does not exist', config: delegated, causes: ['delegate_refused', 'delegate_refused'] },
  {
    name: 'a delegate that is disabled',
    config: delegated,
    prepare: (google) => {
      letDelegate(google, SCOPE_SEND);
      google.project.serviceAccounts.set(DELEGATE, true);
    },
    causes: ['service-account-disabled'],
  },
  {
    name: 'a delegation that the administrator did not enter',
    config: delegated,
    prepare: (google) => letDelegate(google),
    causes: ['delegation_missing'],
  },
  {
    name: 'a delegation with another scope',
    config: delegated,
    prepare: (google) => letDelegate(google, SCOPE_MAIL),
    causes: ['delegation_missing'],
  },
  {
    name: 'a delegation for a mailbox that is none',
    config: { ...delegated, mailboxes: [{ ...(delegated.mailboxes[0] as Mailbox), address: 'nobody@example.com' }] },
    prepare: (google) => letDelegate(google, SCOPE_SEND),
    causes: ['mailbox_refused'],
  },
  {
    name: 'a clock that is an hour behind',
    prepare: (google) =>
      google.faults.script({ on: 'profile', status: 401, headers: { date: new Date(Date.now() + 3_600_000).toUTCString() } }),
    causes: ['clock-skew'],
  },
  {
    name: 'a clock that is an hour ahead',
    prepare: (google) =>
      google.faults.script({ on: 'profile', status: 401, headers: { date: new Date(Date.now() - 3_600_000).toUTCString() } }),
    causes: ['clock-skew'],
  },
  {
    name: 'no way to Gmail',
    prepare: (google) => google.faults.script({ on: 'profile', reset: 'before', times: 2 }),
    causes: ['port-blocked'],
  },
  {
    name: 'mails that wait for the daily limit',
    prepare: (google) => remember(google, 'quota_daily', Date.now() + 3_600_000),
    causes: ['daily-limit'],
  },
  { name: 'a limit that was met and is over', prepare: (google) => remember(google, 'rate_limited', Date.now() - 1_000), causes: [] },
  { name: 'a real mail', options: { send: true }, causes: [] },
  { name: 'a real mail whose reply is dropped', options: { send: true, loseReply: true }, causes: [] },
  {
    name: 'a real mail over the daily limit',
    options: { send: true },
    prepare: (google) => google.faults.script({ on: 'open', answer: 'sending_limit' }),
    causes: ['quota_daily'],
  },
  {
    name: 'a real mail that Gmail refuses by policy',
    options: { send: true },
    prepare: (google) => google.faults.script({ on: 'open', answer: 'domain_policy' }),
    causes: ['mailbox_refused'],
  },
  {
    name: 'a ledger that may not be written',
    options: { send: true },
    prepare: (google) => google.faults.script({ on: 'ledger', answer: 'permission_denied', times: 2 }),
    causes: ['identity_refused'],
  },
];

async function diagnose({ config = box({}), prepare, options = {}, smtpPort }: Setup): Promise<{ found: CheckFinding[]; google: Google }> {
  const google = await startGoogle({ aliasesOf: () => [ALIAS, 'pending@example.com'] });
  store(google, enrol(google));
  prepare?.(google);
  const smtp = { host: '127.0.0.1', port: smtpPort ?? Number(new URL(google.url).port), secure: false, ca: null };
  const operator = { settings: settingsFor(google.url, { config, smtp }), identity: createIdentity(google.url) };
  return { found: await runChecks(doctorChecks(operator, options)), google };
}

for (const setup of setups)
  test(`${setup.name}: ${setup.causes.join(', ') || 'all is well'}`, async () => {
    const { found, google } = await diagnose(setup);
    await google[Symbol.asyncDispose]();
    const sick = found.filter(({ ok }) => ok === false);
    assert.deepEqual(
      sick.map(({ cause }) => cause),
      setup.causes,
      JSON.stringify(found, null, 1),
    );
    for (const { fix } of sick) assert.ok(fix.length > 0 && fix.every((step) => step.length > 5), 'each finding has a fix');
    assert.doesNotMatch(JSON.stringify(found), /canary/);
  });

test('--send --lose-reply proves it: one mail, and the session said what became of it', async () => {
  const { found, google } = await diagnose({ name: '', options: { send: true, loseReply: true }, causes: [] });
  const sent = found.find(({ check }) => check.endsWith(' send'));
  assert.match(
    sent?.detail ?? '',
    /sent, Gmail id \w+; the reply was dropped, and the session (said that it took the email|held \d+ bytes)/,
  );
  assert.equal(google.mails.count(), 1);
  await google[Symbol.asyncDispose]();
});

test('a check is left out while one it needs is wrong, and a check that breaks is a finding', async () => {
  const checks: DoctorCheck[] = [
    { name: 'a', run: async () => failed('a', 'x', 'is wrong', 'mend it') },
    { name: 'b', needs: ['a'], run: async () => passed('b', 'never reached') },
    { name: 'c', run: async () => Promise.reject(new TypeError('canary')) },
  ];
  const heard: string[] = [];
  const found = await runChecks(checks, ({ check }) => heard.push(check));
  assert.deepEqual(
    found.map(({ check, ok, cause }) => [check, ok, cause]),
    [
      ['a', false, 'x'],
      ['b', null, null],
      ['c', false, 'unexpected'],
    ],
  );
  assert.deepEqual(heard.toSorted(), ['a', 'b', 'c']);
  assert.doesNotMatch(JSON.stringify(found), /canary/);
});

const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const good = file('good.yaml', `mailboxes:\n  ${MAILBOX}: { secret: ${SECRET} }\n`);
const bad = file('bad.yaml', 'mailboxes: { nobody: {} }\ncolour: red\n');

async function command(google: Google, ...args: string[]): Promise<{ status: unknown; out: string }> {
  const child = spawn(process.execPath, ['functions/cli/main.ts', 'doctor', '--project', PROJECT, ...args], {
    env: { ...process.env, MAILGRANT_GOOGLE_URL: google.url },
  });
  const ended = new Promise((done) => child.once('exit', done));
  const out = Buffer.concat([...(await Array.fromAsync(child.stdout)), ...(await Array.fromAsync(child.stderr))]).toString();
  return { status: await ended, out };
}

for (const { name, args, dead, status, says } of [
  { name: 'a live grant', args: ['--config', good], dead: false, status: 0, says: /ok +credentials[\s\S]*All is well\./ },
  {
    name: 'a dead grant',
    args: ['--config', good],
    dead: true,
    status: 1,
    says: /WRONG +notices@example\.com token: .*\[grant_revoked\]\n +.*rotate ADDRESS[\s\S]*1 thing is wrong/,
  },
  { name: 'a dead grant as JSON', args: ['--config', good, '--json'], dead: true, status: 1, says: /"cause": "grant_revoked"/ },
  {
    name: 'a wrong config',
    args: ['--config', bad],
    dead: false,
    status: 1,
    says: /mailboxes\.nobody[\s\S]*colour[\s\S]*2 things are wrong/,
  },
  {
    name: 'a mailbox that is none',
    args: ['--config', good, 'x@example.com'],
    dead: false,
    status: 1,
    says: /x@example\.com is not in the config/,
  },
])
  test(`npx mailgrant doctor with ${name} exits with ${status}`, async () => {
    await using google = await startGoogle();
    store(google, enrol(google));
    if (dead) google.oauth.revoke(MAILBOX);
    const ran = await command(google, ...args);
    assert.equal(ran.status, status, ran.out);
    assert.match(ran.out, says);
    assert.doesNotMatch(ran.out, /canary/);
  });

async function withoutProject(
  google: Google,
  args: readonly string[],
  extra: Record<string, string> = {},
): Promise<{ status: unknown; out: string }> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(?:GOOGLE_CLOUD_PROJECT|EMAIL_.*)$/.test(name)));
  const child = spawn(process.execPath, ['functions/cli/main.ts', 'doctor', ...args], {
    env: { ...env, MAILGRANT_GOOGLE_URL: google.url, ...extra },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise((done) => child.once('exit', done));
  const out = Buffer.concat([...(await Array.fromAsync(child.stdout)), ...(await Array.fromAsync(child.stderr))]).toString();
  return { status: await ended, out };
}

for (const { name, args, says } of [
  { name: 'with a config', args: ['--config', good], says: /ok +config: mailboxes: 1/ },
  { name: 'without a config', args: ['--config', join(folder, 'none.yaml')], says: /unknown +config: there is no/ },
])
  test(`npx mailgrant doctor without a project, ${name}, says what it looks at and looks at that`, async () => {
    await using google = await startGoogle();
    const { status, out } = await withoutProject(google, args);
    assert.equal(status, 2, out);
    assert.match(out, says);
    assert.match(out, /unknown +project: none is named/);
    assert.match(out, /ok +gmail: reached/);
    assert.match(out, /ok +credentials/);
    assert.doesNotMatch(out, /All is well/);
  });

test('npx mailgrant doctor without a project and with a wrong config names what is wrong in it', async () => {
  await using google = await startGoogle();
  const { status, out } = await withoutProject(google, ['--config', bad]);
  assert.equal(status, 1, out);
  assert.match(out, /colour/);
});

test('npx mailgrant doctor --smtp with nothing set says how to name the setup', async () => {
  await using google = await startGoogle();
  const { status, out } = await withoutProject(google, ['--smtp']);
  assert.equal(status, 2, out);
  assert.match(out, /--settings FILE/);
  assert.match(out, /--url/);
  assert.match(out, /EMAIL_HOST/);
  assert.doesNotMatch(out, /WRONG|All is well/);
});

for (const { name, payload, fix } of [
  {
    name: 'the file of an OAuth client',
    payload: { web: { client_id: 'a', client_secret: 'canary' } },
    fix: /authorize ADDRESS --client FILE/,
  },
  { name: 'the key file of a service account', payload: { type: 'service_account', private_key: 'canary' }, fix: /grant: delegation/ },
])
  test(`the fix fits what is stored as the grant: ${name}`, async () => {
    await using google = await startGoogle();
    store(google, payload);
    const { status, out } = await command(google, '--config', good);
    assert.equal(status, 1, out);
    assert.match(out, fix);
    assert.doesNotMatch(out, /canary/);
  });

test('watch says that the functions are stopped, or that it does not know, and succeeds only where they run', async (t) => {
  await using google = await startGoogle({ aliasesOf: () => [ALIAS] });
  google.storeSecret(PROJECT, SECRET, JSON.stringify(enrol(google)));
  const config = join(mkdtempSync(join(tmpdir(), 'mailgrant-')), 'mailgrant.yaml');
  writeFileSync(config, `mailboxes:\n  ${MAILBOX}: { secret: ${SECRET} }\n`);
  const before = { ...process.env };
  t.after(() => {
    process.env = before;
  });
  process.env['MAILGRANT_GOOGLE_URL'] = google.url;
  const watch = async () => {
    const { text, exitCode = 0 } = await WATCH.run({ config, project: PROJECT });
    return [
      exitCode,
      /Every mailbox can send/.test(text),
      /STOPPED .*mailgrant-worker.*npx mailgrant start/s.test(text),
      /not known/.test(text),
    ];
  };
  assert.deepEqual(await watch(), [0, true, false, false]);
  google.project.services.set('mailgrant-worker', { MAILGRANT_STOPPED: 'true' });
  assert.deepEqual(await watch(), [1, true, true, false]);
  google.faults.script({ on: 'project', status: 403 });
  assert.deepEqual(await watch(), [0, true, false, true]);
});
