/** A stock Django project, as `django-admin startproject` makes it, with the snippet of the README pasted and nothing else; the client as it is packed. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { sampled } from '../support/deep.ts';
import { hasDjango, PYTHON, runDjango } from '../support/programs/django.ts';
import { skipUnless } from '../support/programs/emulators.ts';
import { KEY, type Laptop, MAILBOX, startLaptop } from '../support/stack/laptop.ts';
import { blocksOf } from '../support/stack/pages.ts';

const skip = skipUnless(hasDjango(), "Debian's python3-django");
const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
let laptop: Laptop;
before(async () => {
  laptop = await startLaptop();
});
after(async () => {
  await laptop[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => laptop.google.mails.clear());

interface Ran {
  readonly code: number;
  readonly text: string;
}
const python = (args: readonly string[], cwd: string, env: Record<string, string> = {}): Promise<Ran> =>
  new Promise((done) =>
    execFile(PYTHON, args, { cwd, env: { ...process.env, MAILGRANT_KEY: KEY, ...env } }, (error, out, err) =>
      done({ code: error ? Number(error.code ?? 1) : 0, text: out + err }),
    ),
  );

/** startproject, the client beside manage.py, and the block of the page that has the settings, with its URL replaced. */
async function project(name: string, page: string, more = ''): Promise<string> {
  assert.equal((await python(['-m', 'django', 'startproject', name], folder)).code, 0);
  const at = join(folder, name);
  cpSync('clients/django/mailgrant_django.py', join(at, 'mailgrant_django.py'));
  const snippet = blocksOf(page).find(({ code }) => code.includes('EMAIL_BACKEND = "mailgrant_django'))?.code ?? '';
  appendFileSync(join(at, name, 'settings.py'), `\n${snippet.replace(/https?:\/\/[^"]+/, laptop.api)}\n${more}\n`);
  return at;
}
const sent = () => laptop.google.mails.list().map(({ raw }) => /^From: (.+)\r$/im.exec(raw.toString())?.[1]);

for (const page of sampled(['README.md', 'clients/django/README.md'], 1))
  test(`the snippet of ${page} works as pasted: sendtestemail, to managers and admins too, and mail_admins`, { skip }, async () => {
    const people = 'ADMINS = [("Ada", "ada@example.net")]\nMANAGERS = [("Mo", "mo@example.net")]';
    const at = await project(page.startsWith('README') ? 'one' : 'two', page, people);
    for (const args of [
      ['sendtestemail', 'you@example.net'],
      ['sendtestemail', '--admins', '--managers'],
      ['shell', '-c', 'from django.core.mail import mail_admins; mail_admins("s", "t")'],
    ]) {
      const { code, text } = await python(['manage.py', ...args], at);
      assert.equal(code, 0, text);
    }
    assert.deepEqual(sent(), [MAILBOX, MAILBOX, MAILBOX, MAILBOX]);
  });

const refused: readonly { readonly name: string; readonly settings: string; readonly args: string[]; readonly says: RegExp }[] = [
  {
    name: 'nothing set, as in a stock project',
    settings: 'del DEFAULT_FROM_EMAIL, SERVER_EMAIL',
    args: ['sendtestemail', 'you@example.net'],
    says: /MailgrantSenderRefused: .*webmaster@localhost, which is DEFAULT_FROM_EMAIL of the settings.*\[fix: Set DEFAULT_FROM_EMAIL/,
  },
  {
    name: 'SERVER_EMAIL of another address',
    settings: 'SERVER_EMAIL = "Root <root@example.com>"',
    args: ['shell', '-c', 'from django.core.mail import mail_admins; mail_admins("s", "t")'],
    says: /MailgrantSenderRefused: .*root@example\.com, which is SERVER_EMAIL of the settings/,
  },
  {
    name: 'a sender that no setting has',
    settings: '',
    args: ['shell', '-c', 'from django.core.mail import send_mail; send_mail("s", "t", "ceo@example.com", ["you@example.net"])'],
    says: /MailgrantSenderRefused: .*The sender is ceo@example\.com\./,
  },
];
for (const [index, { name, settings, args, says }] of sampled(refused, 1).entries())
  test(`a sender that is refused is named, with its setting: ${name}`, { skip }, async () => {
    const at = await project(`refused${index}`, 'README.md', `ADMINS = [("Ada", "ada@example.net")]\n${settings}`);
    const { code, text } = await python(['manage.py', ...args], at);
    assert.notEqual(code, 0);
    assert.match(text, says);
    assert.doesNotMatch(text, /canary/);
    assert.deepEqual(sent(), []);
  });

test('the sdist and the wheel of its pyproject hold the client, and an app sends with what is in the wheel', { skip }, async () => {
  const source = join(folder, 'client');
  cpSync('clients/django', source, { recursive: true, filter: (path) => !/__pycache__|egg-info/.test(path) });
  const build = 'import setuptools.build_meta as b; print(b.build_sdist("out")); print(b.build_wheel("out"))';
  const { code, text } = await python(['-W', 'ignore', '-c', `import os; os.makedirs("out"); ${build}`], source);
  assert.equal(code, 0, text);
  const made = readdirSync(join(source, 'out'));
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  assert.deepEqual(
    made.map((file) => /-(\d+\.\d+\.\d+)/.exec(file)?.[1]),
    [version, version],
  );
  const wheel = made.find((file) => file.endsWith('.whl')) ?? '';
  const listed = spawnSync('tar', ['tzf', join(source, 'out', made.find((file) => file.endsWith('.tar.gz')) ?? '')], {
    encoding: 'utf8',
  }).stdout;
  assert.match(listed, /mailgrant_django\.py/);
  const at = await project('packed', 'README.md');
  rmSync(join(at, 'mailgrant_django.py'));
  const ran = await python(['manage.py', 'sendtestemail', 'you@example.net'], at, { PYTHONPATH: join(source, 'out', wheel) }); // a wheel is a ZIP
  assert.equal(ran.code, 0, ran.text);
  assert.deepEqual(sent(), [MAILBOX]);
});

const ROBOT = 'shop@laptop.iam.gserviceaccount.com';
const login = (change: object, url = `https://iam.example.com/v1/${ROBOT}:generateAccessToken`): object => ({
  type: 'impersonated_service_account',
  service_account_impersonation_url: url,
  source_credentials: {
    type: 'authorized_user',
    client_id: 'id',
    client_secret: 'canary-secret',
    refresh_token: 'canary-token',
    ...change,
  },
});
const federated = (source: object): object => ({
  type: 'external_account',
  audience: 'a',
  subject_token_type: 't',
  token_url: 'https://sts.example.com',
  service_account_impersonation_url: 'https://iam.example.com/x',
  credential_source: source,
});
const unsafe: readonly (readonly [string, object])[] = [
  ['a token endpoint in the clear', login({ token_uri: 'http://tokens.example.com/token' })],
  ['a token endpoint of a file', login({ token_uri: 'file:///etc/hostname' })],
  [
    'an impersonation in the clear',
    login({ token_uri: 'https://oauth2.example.com/token' }, 'http://iam.example.com/x:generateAccessToken'),
  ],
  ['a subject token from file:', federated({ url: 'file:///etc/hostname' })],
  ['a subject token in the clear', federated({ url: 'http://tokens.example.com/subject' })],
  ['a subject token over ftp', federated({ url: 'ftp://tokens.example.com/subject' })],
];
for (const [name, credentials] of sampled(unsafe, 3))
  test(`Application Default Credentials with ${name} are refused before anything leaves`, { skip }, async () => {
    const path = join(folder, 'adc.json');
    writeFileSync(path, JSON.stringify(credentials));
    const env = { URL: laptop.api, KEY, GOOGLE: laptop.google.url, GOOGLE_APPLICATION_CREDENTIALS: path };
    const seen = await runDjango('adc', env, { MAILGRANT_API_KEY: '', MAILGRANT_IDENTITY: 'adc' });
    assert.deepEqual(seen, { improper: true });
  });

/** Answers whatever it is asked with that answer; the headers of each request are kept. */
async function answering(
  answer: (key: string) => { readonly status: number; readonly headers?: Record<string, string>; readonly body: unknown },
) {
  const server: Server = createServer(async (req, res) => {
    await req.toArray();
    const { status, headers, body } = answer(String(req.headers.authorization).replace('Bearer ', ''));
    res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

for (const status of sampled([200, 403, 422, 500], 2))
  test(`a server that echoes the key with ${status} does not get it into an exception`, { skip }, async () => {
    await using echo = await answering((key) => ({
      status,
      body: { message: `your key ${key}`, name: key, code: `x${key}`, fix: [key, { [key]: key }], id: status === 200 ? '' : key },
    }));
    const error = await runDjango('refused', { URL: echo.url, KEY, GOOGLE: laptop.google.url });
    assert.ok(!JSON.stringify(error).includes(KEY));
    assert.match(JSON.stringify(error), /\[secret\]/);
  });
