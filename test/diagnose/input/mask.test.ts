import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explain } from '../../../functions/diagnose/explain.ts';
import { mask } from '../../../functions/diagnose/input/mask.ts';

const b64 = (text: string): string => btoa(text);
const SENTENCE = '535-5.7.8 Username and Password not accepted';

// Each canary is put where it really occurs, on the line that becomes evidence.
const secrets: readonly (readonly [name: string, canary: string, text: string])[] = [
  ['access token', 'ya29.a0AfB_canary', 'token ya29.a0AfB_canary'],
  ['refresh token', '1//0gCanaryCanary', '"1//0gCanaryCanary"'],
  ['authorisation code', '4/0AbCanary_x', 'with 4/0AbCanary_x'],
  ['encoded code in a URL', '4%2F0AbCanary', 'GET /cb?code=4%2F0AbCanary&scope=email'],
  ['client secret by form', 'GOCSPX-canary_123', 'using GOCSPX-canary_123'],
  ['API key', 'AIzaSyCanaryCanaryCanary0123', 'AIzaSyCanaryCanaryCanary0123'],
  ['own API key', 'mg_canary123', 'with mg_canary123'],
  ['signed JWT', 'eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJjYW5hcnkifQ.c2ln', 'eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJjYW5hcnkifQ.c2ln'],
  ['AUTH PLAIN', b64('\0me@example.com\0canary'), `AUTH PLAIN ${b64('\0me@example.com\0canary')}`],
  [
    'AUTH XOAUTH2',
    b64('user=me\u0001auth=Bearer canary\u0001\u0001'),
    `AUTH XOAUTH2 ${b64('user=me\u0001auth=Bearer canary\u0001\u0001')}`,
  ],
  ['answer to AUTH LOGIN', b64('Canary!pass'), `334 VXNlcm5hbWU6\n${b64('me@example.com')}\n334 UGFzc3dvcmQ6\n${b64('Canary!pass')}\n`],
  ['short answer to AUTH LOGIN', b64('ca'), `334 UGFzc3dvcmQ6\n${b64('ca')}\n`],
  ['Authorization header', 'canaryCANARY', 'Authorization: Bearer canaryCANARY'],
  ['basic header', b64('me:canary'), `"authorization":"Basic ${b64('me:canary')}"`],
  ['app password in groups', 'abcd efgh ijkl mnop', 'with abcd efgh ijkl mnop'],
  ['app password in one', 'abcdefghijklmnop', 'with abcdefghijklmnop'],
  ['password=', 'hunter2', 'password=hunter2'],
  ['Django setting', 'hunter 2!', "EMAIL_HOST_PASSWORD = 'hunter 2!'"],
  ['PHP array', 'hunter2', "'password' => 'hunter2'"],
  ['JSON field', 'hunter2', '{"user":"me","pass":"hunter2"}'],
  ['refresh_token field', 'canary-token', '"refresh_token": "canary-token"'],
  ['client_secret field', 'canary-secret', '&client_secret=canary-secret&x=1'],
  ['login call', 'hunter2', 'server.login("me@example.com", "hunter2")'],
  ['mail URL', 'hunter2', 'smtps://me%40example.com:hunter2@smtp.gmail.com:465'],
  ['mail URL with two @', 'hun@ter2', 'smtp://me:hun@ter2@smtp.gmail.com'],
  ['link of a 534', 'AKgnsbtCANARY', 'https://accounts.google.com/signin/continue?sarp=1&plt=AKgnsbtCANARY'],
  ['private key', 'MIIEcanary', '-----BEGIN PRIVATE KEY-----\nMIIEcanary\n-----END PRIVATE KEY-----'],
  ['private key, escaped', 'MIIEcanary', '"-----BEGIN PRIVATE KEY-----\\nMIIEcanary\\n-----END PRIVATE KEY-----\\n"'],
  ['private key, cut off', 'MIIEcanary', '-----BEGIN RSA PRIVATE KEY-----\nMIIEcanary'],
  ['smtplib debug', b64('\0me\0canary1'), `send: 'AUTH PLAIN ${b64('\0me\0canary1')}\\r\\n'`],
];

for (const [name, canary, text] of secrets)
  test(`a secret does not come out: ${name}`, () => {
    const answer = explain(`${text} ${SENTENCE} ${text}\n${text}\n${SENTENCE}`);
    assert.ok(answer.matches.length > 0);
    assert.ok(!JSON.stringify(answer).includes(canary), JSON.stringify(answer.matches[0]?.evidence));
  });

const readable: readonly string[] = [
  '535-5.7.8 Username and Password not accepted. Learn more at https://support.google.com/mail/?p=BadCredentials',
  'Missing credentials for "PLAIN"',
  'user: undefined, pass: undefined',
  'password: "" and password=None',
  '250-AUTH LOGIN PLAIN XOAUTH2 PLAIN-CLIENTTOKEN OAUTHBEARER XOAUTH',
  'connect ETIMEDOUT 74.125.24.108:465',
  'https://www.googleapis.com/auth/gmail.send',
  'File "/usr/lib/python3.11/smtplib.py", line 750, in login',
];
for (const text of readable) test(`what is no secret stays readable: ${text}`, () => assert.equal(mask(text), text));

test('masking keeps the number of lines', () => {
  const text = '-----BEGIN PRIVATE KEY-----\na\nb\n-----END PRIVATE KEY-----\npassword=x\n';
  assert.equal(mask(text).split('\n').length, text.split('\n').length);
});
