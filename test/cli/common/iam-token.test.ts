/** A function that Google IAM protects, as `access: iam` and `private` deploy it: the sidecar and `send` show who they are. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { after, before, beforeEach, test } from 'node:test';
import { authPlain, loggedIn, type RawSmtp, smtpClient } from '../../support/programs/smtp-client.ts';
import { CONFIG, KEY, type Laptop, MAILBOX, startLaptop } from '../../support/stack/laptop.ts';

const ROBOT = 'shop@laptop.iam.gserviceaccount.com';
const CLAIMS = { iss: 'https://accounts.google.com', exp: 4e9, email: ROBOT, email_verified: true };
const TOKEN = [{ alg: 'RS256' }, CLAIMS, 'canary-signature']
  .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
  .join('.');

let laptop: Laptop;
let door: Awaited<ReturnType<typeof serve>>;
let metadata: Awaited<ReturnType<typeof serve>>;
const asked: string[] = [];
before(async () => {
  const keys = [...CONFIG.keys, { id: 'robot', sha256: '', identity: ROBOT, from: [MAILBOX], to: null }];
  laptop = await startLaptop({ config: { ...CONFIG, keys }, settings: { trustIam: true } });
  // Google's front end: without a token that it knows it answers with a page of its own.
  door = await serve(async (req, res) => {
    const body = Buffer.concat(await req.toArray());
    if (req.headers['x-serverless-authorization'] !== `Bearer ${TOKEN}`) return res.writeHead(403).end('<html>');
    const { method = 'GET', url, headers } = req;
    const reply = await fetch(`${laptop.api}${url}`, {
      method,
      headers: headers as Record<string, string>,
      ...(method === 'POST' && { body }),
    });
    return res.writeHead(reply.status, { 'content-type': 'application/json' }).end(await reply.text());
  });
  metadata = await serve(async ({ url = '' }, res) => {
    asked.push(url);
    return res.writeHead(200, { 'metadata-flavor': 'Google' }).end(TOKEN);
  });
});
after(async () => {
  for (const { close } of [door, metadata]) close();
  await laptop[Symbol.asyncDispose]();
});
beforeEach(() => laptop.google.mails.clear());
const mails = () => laptop.google.mails.list();

const env = (change: Record<string, string>): Record<string, string | undefined> => ({
  ...process.env,
  ...{ MAILGRANT_URL: door.url, MAILGRANT_KEY: '', HOME: '/nowhere', CLOUDSDK_CONFIG: '/nowhere', GOOGLE_APPLICATION_CREDENTIALS: '' },
  ...{ METADATA_SERVER_DETECTION: 'assume-present', GCE_METADATA_HOST: metadata.host, ...change },
});

const send = (args: string[], change: Record<string, string> = {}): Promise<{ status: number; text: string }> =>
  new Promise((done) => {
    const mail = ['--from', MAILBOX, '--to', 'you@example.net', '--subject', 'canary-subject', '--text', 'canary-body'];
    execFile(process.execPath, ['functions/cli/main.ts', 'send', ...mail, ...args], { env: env(change) }, (error, out, err) =>
      done({ status: error ? Number(error.code) : 0, text: out + err }),
    );
  });

const sends: { name: string; args: string[]; env?: Record<string, string>; status: number; says: RegExp }[] = [
  { name: 'by a key behind IAM', args: ['--iam'], env: { MAILGRANT_KEY: KEY }, status: 0, says: /^Sent/ },
  { name: 'by an identity in place of a key', args: ['--iam'], status: 0, says: /^Sent/ },
  { name: 'without an identity', args: [], env: { MAILGRANT_KEY: KEY }, status: 1, says: /--iam.*roles\/run\.invoker/ },
  { name: 'where nobody gives one', args: ['--iam'], env: { GCE_METADATA_HOST: '127.0.0.1:1' }, status: 1, says: /no identity token/ },
];
for (const row of sends)
  test(`send ${row.name}: exit code ${row.status}`, async () => {
    const { status, text } = await send(row.args, row.env);
    assert.deepEqual([status, mails().length], [row.status, row.status === 0 ? 1 : 0], text);
    assert.match(text, row.says);
    assert.doesNotMatch(text, /canary|eyJ/);
  });

test('the token is asked for by the address of the function', () => {
  const wanted = `audience=${door.url}`;
  assert.ok(
    asked.some((url) => decodeURIComponent(url).includes(wanted)),
    asked.join('\n'),
  );
});

const sidecars: { name: string; args: string[]; env?: Record<string, string>; auth: RegExp; reply?: RegExp }[] = [
  { name: 'with --iam passes on', args: ['--iam'], auth: /^235/, reply: /^250/ },
  { name: 'without it says at AUTH what is missing', args: [], auth: /^535 5\.7\.8 Google IAM.*--iam/ },
  {
    name: 'that gets no identity lets clients try again',
    args: ['--iam'],
    env: { GCE_METADATA_HOST: '127.0.0.1:1' },
    auth: /^235/,
    reply: /^451 4\.7\.0/,
  },
];
for (const row of sidecars)
  test(`a sidecar ${row.name}`, async () => {
    const child = spawn(process.execPath, ['functions/cli/main.ts', 'smtp', '--listen', '127.0.0.1:0', ...row.args], {
      env: env(row.env ?? {}),
    });
    const ended = new Promise((done) => child.once('close', done));
    try {
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      const port = Number(/^SMTP on 127\.0\.0\.1:(\d+)/.exec(String((await lines.next()).value))?.[1]);
      if (!row.reply) {
        using client = smtpClient(port);
        await client.reply();
        await client.say('EHLO test');
        assert.match(await client.say(authPlain(KEY)), row.auth);
        return;
      }
      using client = await loggedIn(port, KEY);
      assert.match(await deliver(client), row.reply);
      assert.equal(mails().length, row.reply.test('250') ? 1 : 0);
    } finally {
      child.kill('SIGTERM');
      await ended;
    }
  });

async function deliver(client: RawSmtp): Promise<string> {
  for (const line of [`MAIL FROM:<${MAILBOX}>`, 'RCPT TO:<you@example.net>', 'DATA']) await client.say(line);
  client.write(`From: ${MAILBOX}\r\nTo: you@example.net\r\nSubject: canary-subject\r\n\r\ncanary-body\r\n.\r\n`);
  return client.reply();
}

async function serve(answer: (req: IncomingMessage, res: ServerResponse) => Promise<unknown>) {
  const server = createServer((req, res) => void answer(req, res));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { host, url: `http://${host}`, close };
}
