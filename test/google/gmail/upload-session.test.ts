import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fault } from '../../../functions/fake-google/faults/faults.ts';
import { startGoogle } from '../../../functions/fake-google/google.ts';
import { ERROR_REPLIES, type ErrorReplyName } from '../../../functions/fake-google/http/error-replies.ts';
import { readGmailFailure } from '../../../functions/google/gmail/gmail-failure.ts';
import { createGmail, readProgress, readSession } from '../../../functions/google/gmail/upload-session.ts';
import { createExchange } from '../../../functions/google/http/exchange.ts';
import { SecretString } from '../../../functions/mail/model/secret.ts';

const alone = async (): Promise<boolean> => true;
const NOW = Date.UTC(2026, 2, 10, 12);
const GMAIL = 'https://gmail.googleapis.com';
const reply = (status: number, body: unknown, headers: Record<string, string> = {}) => ({
  status,
  headers,
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
});
const raw = (size = 0) => Buffer.from(`From: notices@example.com\r\nTo: you@example.net\r\nSubject: x\r\n\r\n${'b'.repeat(size)}\r\n`);

async function gmail() {
  const google = await startGoogle();
  const access = JSON.parse(
    String(
      Buffer.from(
        JSON.stringify(
          google.oauth.token({
            method: 'POST',
            path: '/token',
            query: new URLSearchParams(),
            headers: {},
            body: Buffer.from(form(google.oauth.enrol('notices@example.com'))),
          }).body,
        ),
      ),
    ),
  );
  const token = { secret: new SecretString(access.access_token), expiresAt: Number.MAX_SAFE_INTEGER };
  const transport = createGmail(google.url, createExchange()(AbortSignal.timeout(300_000)), () => NOW);
  return { google, token, transport, [Symbol.asyncDispose]: () => google[Symbol.asyncDispose]() };
}
const form = ({ client_id, client_secret, refresh_token }: { client_id: string; client_secret: string; refresh_token: string }): string =>
  new URLSearchParams({ grant_type: 'refresh_token', client_id, client_secret, refresh_token }).toString();
const letter = (bytes: Buffer) => ({ bytes, messageId: '<m@example.com>', envelope: { from: '', to: [] } });

test('a session is opened, takes the letter, and answers the same afterwards', async () => {
  await using at = await gmail();
  const mine = letter(raw(300_000));
  const sessionUri = await at.transport.openSession(mine, at.token, alone);
  assert.equal(at.google.mails.count(), 0);
  const sent = await at.transport.upload(sessionUri, mine, 0, at.token);
  assert.deepEqual(await at.transport.querySession(sessionUri, mine.bytes.length, at.token, alone), sent);
  assert.deepEqual(
    at.google.mails.list().map(({ id, raw }) => [id, raw.equals(mine.bytes)]),
    [[sent.state === 'accepted' && sent.gmailId, true]],
  );
});

for (const door of ['transfer', 'ask'] as const)
  test(`201 is as good as 200 at ${door}: Gmail's guide names both`, async () => {
    await using at = await gmail();
    const mine = letter(raw(1_000));
    const sessionUri = await at.transport.openSession(mine, at.token, alone);
    at.google.faults.script({ on: door, successStatus: 201 });
    const answered: (number | 'cut' | null)[] = [];
    at.google.watch((seen) => void (seen?.door === door && answered.push(seen.answer)));
    const states = [
      await at.transport.upload(sessionUri, mine, 0, at.token),
      await at.transport.querySession(sessionUri, mine.bytes.length, at.token, alone),
    ].map(({ state }) => state);
    assert.deepEqual([states, answered, at.google.mails.count()], [['accepted', 'accepted'], [201], 1]);
  });

const cuts: { fault: Fault; asked: unknown; mails: number }[] = [
  { fault: { on: 'transfer', reset: 'before' }, asked: { state: 'partial', received: 0 }, mails: 0 },
  { fault: { on: 'transfer', reset: 'before', keepBytes: 262_144 }, asked: { state: 'partial', received: 262_144 }, mails: 0 },
  {
    fault: { on: 'transfer', reset: 'after' },
    asked: { state: 'accepted', gmailId: '19a0000000000001', threadId: '19a0000000000001' },
    mails: 1,
  },
];
for (const { fault, asked, mails } of cuts)
  test(`the connection is cut: ${JSON.stringify(fault)}; asked, Gmail says ${JSON.stringify(asked)}`, async () => {
    await using at = await gmail();
    const mine = letter(raw(300_000));
    const sessionUri = await at.transport.openSession(mine, at.token, alone);
    at.google.faults.script(fault);
    await assert.rejects(at.transport.upload(sessionUri, mine, 0, at.token), { code: 'delivery_unknown' });
    const progress = await at.transport.querySession(sessionUri, mine.bytes.length, at.token, alone);
    assert.deepEqual([progress, at.google.mails.count()], [asked, mails]);
    if (progress.state === 'partial') {
      await at.transport.upload(sessionUri, mine, progress.received, at.token);
      assert.deepEqual([at.google.mails.count(), at.google.mails.list()[0]?.raw.equals(mine.bytes)], [1, true]);
    }
  });

test('a session that is opened and cut has sent nothing, so it may be opened again', async () => {
  await using at = await gmail();
  at.google.faults.script({ on: 'open', reset: 'after' });
  await assert.rejects(at.transport.openSession(letter(raw()), at.token, alone), { code: 'google_unavailable' });
  assert.equal(at.google.mails.count(), 0);
});

test('nothing is listening: provably not sent', async () => {
  const transport = createGmail('http://127.0.0.1:1', createExchange()(AbortSignal.timeout(300_000)), () => NOW);
  const token = { secret: new SecretString('t'), expiresAt: 0 };
  await assert.rejects(transport.openSession(letter(raw()), token, alone), { code: 'google_unavailable' });
  await assert.rejects(transport.upload('http://127.0.0.1:1/x', letter(raw()), 0, token), { code: 'google_unavailable' });
  await assert.rejects(transport.querySession('http://127.0.0.1:1/x', 1, token, alone), { code: 'delivery_unknown' });
});

test('a session URI that points elsewhere is never called', async () => {
  await using at = await gmail();
  await assert.rejects(at.transport.querySession('http://127.0.0.1:9/upload', 1, at.token, alone), { code: 'unexpected' });
});

const refusals: { name: ErrorReplyName; open: string; transfer: string }[] = [
  { name: 'bad_token', open: 'token_refused', transfer: 'token_refused' },
  { name: 'missing_scope', open: 'scope_missing', transfer: 'scope_missing' },
  { name: 'api_disabled', open: 'api_disabled', transfer: 'api_disabled' },
  { name: 'domain_policy', open: 'mailbox_refused', transfer: 'mailbox_refused' },
  { name: 'delegation_denied', open: 'mailbox_refused', transfer: 'mailbox_refused' },
  { name: 'user_rate', open: 'rate_limited', transfer: 'rate_limited' },
  { name: 'rate', open: 'rate_limited', transfer: 'rate_limited' },
  { name: 'sending_limit', open: 'quota_daily', transfer: 'quota_daily' },
  { name: 'daily_limit', open: 'quota_daily', transfer: 'quota_daily' },
  { name: 'invalid_to', open: 'mail_refused', transfer: 'mail_refused' },
  { name: 'recipient_required', open: 'mail_refused', transfer: 'mail_refused' },
  { name: 'too_large', open: 'too_large', transfer: 'too_large' },
  { name: 'backend', open: 'google_unavailable', transfer: 'delivery_unknown' },
  { name: 'unavailable', open: 'google_unavailable', transfer: 'delivery_unknown' },
  { name: 'raw_required', open: 'unexpected', transfer: 'unexpected' },
];
for (const { name, open, transfer } of refusals)
  test(`Gmail's ${name} is ${open} before the letter and ${transfer} after it`, () => {
    const { status, body } = ERROR_REPLIES[name];
    assert.deepEqual(
      (['open', 'transfer'] as const).map((phase) => readGmailFailure(reply(status, body), phase, NOW).code),
      [open, transfer],
    );
  });

const odd = [
  { status: 403, body: '<html>Forbidden</html>', code: 'unexpected' },
  { status: 429, body: '', code: 'rate_limited' },
  { status: 502, body: '<html>Bad Gateway</html>', code: 'google_unavailable' },
  { status: 400, body: { error: 'text' }, code: 'unexpected' },
  { status: 413, body: '', code: 'too_large' },
];
for (const { status, body, code } of odd)
  test(`${status} ${JSON.stringify(body)} is ${code}`, () => assert.equal(readGmailFailure(reply(status, body), 'open', NOW).code, code));

const waits = [
  {
    status: 429,
    body: {
      error: { message: 'User-rate limit exceeded.  Retry after 2026-03-10T17:41:45.544Z', errors: [{ reason: 'rateLimitExceeded' }] },
    },
    headers: {},
    at: Date.UTC(2026, 2, 10, 17, 41, 45, 544),
  },
  { status: 429, body: ERROR_REPLIES.rate.body, headers: { 'retry-after': '30' }, at: NOW + 30_000 },
  { status: 429, body: ERROR_REPLIES.rate.body, headers: {}, at: null },
];
for (const { status, body, headers, at } of waits)
  test(`the time to wait is ${at}`, () =>
    assert.equal(readGmailFailure(reply(status, body, headers as Record<string, string>), 'open', NOW).retryAt, at));

test("a refusal's sentence stays out of the failure: it may quote the mail", () => {
  const body = { error: { message: 'Invalid To header: canary@example.com', errors: [{ reason: 'invalidArgument' }] } };
  assert.doesNotMatch(readGmailFailure(reply(400, body), 'transfer', NOW).message, /canary/);
});

const progress = [
  { status: 200, body: { id: 'a' }, headers: {}, is: { state: 'accepted', gmailId: 'a' } },
  { status: 201, body: { id: 'a' }, headers: {}, is: { state: 'accepted', gmailId: 'a' } },
  { status: 200, body: '<html>', headers: {}, is: { state: 'accepted', gmailId: '' } },
  { status: 308, body: '', headers: { range: 'bytes=0-42' }, is: { state: 'partial', received: 43 } },
  { status: 308, body: '', headers: { range: '0-42' }, is: { state: 'partial', received: 43 } }, // as Gmail's own guide has it
  { status: 308, body: '', headers: {}, is: { state: 'partial', received: 0 } },
  { status: 404, body: '', headers: {}, is: { state: 'gone' } },
  { status: 410, body: '', headers: {}, is: { state: 'gone' } },
] as const;
for (const { status, body, headers, is } of progress)
  test(`a session's ${status} ${JSON.stringify(headers)} ${JSON.stringify(body)} is ${is.state}`, () =>
    assert.deepEqual(readProgress(reply(status, body, headers), NOW), is));

test('a session without an address is no session', () =>
  assert.throws(() => readSession(reply(200, ''), GMAIL, NOW), { code: 'unexpected' }));

for (const [location, ok] of [
  [`${GMAIL}/upload/gmail/v1/x?upload_id=1`, true],
  ['https://www.googleapis.com/upload/gmail/v1/x?upload_id=1', true],
  ['https://www.googleapis.com/drive/v1/x', false],
  ['https://gmail.googleapis.com.example.org/upload', false],
  ['http://gmail.googleapis.com/upload/gmail/v1/x', false],
] as const)
  test(`a session at ${location} is ${ok ? 'taken' : 'refused before it is kept'}`, () => {
    const answer = () => readSession(reply(200, '', { location }), GMAIL, NOW);
    if (ok) assert.equal(answer(), location);
    else assert.throws(answer, { code: 'unexpected' });
  });
