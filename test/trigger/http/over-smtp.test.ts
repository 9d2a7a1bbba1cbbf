/** A mailbox with `via: smtp`, from `POST /emails` to the inbox: every adapter real, only Google is a fake. */
import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { simpleParser } from 'mailparser';
import { loadConfig } from '../../../functions/config/load-config.ts';
import type { Fault } from '../../../functions/fake-google/faults/faults.ts';
import { SCOPE_SEND } from '../../../functions/mail/model/scopes.ts';
import {
  authorised,
  CONFIG,
  envelope,
  type Laptop,
  MAIL,
  MAILBOX,
  PROJECT,
  post,
  SECRET,
  startLaptop,
} from '../../support/stack/laptop.ts';

const file = join(mkdtempSync(join(tmpdir(), 'mailgrant-')), 'mailgrant.yaml');
writeFileSync(
  file,
  `mailboxes:\n  ${MAILBOX}: { name: Example Notices, secret: ${SECRET}, via: smtp }\nkeys:\n  shop: { sha256: ${CONFIG.keys[0]?.sha256}, from: [${MAILBOX}] }\n`,
);
let laptop: Laptop;
let overApi: Laptop;
before(async () => {
  [laptop, overApi] = await Promise.all([startLaptop({ config: loadConfig(file), google: { smtp: {} } }), startLaptop()]);
});
beforeEach(() => {
  laptop.google.faults.clear();
  laptop.google.mails.clear();
});
after(() => Promise.all([laptop, overApi].map((one) => one[Symbol.asyncDispose]())));

const emails = (mail: unknown, key?: string, to = laptop) =>
  post(`${to.api}/emails`, mail, { ...authorised, ...(key && { 'idempotency-key': key }) });

const PNG = Buffer.from(Array.from({ length: 90_000 }, (_, n) => n % 251)).toString('base64');
const full = {
  from: `Äcme <${MAILBOX}>`,
  to: ['Jörg, Dr. <you@example.net>', 'b@example.net'],
  cc: 'copy@example.net',
  bcc: ['hidden@example.org'],
  reply_to: 'help@example.com',
  subject: 'Grüße ✓ canary-subject',
  html: '<p>canary-body <img src="cid:logo"></p>',
  text: 'canary-body\n.\n.. dots',
  headers: { 'X-Entity-Ref-ID': '7' },
  attachments: [
    { filename: 'größe.bin', content: PNG },
    { filename: 'logo.png', content_id: 'logo', content: PNG },
  ],
};

test('the same email by API and by SMTP is the same after parsing, but for Bcc', async () => {
  const parsed = [];
  for (const one of [overApi, laptop]) {
    assert.equal((await emails(full, undefined, one)).status, 200);
    const [stored] = one.google.mails.list();
    const { bcc, messageId, date, headerLines, headers, attachments, ...mail } = await simpleParser(stored?.raw ?? '');
    const lines = headerLines.filter(({ key }) => !['bcc', 'message-id', 'date', 'content-type', 'x-mailgrant-id'].includes(key));
    const files = attachments.map(({ headers: _, ...file }) => file);
    parsed.push({ recipients: stored?.recipients, mail, lines, files, bcc: bcc !== undefined });
  }
  const [api, smtp] = parsed;
  assert.deepEqual([api?.bcc, smtp?.bcc], [true, false]);
  assert.deepEqual({ ...smtp, bcc: true }, api);
  assert.deepEqual(smtp?.recipients, ['you@example.net', 'b@example.net', 'copy@example.net', 'hidden@example.org']);
});

test('the ledger knows the email by its Message-ID, and a repeated key sends no second one', async () => {
  const [one, two] = [await emails(MAIL, 'k1'), await emails(MAIL, 'k1')];
  const id = String(one.body?.['id']);
  assert.deepEqual([two.body, laptop.google.mails.count()], [one.body, 1]);
  assert.deepEqual(laptop.google.ledgerEntry(id)?.['state'], 'sent');
  assert.equal((await simpleParser(laptop.google.mails.list()[0]?.raw ?? '')).messageId, `<${id}@example.com>`);
  assert.equal(laptop.google.ledgerEntry(id)?.['gmailId'], `smtp:<${id}@example.com>`);
});

test('a push is sent by the worker, and the connection is closed after it', async () => {
  const reply = await post(laptop.worker, envelope(MAIL, { messageId: 'smtp' }));
  assert.deepEqual([reply.status, laptop.google.mails.count()], [204, 1]);
  while (laptop.google.smtp?.connections() !== 0) await new Promise((done) => setImmediate(done));
});

test('the reply to the letter is lost: Gmail is searched, the email is there once, and has Gmail’s own id', async () => {
  laptop.google.faults.script({ on: 'smtp-data', reset: 'after' });
  const reply = await emails(MAIL, 'lost');
  const [mail] = laptop.google.mails.list();
  assert.deepEqual([reply.status, laptop.google.mails.count()], [200, 1]);
  assert.equal(laptop.google.ledgerEntry(String(reply.body?.['id']))?.['gmailId'], mail?.id);
});

test('Gmail does not take the token: it is minted once anew, and the email goes', async () => {
  const { token } = laptop.google.calls;
  laptop.google.faults.script({ on: 'smtp-auth', answer: 'bad_credentials' });
  assert.deepEqual([(await emails(MAIL)).status, laptop.google.calls.token - token, laptop.google.mails.count()], [200, 2, 1]);
});

test('a grant with another scope fails for good, after one more mint, with what Gmail said in the log', async () => {
  const config = loadConfig(file);
  const mailboxes = config.mailboxes.map((mailbox) => ({ ...mailbox, secret: 'narrow' }));
  await using narrow = await startLaptop({ config: { ...config, mailboxes }, google: { smtp: {} } });
  narrow.google.storeSecret(PROJECT, 'narrow', JSON.stringify(narrow.google.oauth.enrol(MAILBOX, [SCOPE_SEND])));
  const reply = await emails(MAIL, undefined, narrow);
  assert.deepEqual([reply.status, reply.body?.['code'], narrow.google.calls.token], [500, 'token_refused', 2]);
  const line = narrow.lines.find(({ event }) => event === 'mail');
  assert.match(String(line?.['detail']), /535 5\.7\.8 \(auth\), challenge 400 https:\/\/mail\.google\.com\//);
  assert.doesNotMatch(JSON.stringify(narrow.lines), /canary|@example/);
});

const refusals: { fault: Fault; status: number; code: string; state: string }[] = [
  { fault: { on: 'smtp-auth', answer: 'too_many_logins' }, status: 429, code: 'rate_limited', state: 'waiting' },
  { fault: { on: 'smtp-mail', answer: 'daily_sending_limit' }, status: 429, code: 'quota_daily', state: 'parked' },
  { fault: { on: 'smtp-mail', reset: 'before' }, status: 500, code: 'google_unavailable', state: 'waiting' },
  { fault: { on: 'smtp-rcpt', answer: 'no_such_user' }, status: 422, code: 'mail_refused', state: 'failed' },
  { fault: { on: 'smtp-data', answer: 'blocked_content' }, status: 422, code: 'mail_refused', state: 'failed' },
];
for (const { fault, status, code, state } of refusals)
  test(`${JSON.stringify(fault)} is ${status} ${code}, ${state} in the ledger, nothing sent`, async () => {
    laptop.google.faults.script(fault);
    const reply = await emails(MAIL);
    assert.deepEqual([reply.status, reply.body?.['code'], laptop.google.mails.count()], [status, code, 0]);
    assert.equal(laptop.google.ledgerEntries()[0]?.['state'], state);
  });

test('recipients that Gmail refused are in the log line of the email that went to the others, as a warning', async () => {
  laptop.google.faults.script({ on: 'smtp-rcpt', answer: 'no_such_user' });
  const reply = await emails({ ...MAIL, to: ['gone@example.net', 'you@example.net'] });
  const line = laptop.lines.findLast(({ event }) => event === 'mail');
  assert.deepEqual([reply.status, line?.['severity'], line?.['outcome'], line?.['rejected']], [200, 'WARNING', 'sent', 1]);
  assert.equal(laptop.google.ledgerEntry(String(reply.body?.['id']))?.['rejected'], 1);
});

test('nothing that was logged names a secret, an address or content', () => {
  assert.ok(laptop.lines.length > 10);
  assert.doesNotMatch(JSON.stringify([laptop.lines, overApi.lines]), /canary|@example|Grüße/);
});

for (const lost of [
  [{ on: 'smtp-data', reset: 'before' }],
  [{ on: 'smtp-data', reset: 'after' }],
  [{ on: 'smtp-data' }, { on: 'smtp-data', reset: 'before' }],
] as const)
  test(`two letters at once with one Message-ID never answer for each other: ${JSON.stringify(lost)}`, async () => {
    const letter = (to: string): string =>
      `From: ${MAILBOX}\r\nTo: ${to}\r\nMessage-ID: <twice-${lost.length}-${JSON.stringify(lost).length}@shop.example.com>\r\nSubject: x\r\n\r\n${to}\r\n`;
    const raw = (to: string) =>
      fetch(`${laptop.api}/v1/raw`, { method: 'POST', body: letter(to), headers: { ...authorised, 'content-type': 'message/rfc822' } });
    laptop.google.faults.script({ on: 'search', delayMs: 150, times: 2 }, ...lost); // both look before either is sent
    const replies = await Promise.all(['one@example.net', 'two@example.net'].map(raw));
    const told = await Promise.all(
      replies.map(async (reply) =>
        (await fetch(`${laptop.api}/emails/${((await reply.json()) as { id: string }).id}`, { headers: authorised })).json(),
      ),
    );
    const sent = (told as { outcome: string }[]).filter(({ outcome }) => outcome === 'sent').length;
    const unknown = (told as { outcome: string }[]).filter(({ outcome }) => outcome === 'unknown').length;
    assert.deepEqual([sent, unknown, laptop.google.mails.count()], [1, 1, 'reset' in lost[0] && lost[0].reset === 'after' ? 2 : 1]);
  });
