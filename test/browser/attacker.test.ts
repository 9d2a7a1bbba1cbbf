/** A page of somebody else's, open in a real browser beside `npm start`: what it can make the browser ask of the laptop's servers. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import { compileConfig } from '../../functions/config/compile-config.ts';
import { type Stack, startStack } from '../../functions/dev/stack.ts';
import { CHROMIUM_ARGS, chromiumPath } from '../support/programs/chromium.ts';
import { skipUnless } from '../support/programs/emulators.ts';
import { envelope, MAIL, MAILBOX } from '../support/stack/laptop.ts';

const browserPath = chromiumPath();
const skip = skipUnless(browserPath !== undefined, 'chromium');
/** The attacker's names: all of them lead to this machine, as a name of anybody's may. */
const EVIL = 'evil.example.org';
const REBOUND = 'rebound.example.org';

let folder: string;
let stack: Stack;
let browser: Browser;
let evil: Server;
before(async () => {
  if (skip) return;
  folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
  const file = join(folder, 'mailgrant.yaml');
  const route = { hook: { verify: 'github', secret: 'hook-signup' }, from: MAILBOX, to: ['you@example.net'], template: 'any' };
  writeFileSync(file, JSON.stringify({ mailboxes: { [MAILBOX]: {} }, routes: { signup: route } }));
  mkdirSync(join(folder, 'templates'));
  writeFileSync(join(folder, 'templates/any.hbs'), '---\nsubject: canary\n---\n<p>x</p>\n');
  const { config, module } = compileConfig(file);
  stack = await startStack({
    config,
    routes: module,
    folder: join(folder, 'kept'),
    ports: { api: 0, worker: 0, hooks: 0, google: 0, inbox: 0, smtp: 0, smtps: 0 },
    deadlineSeconds: 60,
    onLine: () => {},
  });
  evil = createServer((_, res) => res.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Kittens</title>'));
  await new Promise<void>((done) => evil.listen(0, '127.0.0.1', done));
  browser = await chromium.launch({
    executablePath: browserPath as string,
    // A resolver of the attacker's, and a browser without its own protection of private networks: it must not be all that stands here.
    args: [
      ...CHROMIUM_ARGS,
      '--host-resolver-rules=MAP *.example.org 127.0.0.1',
      '--disable-features=BlockInsecurePrivateNetworkRequests,PrivateNetworkAccessSendPreflights,LocalNetworkAccessChecks',
    ],
  });
});
after(async () => {
  await browser?.close();
  evil?.closeAllConnections();
  evil?.close();
  await stack?.[Symbol.asyncDispose]();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

const urls = (): Record<string, string> => ({
  api: stack.functions.api.url,
  worker: stack.functions.worker.url,
  hooks: stack.hooks?.url ?? '',
  google: stack.google.url,
  inbox: stack.inbox.url,
});
const portOf = (name: string): string => new URL(urls()[name] ?? '').port;

/** A page of the attacker's, on a name and a port of his. */
async function evilPage(): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(`http://${EVIL}:${(evil.address() as AddressInfo).port}/`);
  return page;
}

/** Has the page post a form by itself, as its script would. */
const submitForm = (page: Page, action: string, fields: Readonly<Record<string, string>>): Promise<unknown> =>
  page.evaluate(`{
    const form = Object.assign(document.createElement('form'), { method: 'POST', action: ${JSON.stringify(action)} });
    for (const [name, value] of Object.entries(${JSON.stringify(fields)})) form.append(Object.assign(document.createElement('input'), { name, value }));
    document.body.append(form);
    form.submit();
  }`);

/** Puts the address into a frame of the page, and waits until the frame has loaded. */
const frame = (page: Page, url: string): Promise<unknown> =>
  page.evaluate(`new Promise((done) => {
    const frame = Object.assign(document.createElement('iframe'), { src: ${JSON.stringify(url)} });
    frame.addEventListener('load', () => done(null));
    document.body.append(frame);
  })`);

/** Whatever an attack could have changed. */
const state = (): unknown => ({
  emails: stack.google.mails.count(),
  ledger: stack.google.ledgerEntries().length,
  faults: stack.google.faults.pending().length,
  published: stack.google.pubsub.published('projects/laptop/topics/mails').length,
  tokens: stack.google.calls.token,
  identities: stack.google.calls.identity,
  secrets: stack.google.calls.secret,
});

test('no-cors posts from another page reach no server of the stack', { skip }, async () => {
  await using page = await evilPage();
  const before = state();
  const body = JSON.stringify(envelope(MAIL));
  const attacks = [
    [`${urls()['worker']}/`, body],
    [`${urls()['worker']}/routes/signup`, body],
    [`${urls()['api']}/emails`, JSON.stringify(MAIL)],
    [`${urls()['hooks']}/hooks/signup`, '{}'],
    [`${urls()['google']}/token`, 'grant_type=refresh_token'],
    [`${urls()['google']}/control/faults`, '{"on":"open","answer":"backend"}'],
    [`${urls()['google']}/v1/projects/laptop/topics/mails:publish`, '{"messages":[{"data":"e30="}]}'],
    [`${urls()['inbox']}/write`, `from=${MAILBOX}&to=you%40example.net&subject=s&text=t`],
    [`${urls()['inbox']}/faults`, 'name=lose-reply&choice=once'],
    [`${urls()['inbox']}/mails`, 'do=delete'],
    [`${urls()['inbox']}/api/v1/send`, '{}'],
  ] as const;
  for (const [url, text] of attacks)
    for (const type of ['text/plain', 'application/x-www-form-urlencoded']) {
      const kind = await page.evaluate(
        ([target, content, as]) =>
          fetch(target as string, {
            method: 'POST',
            mode: 'no-cors',
            credentials: 'include',
            headers: { 'content-type': as as string },
            body: content as string,
          }).then(
            (reply) => reply.type,
            () => 'blocked',
          ),
        [url, text, type],
      );
      assert.ok(kind === 'opaque' || kind === 'blocked', url);
    }
  assert.deepEqual(state(), before);
});

test('a form of another page that is posted by itself changes nothing', { skip }, async () => {
  const before = state();
  for (const [action, fields] of [
    [`${urls()['inbox']}/write`, { from: MAILBOX, to: 'you@example.net', subject: 's', text: 't' }],
    [`${urls()['inbox']}/mails`, { do: 'delete' }],
    [`${urls()['inbox']}/ledger`, { do: 'drop', id: '0' }],
    [`${urls()['worker']}/`, { x: '1' }],
  ] as const) {
    await using page = await evilPage();
    const answered = page.waitForResponse((response) => response.url().startsWith(action) && response.request().method() === 'POST');
    await submitForm(page, action, fields);
    assert.equal((await answered).status(), 403, action);
  }
  assert.deepEqual(state(), before);
});

test('through a name of the attacker’s that leads here (DNS rebinding) nothing is read and nothing changed', { skip }, async () => {
  const before = state();
  const reads = [
    ['inbox', '/api/v1/messages'],
    ['inbox', '/mails'],
    ['inbox', '/write'],
    ['google', '/v1/projects/laptop/secrets/hook-signup/versions/latest:access'],
    ['google', '/computeMetadata/v1/instance/service-accounts/default/token'],
    ['google', '/control/client'],
    ['google', '/control/faults'],
    ['api', '/health'],
    ['worker', '/'],
    ['hooks', '/'],
  ] as const;
  for (const [name, path] of reads) {
    await using page = await browser.newPage();
    const reply = await page.goto(`http://${REBOUND}:${portOf(name)}${path}`);
    assert.equal(reply?.status(), 403, `${name}${path}`);
    // On its own page the attacker's script is of the same origin: the browser itself refuses it nothing.
    const seen = await page.evaluate(async (target) => {
      const answers = await Promise.all(
        [{}, { headers: { 'metadata-flavor': 'Google' } }, { method: 'POST', body: '{}' }, { method: 'DELETE' }].map((init) =>
          fetch(target, init).then(
            (answer) => answer.status,
            () => 0,
          ),
        ),
      );
      return answers;
    }, path);
    assert.deepEqual(seen, [403, 403, 403, 403], `${name}${path}`);
  }
  assert.deepEqual(state(), before);
});

test('what another page may load, or frame, shows it nothing', { skip }, async () => {
  await using page = await evilPage();
  for (const url of [`${urls()['inbox']}/`, `${urls()['inbox']}/api/v1/messages`, `${urls()['google']}/control/client`]) {
    const read = await page.evaluate(
      (target) =>
        fetch(target).then(
          (reply) => reply.text(),
          () => null,
        ),
      url,
    );
    assert.equal(read, null, url);
    await frame(page, url);
  }
  const texts = await Promise.all(
    page
      .frames()
      .slice(1)
      .map((one) => one.content()),
  );
  for (const text of texts) assert.doesNotMatch(text, /client_secret|Inbox<\/h1>|"messages"/);
});

test('the consent page: another site may link to it, and neither frame it nor answer it', { skip }, async () => {
  const challenge = createHash('sha256').update(randomBytes(32)).digest('base64url');
  const client = stack.google.clients.file('installed')['installed'] as { client_id: string };
  const query = {
    client_id: client.client_id,
    redirect_uri: 'http://127.0.0.1:1/',
    response_type: 'code',
    scope: 'https://mail.google.com/',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    access_type: 'offline',
  };
  const url = `${urls()['google']}/o/oauth2/v2/auth`;
  const decided = { ...query, account: MAILBOX, grant: 'https://mail.google.com/', decision: 'allow' };
  // The parameters of the decision in a link decide nothing: the page asks.
  await using linked = await evilPage();
  await linked.evaluate(`location.href = ${JSON.stringify(`${url}?${new URLSearchParams(decided)}`)}`);
  await linked.getByRole('button', { name: 'Allow' }).waitFor();
  // A form of the other site that posts the decision is refused.
  await using forged = await evilPage();
  const answered = forged.waitForResponse((response) => response.request().method() === 'POST');
  await submitForm(forged, url, decided);
  assert.equal((await answered).status(), 403);
  // And in a frame, where a click could be led astray, it does not show.
  await using framed = await evilPage();
  await frame(framed, `${url}?${new URLSearchParams(query)}`);
  assert.equal(await framed.frameLocator('iframe').getByRole('button', { name: 'Allow' }).count(), 0);
});

test('the same requests from this machine’s own programs are answered, so that the refusals above mean something', { skip }, async () => {
  assert.equal((await fetch(`${urls()['inbox']}/api/v1/messages`)).status, 200);
  assert.equal((await fetch(`${urls()['google']}/control/client`)).status, 200);
  const token = await fetch(`${urls()['google']}/computeMetadata/v1/instance/service-accounts/default/token`, {
    headers: { 'metadata-flavor': 'Google' },
  });
  assert.equal(token.status, 200);
  const pushed = await fetch(`${urls()['worker']}/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(envelope(MAIL)),
  });
  assert.equal(pushed.status, 204);
});
