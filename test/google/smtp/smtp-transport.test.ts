import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { inspect } from 'node:util';
import type { Fault } from '../../../functions/fake-google/faults/faults.ts';
import { type Google, startGoogle } from '../../../functions/fake-google/google.ts';
import { makeCertificate } from '../../../functions/fake-google/http/certificate.ts';
import { createSearch, createSentSearch } from '../../../functions/google/gmail/message-search.ts';
import { createExchange } from '../../../functions/google/http/exchange.ts';
import { createSmtp, createWarmSessions, type WarmSessions } from '../../../functions/google/smtp/smtp-transport.ts';
import type { Mailbox } from '../../../functions/mail/model/config.ts';
import { toFailure } from '../../../functions/mail/model/failure.ts';
import { SCOPE_SEND } from '../../../functions/mail/model/scopes.ts';
import type { SmtpServer } from '../../../functions/runtime/smtp-url.ts';
import { CONFIG } from '../../support/stack/laptop.ts';
import { letterTo, smtpOf, tokenFrom } from '../../support/stack/over-smtp.ts';

let google: Google;
before(async () => {
  google = await startGoogle({ smtp: {} });
});
beforeEach(() => {
  google.faults.clear();
  google.mails.clear();
});
after(() => google[Symbol.asyncDispose]());

const alone = async (): Promise<boolean> => true;
const base = CONFIG.mailboxes[0] as Mailbox;
const overSmtp: Mailbox = { ...base, via: 'smtp' };

interface Change {
  readonly server?: SmtpServer;
  readonly mailbox?: Mailbox;
  readonly warm?: WarmSessions;
  readonly deadline?: AbortSignal;
  readonly now?: () => number;
}

/** One invocation over SMTP, with pauses that take no time and are written down. */
function invocation({ server = smtpOf(google), mailbox = overSmtp, warm = createWarmSessions(), now = () => 0, ...change }: Change = {}) {
  const deadline = change.deadline ?? AbortSignal.timeout(300_000);
  const pauses: number[] = [];
  const search = createSearch(google.url, createExchange()(deadline), now);
  const searchSent = createSentSearch(google.url, createExchange()(deadline), now);
  const pause = async (ms: number): Promise<void> => void pauses.push(ms);
  const smtp = createSmtp({ server, search, searchSent, warm, deadline, now, pause });
  const transport = smtp.transport(mailbox);
  const send = async (letter = letterTo(), token = tokenFrom(google)) =>
    transport.upload(await transport.openSession(letter, token, alone), letter, 0, token);
  return { transport, send, pauses, [Symbol.dispose]: () => smtp.close() };
}
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((done) => setImmediate(done));
};

for (const secure of [false, true])
  test(`a letter goes ${secure ? 'over TLS' : 'over STARTTLS'}, byte for byte, to everybody in the envelope`, async () => {
    using at = invocation({ server: smtpOf(google, secure) });
    const letter = letterTo(['you@example.net', 'hidden@example.org'], 300_000);
    const sent = await at.send(letter);
    const [stored] = google.mails.list();
    assert.deepEqual(sent, { state: 'accepted', gmailId: `smtp:${letter.messageId}` });
    assert.deepEqual([stored?.recipients, stored?.raw.equals(letter.bytes)], [['you@example.net', 'hidden@example.org'], true]);
  });

test('opening announces nothing: no connection is made, the session URI is the Message-ID', async () => {
  using at = invocation({ server: { host: '127.0.0.1', port: 1, secure: false, ca: null } });
  const { search } = google.calls;
  const letter = letterTo();
  assert.equal(await at.transport.openSession(letter, tokenFrom(google), alone), `smtp:${letter.messageId}`);
  assert.equal(google.calls.search, search);
});

const foreign: { messageId: string; fault?: Fault; askable: boolean }[] = [
  { messageId: '<20261124.1@shop.example.com>', askable: true },
  { messageId: '<used@shop.example.com>', askable: false },
  { messageId: '<a@example.com> OR in:anywhere', askable: false },
  { messageId: 'none', askable: false },
  { messageId: '<20261124.2@shop.example.com>', fault: { on: 'search', answer: 'unavailable' }, askable: false },
];
for (const { messageId, fault, askable } of foreign)
  test(`a caller's own Message-ID ${messageId} ${askable ? 'can' : 'cannot'} be asked by${fault ? ', as the search fails' : ''}`, async () => {
    using at = invocation();
    const used = Buffer.from('Message-ID: <used@shop.example.com>\r\n\r\nanother mail');
    google.mails.deliver(overSmtp.address, used, ['you@example.net']);
    const letter = { ...letterTo(), messageId };
    const token = tokenFrom(google);
    if (fault) google.faults.script(fault);
    const sessionUri = await at.transport.openSession(letter, token, alone);
    assert.equal(sessionUri, askable ? `smtp:${messageId}` : 'smtp:');
    if (!askable) assert.deepEqual(await at.transport.querySession(sessionUri, letter.bytes.length, token, alone), { state: 'gone' });
  });

test('more recipients than SMTP takes are refused before anything is sent, and not halfway', async () => {
  using at = invocation();
  const many = Array.from({ length: 101 }, (_, n) => `a${n}@example.net`);
  await assert.rejects(at.send(letterTo(many)), { code: 'mail_refused', message: /at most 100 .*101/ });
  assert.equal(google.calls['smtp-mail'], google.mails.count() + google.calls['smtp-data']);
});

const faults: { fault: Fault; code: string; says?: RegExp }[] = [
  { fault: { on: 'smtp-auth', answer: 'too_many_logins' }, code: 'rate_limited', says: /454 4\.7\.0 \(auth\)/ },
  { fault: { on: 'smtp-auth', answer: 'auth_temporary' }, code: 'google_unavailable' },
  { fault: { on: 'smtp-auth', answer: 'web_login' }, code: 'mailbox_refused' },
  { fault: { on: 'smtp-auth', answer: 'app_password' }, code: 'mailbox_refused' },
  { fault: { on: 'smtp-auth', answer: 'bad_credentials' }, code: 'token_refused' },
  { fault: { on: 'smtp-auth', answer: 'try_later' }, code: 'rate_limited' },
  { fault: { on: 'smtp-auth', reset: 'before' }, code: 'google_unavailable', says: /\(auth\): ECONN/ },
  { fault: { on: 'smtp-mail', answer: 'daily_sending_limit' }, code: 'quota_daily' },
  { fault: { on: 'smtp-mail', answer: 'try_later' }, code: 'rate_limited' },
  { fault: { on: 'smtp-mail', reset: 'before' }, code: 'google_unavailable', says: /\(envelope\): ECONN/ },
  { fault: { on: 'smtp-rcpt', answer: 'bad_recipient' }, code: 'mail_refused', says: /553 5\.1\.3/ },
  { fault: { on: 'smtp-rcpt', answer: 'no_such_user' }, code: 'mail_refused' },
  { fault: { on: 'smtp-rcpt', answer: 'too_many_recipients' }, code: 'mail_refused' },
  { fault: { on: 'smtp-rcpt', status: 451, body: '4.3.0 Mail server temporarily rejected message.' }, code: 'google_unavailable' },
  { fault: { on: 'smtp-data', answer: 'message_too_big' }, code: 'too_large' },
  { fault: { on: 'smtp-data', answer: 'blocked_content' }, code: 'mail_refused' },
  { fault: { on: 'smtp-data', answer: 'unauthenticated_sender' }, code: 'mailbox_refused' },
  { fault: { on: 'smtp-data', answer: 'daily_sending_limit' }, code: 'quota_daily', says: /550 5\.4\.5 \(data\)/ },
  { fault: { on: 'smtp-data', answer: 'unusual_rate' }, code: 'rate_limited' },
  { fault: { on: 'smtp-data', status: 599, body: '5.9.9 canary you@example.net' }, code: 'unexpected' },
];
for (const { fault, code, says = /./ } of faults)
  test(`${JSON.stringify(fault)} is ${code}, nothing was sent, and the next email goes`, async () => {
    using at = invocation();
    google.faults.script(fault);
    const error: unknown = await at.send().catch((thrown: unknown) => thrown);
    assert.equal(toFailure(error).code, code, String(error));
    assert.match(String(error), says);
    assert.doesNotMatch(inspect(error), /canary|@example/);
    assert.equal(google.mails.count(), 0);
    await at.send();
    assert.equal(google.mails.count(), 1);
  });

test('a letter larger than the server announced is refused without a transfer', async () => {
  using at = invocation();
  await assert.rejects(at.send(letterTo(undefined, 35_882_577)), { code: 'too_large' });
  assert.equal(google.mails.count(), 0);
});

test('where some recipients are refused the email goes to the others, and their number is told', async () => {
  using at = invocation();
  google.faults.script({ on: 'smtp-rcpt', answer: 'no_such_user' });
  const sent = await at.send(letterTo(['gone@example.net', 'you@example.net', 'me@example.net']));
  assert.partialDeepStrictEqual(sent, { state: 'accepted', rejected: 1 });
  assert.deepEqual(google.mails.list()[0]?.recipients, ['you@example.net', 'me@example.net']);
});

const tokens = [
  { name: 'a token that is none', token: () => ({ ...tokenFrom(google), secret: { reveal: () => 'ya29.canary-unknown' } }) },
  { name: 'a token whose scope is gmail.send', token: () => tokenFrom(google, SCOPE_SEND) },
  { name: 'a token of another mailbox', token: () => tokenFrom(google, undefined, 'ceo@example.com') },
];
for (const { name, token } of tokens)
  test(`${name} is refused, and the failure has what Gmail's 334 said`, async () => {
    using at = invocation();
    const error: unknown = await at.send(letterTo(), token()).catch((thrown: unknown) => thrown);
    assert.equal(toFailure(error).code, 'token_refused', String(error));
    assert.match(String(error), /535 5\.7\.8 \(auth\), challenge 400 https:\/\/mail\.google\.com\/$/);
    assert.doesNotMatch(inspect(error), /canary|ya29|@example/);
  });

test('the reply to the letter is lost: unknown; Gmail has it, and is found by its Message-ID', async () => {
  using at = invocation();
  const letter = letterTo();
  const token = tokenFrom(google);
  google.faults.script({ on: 'smtp-data', reset: 'after' });
  await assert.rejects(at.send(letter, token), { code: 'delivery_unknown', message: /\(data\): ECONN/ });
  const found = await at.transport.querySession(`smtp:${letter.messageId}`, letter.bytes.length, token, alone);
  assert.deepEqual([found, at.pauses], [{ state: 'accepted', gmailId: google.mails.list()[0]?.id }, []]);
});

test('the connection breaks in the letter: unknown; looked for four times and not found, it may go again', async () => {
  using at = invocation();
  const letter = letterTo();
  const token = tokenFrom(google);
  google.faults.script({ on: 'smtp-data', reset: 'before' });
  await assert.rejects(at.send(letter, token), { code: 'delivery_unknown' });
  assert.deepEqual(await at.transport.querySession(`smtp:${letter.messageId}`, letter.bytes.length, token, alone), {
    state: 'partial',
    received: 0,
  });
  assert.deepEqual(at.pauses, [1_000, 2_000, 4_000]);
  await at.send(letter, token);
  assert.equal(google.mails.count(), 1);
});

test('an email that the search knows only later is found, not sent again', async () => {
  using at = invocation();
  const letter = letterTo();
  const token = tokenFrom(google);
  google.faults.script({ on: 'smtp-data', reset: 'after' }, { on: 'search', times: 2, status: 200, body: { resultSizeEstimate: 0 } });
  await assert.rejects(at.send(letter, token), { code: 'delivery_unknown' });
  assert.equal((await at.transport.querySession(`smtp:${letter.messageId}`, letter.bytes.length, token, alone)).state, 'accepted');
  assert.deepEqual(at.pauses, [1_000, 2_000]);
});

const OUR_ID = '01234567-89ab-4cde-8f01-23456789abcd';
const carried: { name: string; messageId?: string; headers: string[]; found: boolean }[] = [
  { name: 'our header', headers: [`X-Mailgrant-Id: ${OUR_ID}`], found: true },
  { name: 'the original Message-ID that Gmail keeps', headers: [`X-Google-Original-Message-ID: <${OUR_ID}@example.com>`], found: true },
  { name: 'the Message-ID, which the index lacks', headers: [`Message-ID: <${OUR_ID}@example.com>`], found: true },
  {
    name: "a caller's own, kept aside",
    messageId: '<1@shop.example>',
    headers: ['X-Google-Original-Message-ID: <1@shop.example>'],
    found: true,
  },
  { name: "another email's header", headers: ['X-Mailgrant-Id: 11234567-89ab-4cde-8f01-23456789abcd'], found: false },
  { name: 'a part of our id', headers: ['X-Mailgrant-Id: 01234567'], found: false },
  { name: 'an empty header of ours', messageId: '<@shop.example>', headers: ['X-Mailgrant-Id:'], found: false },
];
for (const { name, messageId = `<${OUR_ID}@example.com>`, headers, found } of carried)
  test(`Gmail's search finds nothing; among the newest sent messages is one with ${name}: ${found ? 'it is the email' : 'it is not'}`, async () => {
    using at = invocation();
    const token = tokenFrom(google);
    google.faults.script({ on: 'search', times: 4, status: 200, body: { resultSizeEstimate: 0 } });
    for (let other = 0; other < 7; other++) google.mails.deliver(overSmtp.address, Buffer.from('Subject: x\r\n\r\n'), ['you@example.net']);
    const { id } = google.mails.deliver(overSmtp.address, Buffer.from(`${headers.join('\r\n')}\r\nSubject: x\r\n\r\n`), [
      'you@example.net',
    ]);
    for (let other = 0; other < 7; other++) google.mails.deliver(overSmtp.address, Buffer.from('Subject: x\r\n\r\n'), ['you@example.net']);
    const said = await at.transport.querySession(`smtp:${messageId}`, 1, token, alone);
    assert.deepEqual(said, found ? { state: 'accepted', gmailId: id } : { state: 'partial', received: 0 });
  });

for (const times of [4, 5])
  test(`after ${times} searches Gmail fails: that is no proof that the mail is not there`, async () => {
    using at = invocation();
    google.mails.deliver(overSmtp.address, Buffer.from('Subject: x\r\n\r\n'), ['you@example.net']);
    const none = { on: 'search', status: 200, body: { resultSizeEstimate: 0 } } as const;
    google.faults.script({ ...none, times: 4 });
    if (times === 5) google.faults.script({ on: 'search', delayMs: 0 });
    google.faults.script({ on: 'search', answer: 'unavailable' });
    await assert.rejects(at.transport.querySession('smtp:<m@example.com>', 1, tokenFrom(google), alone), { code: 'google_unavailable' });
  });

const unasked = [
  { name: 'the search fails', fault: { on: 'search', answer: 'unavailable' }, code: 'google_unavailable' },
  { name: 'the search is cut', fault: { on: 'search', reset: 'before' }, code: 'google_unavailable' },
  { name: 'the API is not enabled', fault: { on: 'search', answer: 'api_disabled' }, code: 'api_disabled' },
  { name: 'a proxy answers', fault: { on: 'search', status: 200, body: '<html>' }, code: 'unexpected' },
] as const;
for (const { name, fault, code } of unasked)
  test(`${name}: that is no proof that the email is not there`, async () => {
    using at = invocation();
    google.faults.script(fault);
    await assert.rejects(at.transport.querySession('smtp:<m@example.com>', 1, tokenFrom(google), alone), { code });
  });

test('a session URI of the API is never searched for', async () => {
  using at = invocation();
  await assert.rejects(at.transport.querySession('https://gmail.googleapis.com/upload/x', 1, tokenFrom(google), alone), {
    code: 'unexpected',
  });
});

test('the scope gmail.send cannot search', async () => {
  using at = invocation();
  await assert.rejects(at.transport.querySession('smtp:<m@example.com>', 1, tokenFrom(google, SCOPE_SEND), alone), {
    code: 'scope_missing',
  });
});

test('the emails of one invocation share a connection, also those sent at once; then it is closed', async () => {
  const before = google.calls['smtp-auth'];
  {
    using at = invocation();
    await Promise.all([at.send(), at.send(), at.send()]);
    await at.send();
    assert.deepEqual([google.calls['smtp-auth'] - before, google.smtp?.connections(), google.mails.count()], [1, 1, 4]);
  }
  await until(() => google.smtp?.connections() === 0);
});

test('with `tokens: reuse` the connection serves the next invocation too, unless it lay open too long', async () => {
  const warm = createWarmSessions();
  const mailbox: Mailbox = { ...overSmtp, tokens: 'reuse' };
  const logins: number[] = [];
  const before = google.calls['smtp-auth'];
  for (const time of [0, 59_000, 130_000]) {
    using at = invocation({ warm, mailbox, now: () => time });
    await at.send();
    logins.push(google.calls['smtp-auth'] - before);
  }
  assert.deepEqual([logins, google.mails.count()], [[1, 1, 2], 3]);
  warm.take(mailbox.address, 130_000)?.close();
  await until(() => google.smtp?.connections() === 0);
});

for (const fault of [
  { on: 'smtp-mail', reset: 'before' },
  { on: 'smtp-mail', answer: 'idle' },
] as const)
  test(`a kept connection that is no longer good is replaced without a word: ${JSON.stringify(fault)}`, async () => {
    using at = invocation();
    await at.send();
    google.faults.script(fault);
    await at.send();
    assert.equal(google.mails.count(), 2);
  });

test('a certificate that nobody vouches for ends the connection before the token is shown', async () => {
  const { cert } = await makeCertificate();
  const before = google.calls['smtp-auth'];
  for (const secure of [false, true])
    for (const ca of [null, cert]) {
      using at = invocation({ server: { ...smtpOf(google, secure), ca } });
      await assert.rejects(at.send(), {
        code: 'google_unavailable',
        message:
          /\(connect\): (DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|CERT_SIGNATURE_FAILURE|UNABLE_TO_VERIFY_LEAF_SIGNATURE)/,
      });
    }
  assert.equal(google.calls['smtp-auth'], before);
});

test('neither NODE_TLS_REJECT_UNAUTHORIZED nor an old protocol is accepted', async () => {
  const { cert, key } = await makeCertificate();
  const old = createTlsServer({ cert, key, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' });
  old.on('tlsClientError', () => {});
  await new Promise<void>((done) => old.listen(0, '127.0.0.1', done));
  const servers = [
    { ...smtpOf(google), ca: null },
    { host: '127.0.0.1', port: (old.address() as AddressInfo).port, secure: true, ca: cert },
  ];
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
  try {
    for (const server of servers) {
      using at = invocation({ server });
      await assert.rejects(at.send(), { code: 'google_unavailable', message: /\(connect\): (DEPTH_ZERO|ERR_SSL|EPROTO)/ });
    }
  } finally {
    delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    old.close();
  }
});

/** A server of a few words: what it says first, and whether it then closes. */
async function served<T>(talk: (socket: Socket) => void, use: (server: SmtpServer) => Promise<T>): Promise<T> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    talk(socket);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  try {
    return await use({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, secure: false, ca: null });
  } finally {
    server.close();
  }
}

const strangers: { name: string; talk: (socket: Socket) => void; message: RegExp; code?: string }[] = [
  { name: 'a server that hangs up', talk: (socket) => socket.destroy(), message: /\(connect\): ECONN/ },
  {
    name: 'a server that is busy',
    talk: (socket) => socket.end('421 4.4.5 Server busy, try again later.\r\n'),
    message: /421 4\.4\.5 \(connect\)/,
  },
  {
    name: 'a server without STARTTLS',
    talk: (socket) => {
      socket.write('220 x\r\n');
      socket.on('data', (line) => socket.write(line.toString().startsWith('EHLO') ? '250 x\r\n' : '502 5.5.1 Unrecognized command.\r\n'));
    },
    message: /502 5\.5\.1 \(connect\)/,
    code: 'unexpected',
  },
];
for (const { name, talk, message, code = 'google_unavailable' } of strangers)
  test(`${name}: nothing was sent`, () =>
    served(talk, async (server) => {
      using at = invocation({ server });
      await assert.rejects(at.send(), { code, message });
    }));

test('nobody listens: nothing was sent', async () => {
  using at = invocation({ server: { host: '127.0.0.1', port: 1, secure: false, ca: null } });
  await assert.rejects(at.send(), { code: 'google_unavailable', message: /\(connect\): ECONNREFUSED$/ });
});

test('the invocation’s end ends a server’s silence; what had left is unknown', async () => {
  const ending = new AbortController();
  using at = invocation({ deadline: ending.signal });
  google.faults.script({ on: 'smtp-data', delayMs: 60_000 });
  const { count } = google.mails;
  const sending = at.send();
  sending.catch(() => {});
  await until(() => count() === 1);
  ending.abort();
  await assert.rejects(sending, { code: 'delivery_unknown', message: /\(data\): ETIMEDOUT$/ });
});
