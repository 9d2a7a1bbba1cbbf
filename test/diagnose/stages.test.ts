/** Texts in which something stands that happened to be printed beside the error: offers, lists, earlier faults, other services. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explain } from '../../functions/diagnose/explain.ts';
import { DEFORMATIONS } from './deformations.ts';

const first = (text: string): string | undefined => explain(text).matches[0]?.cause;

/** Errors of my own wording for the commonest causes; each keeps its cause under every deformation that leaves its words. */
const TEXTS: readonly (readonly [cause: string, text: string])[] = [
  [
    'app-password-required',
    `AUTH PLAIN ${btoa('\0me@example.com\0knights of ni')}\n535-5.7.8 Username and Password not accepted. For more information, go to\n535 5.7.8  https://support.google.com/mail/?p=BadCredentials 5b1f17b1804b1-439 - gsmtp`,
  ],
  [
    'app-password-required',
    "smtplib.SMTPAuthenticationError: (535, b'5.7.8 Username and Password not accepted. For more information, go to\\n5.7.8  https://support.google.com/mail/?p=BadCredentials ffacd0b85a97d-38a - gsmtp')",
  ],
  [
    'app-password-required',
    '534-5.7.9 Application-specific password required. For more information, go to\n534 5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor 41be03b00d2f7 - gsmtp',
  ],
  [
    'web-login-required',
    '534-5.7.14 <https://accounts.google.com/signin/continue?sarp=1&scc=1> Please log in with your web browser and then try again.\n534 5.7.14 Learn more at https://support.google.com/mail/answer/78754 - gsmtp',
  ],
  ['daily-limit', '550-5.4.5 Daily user sending limit exceeded. For more information on Gmail sending limits go to\n550 5.4.5  https://support.google.com/a/answer/166852 - gsmtp'],
  ['port-blocked', 'Error: connect ETIMEDOUT 142.250.102.108:587\n    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1637:16) {\n  errno: -110,\n  code: \'ETIMEDOUT\',\n  command: \'CONN\'\n}'],
  ['dns-failure', 'socket.gaierror: [Errno -3] Temporary failure in name resolution\n  while connecting to smtp.gmail.com:587'],
  ['api-not-enabled', '403 Gmail API has not been used in project 829461738 before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/gmail.googleapis.com/overview?project=829461738 then retry.'],
  ['insufficient-scope', 'GaxiosError: Request had insufficient authentication scopes.\n    at Gaxios._request (node_modules/gaxios/build/src/gaxios.js:142:23)'],
  ['too-many-logins', '454-4.7.0 Too many login attempts, please try again later. For more information,\n454-4.7.0 go to https://support.google.com/mail/answer/7126229 - gsmtp'],
  ['oauth-client-deleted', 'google.auth.exceptions.RefreshError: (\'deleted_client: The OAuth client was deleted.\', {\'error\': \'deleted_client\'})'],
  ['starttls-missing', '530-5.7.0 Must issue a STARTTLS command first. For more information, go to\n530 5.7.0  https://support.google.com/a/answer/3221692 - gsmtp'],
]; // biome-ignore format: one text a line

/** What cuts words out may cost the answer; everything else may not. */
const HARMLESS = Object.entries(DEFORMATIONS).filter(([name]) => !/cut off/.test(name));
for (const [name, deform] of HARMLESS)
  test(`the cause is named first: ${name}`, () => {
    for (const [cause, text] of TEXTS) assert.equal(first(deform(text)), cause, text.slice(0, 60));
  });

const beside: readonly (readonly [name: string, text: string, cause: string])[] = [
  [
    'Symfony tries three mechanisms with one password',
    'Failed to authenticate on SMTP server with username "me@example.com" using the following authenticators: "LOGIN", "PLAIN", "XOAUTH2". Authenticator "LOGIN" returned "Expected response code "235" but got code "535", with message "535-5.7.8 Username and Password not accepted. - gsmtp".". Authenticator "PLAIN" returned "Expected response code "235" but got code "535", with message "535-5.7.8 Username and Password not accepted.".". Authenticator "XOAUTH2" returned "Expected response code "235" but got code "334", with message "334 eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIiwic2NvcGUiOiJodHRwczovL21haWwuZ29vZ2xlLmNvbS8ifQ==".".',
    'app-password-required',
  ],
  [
    'JavaMail lists what it could do',
    'DEBUG SMTP: Found extension "AUTH", arg "LOGIN PLAIN XOAUTH2 PLAIN-CLIENTTOKEN OAUTHBEARER XOAUTH"\nDEBUG SMTP: Attempt to authenticate using mechanisms: LOGIN PLAIN DIGEST-MD5 NTLM XOAUTH2\nDEBUG SMTP: Using mechanism LOGIN\n535-5.7.8 Username and Password not accepted. - gsmtp\njavax.mail.AuthenticationFailedException: 535-5.7.8 Username and Password not accepted.',
    'app-password-required',
  ],
  [
    'a token was sent, and its challenge came back',
    'AUTH XOAUTH2 dXNlcj1t\n334 eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIiwic2NvcGUiOiJodHRwczovL21haWwuZ29vZ2xlLmNvbS8ifQ==\n535-5.7.8 Username and Password not accepted. - gsmtp',
    'wrong-scope-for-smtp',
  ],
  [
    'exim tries IPv6 in vain and IPv4 answers 530',
    '2026-03-02 11:04:11 1tX H=smtp.gmail.com [2a00:1450:4001:c02::6c]: Network is unreachable\n2026-03-02 11:04:12 1tX ** you@example.net R=send_via_gmail T=gmail_smtp H=smtp.gmail.com [142.250.102.108]: SMTP error from remote mail server after MAIL FROM: 530-5.7.0 Authentication Required. For more information, go to 530 5.7.0 https://support.google.com/mail/?p=WantAuthError - gsmtp',
    'auth-not-attempted',
  ],
  [
    'a time-out at the first try, a 535 at the second',
    'connect to smtp.gmail.com[142.250.102.109]:587: Connection timed out\nSASL authentication failed; server smtp.gmail.com[142.250.102.108] said: 535-5.7.8 Username and Password not accepted. - gsmtp',
    'app-password-required',
  ],
  [
    'a 535 yesterday, no connection today',
    '535-5.7.8 Username and Password not accepted. - gsmtp\nError: connect ETIMEDOUT 142.250.102.108:587 smtp.gmail.com',
    'port-blocked',
  ],
  ['a foreign host that does not resolve', 'getaddrinfo ENOTFOUND mail.example.org', 'dns-failure'],
  ['letters of Gmail swapped', 'getaddrinfo ENOTFOUND smtp.gmial.com', 'bad-host-value'],
  ['the label of Gmail misspelt', 'getaddrinfo ENOTFOUND smpt.gmail.com', 'bad-host-value'],
  ['another ending', 'Could not resolve host: smtp.gmail.con', 'bad-host-value'],
  ['no company of Google', 'getaddrinfo ENOTFOUND smtp.mailbox.example', 'dns-failure'],
];
for (const [name, text, cause] of beside) test(`${name}: ${cause}`, () => assert.equal(first(text), cause));

const API = [
  ['Cloud Firestore API has not been used in project shop-1 before or it is disabled.', 'firestore.googleapis.com'],
  ['firestore.googleapis.com has not been used in project shop-1 before or it is disabled.', 'firestore.googleapis.com'],
  ['Secret Manager API has not been used in project 12345 before or it is disabled.', 'secretmanager.googleapis.com'],
  ['Gmail API has not been used in project shop-1 before or it is disabled.', 'gmail.googleapis.com'],
] as const;
for (const [text, api] of API)
  test(`the API to enable is the one that the text names: ${api}`, () =>
    assert.ok(explain(text).matches[0]?.fix[0]?.includes(`enable ${api}`), explain(text).matches[0]?.fix[0]));
