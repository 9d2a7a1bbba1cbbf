import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { SecretManagerServiceClient } from '@google-cloud/secret-manager';
import { OAuth2Client } from 'google-auth-library';
import { gmail } from 'googleapis/build/src/apis/gmail/index.js';
import { type Google, startGoogle } from '../../functions/fake-google/google.ts';
import { SCOPE_SEND } from '../../functions/mail/model/scopes.ts';

// The fake is held against Google's own client libraries: what they do with the real service must work here.
const MAILBOX = 'notices@example.com';
const RAW = 'From: Notices <notices@example.com>\r\nTo: you@example.net\r\nBcc: hidden@example.org\r\nSubject: x\r\n\r\nbody äöü\r\n';
let google: Google;
before(async () => {
  google = await startGoogle({ aliasesOf: () => ['no-reply@example.com'] });
});
after(() => google[Symbol.asyncDispose]());

function clientFor(scopes?: string[]): OAuth2Client {
  const { client_id, client_secret, refresh_token } = google.oauth.enrol(MAILBOX, scopes);
  const auth = new OAuth2Client({ clientId: client_id, clientSecret: client_secret, endpoints: { oauth2TokenUrl: `${google.url}/token` } });
  auth.setCredentials({ refresh_token });
  return auth;
}
const service = (auth: OAuth2Client) => gmail({ version: 'v1', auth: auth as never });
const options = () => ({ rootUrl: `${google.url}/`, retry: false });
const b64url = (text: string): string => Buffer.from(text).toString('base64url');

test("googleapis sends raw JSON and media, and reads Gmail's ids", async () => {
  const messages = service(clientFor()).users.messages;
  const json = await messages.send({ userId: 'me', requestBody: { raw: b64url(RAW) } }, options());
  const media = await messages.send({ userId: MAILBOX, media: { mimeType: 'message/rfc822', body: RAW } }, options());
  for (const { data } of [json, media]) {
    assert.match(data.id ?? '', /^[0-9a-f]{16}$/);
    assert.equal(google.mails.get(data.id ?? '')?.raw.toString(), RAW);
    assert.deepEqual(google.mails.get(data.id ?? '')?.recipients, ['you@example.net', 'hidden@example.org']);
  }
});

test('googleapis sends multipart, metadata beside the message', async () => {
  const { data } = await service(clientFor()).users.messages.send(
    { userId: 'me', requestBody: { labelIds: ['X'] }, media: { mimeType: 'message/rfc822', body: RAW } },
    options(),
  );
  assert.equal(google.mails.get(data.id ?? '')?.raw.toString(), RAW);
});

const refusals = [
  { name: 'a scope that only reads', scopes: ['https://www.googleapis.com/auth/gmail.readonly'], raw: RAW, status: 403 },
  { name: 'no recipient', raw: RAW.replace(/^(To|Bcc).*\r\n/gm, ''), status: 400 },
  { name: 'a recipient that is none', raw: RAW.replace('you@example.net', 'you'), status: 400 },
  { name: 'an empty message', raw: '', status: 400 },
];
for (const { name, scopes, raw, status } of refusals)
  test(`${name} is refused with ${status}`, () =>
    assert.rejects(service(clientFor(scopes)).users.messages.send({ userId: 'me', requestBody: { raw: b64url(raw) } }, options()), {
      status,
    }));

test('another mailbox than the token’s is refused', () =>
  assert.rejects(service(clientFor()).users.messages.send({ userId: 'ceo@example.com', requestBody: { raw: b64url(RAW) } }, options()), {
    status: 403,
  }));

test('a From that is not the account’s own is rewritten without a word, an alias is kept', async () => {
  const messages = service(clientFor()).users.messages;
  const from = async (raw: string) => {
    const { data } = await messages.send({ userId: 'me', requestBody: { raw: b64url(raw) } }, options());
    return /^From:.*$/m.exec(google.mails.get(data.id ?? '')?.raw.toString() ?? '')?.[0]?.trim();
  };
  assert.equal(await from(RAW.replace('notices@', 'ceo@')), 'From: notices@example.com');
  assert.equal(await from(RAW.replace('notices@', 'no-reply@')), 'From: Notices <no-reply@example.com>');
});

test('a revoked grant is invalid_grant to Google’s own client', async () => {
  const auth = clientFor();
  google.oauth.revoke(MAILBOX);
  await assert.rejects(auth.getAccessToken(), { message: 'invalid_grant' });
});

async function session(size: number) {
  const { token = '' } = await clientFor().getAccessToken();
  const headers = { authorization: `Bearer ${token}` };
  const reply = await fetch(`${google.url}/upload/gmail/v1/users/me/messages/send?uploadType=resumable`, {
    method: 'POST',
    headers: { ...headers, 'x-upload-content-type': 'message/rfc822', 'x-upload-content-length': String(size) },
  });
  const url = reply.headers.get('location') ?? '';
  const put = async (range: string | null, body: string | Buffer = '') => {
    const answer = await fetch(url, {
      method: 'PUT',
      headers: { ...headers, ...(range && { 'content-range': range }) },
      body: new Uint8Array(Buffer.from(body)),
    });
    return [answer.status, answer.headers.get('range')];
  };
  return { url, put };
}

test('a session takes chunks, says what it holds, and stays asked when it is done', async () => {
  const text = RAW + 'x'.repeat(300_000);
  const size = Buffer.byteLength(text);
  const bytes = Buffer.from(text);
  const { put } = await session(size);
  assert.deepEqual(await put(`bytes */${size}`), [308, null]);
  assert.deepEqual(await put(`bytes 0-262143/${size}`, bytes.subarray(0, 262_144)), [308, 'bytes=0-262143']);
  assert.deepEqual(await put(`bytes */${size}`), [308, 'bytes=0-262143']);
  assert.deepEqual(await put(`bytes 262144-${size - 1}/${size}`, bytes.subarray(262_144)), [200, null]);
  const mails = google.mails.count();
  assert.deepEqual([await put(`bytes */${size}`), await put(null, bytes), google.mails.count()], [[200, null], [200, null], mails]);
});

const misuse: [string, string | null, number][] = [
  ['a chunk that is no multiple of 256 KiB', 'bytes 0-99/1000', 100],
  ['a chunk that starts elsewhere', 'bytes 5-999/1000', 995],
  ['another total than announced', 'bytes 0-99/100', 100],
  ['a range of another length', 'bytes 0-999/1000', 10],
  ['a range that is none', 'lines 0-9', 10],
];
for (const [name, range, length] of misuse)
  test(`${name} is 400`, async () => {
    const { put } = await session(1_000);
    assert.deepEqual((await put(range, 'x'.repeat(length)))[0], 400);
  });

test('a session that nobody opened is 404, one announced too large is 413', async () => {
  const { url } = await session(10);
  const { token = '' } = await clientFor().getAccessToken();
  const gone = await fetch(url.replace(/upload_id=.*/, 'upload_id=none'), {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-range': 'bytes */10' },
  });
  assert.equal(gone.status, 404);
  const large = await fetch(`${google.url}/upload/gmail/v1/users/me/messages/send?uploadType=resumable`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'x-upload-content-length': '36700161' },
  });
  assert.equal(large.status, 413);
});

test('sessions and emails outlive the process, as Google’s do', async () => {
  const file = `${mkdtempSync(join(tmpdir(), 'mailgrant-'))}/google.sqlite`;
  let id = '';
  {
    await using first = await startGoogle({ file });
    id = first.mails.openUpload(MAILBOX, 10);
    first.mails.deliver(MAILBOX, Buffer.from(RAW), ['you@example.net']);
  }
  await using second = await startGoogle({ file });
  assert.deepEqual([second.mails.upload(id)?.size, second.mails.count()], [10, 1]);
});

function secretClient(): SecretManagerServiceClient {
  const auth = new OAuth2Client();
  auth.setCredentials({
    access_token: (
      google.oauth.metadata({
        method: 'GET',
        path: '',
        query: new URLSearchParams(),
        headers: { 'metadata-flavor': 'Google' },
        body: Buffer.alloc(0),
      }).body as { access_token: string }
    ).access_token,
  });
  const { hostname, port } = new URL(google.url);
  return new SecretManagerServiceClient({
    fallback: true,
    protocol: 'http',
    apiEndpoint: hostname,
    port: Number(port),
    authClient: auth,
    projectId: 'laptop',
  } as never);
}

// 3808858755 is the published check value of CRC-32C over these nine digits.
test("Google's Secret Manager client creates a secret, adds versions and reads the latest", async () => {
  const client = secretClient();
  const [secret] = await client.createSecret({ parent: 'projects/laptop', secretId: 'mine', secret: { replication: { automatic: {} } } });
  await client.addSecretVersion({ parent: String(secret.name), payload: { data: Buffer.from('one') } });
  await client.addSecretVersion({ parent: String(secret.name), payload: { data: Buffer.from('123456789') } });
  const [version] = await client.accessSecretVersion({ name: `${secret.name}/versions/latest` });
  assert.deepEqual(
    [version.name, version.payload?.data?.toString(), String(version.payload?.dataCrc32c)],
    ['projects/laptop/secrets/mine/versions/2', '123456789', '3808858755'],
  );
  await client.disableSecretVersion({ name: String(version.name) });
  await assert.rejects(client.accessSecretVersion({ name: `${secret.name}/versions/latest` }), { code: 9 });
  await assert.rejects(client.accessSecretVersion({ name: 'projects/laptop/secrets/none/versions/latest' }), { code: 5 });
  await assert.rejects(client.createSecret({ parent: 'projects/laptop', secretId: 'mine', secret: {} }), { code: 6 });
});

const control = (method: string, body?: unknown) =>
  fetch(`${google.url}/control/faults`, { method, ...(body !== undefined && { body: JSON.stringify(body) }) });
const nonsense = [
  null,
  {},
  { on: 'moon' },
  { on: 'token', answer: 'no' },
  { on: 'token', answer: 'too_many_logins' },
  { on: 'smtp-auth', answer: 'invalid_grant' },
  { on: 'token', reset: 'during' },
  { on: 'token', status: 99 },
  { on: 'token', delayMs: 'long' },
];
for (const body of nonsense)
  test(`the control door refuses ${JSON.stringify(body)}`, async () => assert.equal((await control('POST', body)).status, 400));

test('the control door scripts a fault, shows it, and forgets it', async () => {
  assert.equal((await control('POST', { on: 'secret', status: 418, times: 2 })).status, 200);
  assert.equal(((await (await control('GET')).json()) as { pending: unknown[] }).pending.length, 2);
  assert.equal((await fetch(`${google.url}/v1/projects/p/secrets/s`)).status, 418);
  await control('DELETE');
  assert.equal((await fetch(`${google.url}/v1/projects/p/secrets/s`)).status, 401);
});

test('the scope of a grant is gmail.send unless more was consented to', () =>
  assert.deepEqual(google.oauth.enrol('a@example.com').scopes, [SCOPE_SEND]));
