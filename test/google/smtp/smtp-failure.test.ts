import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Phase, readChallenge, readReply, readSmtpFailure } from '../../../functions/google/smtp/smtp-failure.ts';
import { type FailureCode, failureInfo } from '../../../functions/mail/model/failure.ts';

const read = (phase: Phase, reply: string, cause = 'error', challenge: { status: string; scope: string } | null = null) =>
  readSmtpFailure({ phase, reply, cause, challenge });

// Replies as Google's documentation and public logs have them; <s> stands for the session's id.
const replies: [reply: string, phase: Phase, code: FailureCode][] = [
  [
    '535-5.7.8 Username and Password not accepted. For more information, go to\n535 5.7.8  https://support.google.com/mail/?p=BadCredentials <s> - gsmtp',
    'auth',
    'token_refused',
  ],
  ['535 5.7.1 Application-specific password required', 'auth', 'mailbox_refused'],
  ['534-5.7.9 Application-specific password required. For more information, go to\n534 5.7.9 <s> - gsmtp', 'auth', 'mailbox_refused'],
  ['534-5.7.9 Please log in with your web browser and then try again. Learn more at\n534 5.7.9 <s>', 'auth', 'mailbox_refused'],
  [
    '534-5.7.14 <https://accounts.google.com/signin/continue?plt=x> Please log in via\n534-5.7.14 your web browser',
    'auth',
    'mailbox_refused',
  ],
  ['454-4.7.0 Too many login attempts, please try again later. For more information,\n454 4.7.0 go to <s>', 'auth', 'rate_limited'],
  ['454 4.7.0 Temporary authentication failure', 'auth', 'rate_limited'],
  ['454 4.7.0 Cannot authenticate due to temporary system problem. Try again later. <s>', 'auth', 'google_unavailable'],
  ['530-5.7.0 Authentication Required. For more information, go to\n530 5.7.0 <s>', 'envelope', 'token_refused'],
  ['530 5.7.0 Must issue a STARTTLS command first. <s>', 'auth', 'unexpected'],
  ['421-4.7.0 Try again later, closing connection. (EHLO)\n421 4.7.0 <s>', 'connect', 'rate_limited'],
  ['421 4.3.0 Temporary System Problem. Try again later. <s>', 'envelope', 'google_unavailable'],
  ['421 4.7.0 Temporary System Problem. Try again later. <s>', 'envelope', 'google_unavailable'],
  ['421 4.4.5 Server busy, try again later. <s>', 'connect', 'google_unavailable'],
  ['421 4.7.0 Connection expired, try reconnecting. <s>', 'envelope', 'google_unavailable'],
  ['451 4.4.2 Timeout - closing connection. <s>', 'envelope', 'google_unavailable'],
  ['421 4.7.28 Gmail has detected an unusual rate of mail originating from your IP address.', 'envelope', 'rate_limited'],
  ['550 5.7.28 Gmail has detected an unusual rate of unsolicited mail.', 'data', 'mailbox_refused'],
  ['421 4.7.0 TLS required for RCPT domain, closing connection. <s>', 'envelope', 'mail_refused'],
  [
    '550-5.4.5 Daily user sending limit exceeded. For more information on Gmail\n550-5.4.5 sending limits go to\n550 5.4.5 <s>',
    'data',
    'quota_daily',
  ],
  ['550 5.4.5 Daily SMTP relay limit exceeded for user. <s>', 'envelope', 'quota_daily'],
  ['550 5.7.1 Daily SMTP relay sending limit exceeded for customer.', 'envelope', 'quota_daily'],
  ['450 4.2.1 Peak SMTP relay limit exceeded for customer. <s>', 'envelope', 'rate_limited'],
  ['450-4.2.1 The user you are trying to contact is receiving mail too quickly.', 'envelope', 'rate_limited'],
  ["552 5.2.3 Your message exceeded Google's message size limits.", 'data', 'too_large'],
  ["552-5.3.4 Your message exceeded Google's message size limits.", 'data', 'too_large'],
  ['552-5.7.0 This message was blocked because its content presents a potential\n552-5.7.0 security issue.', 'data', 'mail_refused'],
  ['550-5.7.26 Your email has been blocked because the sender is unauthenticated.', 'data', 'mailbox_refused'],
  ['421-4.7.26 Your email has been rate limited because it is unauthenticated.', 'data', 'rate_limited'],
  ['451 4.7.24 The SPF record of the sending domain has one or more suspicious entries.', 'data', 'mailbox_refused'],
  ['550-5.7.25 The IP address sending this message does not have a PTR record setup.', 'data', 'mailbox_refused'],
  ['550-5.7.1 Our system has detected that this message is likely unsolicited mail.', 'data', 'mail_refused'],
  ['550-5.7.1 Messages missing a valid address in From: header are not accepted.', 'data', 'mail_refused'],
  ['554 5.6.0 Mail message is malformed. Not accepted.', 'data', 'mail_refused'],
  [
    '550-5.7.1 The user or domain that you are sending to (or from) has a policy that\n550-5.7.1 prohibited the mail',
    'data',
    'mail_refused',
  ],
  ['550 5.7.0 Mail Sending denied. This error occurs if the sender account is disabled.', 'envelope', 'mailbox_refused'],
  ['550-5.7.0 Mail relay denied [1.2.3.4]. Invalid credentials for relay', 'envelope', 'mailbox_refused'],
  ['550-5.1.1 The email account that you tried to reach does not exist.', 'envelope', 'mail_refused'],
  ['553-5.1.3 The recipient address <x> is not a valid RFC 5321 address.', 'envelope', 'mail_refused'],
  ["553-5.1.2 We weren't able to find the recipient domain.", 'envelope', 'mail_refused'],
  ['550 5.2.1 The email account that you tried to reach is disabled.', 'envelope', 'mail_refused'],
  ["452-4.2.2 The recipient's inbox is out of storage space.", 'envelope', 'google_unavailable'],
  ['452 4.5.3 Your message has too many recipients.', 'envelope', 'mail_refused'],
  ['550 5.5.3 Your message has too many recipients.', 'envelope', 'mail_refused'],
  ['555-5.5.2 Syntax error, goodbye. For more information, go to\n555-5.5.2 <s>', 'envelope', 'mail_refused'],
  ['501 5.5.2 Cannot Decode response <s>', 'auth', 'unexpected'],
  ['501-5.5.4 HELO/EHLO argument "x" invalid, closing connection.', 'connect', 'unexpected'],
  ['504 5.7.4 Unrecognized Authentication Type. <s>', 'auth', 'unexpected'],
  ['503 5.5.1 EHLO/HELO first. <s>', 'envelope', 'unexpected'],
  ['502-5.5.1 Unrecognized command. <s>', 'connect', 'unexpected'],
  ['451 4.3.0 Mail server temporarily rejected message. <s>', 'data', 'google_unavailable'],
  ['554 5.4.6 Message exceeded 50 hops, this may indicate a mail loop. <s>', 'data', 'mail_refused'],
  ['499 nobody knows', 'envelope', 'google_unavailable'],
  ['599 nobody knows', 'data', 'unexpected'],
];
for (const [reply, phase, code] of replies)
  test(`${reply.slice(0, 70).replaceAll('\n', ' ')} (${phase}) is ${code}`, () => assert.equal(read(phase, reply).code, code));

test('a refusal of 4xx that nobody knows is tried again soon, one of 5xx never', () => {
  assert.deepEqual(
    ['499 x', '599 x'].map((reply) => failureInfo(read('envelope', reply).code).retry),
    ['soon', 'never'],
  );
});

const silent: [phase: Phase, cause: string, code: FailureCode][] = [
  ['connect', 'ECONNREFUSED', 'google_unavailable'],
  ['connect', 'CERT_HAS_EXPIRED', 'google_unavailable'],
  ['connect', 'ETIMEDOUT', 'google_unavailable'],
  ['auth', 'ECONNRESET', 'google_unavailable'],
  ['envelope', 'ECONNRESET', 'google_unavailable'],
  ['data', 'ECONNRESET', 'delivery_unknown'],
  ['data', 'ETIMEDOUT', 'delivery_unknown'],
  ['envelope', 'EMESSAGE', 'too_large'],
  ['envelope', 'EENVELOPE', 'mail_refused'],
];
for (const [phase, cause, code] of silent)
  test(`no answer (${phase}, ${cause}) is ${code}`, () => assert.equal(read(phase, '', cause).code, code));

test('an answer that refuses nothing is no answer to the mail', () => assert.equal(read('data', '250 2.0.0 OK').code, 'delivery_unknown'));

const encode = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64');
const challenges = [
  { said: { status: '400', schemes: 'Bearer', scope: 'https://mail.google.com/' }, code: 'token_refused' },
  { said: { status: '401', schemes: 'bearer mac', scope: 'https://mail.google.com/' }, code: 'token_refused' },
  { said: { status: 'insufficient_scope', scope: 'https://mail.google.com/' }, code: 'scope_missing' },
  { said: { status: '403' }, code: 'scope_missing' },
];
for (const { said, code } of challenges)
  test(`the challenge ${JSON.stringify(said)} makes the refusal ${code}`, () => {
    const failure = read('auth', '535 5.7.8 Username and Password not accepted', '', readChallenge(encode(said)));
    assert.equal(failure.code, code);
    assert.match(failure.message, new RegExp(`challenge ${said.status}`));
  });
test('a refusal after a challenge is of the token, whatever its code', () =>
  assert.equal(read('auth', '501 5.5.2 Cannot Decode response', '', { status: '400', scope: '' }).code, 'token_refused'));

for (const garbage of ['', '!!!', encode('canary'), encode('null'), encode('"x"')])
  test(`a challenge that is none (${garbage}) does no harm`, () => {
    const challenge = readChallenge(garbage);
    assert.ok(challenge === null || (challenge.status === '' && challenge.scope === ''));
  });
test('of a challenge only harmless words are kept', () =>
  assert.deepEqual(readChallenge(encode({ status: `canary@example.com\r\n${'x'.repeat(99)}`, scope: 7 })), {
    status: `canaryexample.com${'x'.repeat(43)}`,
    scope: '',
  }));

test("a reply's words stay out of the failure: they may quote an address", () =>
  assert.equal(
    read('envelope', '553 5.1.3 The recipient address <canary@example.com> is none').message,
    "Gmail's SMTP answered 553 5.1.3 (envelope)",
  ));

test('a reply over several lines is read as one sentence', () =>
  assert.deepEqual(readReply('550-5.4.5 Daily user\r\n550-5.4.5 sending limit\r\n550 5.4.5 exceeded. <s> - gsmtp'), {
    code: 550,
    enhanced: '5.4.5',
    text: 'Daily user sending limit exceeded. <s> - gsmtp',
  }));
