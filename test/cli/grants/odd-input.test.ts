/** Input that a person gives by mistake: each is answered by a sentence that is true, and nothing is written. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readRedirect } from '../../../functions/cli/grants/consent-url.ts';
import { isLoopbackRedirect, readOAuthClient } from '../../../functions/cli/grants/oauth-client.ts';
import { signWithKey } from '../../../functions/google/auth/jwt-bearer.ts';
import { readCredential } from '../../../functions/google/auth/refresh-token-secret.ts';
import { SecretString } from '../../../functions/mail/model/secret.ts';
import { typed } from '../../support/programs/command-line.ts';

const json = (value: unknown): SecretString => new SecretString(JSON.stringify(value));
const pemOf = (kind: 'rsa' | 'ec' | 'ed25519'): string => {
  const { privateKey } =
    kind === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : kind === 'ec'
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : generateKeyPairSync('ed25519');
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
};
const keyFile = (private_key: unknown): SecretString =>
  json({ type: 'service_account', client_email: 'a@b.iam.gserviceaccount.com', private_key });
const installed = (change: object): SecretString =>
  json({ installed: { client_id: 'x.apps.googleusercontent.com', client_secret: 'canary-s', ...change } });
const web = (...redirect_uris: unknown[]): SecretString => json({ web: { client_id: 'x', client_secret: 'canary-s', redirect_uris } });

const rows: readonly { readonly name: string; readonly give: () => unknown; readonly code: string; readonly says: RegExp }[] = [
  {
    name: 'an EC key of a service account',
    give: () => signWithKey(keyFile(pemOf('ec'))),
    code: 'grant_malformed',
    says: /of the kind ec; Google gives RSA/,
  },
  { name: 'an Ed25519 key', give: () => signWithKey(keyFile(pemOf('ed25519'))), code: 'grant_malformed', says: /of the kind ed25519/ },
  {
    name: 'a key whose line breaks are lost',
    give: () => signWithKey(keyFile(pemOf('rsa').replaceAll('\n', ' '))),
    code: 'grant_malformed',
    says: /no PEM key/,
  },
  {
    name: 'a public key',
    give: () => signWithKey(keyFile('-----BEGIN PUBLIC KEY-----\ncanary\n-----END PUBLIC KEY-----')),
    code: 'grant_malformed',
    says: /no PEM key/,
  },
  {
    name: 'a key that is an OAuth client',
    give: () => signWithKey(installed({})),
    code: 'grant_malformed',
    says: /a file of OAuth/,
  },
  { name: 'a key file that is a list', give: () => signWithKey(json([1])), code: 'grant_malformed', says: /needs "client_email"/ },
  { name: 'a key file that is null', give: () => signWithKey(json(null)), code: 'grant_malformed', says: /needs "client_email"/ },
  {
    name: 'a redirect on port 99999',
    give: () => readOAuthClient(web('http://127.0.0.1:99999/')),
    code: 'client_wrong_type',
    says: /none of its redirect URIs/,
  },
  {
    name: 'a redirect on port 0',
    give: () => readOAuthClient(web('http://127.0.0.1:0/')),
    code: 'client_wrong_type',
    says: /none of its redirect URIs/,
  },
  {
    name: 'a redirect without a port',
    give: () => readOAuthClient(web('http://127.0.0.1/')),
    code: 'client_wrong_type',
    says: /with a port/,
  },
  {
    name: 'a redirect to another host',
    give: () => readOAuthClient(web('http://127.0.0.1.example.com:80/', null)),
    code: 'client_wrong_type',
    says: /127\.0\.0\.1/,
  },
  {
    name: 'a blank in the client id',
    give: () => readOAuthClient(installed({ client_id: 'x y' })),
    code: 'client_unreadable',
    says: /has a blank/,
  },
  {
    name: 'a line break at the end of the client id',
    give: () => readOAuthClient(installed({ client_id: 'x\n' })),
    code: 'client_unreadable',
    says: /has a blank/,
  },
  {
    name: 'a blank at the end of a stored client id',
    give: () => readCredential(json({ client_id: 'x ', client_secret: 'canary', refresh_token: 'canary' }), 'a@b'),
    code: 'grant_malformed',
    says: /client_id.*without blanks/,
  },
  { name: 'only the code', give: () => readRedirect('4/0canary-x', 's'), code: 'redirect_unreadable', says: /only the code was pasted/ },
  {
    name: 'only the code, encoded',
    give: () => readRedirect(' 4%2F0canary-x\n', 's'),
    code: 'redirect_unreadable',
    says: /only the code was pasted/,
  },
  {
    name: 'an address without an answer',
    give: () => readRedirect('http://127.0.0.1:53219/', 's'),
    code: 'redirect_unreadable',
    says: /neither a code nor an error/,
  },
  {
    name: 'the address of the consent page itself',
    give: () => readRedirect('https://accounts.google.com/o/oauth2/v2/auth?client_id=x&state=s', 's'),
    code: 'redirect_unreadable',
    says: /neither/,
  },
];
for (const { name, give, code, says } of rows)
  test(`${name}: ${code}, and the sentence says what it is`, () => {
    assert.throws(give, (error: { code: string; message: string }) => {
      assert.equal(error.code, code);
      assert.match(error.message, says);
      assert.doesNotMatch(error.message, /canary/);
      return true;
    });
  });

test('a byte order mark is no reason to refuse: client, grant and key', () => {
  const marked = (text: SecretString): SecretString => new SecretString(`\uFEFF${text.reveal()}`);
  assert.equal(readOAuthClient(marked(installed({}))).id, 'x.apps.googleusercontent.com');
  assert.equal(readCredential(marked(json({ client_id: 'x', client_secret: 'y', refresh_token: 'z' })), 'a@b').clientId, 'x');
  assert.equal(signWithKey(marked(keyFile(pemOf('rsa')))).email, 'a@b.iam.gserviceaccount.com');
  for (const port of [1, 80, 8765, 65_535]) assert.equal(isLoopbackRedirect(`http://localhost:${port}/back`), true);
});

for (const [expires, says] of [
  ['2020-01-31', /2020-01-31 is over, so the key would never work/],
  ['31.1.2099', /keys\.shop\.expires/],
] as const)
  test(`key create --expires ${expires} is refused, and the file stays as it is`, async () => {
    const config = join(mkdtempSync(join(tmpdir(), 'mailgrant-')), 'mailgrant.yaml');
    const text = '\uFEFFmailboxes:\n  notices@example.com: {}\n'; // with a byte order mark, which YAML allows
    writeFileSync(config, text);
    const { status, stderr } = await typed([
      'key',
      'create',
      'shop',
      '--from',
      'notices@example.com',
      '--expires',
      expires,
      '--config',
      config,
    ]);
    assert.notEqual(status, 0);
    assert.match(stderr, says);
    assert.equal(readFileSync(config, 'utf8'), text);
  });
