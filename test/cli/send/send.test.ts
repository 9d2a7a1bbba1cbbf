import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { simpleParser } from 'mailparser';
import { typed } from '../../support/programs/command-line.ts';
import { onPath, skipUnless } from '../../support/programs/emulators.ts';
import { KEY, type Laptop, MAILBOX, startLaptop } from '../../support/stack/laptop.ts';

const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
const file = (name: string, content: string | Buffer): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const big = randomBytes(4_000_000);

let laptop: Laptop;
before(async () => {
  laptop = await startLaptop();
});
after(() => laptop[Symbol.asyncDispose]());
beforeEach(() => {
  laptop.google.mails.clear();
  laptop.google.faults.clear();
});

interface Run {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}
const MAIL = ['--from', MAILBOX, '--to', 'you@example.net', '--subject', 'Grüße canary-subject', '--text', 'canary-body'];
/** Runs the command as a program. */
const send = (args: string[], env: Record<string, string> = {}): Promise<Run> =>
  new Promise((done) => {
    const all = { ...process.env, MAILGRANT_URL: laptop.api, MAILGRANT_KEY: KEY, ...env };
    execFile(process.execPath, ['functions/cli/main.ts', 'send', ...args], { env: all }, (error, out, err) =>
      done({ status: error ? Number(error.code) : 0, out, err }),
    );
  });
/** Runs it in this process, where its answer is all that is looked at. */
const sendHere = async (args: string[], env: Record<string, string> = {}): Promise<Run> => {
  const { status, stdout, stderr } = await typed(['send', ...args], { MAILGRANT_URL: laptop.api, MAILGRANT_KEY: KEY, ...env });
  return { status, out: stdout, err: stderr };
};
const mails = () => laptop.google.mails.list();

test('an email with html, files and all kinds of recipients arrives, and its id is printed', async () => {
  const args = ['--to', '"Doe, Jane" <jane@example.net>, b@example.net', '--cc', 'c@example.net', '--bcc', 'hidden@example.net'];
  const files = ['--html', file('mail.html', '<p>ä</p>'), '--attach', file('ü.txt', 'canary-body'), '--attach', file('big.bin', big)];
  const { status, out, err } = await send([...MAIL, ...args, ...files]);
  assert.equal(status, 0, err);
  const id = /^Sent\. The id is ([0-9a-f-]{36})\n$/.exec(out)?.[1] ?? '';
  assert.equal(laptop.google.ledgerEntry(id)?.['state'], 'sent');
  const everyone = ['b@example.net', 'c@example.net', 'hidden@example.net', 'jane@example.net', 'you@example.net'];
  assert.deepEqual(mails()[0]?.recipients.toSorted(), everyone);
  const mail = await simpleParser(mails()[0]?.raw ?? '');
  assert.deepEqual([mail.subject, mail.text, mail.html], ['Grüße canary-subject', 'canary-body', '<p>ä</p>']);
  assert.deepEqual(
    mail.attachments.map(({ filename, content }) => [filename, digest(content)]),
    [
      ['ü.txt', digest('canary-body')],
      ['big.bin', digest(big)],
    ],
  );
  assert.equal(err, ''); // nobody watches
});
const digest = (data: Buffer | string): string => createHash('sha256').update(data).digest('hex');

/** Runs it on a terminal, as a person does; what is printed, of both outputs. */
const onTerminal = (args: string[]): Promise<Run> =>
  new Promise((done) => {
    const env = { ...process.env, MAILGRANT_URL: laptop.api, MAILGRANT_KEY: KEY, CI: '' };
    const command = [process.execPath, 'functions/cli/main.ts', 'send', ...args].map((word) => `'${word}'`).join(' ');
    execFile('script', ['-qec', command, '/dev/null'], { env }, (error, out, err) =>
      done({ status: error ? Number(error.code) : 0, out, err }),
    );
  });
const skip = skipUnless(onPath('script'), 'script');

test('on a terminal a bar shows how much of a big email is posted', { skip }, async () => {
  const { status, out } = await onTerminal([...MAIL, '--attach', file('big.bin', big)]);
  assert.equal(status, 0, out);
  assert.match(out, /5\.3 MB of 5\.3 MB/);
  assert.match(out, /Sent\. The id is/);
});

test('under --json there is no bar, on a terminal neither', { skip }, async () => {
  const { status, out } = await onTerminal([...MAIL, '--attach', file('big.bin', big), '--json']);
  assert.equal(status, 0, out);
  assert.equal((JSON.parse(out) as { ok: boolean }).ok, true);
});

test('the key may stand in a file, and --json answers data', async () => {
  const { status, out } = await send([...MAIL, '--key-file', file('key', `${KEY}\n`), '--json'], { MAILGRANT_KEY: '' });
  const data = JSON.parse(out) as Record<string, unknown>;
  assert.deepEqual([status, data['ok'], data['status'], mails().length], [0, true, 200, 1]);
  assert.match(String(data['id']), /^[0-9a-f-]{36}$/);
});

test('a dry run reads the files, needs no key and sends nothing', async () => {
  const { status, out } = await send([...MAIL, '--attach', file('a.bin', big), '--dry-run'], { MAILGRANT_KEY: '' });
  assert.equal(status, 0);
  assert.match(out, /^Would post 5\.3 MB to http:.*\/emails, for you@example\.net; nothing was sent\.\n {2}a\.bin {2}4\.0 MB\n$/);
  assert.equal(mails().length, 0);
});

const failures: { name: string; args?: string[]; env?: Record<string, string>; fault?: object; status: number; err: RegExp }[] = [
  { name: 'a wrong key', env: { MAILGRANT_KEY: `${KEY}x` }, status: 1, err: /\(key_invalid\)\nFix: Use a key whose hash/ },
  { name: 'another sender', args: ['--from', 'ceo@example.com'], status: 1, err: /\(sender_not_allowed\)\nFix: / },
  { name: 'a bad recipient', args: ['--to', 'nobody'], status: 1, err: /\(request_invalid\)/ },
  { name: 'a limit', fault: { on: 'open', answer: 'rate', times: 3 }, status: 75, err: /\(rate_limited\)[\s\S]*--idempotency-key cli\// },
  { name: 'a function that is away', env: { MAILGRANT_URL: 'http://127.0.0.1:1' }, status: 75, err: /did not answer: ECONNREFUSED/ },
];
for (const { name, args = [], env = {}, fault, status, err } of failures)
  test(`${name} is told with its fix, exit code ${status}`, async () => {
    if (fault) laptop.google.faults.script(fault as Parameters<Laptop['google']['faults']['script']>[0]);
    const run = await sendHere([...MAIL, ...args], env);
    assert.equal(run.status, status, run.err);
    assert.match(run.err, err);
    assert.doesNotMatch(`${run.out}${run.err}`, /canary|^\s+at /m);
  });

const mistakes: { name: string; args: string[]; env?: Record<string, string>; status?: number; err: RegExp }[] = [
  { name: 'nothing', args: [], err: /missing --from, --to, --subject, --text/ },
  { name: 'a file that is not there', args: [...MAIL, '--attach', join(folder, 'none')], status: 1, err: /--attach: .*ENOENT/ },
  { name: 'a URL in the clear', args: [...MAIL, '--url', 'http://mail.example.com'], err: /--url: expected the https URL/ },
  {
    name: 'no key',
    args: [...MAIL, '--url', 'https://mail.example.com'],
    env: { MAILGRANT_KEY: '' },
    err: /key_missing: .*\nFix: Set MAILGRANT_KEY/,
  },
  {
    name: 'too much',
    args: [...MAIL, '--attach', file('huge.bin', Buffer.alloc(26_000_000))],
    status: 1,
    err: /a function takes 33554432/,
  },
];
for (const { name, args, env = {}, status = 2, err } of mistakes)
  test(`${name} is refused before anything is sent`, async () => {
    const run = await sendHere(args, env);
    assert.equal(run.status, status);
    assert.match(run.err, err);
  });

test('an unknown outcome, then the same idempotency key: one mail', async () => {
  laptop.google.faults.script({ on: 'transfer', reset: 'after' }, { on: 'ask', answer: 'unavailable', times: 4 });
  const first = await send(MAIL);
  const key = /--idempotency-key (\S+)/.exec(first.err)?.[1] ?? '';
  assert.deepEqual([first.status, key.slice(0, 4)], [75, 'cli/']);
  const second = await send([...MAIL, '--idempotency-key', key]);
  assert.deepEqual([second.status, mails().length], [0, 1]);
});

test('an answer that comes before the end of a big email is heard', async () => {
  const server = createServer((_, res) => {
    const body = JSON.stringify({ statusCode: 403, name: 'invalid_api_key', message: 'API key is invalid', code: 'key_invalid', fix: 'x' });
    res.writeHead(403, { 'content-type': 'application/json' }).end(body);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const run = await send([...MAIL, '--attach', file('b.bin', Buffer.alloc(20_000_000)), '--url', url]);
  server.closeAllConnections();
  server.close();
  assert.deepEqual([run.status, /key_invalid/.test(run.err)], [1, true]);
});
