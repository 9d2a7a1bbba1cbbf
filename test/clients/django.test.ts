import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { simpleParser } from 'mailparser';
import { hasDjango, runDjango } from '../support/programs/django.ts';
import { skipUnless } from '../support/programs/emulators.ts';
import { CONFIG, KEY, type Laptop, MAILBOX, startLaptop } from '../support/stack/laptop.ts';
import { blocksOf } from '../support/stack/pages.ts';

const skip = skipUnless(hasDjango(), "Debian's python3-django");
const ROBOT = 'shop@laptop.iam.gserviceaccount.com';

let laptop: Laptop;
before(async () => {
  const keys = [...CONFIG.keys, { id: 'robot', sha256: '', identity: ROBOT, from: [MAILBOX], to: null }];
  laptop = await startLaptop({ config: { ...CONFIG, keys }, settings: { trustIam: true } });
});
after(() => laptop[Symbol.asyncDispose]());
beforeEach(() => {
  laptop.google.mails.clear();
  laptop.google.faults.clear();
});

const django = (scenario: string, settings: object = {}, env: Record<string, string> = {}): Promise<unknown> =>
  runDjango(scenario, { URL: laptop.api, KEY, GOOGLE: laptop.google.url, ...env }, settings);
const mails = () => laptop.google.mails.list();

test('attachments, alternatives, an inline image and letters beyond ASCII arrive', { skip }, async () => {
  assert.equal(await django('rich'), 1);
  const [stored] = mails();
  assert.deepEqual(stored?.recipients.toSorted(), ['b@xn--bcher-kva.example', 'cc@example.net', 'hidden@example.net', 'you@example.net']);
  const mail = await simpleParser(stored?.raw ?? '');
  assert.equal(mail.subject, 'Grüße canary-subject ✓');
  assert.equal(mail.text?.slice(0, 36), 'canary-body: äöü €\n.\n..two dots\nlang');
  assert.match(String(mail.html), /Grüße <img/);
  assert.equal(mail.from?.text, '"Bestellungen Grün" <notices@example.com>');
  const order = String(mail.headers.get('x-order')); // one encoded word in older Djangos, the letters alone in newer ones
  assert.equal(
    order.replaceAll(/=\?utf-8\?b\?([^?]+)\?=/g, (_, word: string) => Buffer.from(word, 'base64').toString()),
    'Nr. 7 – ä',
  );
  const files = mail.attachments.map(({ filename, cid, content }) => [filename ?? cid, content.length]);
  assert.deepEqual(files, [
    ['logo', 264],
    ['rechnung-ü.csv', 12],
    ['daten.bin', 10_240],
  ]);
});

test('hidden recipients are in the envelope and in no header that Django wrote', { skip }, async () => {
  assert.equal(await django('bcc_only'), 1);
  assert.deepEqual(mails()[0]?.recipients, ['a@example.net', 'b@example.net']);
  assert.doesNotMatch(mails()[0]?.raw.toString() ?? '', /^(to|cc):/im);
});

test('a message for nobody is not sent, and no message is no request', { skip }, async () => {
  assert.deepEqual([await django('nobody'), mails().length], [[0, 0], 0]);
});

test('thirty messages go over one connection', { skip }, async () => {
  await using counted = await counting(laptop.api);
  assert.equal(await django('thirty', {}, { URL: counted.url }), 30);
  assert.deepEqual([mails().length, counted.connections], [30, 1]);
});

test('one bad message among thirty raises at it, or silently leaves 29', { skip }, async () => {
  const error = (await django('one_bad')) as Record<string, unknown>;
  assert.deepEqual(
    [error['class'], error['code'], error['sender'], mails().length],
    ['MailgrantSenderRefused', 'sender_not_allowed', 'ceo@example.com', 10],
  );
  assert.deepEqual([await django('one_bad_silently'), mails().length], [29, 39]);
});

test('open says whether it opened, and one connection serves several calls', { skip }, async () => {
  assert.deepEqual(await django('kept_open'), [true, false, 1, 1, 1, false, true]);
});

test('a kept connection that the function has closed is opened anew, and each message is mailed once', { skip }, async () => {
  await using counted = await counting(laptop.api, { closeAfter: 1 });
  assert.deepEqual(await django('kept_open', {}, { URL: counted.url }), [true, false, 1, 1, 1, false, true]);
  assert.deepEqual([mails().length, counted.connections >= 3], [3, true]);
});

const refusals = [
  { scenario: 'refused', settings: { MAILGRANT_API_KEY: `${KEY}x` }, seen: ['SMTPAuthenticationError', 535, 403, 'key_invalid'] },
  { scenario: 'other_sender', settings: {}, seen: ['SMTPSenderRefused', 550, 403, 'sender_not_allowed'] },
  { scenario: 'no_sender', settings: {}, seen: ['SMTPSenderRefused', 550, 422, 'request_invalid'] },
  { scenario: 'no_address', settings: {}, seen: ['SMTPRecipientsRefused', 550, 422, 'request_invalid'] },
  { scenario: 'crowd', settings: {}, seen: ['SMTPRecipientsRefused', 550, 422, 'request_invalid'] },
  {
    scenario: 'refused',
    settings: {},
    fault: { on: 'open', answer: 'rate', times: 3 },
    seen: ['SMTPResponseException', 451, 429, 'rate_limited'],
  },
  {
    scenario: 'refused',
    settings: {},
    fault: { on: 'token', answer: 'invalid_grant', times: 3 },
    seen: ['SMTPResponseException', 451, 500, 'grant_revoked'],
  },
  { scenario: 'refused', settings: {}, fault: { on: 'transfer', answer: 'invalid_to' }, seen: ['SMTPDataError', 550, 422, 'mail_refused'] },
  { scenario: 'refused', settings: { MAILGRANT_URL: 'http://127.0.0.1:1' }, seen: ['SMTPResponseException', 451, 0, null] },
] as const;
for (const row of refusals)
  test(`${row.scenario} ${row.seen[3]}: ${row.seen[0]} with code and fix, and nothing is sent`, { skip }, async () => {
    if ('fault' in row) laptop.google.faults.script(row.fault);
    const error = (await django(row.scenario, row.settings)) as Record<string, unknown>;
    assert.deepEqual([(error['smtplib'] as string[])[0], error['smtp_code'], error['status'], error['code']], row.seen);
    if (error['code']) assert.match(String(error['text']), /\[fix: .+\]/);
    assert.equal(mails().length, 0);
  });

test('silently, a wrong key and a function that is away count as not sent', { skip }, async () => {
  assert.equal(await django('silent', { MAILGRANT_API_KEY: `${KEY}x` }), 0);
  assert.equal(await django('silent', { MAILGRANT_URL: 'http://127.0.0.1:1' }), 0);
});

test('an unknown outcome, then the same message again: one mail', { skip }, async () => {
  laptop.google.faults.script({ on: 'transfer', reset: 'after' }, { on: 'ask', answer: 'unavailable', times: 4 });
  const [first, last] = (await django('retried')) as Record<string, unknown>[];
  assert.deepEqual([first?.['code'], first?.['smtp_code'], last, mails().length], ['delivery_unknown', 451, { sent: 1 }, 1]);
  assert.match(String(first?.['mail']), /^[0-9a-f-]{36}$/);
});

test('a time-out, then the same message again: one mail', { skip }, async () => {
  laptop.google.faults.script({ on: 'transfer', delayMs: 1_000 });
  const [first, last] = (await django('timed_out')) as Record<string, unknown>[];
  assert.deepEqual([first?.['status'], first?.['smtp_code'], last, mails().length], [0, 451, { sent: 1 }, 1]);
});

test('a task that builds its email anew under its own key emails once, and another email under that key is refused', { skip }, async () => {
  const [first, second, other] = (await django('task_twice')) as [number, number, Record<string, unknown>];
  assert.deepEqual([first, second, other['code'], mails().length], [1, 1, 'idempotency_mismatch', 1]);
  assert.doesNotMatch(mails()[0]?.raw.toString() ?? '', /idempotency/i);
});

test("the README's task for Celery tries again until its mail is sent, once, and not where that is no use", { skip }, async () => {
  const task = blocksOf('clients/django/README.md').find(({ code }) => code.includes('celery'))?.code ?? '';
  laptop.google.faults.script({ on: 'transfer', reset: 'after' }, { on: 'ask', answer: 'unavailable', times: 4 });
  const [failed, refused] = (await django('celery', {}, { TASK: task })) as [string[], string];
  assert.deepEqual([failed[0], refused, mails().length], ['delivery_unknown', 'MailgrantRecipientsRefused', 1]);
});

test('a message object that is changed is another mail', { skip }, async () => {
  assert.deepEqual([await django('changed'), mails().length], [[1, 1, 1, 1], 3]);
});

const TOKEN = ['{"alg":"RS256"}', JSON.stringify({ iss: 'https://accounts.google.com', exp: 4e9, email: ROBOT, email_verified: true }), 'x']
  .map((part) => Buffer.from(part).toString('base64url'))
  .join('.');

test("the machine's own identity stands in for a key", { skip }, async () => {
  const asked: unknown[] = [];
  const metadata = createServer((req, res) => {
    asked.push([req.url, req.headers['metadata-flavor']]);
    res.end(TOKEN);
  });
  await new Promise<void>((done) => metadata.listen(0, '127.0.0.1', done));
  const host = `127.0.0.1:${(metadata.address() as AddressInfo).port}`;
  const settings = { MAILGRANT_API_KEY: '', MAILGRANT_IDENTITY: 'metadata' };
  assert.equal(await django('thirty', settings, { GCE_METADATA_HOST: host }), 30);
  metadata.close();
  const path = `/computeMetadata/v1/instance/service-accounts/default/identity?audience=${encodeURIComponent(laptop.api)}&format=full`;
  assert.deepEqual(asked, [[path, 'Google']]);
  assert.equal(await django('identity', { MAILGRANT_API_KEY: '' }, { TOKEN }), 1);
  assert.equal(await django('identity', { MAILGRANT_API_KEY: '' }, { TOKEN: `${TOKEN}\n` }), 1); // as gcloud prints it
  const refused = (await django('refused', settings, { GCE_METADATA_HOST: '127.0.0.1:1' })) as Record<string, unknown>;
  assert.deepEqual([refused['smtp_code'], refused['status']], [451, 0]);
});

const SUBJECT = join(mkdtempSync(join(tmpdir(), 'mailgrant-')), 'subject');
const CREDENTIALS: { name: string; file: (google: string) => object; asked?: RegExp }[] = [
  {
    name: 'a service account that a login impersonates',
    file: (google) => ({
      type: 'impersonated_service_account',
      service_account_impersonation_url: `${google}/v1/${ROBOT}:generateAccessToken`,
      source_credentials: {
        type: 'authorized_user',
        client_id: 'id',
        client_secret: 's',
        refresh_token: 'r',
        token_uri: `${google}/token`,
      },
    }),
    asked: /^\/token client_id=id&client_secret=s&refresh_token=r&grant_type=refresh_token$/m,
  },
  {
    name: 'workload identity federation',
    file: (google) => ({
      type: 'external_account',
      audience: '//iam.googleapis.com/pool',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: `${google}/sts`,
      service_account_impersonation_url: `${google}/v1/${ROBOT}:generateAccessToken`,
      credential_source: { file: SUBJECT, format: { type: 'json', subject_token_field_name: 'id' } },
    }),
    asked: /^\/sts grant_type=[^&]+token-exchange&.*audience=%2F%2Fiam\.googleapis\.com%2Fpool.*&subject_token=canary-subject$/m,
  },
  { name: "a service account's key", file: () => ({ type: 'service_account', private_key: 'canary-key' }) },
];
for (const { name, file, asked } of CREDENTIALS)
  test(`Application Default Credentials of ${name} ${asked ? 'become the identity' : 'are refused by name'}`, { skip }, async () => {
    const calls: string[] = [];
    const google = createServer(async (req, res) => {
      const body = Buffer.concat(await req.toArray()).toString();
      calls.push(`${req.url} ${body}`);
      const made = { audience: laptop.api, includeEmail: true };
      const right = req.headers.authorization === 'Bearer ya29' && isDeepStrictEqual(JSON.parse(body.startsWith('{') ? body : '{}'), made);
      const answer = req.url?.endsWith(':generateIdToken') ? (right ? { token: TOKEN } : {}) : { access_token: 'ya29' };
      res.end(JSON.stringify(answer));
    });
    await new Promise<void>((done) => google.listen(0, '127.0.0.1', done));
    writeFileSync(SUBJECT, JSON.stringify({ id: 'canary-subject' }));
    const path = `${SUBJECT}.json`;
    writeFileSync(path, JSON.stringify(file(`http://127.0.0.1:${(google.address() as AddressInfo).port}`)));
    const settings = { MAILGRANT_API_KEY: '', MAILGRANT_IDENTITY: 'adc' };
    const seen = (await django('adc', settings, { GOOGLE_APPLICATION_CREDENTIALS: path })) as Record<string, unknown>;
    google.close();
    assert.deepEqual(seen, asked ? { sent: 1 } : { improper: true });
    if (asked) assert.match(calls.join('\n'), asked);
  });

test('without a file they are the metadata server', { skip }, async () => {
  const settings = { MAILGRANT_API_KEY: '', MAILGRANT_IDENTITY: 'adc' };
  const env = { CLOUDSDK_CONFIG: '/nowhere', GOOGLE_APPLICATION_CREDENTIALS: '', GCE_METADATA_HOST: '127.0.0.1:1' };
  const error = (await django('adc', settings, env)) as Record<string, unknown>;
  assert.match(String(error['text']), /^451 No identity from the metadata server/);
});

test("it is set up by the OPTIONS of Django 6.1's MAILERS, whose base class refuses what it does not know", { skip }, async () => {
  const options = { url: laptop.api, api_key: KEY, timeout: 9 };
  const mailers = { MAILERS: { default: { BACKEND: 'mailgrant_django.EmailBackend', OPTIONS: options } } };
  assert.deepEqual([await django('mailers', mailers), mails().length], [['default', 9, false, 1], 1]);
});

test('settings that cannot work are refused by name', { skip }, async () => {
  const names = [...Array.from({ length: 5 }, () => 'MAILGRANT_URL'), 'Set', 'MAILGRANT_API_KEY', 'MAILGRANT_API_KEY'];
  assert.deepEqual(await django('wrong_settings'), names);
});

test('what cannot stand in a header is refused without a word of it', { skip }, async () => {
  assert.deepEqual(await django('odd_headers'), [
    [451, null, false],
    [550, 'idempotency_key_invalid', false],
    [550, 'request_invalid', false],
  ]);
  assert.equal(mails().length, 0);
});

test('nothing of a message was logged', () => assert.doesNotMatch(JSON.stringify(laptop.lines), /canary|@example|Grün/));

/** A door in front of the function that counts connections, and can close each after some answers. */
async function counting(target: string, { closeAfter = Number.POSITIVE_INFINITY } = {}) {
  let connections = 0;
  const answered = new WeakMap<object, number>();
  const server = createServer(async (req, res) => {
    const body = Buffer.concat(await req.toArray());
    const reply = await fetch(`${target}${req.url}`, { method: 'POST', body, headers: req.headers as Record<string, string> });
    res.writeHead(reply.status, { 'content-type': 'application/json' }).end(await reply.text());
    const count = (answered.get(req.socket) ?? 0) + 1;
    answered.set(req.socket, count);
    if (count >= closeAfter) res.once('finish', () => req.socket.end());
  }).on('connection', () => connections++);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connections() {
      return connections;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}
