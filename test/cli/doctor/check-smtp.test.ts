import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { after, before, test } from 'node:test';
import { generate } from 'selfsigned';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { runChecks } from '../../../functions/cli/doctor/check.ts';
import { settingsFindings, smtpChecks } from '../../../functions/cli/doctor/check-smtp.ts';
import { askSettings } from '../../../functions/cli/settings/smtp-prompt.ts';
import { type FoundSettings, fromDjango, fromUrl, type SmtpSettings } from '../../../functions/cli/settings/smtp-settings.ts';
import { SecretString } from '../../../functions/mail/model/secret.ts';
import { hasDovecot, startDovecot } from '../../support/programs/dovecot.ts';
import { skipUnless } from '../../support/programs/emulators.ts';

const DJANGO = {
  EMAIL_HOST: 'smtp.gmail.com',
  EMAIL_PORT: '587',
  EMAIL_USE_TLS: 'True',
  EMAIL_HOST_USER: 'me@example.com',
  EMAIL_HOST_PASSWORD: 'abcd efgh ijkl mnop',
};
const shownOf = ({ settings: { host, port, tls, user, password }, missing, problems }: FoundSettings) => [
  host,
  port,
  tls,
  user,
  password.reveal(),
  missing.length,
  problems.length,
];

const sources: { name: string; found: FoundSettings; is: ReturnType<typeof shownOf> }[] = [
  {
    name: 'the environment',
    found: fromDjango(DJANGO),
    is: ['smtp.gmail.com', 587, 'starttls', 'me@example.com', 'abcd efgh ijkl mnop', 0, 0],
  },
  { name: 'an empty environment', found: fromDjango({}), is: ['localhost', 25, 'none', '', '', 3, 0] },
  {
    name: 'TLS and SSL at once',
    found: fromDjango({ ...DJANGO, EMAIL_USE_SSL: '1' }),
    is: ['smtp.gmail.com', 587, 'tls', 'me@example.com', 'abcd efgh ijkl mnop', 0, 1],
  },
  {
    name: 'a port that is none',
    found: fromDjango({ ...DJANGO, EMAIL_PORT: '587;' }),
    is: ['smtp.gmail.com', Number.NaN, 'starttls', 'me@example.com', 'abcd efgh ijkl mnop', 0, 1],
  },
  {
    name: 'a URL',
    found: fromUrl('smtp://me%40example.com:p%3Aw@smtp.gmail.com:587'),
    is: ['smtp.gmail.com', 587, 'starttls', 'me@example.com', 'p:w', 0, 0],
  },
  {
    name: 'a secure URL without port',
    found: fromUrl('smtps://me:pw@smtp.gmail.com'),
    is: ['smtp.gmail.com', 465, 'tls', 'me', 'pw', 0, 0],
  },
  {
    name: 'a URL with an address that is not encoded',
    found: fromUrl('smtp://me@example.com:pw@smtp.gmail.com'),
    is: ['smtp.gmail.com', 587, 'starttls', 'me@example.com', 'pw', 0, 1],
  },
  { name: 'a URL that is none', found: fromUrl('smtp.gmail.com'), is: ['localhost', 587, 'starttls', '', '', 3, 1] },
];
for (const { name, found, is } of sources) test(`${name} is read`, () => assert.deepEqual(shownOf(found), is));

const plain = (change: Partial<SmtpSettings> & { secret?: string }): FoundSettings => {
  const { secret = 'abcdefghijklmnop', ...rest } = change;
  return {
    settings: { host: 'smtp.gmail.com', port: 587, tls: 'starttls', user: 'me@example.com', password: new SecretString(secret), ...rest },
    missing: [],
    problems: [],
    complete: true,
  };
};
const mistakes: { name: string; found: FoundSettings; causes: (string | null)[] }[] = [
  { name: 'nothing', found: plain({}), causes: [null] },
  { name: '465 with STARTTLS', found: plain({ port: 465 }), causes: ['wrong-port-tls-mode'] },
  { name: '587 with TLS', found: plain({ tls: 'tls' }), causes: ['wrong-port-tls-mode'] },
  { name: '587 in the clear', found: plain({ tls: 'none' }), causes: ['starttls-missing'] },
  { name: 'a host in quotes', found: plain({ host: '"smtp.gmail.com"' }), causes: ['bad-host-value'] },
  { name: 'a host that is a page', found: plain({ host: 'mail.google.com' }), causes: ['bad-host-value'] },
  { name: 'a user without domain', found: plain({ user: 'me' }), causes: ['credentials-not-loaded'] },
  { name: 'a password in quotes', found: plain({ secret: '"abcdefghijklmnop"' }), causes: ['password-mangled', null] },
  { name: 'a password with a line break', found: plain({ secret: 'abcdefghijklmnop\n' }), causes: ['password-mangled'] },
  { name: 'an account password', found: plain({ secret: 'Canary-Secret1!' }), causes: [null] },
  {
    name: 'three settings that are empty',
    found: fromDjango({ EMAIL_PORT: '25' }),
    causes: ['bad-host-value', 'credentials-not-loaded', 'credentials-not-loaded'],
  },
];
for (const { name, found, causes } of mistakes)
  test(`wrong in the settings: ${name}`, () => {
    const findings = settingsFindings(found);
    assert.deepEqual(
      findings.map(({ cause }) => cause),
      causes,
    );
    assert.doesNotMatch(JSON.stringify(findings), /abcdefgh|Canary/);
  });

interface Served {
  readonly port: number;
  close(): void;
}
const certificate = async (days: number, from = Date.now(), host = 'localhost') => {
  const pems = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    notBeforeDate: new Date(from),
    notAfterDate: new Date(from + days * 86_400_000),
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: host }] }],
  } as never);
  return { key: pems.private, cert: pems.cert };
};
let genuine: { key: string; cert: string };
let expired: { key: string; cert: string };
let foreign: { key: string; cert: string };
before(async () => {
  [genuine, expired, foreign] = await Promise.all([
    certificate(30),
    certificate(1, Date.now() - 90 * 86_400_000),
    certificate(30, Date.now(), 'other.example'),
  ]);
});

const open: { close(): void }[] = [];
after(() => {
  for (const server of open) server.close();
});

async function serve(options: SMTPServerOptions): Promise<Served> {
  const server = new SMTPServer({
    authMethods: ['PLAIN', 'LOGIN'],
    disableReverseLookup: true,
    logger: false,
    closeTimeout: 10,
    onAuth: ({ username, password }, _session, done) => {
      if (password === 'good') return done(null, { user: username });
      done(
        Object.assign(
          new Error(
            '5.7.8 Username and Password not accepted. For more information, go to https://support.google.com/mail/?p=BadCredentials',
          ),
          { responseCode: 535 },
        ),
      );
    },
    ...options,
  });
  server.on('error', () => {}); // a client that hangs up is no error of ours
  const port = await new Promise<number>((done) => {
    const listening = server.listen(0, '127.0.0.1', () => done((listening.address() as AddressInfo).port));
  });
  open.push({ close: () => server.close(() => {}) });
  return { port, close: () => server.close(() => {}) };
}
async function raw(greeting: string | null): Promise<Served> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    if (greeting !== null) socket.write(greeting);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  open.push(server);
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

const explain = (text: string) =>
  /BadCredentials/.test(text) ? { cause: 'app-password-required', fix: ['Create an app password.'] } : null;
const dialogues: { name: string; server: () => Promise<Served>; change?: Partial<SmtpSettings> & { secret?: string }; causes: string[] }[] =
  [
    { name: 'a password that is right', server: () => serve(genuine), change: { secret: 'good' }, causes: [] },
    { name: 'the same over TLS', server: () => serve({ ...genuine, secure: true }), change: { tls: 'tls', secret: 'good' }, causes: [] },
    { name: 'a password that is wrong', server: () => serve(genuine), causes: ['app-password-required'] },
    { name: 'TLS on the STARTTLS port', server: () => serve(genuine), change: { tls: 'tls' }, causes: ['wrong-port-tls-mode'] },
    { name: 'STARTTLS on the TLS port', server: () => serve({ ...genuine, secure: true }), causes: ['wrong-port-tls-mode'] },
    { name: 'an expired certificate', server: () => serve(expired), causes: ['tls-intercepted'] },
    { name: 'a certificate of nobody', server: async () => serve(await certificate(30)), causes: ['tls-intercepted'] },
    { name: 'a certificate of another host', server: () => serve(foreign), causes: ['tls-intercepted'] },
    { name: 'a closed port', server: async () => ({ port: 1, close: () => {} }), causes: ['port-blocked'] },
    { name: 'a server that says nothing', server: () => raw(null), causes: ['wrong-port-tls-mode'] },
    {
      name: 'a server without STARTTLS',
      server: () => serve({ ...genuine, disabledCommands: ['STARTTLS'] }),
      causes: ['wrong-port-tls-mode'],
    },
    {
      name: 'a server that takes tokens only',
      server: () => serve({ ...genuine, authMethods: ['XOAUTH2'] }),
      causes: ['app-password-required'],
    },
    {
      name: 'a connection in the clear',
      server: () => serve({ ...genuine, hideSTARTTLS: true, disabledCommands: ['AUTH'] }),
      change: { tls: 'none' },
      causes: ['starttls-missing'],
    },
    { name: 'a greeting that refuses', server: () => raw('554 5.7.1 canary go away\r\n'), causes: ['unclassified'] },
    {
      name: 'a host that nobody knows',
      server: async () => ({ port: 587, close: () => {} }),
      change: { host: 'nowhere.invalid' },
      causes: ['dns-failure'],
    },
  ];
for (const { name, server, change = {}, causes } of dialogues)
  test(`a password set-up with ${name}: ${causes.join() || 'all is well'}`, async () => {
    const { port } = await server();
    const { secret = 'canary-wrong', ...rest } = change;
    const settings: SmtpSettings = {
      host: 'localhost',
      port,
      tls: 'starttls',
      user: 'me@example.com',
      password: new SecretString(secret),
      ...rest,
    };
    const checks = smtpChecks({ settings, missing: [], problems: [], complete: true }, explain, {
      ca: [genuine.cert, foreign.cert].join('\n'),
      timeoutMs: 500,
    });
    const found = await runChecks(checks);
    assert.deepEqual(
      found.flatMap(({ ok, cause }) => (ok === false ? [cause] : [])),
      causes,
      JSON.stringify(found),
    );
    assert.doesNotMatch(JSON.stringify(found), /canary-wrong/);
  });

const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
test('doctor --smtp reads a settings.py without running it, and exits with 1', () => {
  const file = join(folder, 'settings.py');
  writeFileSync(
    file,
    "import os\nos.system('touch ran')\nEMAIL_HOST = '127.0.0.1'\nEMAIL_PORT = 1\nEMAIL_HOST_USER = 'me@example.com'\nEMAIL_HOST_PASSWORD = 'canary-password'\n",
  );
  const run = spawnSync(process.execPath, ['functions/cli/main.ts', 'doctor', '--smtp', '--settings', file], { encoding: 'utf8' });
  assert.equal(run.status, 1, run.stderr);
  assert.match(run.stdout, /WRONG +connection: no connection \(ECONNREFUSED\) +\[port-blocked\]/);
  assert.doesNotMatch(run.stdout + run.stderr, /canary/);
});

test('the questions of doctor --smtp take what stands in brackets, and never show the password', async () => {
  const shown: string[] = [];
  const output = new Writable({
    write: (chunk, _, done) => {
      shown.push(String(chunk));
      done();
    },
  });
  const settings = await askSettings(Readable.from(['\n587\n\n\nme@example.com\ncanary-password\n']), output);
  assert.deepEqual(shownOf(fromDjango(settings)), ['smtp.gmail.com', 587, 'starttls', 'me@example.com', 'canary-password', 0, 0]);
  assert.doesNotMatch(shown.join(''), /canary/);
});

const noDovecot = skipUnless(hasDovecot(), 'Dovecot (dovecot-core, dovecot-submissiond)');
test('doctor --smtp against Dovecot, which takes tokens only', { skip: noDovecot }, async () => {
  await using dovecot = await startDovecot(() => 'inactive');
  const settings: SmtpSettings = {
    host: 'localhost',
    port: dovecot.smtp.port,
    tls: 'starttls',
    user: 'me@example.com',
    password: new SecretString('canary-wrong'),
  };
  const found = await runChecks(
    smtpChecks({ settings, missing: [], problems: [], complete: true }, explain, { ca: String(dovecot.smtp.ca) }),
  );
  assert.deepEqual(
    found.flatMap(({ ok, cause }) => (ok === false ? [cause] : [])),
    ['app-password-required'],
    JSON.stringify(found),
  );
});
