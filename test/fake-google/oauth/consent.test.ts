import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CodeChallengeMethod, OAuth2Client } from 'google-auth-library';
import { type Google, startGoogle } from '../../../functions/fake-google/google.ts';
import { SCOPE_MAIL, SCOPE_SEND } from '../../../functions/mail/model/scopes.ts';
import { type Choice, consentAt } from '../../support/programs/person.ts';

// The consent of the fake is held against Google's own client library: what that does with the real one must work here.
const MAILBOX = 'notices@example.com';
const REDIRECT = 'http://127.0.0.1:8765/';
let google: Google;
let clock = Date.UTC(2026, 10, 24, 8);
before(async () => {
  google = await startGoogle({ accounts: [MAILBOX, 'sales@example.com'], now: () => clock });
});
after(() => google[Symbol.asyncDispose]());

interface ClientFile {
  readonly client_id: string;
  readonly client_secret: string;
}
const installed = (): ClientFile => google.clients.file('installed')['installed'] as ClientFile;

function clientFor(change: Partial<ClientFile> = {}): OAuth2Client {
  const { client_id, client_secret } = { ...installed(), ...change };
  const at = (path: string): string => `${google.url}${path}`;
  return new OAuth2Client({
    clientId: client_id,
    clientSecret: client_secret,
    redirectUri: REDIRECT,
    endpoints: {
      oauth2TokenUrl: at('/token'),
      oauth2AuthBaseUrl: at('/o/oauth2/v2/auth'),
      oauth2RevokeUrl: at('/revoke'),
      tokenInfoUrl: at('/tokeninfo'),
    },
  });
}

async function urlFor(client: OAuth2Client, change: Record<string, unknown> = {}) {
  const { codeVerifier, codeChallenge = '' } = await client.generateCodeVerifierAsync();
  const url = client.generateAuthUrl({
    access_type: 'offline',
    prompt: 'consent',
    scope: ['openid', 'email', SCOPE_SEND],
    state: 's',
    login_hint: MAILBOX,
    code_challenge: codeChallenge,
    code_challenge_method: CodeChallengeMethod.S256,
    ...change,
  });
  return { url, codeVerifier };
}

async function tokensOf(choice: Choice = {}, change: Record<string, unknown> = {}) {
  const client = clientFor();
  const { url, codeVerifier } = await urlFor(client, change);
  const back = new URL(await consentAt(url, choice));
  const code = back.searchParams.get('code') ?? '';
  const { tokens } = await client.getToken({ code, codeVerifier });
  return { client, code, codeVerifier, tokens, state: back.searchParams.get('state') };
}

const claimsOf = (token: string | null | undefined): Record<string, unknown> =>
  JSON.parse(Buffer.from(String(token).split('.')[1] ?? '', 'base64url').toString());

test("Google's own client gets a grant by code and PKCE, and an id_token that names the account", async () => {
  const { client, tokens, state } = await tokensOf();
  assert.equal(state, 's');
  assert.equal(tokens.scope, `openid https://www.googleapis.com/auth/userinfo.email ${SCOPE_SEND}`);
  const { email, email_verified, aud, iss } = claimsOf(tokens.id_token);
  assert.deepEqual([email, email_verified, aud, iss], [MAILBOX, true, installed().client_id, 'https://accounts.google.com']);
  client.setCredentials({ refresh_token: tokens.refresh_token ?? '' });
  assert.match((await client.getAccessToken()).token ?? '', /^ya29\./);
  const info = await client.getTokenInfo(tokens.access_token ?? '');
  assert.deepEqual([info.email, info.aud, info.scopes.includes(SCOPE_SEND)], [MAILBOX, installed().client_id, true]);
  const headers = { authorization: `Bearer ${tokens.access_token}` };
  const user = (await (await fetch(`${google.url}/v1/userinfo`, { headers })).json()) as Record<string, unknown>;
  assert.deepEqual([user['email'], user['sub']], [MAILBOX, claimsOf(tokens.id_token)['sub']]);
});

test('a box left unticked is a scope that is not granted, and no error', async () => {
  const { tokens } = await tokensOf({ untick: true });
  assert.equal(tokens.scope, 'openid https://www.googleapis.com/auth/userinfo.email');
});

test('without prompt=consent a refresh token comes at the first consent only; without offline, never', async () => {
  const account = 'first@example.com';
  const refreshed = async (change: Record<string, unknown>) => 'refresh_token' in (await tokensOf({ account }, change)).tokens;
  assert.deepEqual(
    [await refreshed({ access_type: 'online' }), await refreshed({ prompt: undefined }), await refreshed({ prompt: undefined })],
    [false, true, false],
  );
});

test('the other account is the one that was typed; an unverified address says so', async () => {
  const { tokens } = await tokensOf({ account: 'Unverified@example.net' });
  const { email, email_verified } = claimsOf(tokens.id_token);
  assert.deepEqual([email, email_verified], ['unverified@example.net', false]);
});

test('who denies is sent back with access_denied and the state', async () => {
  const { url } = await urlFor(clientFor());
  assert.equal(await consentAt(url, { decision: 'deny' }), `${REDIRECT}?state=s&error=access_denied`);
});

test('revoking one grant ends every grant of that account and client, and no other', async () => {
  const [first, second, other] = [await tokensOf(), await tokensOf(), await tokensOf({ account: 'sales@example.com' })];
  const mints = async ({ client, tokens }: Awaited<ReturnType<typeof tokensOf>>) => {
    client.setCredentials({ refresh_token: tokens.refresh_token ?? '' });
    return client.getAccessToken().then(
      () => 'minted',
      ({ message }: Error) => message,
    );
  };
  await first.client.revokeToken(second.tokens.refresh_token ?? '');
  assert.deepEqual([await mints(first), await mints(second), await mints(other)], ['invalid_grant', 'invalid_grant', 'minted']);
  await assert.rejects(first.client.revokeToken(second.tokens.refresh_token ?? ''), { status: 400 });
  await assert.rejects(first.client.getTokenInfo(first.tokens.access_token ?? ''), { status: 400 });
});

test('a code serves once, for ten minutes, for its own client, address and verifier', async () => {
  const used = await tokensOf();
  await assert.rejects(used.client.getToken({ code: used.code, codeVerifier: used.codeVerifier }), { message: 'invalid_grant' });
  const fresh = async () => {
    const client = clientFor();
    const { url, codeVerifier } = await urlFor(client);
    return { client, codeVerifier, code: new URL(await consentAt(url)).searchParams.get('code') ?? '' };
  };
  const wrong = await fresh();
  await assert.rejects(wrong.client.getToken({ code: wrong.code, codeVerifier: 'x'.repeat(43) }), { message: 'invalid_grant' });
  const elsewhere = await fresh();
  await assert.rejects(elsewhere.client.getToken({ ...elsewhere, redirect_uri: 'http://127.0.0.1:1/' }), {
    message: 'redirect_uri_mismatch',
  });
  const late = await fresh();
  clock += 10 * 60_000;
  await assert.rejects(late.client.getToken(late), { message: 'invalid_grant' });
  const secret = await fresh();
  await assert.rejects(clientFor({ client_secret: 'GOCSPX-other' }).getToken(secret), { message: 'invalid_client' });
  await assert.rejects(secret.client.getToken({ ...secret, code: '%2F' }), { message: 'invalid_grant' });
});

const blocked: { name: string; client?: Partial<ClientFile>; change?: Record<string, unknown>; status: number; error: string }[] = [
  { name: 'an unknown client', client: { client_id: 'nobody' }, status: 401, error: 'invalid_client' },
  { name: 'a redirect off the loopback', change: { redirect_uri: 'http://evil.example/' }, status: 400, error: 'redirect_uri_mismatch' },
  { name: 'https on the loopback', change: { redirect_uri: 'https://127.0.0.1/' }, status: 400, error: 'redirect_uri_mismatch' },
  { name: 'pasting by hand', change: { redirect_uri: 'urn:ietf:wg:oauth:2.0:oob' }, status: 400, error: 'redirect_uri_mismatch' },
  { name: 'no PKCE worth the name', change: { code_challenge: 'short' }, status: 400, error: 'invalid_request' },
  { name: 'plain PKCE', change: { code_challenge_method: 'plain' }, status: 400, error: 'invalid_request' },
  { name: 'no scope', change: { scope: [] }, status: 400, error: 'invalid_request' },
  { name: 'the implicit flow', change: { response_type: 'token' }, status: 400, error: 'invalid_request' },
];
for (const { name, client, change, status, error } of blocked)
  test(`${name} gets a page saying ${error}, and is sent nowhere`, async () => {
    const { url } = await urlFor(clientFor(client), change);
    for (const method of ['GET', 'POST']) {
      const query = new URL(url).searchParams;
      const reply = await (method === 'GET'
        ? fetch(url, { redirect: 'manual' })
        : fetch(`${google.url}/o/oauth2/v2/auth`, { method, redirect: 'manual', body: query }));
      assert.deepEqual([reply.status, reply.headers.get('location')], [status, null]);
      assert.match(await reply.text(), new RegExp(`<code>${error}</code>`));
    }
  });

test('what comes in by the query is text on the page, never markup', async () => {
  const { url } = await urlFor(clientFor(), { login_hint: '"><script>alert(1)</script>@x.com', scope: [SCOPE_MAIL, '<b>'] });
  const html = await (await fetch(url)).text();
  assert.doesNotMatch(html, /<script>|<b>/);
});

test('the console’s download is at the control door', async () => {
  const file = (await (await fetch(`${google.url}/control/client`)).json()) as { installed: ClientFile };
  assert.equal(file.installed.client_secret, installed().client_secret);
});
