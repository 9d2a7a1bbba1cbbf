import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, beforeEach, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { simpleParser } from 'mailparser';
import { createTransport } from 'nodemailer';
import { createRelay } from '../../../functions/cli/smtp/smtp-relay.ts';
import { hasDjango, PYTHON } from '../../support/programs/django.ts';
import { onPath, skipUnless } from '../../support/programs/emulators.ts';
import { smtpClient } from '../../support/programs/smtp-client.ts';
import { KEY, type Laptop, MAILBOX, startLaptop } from '../../support/stack/laptop.ts';
import { sidecarFor } from '../../support/stack/sidecar.ts';

const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
const LETTER = [
  `From: =?utf-8?q?Gr=C3=BCn?= <${MAILBOX}>`,
  'To: you@example.net',
  'Message-ID: <ITS-OWN@test>',
  'Date: Tue, 24 Nov 2026 08:00:00 +0000',
  'Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe_canary-subject?=',
  'MIME-Version: 1.0',
  'Content-Type: text/plain; charset=utf-8',
  'Content-Transfer-Encoding: 8bit',
  '',
  'canary-body äöü',
  '.',
  '..dots',
  '',
];

let laptop: Laptop;
let sidecar: Awaited<ReturnType<typeof sidecarFor>>;
before(async () => {
  laptop = await startLaptop();
  sidecar = await sidecarFor(laptop.api);
});
after(async () => {
  await sidecar[Symbol.asyncDispose]();
  await laptop[Symbol.asyncDispose]();
});
beforeEach(() => laptop.google.mails.clear());
const mails = () => laptop.google.mails.list();

/** Runs a program and answers what it printed on both streams, whatever its exit code. */
const run = (program: string, args: string[], { input = '', env = {} as Record<string, string> } = {}): Promise<string> =>
  new Promise((done) => {
    const child = execFile(program, args, { env: { ...process.env, ...env } }, (_, out, err) => done(`${out}${err}`));
    child.stdin?.on('error', () => {}).end(input);
  });

/** The letter of a program that sends it as it stands, with another Message-ID each time. */
const letterFile = (name: string, lineEnd: string): string => {
  const file = join(folder, name);
  writeFileSync(file, LETTER.join(lineEnd).replace('ITS-OWN', name));
  return file;
};

async function assertArrived(count = 1): Promise<void> {
  assert.equal(mails().length, count);
  for (const { raw, recipients } of mails()) {
    assert.deepEqual(recipients, ['you@example.net', 'hidden@example.net']);
    assert.match((await simpleParser(raw)).text ?? '', /canary-body ä/);
  }
}

const python = (scenario: string, env: Record<string, string> = {}): Promise<string> =>
  run(PYTHON, ['-W', 'ignore', join(import.meta.dirname, 'smtp_app.py'), scenario], { env: { PORT: String(sidecar.port), KEY, ...env } });

test('smtplib sends, by AUTH PLAIN and LOGIN', { skip: skipUnless(onPath('python3'), 'python3') }, async () => {
  assert.equal((await python('plain')).trim(), 'ok');
  const mail = await simpleParser(mails()[0]?.raw ?? '');
  assert.deepEqual(
    [mail.text, mail.attachments[0]?.filename, mail.attachments[0]?.size],
    ['canary-body äöü\n.\n..dots\n', 'ü.bin', 10_240],
  );
  await assertArrived(2); // without a Message-ID, and with boundaries of their own
});

test("Django's own SMTP backend sends, and understands what is refused", {
  skip: skipUnless(hasDjango(), "Debian's python3-django"),
}, async () => {
  assert.equal((await python('django')).trim(), '3');
  await assertArrived(3);
  assert.match(await python('django', { BAD: '1' }), /^SMTPDataError 550 5\.7\.1 /);
  assert.match(await python('django', { KEY: `${KEY}x` }), /^SMTPAuthenticationError 535 5\.7\.8 /);
});

test('curl sends a file with CRLF, and with --crlf any file', { skip: skipUnless(onPath('curl'), 'curl') }, async () => {
  const send = (file: string, ...more: string[]): Promise<string> =>
    run('curl', [
      ...['-sS', `smtp://127.0.0.1:${sidecar.port}/test`, '--user', `resend:${KEY}`, '--mail-from', MAILBOX],
      ...['--mail-rcpt', 'you@example.net', '--mail-rcpt', 'hidden@example.net', '-T', file, ...more],
    ]);
  assert.equal(await send(letterFile('curl-crlf', '\r\n')), '');
  assert.equal(await send(letterFile('curl-lf', '\n'), '--crlf'), '');
  await assertArrived(2);
  assert.match(await send(letterFile('curl-refused', '\n'), '-v'), /< 550 5\.6\.0 .*LF alone/);
  assert.equal(mails().length, 2);
});

test('swaks sends', { skip: skipUnless(onPath('swaks'), 'swaks') }, async () => {
  const printed = await run('swaks', [
    ...[
      '--server',
      '127.0.0.1',
      '--port',
      String(sidecar.port),
      '--auth',
      'LOGIN',
      '--auth-user',
      'any',
      '--auth-password',
      KEY,
      '--helo',
      'test',
    ],
    ...['--from', MAILBOX, '--to', 'you@example.net,hidden@example.net', '--header', 'To: you@example.net', '--pipeline'],
    ...['--body', 'canary-body ä\n.\n..dots'],
  ]);
  assert.match(printed, /250 2\.0\.0 OK id=/);
  await assertArrived();
});

test('msmtp sends, as sendmail, and takes Bcc from the headers', { skip: skipUnless(onPath('msmtp'), 'msmtp') }, async () => {
  const config = join(folder, 'msmtprc');
  const account = `account default\nhost 127.0.0.1\nport ${sidecar.port}\nfrom ${MAILBOX}\nauth plain\nuser any\npassword ${KEY}\ntls off\n`;
  writeFileSync(config, account, { mode: 0o600 });
  const input = readFileSync(letterFile('msmtp', '\n'), 'utf8').replace('\nDate', '\nBcc: hidden@example.net\nDate');
  assert.equal(await run('msmtp', ['-C', config, '-t'], { input }), '');
  await assertArrived();
});

const nodemail = {
  from: MAILBOX,
  to: 'you@example.net',
  bcc: 'hidden@example.net',
  subject: 'Grüße canary-subject',
  text: 'canary-body ä\n.\n..dots',
  attachments: [{ filename: 'ü.bin', content: Buffer.alloc(2_000_000, 7) }],
};

test('nodemailer sends, over one connection or several', async () => {
  const transport = createTransport({ host: '127.0.0.1', port: sidecar.port, auth: { user: 'resend', pass: KEY }, pool: true });
  await Promise.all([1, 2, 3].map(() => transport.sendMail(nodemail)));
  transport.close();
  await assertArrived(3);
  const wrong = createTransport({ host: '127.0.0.1', port: sidecar.port, auth: { user: 'resend', pass: `${KEY}x` } });
  await assert.rejects(wrong.sendMail(nodemail), { code: 'EAUTH', responseCode: 535 });
});

/** A client that ends its half under TLS, with QUIT after the message as Exim sends it. */
async function assertHalfClosed(port: number, ca: string): Promise<void> {
  const socket = connectTls({ port, host: '127.0.0.1', ca: [ca], servername: 'localhost' });
  const heard: string[] = [];
  socket.on('data', (chunk: Buffer) => heard.push(chunk.toString()));
  const until = async (pattern: RegExp): Promise<void> => {
    while (!pattern.test(heard.join(''))) await once(socket, 'data');
  };
  await until(/^220 /m);
  const login = `EHLO test\r\nAUTH PLAIN ${Buffer.from(`\0any\0${KEY}`).toString('base64')}\r\n`;
  socket.write(`${login}MAIL FROM:<${MAILBOX}>\r\nRCPT TO:<you@example.net>\r\nRCPT TO:<hidden@example.net>\r\nDATA\r\n`);
  await until(/^354 /m);
  socket.end(`${LETTER.join('\r\n').replace('ITS-OWN', 'half-closed').replace(/^\./gm, '..')}.\r\nQUIT\r\n`);
  await once(socket, 'end');
  assert.match(heard.join(''), /^250 2\.0\.0 OK id=/m);
}

test('with a certificate it takes a key only under TLS, by STARTTLS or from the first byte', {
  skip: skipUnless(onPath('openssl'), 'openssl'),
}, async () => {
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile, '-out', certFile],
      ...['-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'],
    ],
    { stdio: 'ignore' },
  );
  const tls = { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
  const relay = createRelay(laptop.api);
  const trust = { tls: { ca: [tls.cert], servername: 'localhost' }, auth: { user: 'x', pass: KEY } };
  for (const implicitTls of [false, true]) {
    await using own = await sidecarFor(laptop.api, { tls, implicitTls, relay });
    const transport = createTransport({ host: '127.0.0.1', port: own.port, secure: implicitTls, requireTLS: true, ...trust });
    await transport.sendMail(nodemail);
    transport.close();
    if (implicitTls) {
      await assertHalfClosed(own.port, tls.cert);
      continue;
    }
    using plain = smtpClient(own.port);
    await plain.reply();
    assert.doesNotMatch(await plain.say('EHLO test'), /AUTH/);
    assert.match(await plain.say('AUTH PLAIN AHgAeA=='), /^5\d\d/);
    assert.match(await plain.say(`MAIL FROM:<${MAILBOX}>`), /^530/);
  }
  await assertArrived(3);
});

test('the command listens, tells how to use it, logs no content, and ends on SIGTERM', async () => {
  const child = spawn(process.execPath, ['functions/cli/main.ts', 'smtp', '--listen', '127.0.0.1:0', '--url', laptop.api]);
  const printed: string[] = [];
  const port = await new Promise<number>((done) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      printed.push(line);
      const found = /^SMTP on 127\.0\.0\.1:(\d+), relayed to /.exec(line)?.[1];
      if (found) done(Number(found));
    });
  });
  const transport = createTransport({ host: '127.0.0.1', port, auth: { user: 'any', pass: KEY } });
  await transport.sendMail(nodemail);
  transport.close();
  const ended = new Promise((done) => child.once('close', done));
  child.kill('SIGTERM');
  assert.equal(await ended, 0);
  assert.match(printed.join('\n'), /EMAIL_HOST = "127\.0\.0\.1"[\s\S]*"event":"smtp_relayed"/);
  assert.doesNotMatch(printed.join('\n'), /canary|@example|mg_shop/);
});
