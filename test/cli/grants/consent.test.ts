import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { openBrowser, openerFor } from '../../../functions/cli/common/browser.ts';
import { CommandError } from '../../../functions/cli/common/refusal.ts';
import { readTokenGrant } from '../../../functions/cli/grants/consent-response.ts';
import { consentUrl, newBinding, readRedirect } from '../../../functions/cli/grants/consent-url.ts';
import { readOAuthClient } from '../../../functions/cli/grants/oauth-client.ts';
import { listenForRedirect } from '../../../functions/cli/grants/redirect-listener.ts';
import { SCOPE_SEND } from '../../../functions/mail/model/scopes.ts';
import { SecretString } from '../../../functions/mail/model/secret.ts';
import { consentAt } from '../../support/programs/person.ts';
import { NOTICES, startDesk } from '../../support/stack/operator.ts';

const QUESTION = { clientId: 'id', redirect: 'http://127.0.0.1:1/', scopes: ['openid', 'email', SCOPE_SEND], address: NOTICES };

test('the address asks for an offline grant of the mailbox, and holds the hash of the verifier only', () => {
  const binding = newBinding();
  const url = new URL(consentUrl('https://accounts.google.com/o/oauth2/v2/auth', QUESTION, binding));
  const { state, code_challenge, ...rest } = Object.fromEntries(url.searchParams);
  assert.deepEqual(rest, {
    client_id: 'id',
    redirect_uri: 'http://127.0.0.1:1/',
    response_type: 'code',
    scope: `openid email ${SCOPE_SEND}`,
    access_type: 'offline',
    prompt: 'consent',
    login_hint: NOTICES,
    code_challenge_method: 'S256',
  });
  assert.equal(state, binding.state);
  assert.equal(code_challenge, createHash('sha256').update(binding.verifier.reveal()).digest('base64url'));
  assert.match(binding.verifier.reveal(), /^[\w-]{43,128}$/); // RFC 7636, 4.1
  assert.doesNotMatch(url.href, new RegExp(binding.verifier.reveal()));
});

test('no two consents share state or verifier', () => {
  const [one, two] = [newBinding(), newBinding()];
  assert.notEqual(one.state, two.state);
  assert.notEqual(one.verifier.reveal(), two.verifier.reveal());
});

const redirects: { text: string; code: string }[] = [
  { text: '', code: 'redirect_unreadable' },
  { text: 'http://127.0.0.1:1/', code: 'redirect_unreadable' },
  { text: 'http://127.0.0.1:1/?code=c', code: 'state_mismatch' },
  { text: 'http://127.0.0.1:1/?code=c&state=other', code: 'state_mismatch' },
  { text: 'http://127.0.0.1:1/?error=access_denied&state=other', code: 'state_mismatch' },
  { text: 'http://127.0.0.1:1/?error=access_denied&state=s', code: 'consent_denied' },
  { text: 'http://127.0.0.1:1/?error=access_denied&code=c&state=s', code: 'consent_denied' },
  { text: 'http://127.0.0.1:1/?error=org_internal&state=s', code: 'consent_blocked' },
];
for (const { text, code } of redirects)
  test(`coming back on ${text || 'nothing'} is ${code}`, () => assert.throws(() => readRedirect(text, 's'), { code }));

test('a code is read with its signs, from a pasted line with blanks around it', () =>
  assert.equal(readRedirect('  http://127.0.0.1:1/?state=s&code=4%2F0Ab_c&scope=openid\n', 's').reveal(), '4/0Ab_c'));

const web = (...redirect_uris: string[]): string => JSON.stringify({ web: { client_id: 'i', client_secret: 's', redirect_uris } });
test('a Web application does with a loopback address of its own', () =>
  assert.equal(
    readOAuthClient(new SecretString(web('https://a.example/', 'http://127.0.0.1:8765/back'))).redirect,
    'http://127.0.0.1:8765/back',
  ));
for (const uris of [[], ['https://127.0.0.1:8765/'], ['http://127.0.0.1/'], ['http://127.0.0.1.evil.example:80/']])
  test(`a Web application with ${uris[0] ?? 'no address'} is refused`, () =>
    assert.throws(() => readOAuthClient(new SecretString(web(...uris))), { code: 'client_wrong_type' }));

test('an end of the grant is read where Google sets one', () => {
  const reply = { status: 200, headers: {}, body: Buffer.from('{"access_token":"a","refresh_token_expires_in":604799}') };
  assert.equal(readTokenGrant(reply, 'id').endsInS, 604_799);
});

const openers: [string, string, string, readonly string[]][] = [
  ['linux', '', 'u', ['xdg-open', 'u']],
  ['darwin', '', 'u', ['open', 'u']],
  ['win32', '', 'u&v', ['rundll32', 'url.dll,FileProtocolHandler', 'u&v']],
  ['linux', 'firefox -P work', 'u', ['firefox', '-P', 'work', 'u']],
  ['linux', 'show %s now', 'u', ['show', 'u', 'now']],
];
for (const [platform, browser, url, command] of openers)
  test(`on ${platform}, BROWSER=${browser || 'unset'} starts ${command[0]}`, () =>
    assert.deepEqual(openerFor(url, platform, browser), command));

test('an opener that is missing, or fails, says so', async () => {
  assert.equal(await openBrowser(['mailgrant-no-such-program']), false);
  assert.equal(await openBrowser([process.execPath, '-e', 'process.exit(3)']), false);
});

test('what is not the answer of the consent page is left alone; the same answer again is not taken twice', async () => {
  await using loopback = await listenForRedirect(null, 's');
  const arrival = loopback.arrival(new AbortController().signal);
  const statuses = [];
  for (const path of ['', 'favicon.ico', 'other?code=x', '/', '/[?code=x'])
    statuses.push((await fetch(`${loopback.redirect}${path}`)).status);
  // Any web page can have the browser ask for these; none of them ends the wait.
  for (const path of ['?code=x', '?code=x&state=', '?error=access_denied&state=other'])
    statuses.push((await fetch(`${loopback.redirect}${path}`)).status);
  const page = fetch(`${loopback.redirect}?code=c&state=s`);
  assert.match(await arrival, /\?code=c&state=s$/);
  statuses.push((await fetch(`${loopback.redirect}?code=c&state=s`)).status);
  await loopback.answer(true, '<Done>', ['a & b']);
  const html = await (await page).text();
  assert.deepEqual(statuses, [404, 404, 404, 404, 404, 400, 400, 400, 409]);
  assert.doesNotMatch(html, /<Done>|a & b/);
});

test('a port that a client insists on, and that is taken, is named', async () => {
  const other = createServer();
  await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
  const { port } = other.address() as { port: number };
  await assert.rejects(
    listenForRedirect(`http://127.0.0.1:${port}/`, 's'),
    (error) => error instanceof CommandError && error.code === 'port_taken',
  );
  other.close();
});

test('the command itself, with a pasted address: JSON on stdout, nothing secret anywhere, nothing on disk', async () => {
  await using desk = await startDesk();
  const empty = join(desk.folder, 'empty');
  mkdirSync(empty);
  const args = ['authorize', NOTICES, '--client', desk.clientFile, '--config', desk.configFile, '--no-browser', '--json'];
  const child = spawn(process.execPath, [resolve('functions/cli/main.ts'), ...args], {
    cwd: empty,
    env: { ...process.env, HOME: empty, TMPDIR: empty, MAILGRANT_GOOGLE_URL: desk.google.url, GOOGLE_CLOUD_PROJECT: 'laptop' },
  });
  let [out, err, pasted] = ['', '', false];
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', async (chunk) => {
    err += chunk;
    const url = /^ {2}(http\S+)$/m.exec(err)?.[1];
    if (!url || pasted) return;
    pasted = true;
    child.stdin.write(`${await consentAt(url)}\n`);
  });
  const status = await new Promise((done) => child.once('close', done));
  assert.equal(status, 0, err);
  assert.equal((JSON.parse(out) as { version: number }).version, 1);
  assert.doesNotMatch(out + err, /canary/);
  assert.deepEqual([readdirSync(empty), await desk.mints()], [[], 'minted']);
});

const unset = { MAILGRANT_GOOGLE_URL: '', GOOGLE_APPLICATION_CREDENTIALS: '', METADATA_SERVER_DETECTION: 'none' };
test('against the real Secret Manager without a login, the command says how to log in', async () => {
  await using desk = await startDesk();
  const args = ['authorize', NOTICES, '--client', desk.clientFile, '--config', desk.configFile, '--project', 'p'];
  const env = { ...process.env, HOME: desk.folder, CLOUDSDK_CONFIG: desk.folder, ...unset };
  const child = spawn(process.execPath, ['functions/cli/main.ts', ...args], { env });
  let out = '';
  child.stderr.on('data', (chunk) => {
    out += chunk;
  });
  assert.equal(await new Promise((done) => child.once('close', done)), 1);
  assert.match(out, /^identity_refused: .*gcloud auth login --update-adc/);
});
