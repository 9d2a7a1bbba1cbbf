/**
 * The adapters against a fake Google that was not written here: emulate (vercel-labs). It has no upload sessions, takes
 * any token for its first user's, and goes on serving a revoked grant: it is a second opinion on forms, not on failures.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createEmulator, type Emulator } from 'emulate';
import { OAuth2Client } from 'google-auth-library';
import { gmail } from 'googleapis/build/src/apis/gmail/index.js';
import { simpleParser } from 'mailparser';
import { freePort } from '../../functions/dev/function-process.ts';
import { readCredential } from '../../functions/google/auth/refresh-token-secret.ts';
import { refresh } from '../../functions/google/auth/token-endpoint.ts';
import { createSearch, readFound } from '../../functions/google/gmail/message-search.ts';
import { createGmail } from '../../functions/google/gmail/upload-session.ts';
import { createExchange } from '../../functions/google/http/exchange.ts';
import { compose } from '../../functions/mail/message/compose.ts';
import { parseRequest } from '../../functions/mail/message/email.ts';
import { resolveSender } from '../../functions/mail/message/sender.ts';
import type { AccessToken } from '../../functions/mail/model/secret.ts';
import { SecretString } from '../../functions/mail/model/secret.ts';
import { CONFIG, MAIL, MAILBOX } from '../support/stack/laptop.ts';

const CLIENT = { client_id: 'laptop.apps.googleusercontent.com', client_secret: 'GOCSPX-canary-emulate' };
const REDIRECT = 'http://127.0.0.1:1/callback';
const SCOPE = 'openid email https://mail.google.com/';
const exchange = createExchange()(AbortSignal.timeout(300_000));

let emulator: Emulator;
let payload: string;
before(async () => {
  const seed = {
    google: { users: [{ email: MAILBOX, name: 'Notices' }], oauth_clients: [{ ...CLIENT, name: 'laptop', redirect_uris: [REDIRECT] }] },
  };
  emulator = await createEmulator({ service: 'google', port: await freePort(0), seed });
  payload = JSON.stringify({ ...CLIENT, refresh_token: await consent(), address: MAILBOX });
});
after(() => emulator.close());

/** Consents as a person does with a click, and trades the code for a refresh token. */
async function consent(): Promise<string> {
  const chosen = { email: MAILBOX, redirect_uri: REDIRECT, scope: SCOPE, state: 's', client_id: CLIENT.client_id };
  const reply = await fetch(`${emulator.url}/o/oauth2/v2/auth/callback`, {
    method: 'POST',
    body: new URLSearchParams(chosen),
    redirect: 'manual',
  });
  const code = new URL(reply.headers.get('location') ?? '').searchParams.get('code') ?? '';
  const form = new URLSearchParams({ grant_type: 'authorization_code', code, redirect_uri: REDIRECT, ...CLIENT });
  const granted = await fetch(`${emulator.url}/oauth2/token`, { method: 'POST', body: form });
  return ((await granted.json()) as { refresh_token: string }).refresh_token;
}

async function mint(): Promise<AccessToken> {
  const credential = readCredential(new SecretString(payload), MAILBOX);
  return (await refresh(`${emulator.url}/oauth2/token`, credential, exchange, Date.now)).token;
}

test('a refresh token is traded for an access token that runs out in an hour', async () => {
  const { secret, expiresAt } = await mint();
  assert.ok(secret.reveal().length > 10);
  assert.ok(Math.abs(expiresAt - Date.now() - 3_600_000) < 60_000);
});

const wrong = [
  { name: 'a refresh token that is none', change: { refresh_token: 'canary-none' }, code: 'grant_revoked' },
  { name: "another client's secret", change: { client_secret: 'canary-wrong' }, code: 'client_refused' },
];
for (const { name, change, code } of wrong)
  test(`${name} is ${code}`, async () => {
    const credential = readCredential(new SecretString(JSON.stringify({ ...JSON.parse(payload), ...change })), MAILBOX);
    await assert.rejects(refresh(`${emulator.url}/oauth2/token`, credential, exchange, Date.now), { code });
  });

test('a composed letter, sent raw by googleapis with our token, is read back byte for byte, and our search reads its lists', async () => {
  const token = await mint();
  const request = parseRequest({ ...MAIL, bcc: 'hidden@example.org', html: '<p>x</p>' });
  const id = '01234567-89ab-4cde-8f01-23456789abcd';
  const letter = await compose(request, resolveSender(CONFIG, request.from), { id, acceptedAt: Date.UTC(2026, 10, 24, 8) });
  const auth = new OAuth2Client();
  auth.setCredentials({ access_token: token.secret.reveal() });
  const { messages } = gmail({ version: 'v1', auth: auth as never }).users;
  const options = { rootUrl: `${emulator.url}/`, retry: false };
  const raw = Buffer.from(letter.bytes).toString('base64url');
  const { data } = await messages.send({ userId: 'me', requestBody: { raw } }, options);
  const stored = await messages.get({ userId: 'me', id: data.id ?? '', format: 'raw' }, options);
  const bytes = Buffer.from(stored.data.raw ?? '', 'base64url');
  assert.ok(bytes.equals(letter.bytes));
  assert.equal((await simpleParser(bytes)).messageId, letter.messageId);
  const search = createSearch(emulator.url, exchange, Date.now);
  assert.equal(await search('<none@example.com>', token), null);
  // Its own rfc822msgid: never matches (it cuts the word one letter too early), so what a hit looks like is asked otherwise.
  const call = { method: 'GET', url: `${emulator.url}/gmail/v1/users/me/messages?q=in:sent`, timeoutMs: 10_000 } as const;
  const reply = await exchange({ ...call, headers: { authorization: `Bearer ${token.secret.reveal()}` } });
  assert.equal(readFound(reply, Date.now()), data.id);
});

test('it has no upload sessions: a transfer is never begun there, and nothing counts as sent', async () => {
  const letter = { bytes: Buffer.from('x'), messageId: '<m@example.com>', envelope: { from: MAILBOX, to: [] } };
  const transport = createGmail(emulator.url, exchange, Date.now);
  await assert.rejects(
    transport.openSession(letter, await mint(), async () => true),
    { name: 'MailFailure', code: 'unexpected' },
  );
});
