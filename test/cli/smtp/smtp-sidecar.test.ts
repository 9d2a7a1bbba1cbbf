import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { simpleParser } from 'mailparser';
import { createTransport } from 'nodemailer';
import { WRONG_PER_ADDRESS } from '../../../functions/cli/smtp/smtp-guesses.ts';
import { SIZE_MAX_BYTES } from '../../../functions/cli/smtp/smtp-sidecar.ts';
import type { Fault } from '../../../functions/fake-google/faults/faults.ts';
import { BODY_MAX_BYTES } from '../../../functions/trigger/common/body.ts';
import { QUICK } from '../../support/deep.ts';
import { authPlain, loggedIn, type RawSmtp, smtpClient } from '../../support/programs/smtp-client.ts';
import { KEY, type Laptop, MAILBOX, startLaptop } from '../../support/stack/laptop.ts';
import { sidecarFor } from '../../support/stack/sidecar.ts';

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
beforeEach(() => {
  laptop.google.mails.clear();
  laptop.google.faults.clear();
});
const mails = () => laptop.google.mails.list();

let serial = 0;
const letter = (body = 'canary-body', head: string[] = [`Message-ID: <${++serial}@test>`]): string =>
  [
    `From: ${MAILBOX}`,
    'To: you@example.net',
    'Subject: canary-subject',
    'Date: Tue, 24 Nov 2026 08:00:00 +0000',
    ...head,
    '',
    body,
    '',
  ].join('\r\n');

/** One transaction; answers the last reply. */
async function deliver(client: RawSmtp, text: string, { from = MAILBOX, to = ['you@example.net'] } = {}): Promise<string> {
  for (const line of [`MAIL FROM:<${from}>`, ...to.map((one) => `RCPT TO:<${one}>`), 'DATA']) {
    const reply = await client.say(line);
    if (!/^[23]/.test(reply)) return reply;
  }
  client.write(`${text.replace(/^\./gm, '..')}.\r\n`);
  return client.reply();
}

test('it announces what it can do, and no more', async () => {
  using client = smtpClient(sidecar.port);
  assert.match(await client.reply(), /^220 mailgrant ESMTP/);
  const lines = (await client.say('EHLO test')).split('\r\n').map((line) => line.slice(4));
  const wanted = ['PIPELINING', '8BITMIME', 'SMTPUTF8', 'AUTH PLAIN LOGIN', `SIZE ${SIZE_MAX_BYTES}`];
  assert.deepEqual(lines.slice(1).toSorted(), wanted.toSorted());
  assert.equal(SIZE_MAX_BYTES, BODY_MAX_BYTES);
  assert.match(await client.say(`MAIL FROM:<${MAILBOX}>`), /^530 5\.7\.0/);
  assert.match(await client.say('STARTTLS'), /^50\d/);
});

test('the letter arrives byte for byte, with its dots, and the hidden recipient gets it', async () => {
  using client = await loggedIn(sidecar.port, KEY);
  const text = letter('.\r\n..\r\n...three\r\n.x\r\n äöü \r\n\r\n');
  assert.match(await deliver(client, text, { to: ['you@example.net', 'hidden@example.net'] }), /^250 2\.0\.0 OK id=[0-9a-f-]{36}$/);
  const [stored] = mails();
  assert.deepEqual(stored?.recipients, ['you@example.net', 'hidden@example.net']);
  assert.equal(stored?.raw.toString(), text.replace('\r\n\r\n', '\r\nBcc: hidden@example.net\r\n\r\n'));
});

const refusedAtDoor = [
  { name: 'a wrong key', key: `${KEY}x` },
  { name: 'a password that is no key', key: 'hunter2' },
  { name: 'no password', key: '' },
];
for (const { name, key } of refusedAtDoor)
  test(`${name} is 535 at AUTH`, async () => {
    using client = smtpClient(sidecar.port);
    await client.reply();
    await client.say('EHLO test');
    assert.match(await client.say(authPlain(key)), /^535/);
  });

const refusals: { name: string; text?: string; change?: object; reply: RegExp }[] = [
  { name: 'a sender that the key may not use', change: { from: 'ceo@example.com' }, reply: /^550 5\.7\.1 / },
  { name: 'a recipient that is no address', change: { to: ['root@localhost'] }, reply: /^553 5\.1\.3 / },
  { name: 'letters beyond ASCII before the @', change: { to: ['jörg@example.net'] }, reply: /^553 5\.1\.3 / },
  { name: 'a bare LF', text: letter('one\ntwo'), reply: /^550 5\.6\.0 .*LF alone/ },
  { name: 'a bare CR', text: letter('one\rtwo'), reply: /^550 5\.6\.0 .*CR/ },
  { name: 'an over-long line', text: letter('x'.repeat(999)), reply: /^550 5\.6\.0 .*longer than 998/ },
  { name: 'headers beyond ASCII', text: letter('x', ['X-Name: ä']), reply: /^550 5\.6\.0 / },
  { name: 'two senders in its headers', text: letter('x', [`From: ${MAILBOX}`]), reply: /^550 5\.6\.0 / },
];
for (const { name, text = letter(), change = {}, reply } of refusals)
  test(`${name} is refused for good, and nothing is sent`, async () => {
    using client = await loggedIn(sidecar.port, KEY);
    assert.match(await deliver(client, text, change), reply);
    assert.match(await client.say('RSET'), /^250/);
    assert.match(await deliver(client, letter()), /^250/);
    assert.equal(mails().length, 1);
  });

test('an end of data that is none ends nothing: no second email is smuggled in', async () => {
  using client = await loggedIn(sidecar.port, KEY);
  const smuggled = `MAIL FROM:<${MAILBOX}>\r\nRCPT TO:<evil@example.net>\r\nDATA\r\n${letter()}`;
  for (const end of ['\n.\n', '\r\n.\n', '\n.\r\n', '\r.\r']) {
    for (const line of [`MAIL FROM:<${MAILBOX}>`, 'RCPT TO:<you@example.net>', 'DATA']) await client.say(line);
    client.write(`${letter()}x${end}${smuggled}\r\n.\r\n`);
    assert.match(await client.reply(), /^550 5\.6\.0/);
  }
  assert.equal(mails().length, 0);
});

test('international domains go in either spelling', async () => {
  using client = await loggedIn(sidecar.port, KEY);
  const text = letter().replace('you@example.net', 'you@xn--bcher-kva.example');
  assert.match(await client.say(`MAIL FROM:<${MAILBOX}> SMTPUTF8 BODY=8BITMIME`), /^250/);
  assert.match(await client.say('RCPT TO:<you@bücher.example>'), /^250/);
  assert.match(await client.say('RCPT TO:<you@xn--bcher-kva.example>'), /^250/);
  await client.say('DATA');
  client.write(`${text}.\r\n`);
  assert.match(await client.reply(), /^250/);
  assert.deepEqual(mails()[0]?.recipients, ['you@xn--bcher-kva.example']);
});

test('a whole session in one packet is answered command by command', async () => {
  using client = smtpClient(sidecar.port);
  await client.reply();
  const one = (text: string): string => `MAIL FROM:<${MAILBOX}>\r\nRCPT TO:<you@example.net>\r\nDATA\r\n${text}.\r\n`;
  client.write(`EHLO test\r\n${authPlain(KEY)}\r\n${one(letter())}${one(letter())}QUIT\r\n`);
  const codes: string[] = [];
  for (let reply = await client.reply(); reply !== ''; reply = await client.reply()) codes.push(reply.slice(0, 3));
  assert.deepEqual([codes.join(' '), mails().length], ['250 235 250 250 354 250 250 250 354 250 221', 2]);
});

/** A client that is about to send the bytes of a message. */
async function atData(port: number): Promise<RawSmtp> {
  const client = await loggedIn(port, KEY);
  for (const line of [`MAIL FROM:<${MAILBOX}>`, 'RCPT TO:<you@example.net>', 'DATA']) await client.say(line);
  return client;
}

/** As many lines as there are dots: smtp-server takes a turn of the event loop for each. */
const DOTS = letter('.\r\n'.repeat(50));
const partings: { name: string; after: string; text?: string; fault?: Fault; reply: RegExp }[] = [
  { name: 'after the last byte', after: '', reply: /^250 2\.0\.0 OK id=/ },
  { name: 'with QUIT after the last byte, as Exim', after: 'QUIT\r\n', reply: /^250 2\.0\.0 OK id=/ },
  { name: 'after a message of dots', after: 'QUIT\r\n', text: DOTS, reply: /^250 / },
  { name: 'and whose message is refused', after: 'QUIT\r\n', text: letter('one\ntwo'), reply: /^550 5\.6\.0 / },
  { name: 'while Gmail is slow', after: 'QUIT\r\n', fault: { on: 'transfer', delayMs: 200 }, reply: /^250 / },
  { name: 'and whose email waits', after: '', fault: { on: 'open', answer: 'rate', times: 3 }, reply: /^451 4\.7\.1 / },
];
for (const { name, after, text = letter(), fault, reply } of partings)
  test(`a client that ends its half ${name} hears the answer, then the connection ends`, async () => {
    if (fault) laptop.google.faults.script(fault);
    using client = await atData(sidecar.port);
    client.socket.end(`${text.replace(/^\./gm, '..')}.\r\n${after}`);
    assert.match(await client.reply(), reply);
    assert.equal(await client.reply(), '');
    assert.equal(mails().length, reply.source.startsWith('^250') ? 1 : 0);
  });

test('a client that ends its half before the message ends has sent nothing, and is let go', async () => {
  for (const text of [letter(), '']) {
    using client = await atData(sidecar.port);
    client.socket.end(text);
    assert.equal(await client.reply(), '');
  }
  using idle = await loggedIn(sidecar.port, KEY);
  idle.socket.end();
  assert.equal(await idle.reply(), '');
  assert.equal(mails().length, 0);
});

test('a slow client, a byte at a time, keeps no function waiting', async () => {
  using client = await loggedIn(sidecar.port, KEY);
  for (const line of [`MAIL FROM:<${MAILBOX}>`, 'RCPT TO:<you@example.net>', 'DATA']) await client.say(line);
  client.socket.setNoDelay(true);
  const before = laptop.lines.length;
  const bytes = Buffer.from(`${letter('..dot')}.\r\n`);
  for (const byte of bytes.subarray(0, -1)) {
    client.write(Buffer.from([byte]));
    await new Promise(setImmediate);
  }
  assert.equal(laptop.lines.length, before);
  client.write(bytes.subarray(-1));
  assert.match(await client.reply(), /^250/);
  assert.match(mails()[0]?.raw.toString() ?? '', /\r\n\r\n\.dot\r\n$/);
});

test('a letter over SIZE is 552, said beforehand or found out, and the connection goes on', async () => {
  using client = await loggedIn(sidecar.port, KEY);
  assert.match(await client.say(`MAIL FROM:<${MAILBOX}> SIZE=${SIZE_MAX_BYTES + 1}`), /^552/);
  const line = `${'x'.repeat(998)}\r\n`;
  assert.match(await deliver(client, letter(line.repeat(SIZE_MAX_BYTES / 1_000 + 1))), /^552 5\.3\.4/);
  assert.match(await deliver(client, letter()), /^250/);
  assert.equal(mails().length, 1);
});

test('letters that together are too much for its memory are put off', async () => {
  await using small = await sidecarFor(laptop.api, { heldMaxBytes: 100_000 });
  using client = await loggedIn(small.port, KEY);
  assert.match(await deliver(client, letter('x\r\n'.repeat(50_000))), /^452 4\.3\.1/);
  assert.match(await deliver(client, letter('x\r\n'.repeat(10_000))), /^250/);
});

for (const count of QUICK ? [50] : [50, 1_000])
  test(`${count} connections at once: each sends its letter, and one more is told to come back`, async () => {
    // Its own: the next test need not wait until all have hung up, and no letter is late because a thousand are on their way.
    await using patient = await startLaptop({ settings: { deadlineMs: 600_000 } });
    await using own = await sidecarFor(patient.api, { ...(count < 1_000 && { clientsMax: count }) });
    const clients = await Promise.all(Array.from({ length: count }, () => loggedIn(own.port, KEY)));
    try {
      using late = smtpClient(own.port);
      assert.match(await late.reply(), /^421/);
      const replies = await Promise.all(clients.map((client, n) => deliver(client, letter(`canary-body ${n}`))));
      assert.deepEqual([replies.filter((reply) => reply.startsWith('250')).length, patient.google.mails.count()], [count, count]);
    } finally {
      for (const client of clients) client[Symbol.dispose]();
    }
  });

const faults: { name: string; fault: Parameters<Laptop['google']['faults']['script']>[0]; reply: RegExp }[] = [
  { name: '429', fault: { on: 'open', answer: 'rate', times: 3 }, reply: /^451 4\.7\.1 / },
  { name: 'a dead grant', fault: { on: 'token', answer: 'invalid_grant' }, reply: /^451 4\.3\.0 .*Consent again/ },
  { name: 'Google away', fault: { on: 'ledger', answer: 'cloud_unavailable', times: 5 }, reply: /^451 4\.3\.0 / },
  { name: 'a mail that Gmail refuses', fault: { on: 'transfer', answer: 'invalid_to' }, reply: /^550 5\.6\.0 / },
];
for (const { name, fault, reply } of faults)
  test(`${name} upstream is ${reply.source.slice(1, 4)}, and the same letter goes through afterwards`, async () => {
    using client = await loggedIn(sidecar.port, KEY);
    laptop.google.faults.script(fault);
    const text = letter();
    assert.match(await deliver(client, text), reply);
    laptop.google.faults.clear();
    assert.match(await deliver(client, text), /^250/);
    assert.equal(mails().length, 1);
  });

test('an unknown outcome upstream is 451; the client tries again, and it is one mail', async () => {
  using client = await loggedIn(sidecar.port, KEY);
  laptop.google.faults.script({ on: 'transfer', reset: 'after' }, { on: 'ask', answer: 'unavailable', times: 4 });
  const text = letter();
  assert.match(await deliver(client, text), /^451 4\.3\.0 .*The same message .* is sent once.* id=[0-9a-f-]{36}$/);
  assert.match(await deliver(client, text), /^250/);
  assert.match(await deliver(client, text, { to: ['you@example.net', 'hidden@example.net'] }), /^250/); // another envelope is another mail
  assert.equal(mails().length, 2);
});

test('what waits for a person is final: 550, and no later try sends it', async () => {
  using client = await loggedIn(sidecar.port, KEY);
  laptop.google.faults.script({ on: 'transfer', reset: 'after' }, { on: 'ask', answer: 'session_gone', times: 4 });
  const text = letter();
  assert.match(await deliver(client, text), /^550 5\.3\.0 Do not try again.* id=[0-9a-f-]{36}$/);
  assert.match(await deliver(client, text), /^550 5\.3\.0 /);
  assert.equal(mails().length, 1);
});

test('a program that composes anew for each try sends twice; with its own key, or with the same content counted as one, once', async () => {
  const rows = [
    { own: [], sameContentMs: 0, sent: 2 },
    { own: ['Resend-Idempotency-Key: order/7'], sameContentMs: 0, sent: 1 },
    { own: [], sameContentMs: 900_000, sent: 1 },
  ];
  for (const { own, sameContentMs, sent } of rows) {
    laptop.google.mails.clear();
    await using another = await sidecarFor(laptop.api, { sameContentMs });
    using client = await loggedIn(another.port, KEY);
    laptop.google.faults.script({ on: 'transfer', reset: 'after' }, { on: 'ask', answer: 'unavailable', times: 4 });
    const composed = async (): Promise<string> => {
      const built = await createTransport({ streamTransport: true, newline: 'windows', buffer: true }).sendMail({
        from: MAILBOX,
        to: 'you@example.net',
        subject: `canary-subject ${sent}${sameContentMs}`,
        text: 'canary-body',
        html: '<p>canary-body',
        attachments: [{ filename: 'a.txt', content: 'canary-file' }],
      });
      return `${own.map((line) => `${line}\r\n`).join('')}${built.message}`;
    };
    assert.match(await deliver(client, await composed()), /^451 4\.3\.0 .*a message composed anew is another email/);
    assert.match(await deliver(client, await composed()), /^250/);
    assert.equal(mails().length, sent);
    const parsed = await simpleParser(mails()[0]?.raw ?? '');
    assert.deepEqual([parsed.text?.trim(), parsed.attachments[0]?.content.toString()], ['canary-body', 'canary-file']);
    assert.match(parsed.messageId ?? '', /^<.+@.+>$/);
    assert.ok(parsed.date);
  }
});

test('the same content is one email within the window, and another one after it', async () => {
  const clock = { now: 0 };
  await using another = await sidecarFor(laptop.api, { sameContentMs: 900_000, now: () => clock.now });
  using client = await loggedIn(another.port, KEY);
  const sent: number[] = [];
  for (clock.now of [0, 899_999, 900_000]) {
    assert.match(await deliver(client, letter('canary-window')), /^250/);
    sent.push(mails().length);
  }
  assert.deepEqual(sent, [1, 1, 2]);
});

test("a reply that is lost between function and sidecar is 451; the client's retry is the same mail", async () => {
  for (const head of [['Message-ID: <lost@test>'], ['Resend-Idempotency-Key: order/1'], []]) {
    laptop.google.mails.clear();
    await using door = await losing(laptop.api, 2); // the second one where the first connection was a kept one
    await using own = await sidecarFor(door.url);
    using client = await loggedIn(own.port, KEY);
    const text = letter(`canary-body ${head.length}`, head);
    assert.match(await deliver(client, text), /^451 4\.4\.1 .*may have been sent/);
    assert.match(await deliver(client, text), /^250/);
    assert.equal(mails().length, 1);
    assert.doesNotMatch(mails()[0]?.raw.toString() ?? '', /idempotency/i);
  }
});

test('with the function away a login is believed, and each letter is 451', async () => {
  await using own = await sidecarFor('http://127.0.0.1:1');
  using client = await loggedIn(own.port, KEY);
  assert.match(await deliver(client, letter()), /^451 4\.4\.1 .*cannot be reached/);
});

test("a proxy's page is never final, except where it refuses the caller", async () => {
  for (const [status, code] of [
    [404, '451'],
    [200, '451'],
    [503, '451'],
    [413, '552'],
    [403, '535'],
  ] as const) {
    const page = createServer(
      (req, res) => void req.resume().once('end', () => res.writeHead(req.method === 'GET' ? 500 : status).end('<html>')),
    );
    await new Promise<void>((done) => page.listen(0, '127.0.0.1', done));
    await using own = await sidecarFor(`http://127.0.0.1:${(page.address() as AddressInfo).port}`);
    using client = await loggedIn(own.port, KEY);
    assert.equal((await deliver(client, letter())).slice(0, 3), code);
    page.close();
    page.closeAllConnections();
  }
});

test('a key is asked about once for many logins', async () => {
  let asked = 0;
  await using door = await losing(laptop.api, 0, () => asked++);
  await using own = await sidecarFor(door.url);
  for (const client of await Promise.all(Array.from({ length: 20 }, () => loggedIn(own.port, KEY)))) client[Symbol.dispose]();
  assert.equal(asked, 1);
});

test('guesses: each is answered later than the one before, the third ends the connection, and a flood is not one call for each', async () => {
  let asked = 0;
  const waits: number[] = [];
  await using door = await losing(laptop.api, 0, () => asked++);
  await using own = await sidecarFor(door.url, { pause: async (ms) => void waits.push(ms) });
  const guess = async (keys: readonly string[]): Promise<string[]> => {
    using client = smtpClient(own.port);
    await client.reply();
    await client.say('EHLO test');
    const replies: string[] = [];
    for (const key of keys) replies.push((await client.say(authPlain(key))).slice(0, 3));
    return replies;
  };
  assert.deepEqual(await guess(['hunter2', `${KEY}x`, `${KEY}y`, `${KEY}z`]), ['535', '535', '421', '']);
  assert.deepEqual([waits, asked], [[500, 1_000, 2_000], 2]);
  assert.deepEqual(await guess([`${KEY}x`, `${KEY}x`, `${KEY}x`]), ['535', '535', '421']);
  assert.equal(asked, 2); // known to be wrong
  using known = await loggedIn(own.port, KEY);
  const flood = await Promise.all(Array.from({ length: 100 }, (_, n) => guess([`${KEY}flood-${n}`])));
  assert.deepEqual([...new Set(flood.flat())].toSorted(), ['454', '535']);
  assert.ok(asked <= 3 + WRONG_PER_ADDRESS, `${asked} calls`);
  assert.match(await deliver(known, letter()), /^250/);
  using again = await loggedIn(own.port, KEY); // a key that was right is not held up by what others guess
  assert.match(await deliver(again, letter()), /^250/);
});

test('a wrong key that was believed while the function was away costs one call, not one for each message', async () => {
  let posts = 0;
  const door = createServer((req, res) => {
    if (req.method === 'POST') posts++;
    const body = JSON.stringify({ name: 'invalid_api_key', code: 'key_invalid', message: 'API key is invalid' });
    req.resume().once('end', () => (req.method === 'GET' ? res.writeHead(503).end() : res.writeHead(401).end(body)));
  });
  await new Promise<void>((done) => door.listen(0, '127.0.0.1', done));
  await using own = await sidecarFor(`http://127.0.0.1:${(door.address() as AddressInfo).port}`);
  using client = await loggedIn(own.port, `${KEY}x`);
  for (let n = 0; n < 3; n++) assert.match(await deliver(client, letter()), /^535/);
  assert.equal(posts, 1);
  door.close();
  door.closeAllConnections();
});

test('it finishes the letters in hand before it ends', async () => {
  const own = await sidecarFor(laptop.api);
  using client = await loggedIn(own.port, KEY);
  laptop.google.faults.script({ on: 'transfer', delayMs: 300 });
  for (const line of [`MAIL FROM:<${MAILBOX}>`, 'RCPT TO:<you@example.net>', 'DATA']) await client.say(line);
  const transfers = laptop.google.calls.transfer;
  client.write(`${letter()}.\r\n`);
  while (laptop.google.calls.transfer === transfers) await new Promise(setImmediate);
  const ended = own[Symbol.asyncDispose]();
  assert.match(await client.reply(), /^250/);
  await ended;
});

test('without TLS it listens on loopback only', async () => {
  for (const host of ['0.0.0.0', '::', '192.0.2.1', 'mail.example.com'])
    await assert.rejects(sidecarFor(laptop.api, { host }), /can be reached from other machines/);
});

test('nothing of a letter and no key was logged', () => {
  const all = [...sidecar.lines, ...laptop.lines.map((line) => JSON.stringify(line))].join('\n');
  assert.match(all, /"event":"smtp_relayed".*"smtp":250/);
  assert.doesNotMatch(all, /canary|@example|mg_shop/);
});

/** A door in front of the function that cuts the connection instead of answering the first POSTs. */
async function losing(target: string, lost: number, onGet = (): void => {}) {
  let left = lost;
  const server = createServer(async (req, res) => {
    const body = Buffer.concat(await req.toArray());
    if (req.method === 'GET') onGet();
    const headers = req.headers as Record<string, string>;
    const reply = await fetch(`${target}${req.url}`, { method: req.method ?? 'GET', headers, ...(req.method === 'POST' && { body }) });
    if (req.method === 'POST' && left-- > 0) return req.socket.destroy();
    return res.writeHead(reply.status, { 'content-type': 'application/json' }).end(await reply.text());
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}
