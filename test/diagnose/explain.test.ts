import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explain } from '../../functions/diagnose/explain.ts';

const first = (text: string): string | undefined => explain(text).matches[0]?.cause;
const REFUSED =
  '535-5.7.8 Username and Password not accepted. Learn more at\n535 5.7.8 https://support.google.com/mail/?p=BadCredentials x - gsmtp';
const GONE = '{"error":"invalid_grant","error_description":"Token has been expired or revoked."}';

// The same sentence, and one thing beside it.
const beside: readonly (readonly [name: string, text: string, cause: string])[] = [
  ['a refused password', `AUTH LOGIN\n${REFUSED}`, 'app-password-required'],
  ['a refused token', `AUTH XOAUTH2\n${REFUSED}`, 'wrong-scope-for-smtp'],
  ['an offer of XOAUTH2 is no use of it', `250-AUTH LOGIN PLAIN XOAUTH2\n${REFUSED}`, 'app-password-required'],
  ['an empty user', `auth: { user: '', pass: '' }\n${REFUSED}`, 'credentials-not-loaded'],
  ['the relay', `smtp-relay.gmail.com me@gmail.com\n${REFUSED}`, 'relay-not-authorized'],
  ['a dead grant', GONE, 'refresh-token-expired-testing-7-days'],
  ['a dead grant after a new password', `changed my password, then ${GONE}`, 'refresh-token-revoked-password-change'],
  ['a bare invalid_grant of a service account', 'gtoken: Error: invalid_grant', 'clock-skew'],
  ['a bare invalid_grant of a code', 'getToken(code): Error: invalid_grant', 'auth-code-malformed'],
  ['IPv6 alone', 'connect to smtp.gmail.com[2607:f8b0:400e:c06::6c]:587: Network is unreachable', 'ipv6-unreachable'],
  [
    'IPv6, and IPv4 too',
    'connect to smtp.gmail.com[2607:f8b0:400e:c06::6c]:587: Network is unreachable\nconnect to smtp.gmail.com[74.125.20.109]:587: Connection timed out',
    'port-blocked',
  ],
  ['a closed connection on 465', 'EMAIL_PORT = 465\nSMTPServerDisconnected: Connection unexpectedly closed', 'wrong-port-tls-mode'],
  ['a closed connection of the relay', 'smtp-relay.gmail.com\nSMTPServerDisconnected: Connection unexpectedly closed', 'bad-ehlo-name'],
];
for (const [name, text, cause] of beside) test(`${name} is ${cause}`, () => assert.equal(first(text), cause));

const foreign: readonly string[] = [
  '',
  'Everything is fine. Mail sent in 230 ms.',
  'psycopg2.OperationalError: connection to server at "127.0.0.1", port 5432 failed: Connection refused',
  'connect ECONNREFUSED 127.0.0.1:6379',
  'npm ERR! code SELF_SIGNED_CERT_IN_CHAIN https://registry.example.org/left-pad',
  'error:0308010C:digital envelope routines::unsupported',
  "TypeError: Cannot read properties of undefined (reading 'map')",
  'HTTP 404 Not Found',
  '220 smtp.gmail.com ESMTP x - gsmtp\n250-AUTH LOGIN PLAIN XOAUTH2 PLAIN-CLIENTTOKEN OAUTHBEARER XOAUTH\nAUTH PLAIN AGEAYg==\n235 2.7.0 Accepted\n250 2.1.0 OK x - gsmtp',
  '{"access_token":"ya29.x","expires_in":3599,"scope":"https://mail.google.com/","token_type":"Bearer"}',
  "SMTPAuthenticationError: (535, b'5.7.8 Error: authentication failed: UGFzc3dvcmQ6')",
  'invalid_grant from login.microsoftonline.com: AADSTS70008: The refresh token has expired',
  "fatal: unable to access 'https://github.com/x/y.git/': Could not resolve host: github.com",
  'Use smtp.gmail.com with port 465 and SSL, or port 587 and TLS. Enter your user name and password.',
];
for (const text of foreign)
  test(`not recognised, and no guess: ${JSON.stringify(text.slice(0, 50))}`, () => assert.deepEqual(explain(text).matches, []));

test('an ambiguous text gets no high confidence, and each cause once', () => {
  const { matches } = explain(REFUSED);
  assert.ok((matches[0]?.confidence ?? 1) < 0.8);
  assert.equal(new Set(matches.map(({ cause }) => cause)).size, matches.length);
});

test('matches come best first, within 0 and 1', () => {
  const found = explain(`AUTH XOAUTH2\n${REFUSED}\n${GONE}`).matches.map(({ confidence }) => confidence);
  assert.deepEqual(
    found,
    found.toSorted((a, b) => b - a),
  );
  assert.ok(found.every((one) => one > 0 && one < 1));
});

test('evidence is taken from the text', () => {
  const [match] = explain(`one\n2024-01-01 10:00:00 SERVER -> CLIENT: ${REFUSED}\ntwo`).matches;
  assert.deepEqual(match?.evidence, [
    '535-5.7.8 Username and Password not accepted. Learn more at https://support.google.com/mail/?p=BadCredentials x - gsmtp',
  ]);
});

test('a fix names the project and API of the text', () => {
  const [match] = explain(
    'Secret Manager API has not been used in project my-project before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/secretmanager.googleapis.com/overview?project=my-project',
  ).matches;
  assert.ok(match?.fix[0]?.includes('gcloud services enable secretmanager.googleapis.com --project=my-project'));
});

test('a hostile text is read in time', { timeout: 300_000 }, () => {
  for (const text of [
    '535-5.7.8 '.repeat(40_000),
    'smtp.gmail.com '.repeat(30_000),
    '\\'.repeat(300_000),
    'a@'.repeat(200_000),
    ':'.repeat(400_000),
  ])
    explain(text);
});
