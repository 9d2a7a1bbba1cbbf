/** The bundles as they are deployed, under the real functions-framework CLI, driven by a real client of the API. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { simpleParser } from 'mailparser';
import { Resend } from 'resend';
import { Webhook } from 'standardwebhooks';
import { type Built, buildFunctions, type DEPLOYABLES } from '../functions/cli/build/build.ts';
import { freePort, type RunningFunction, startFunction } from '../functions/dev/function-process.ts';
import { type Google, startGoogle } from '../functions/fake-google/google.ts';
import { SCOPE_MAIL } from '../functions/mail/model/scopes.ts';
import { longTest } from './support/deep.ts';
import { authorised, CONFIG, envelope, KEY, MAIL, MAILBOX, PROJECT, post, SECRET, TOPIC } from './support/stack/laptop.ts';

const DEADLINE_S = 20;
const SHORT_S = 2; // and a lease of 2.4 s, so that the takeover of a dead one's mail need not be waited for
const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
const output: string[] = [];
let google: Google;
let built: Built[];
let api: RunningFunction;
let worker: RunningFunction;

async function start(
  target: (typeof DEPLOYABLES)[number],
  seconds = DEADLINE_S,
  port?: number,
  more: Readonly<Record<string, string>> = {},
): Promise<RunningFunction> {
  const env = {
    GOOGLE_CLOUD_PROJECT: PROJECT,
    MAILGRANT_GOOGLE_URL: google.url,
    MAILGRANT_SMTP_URL: `smtp://127.0.0.1:${google.smtp?.startTls}`,
    MAILGRANT_SMTP_CA: join(folder, 'certificate.pem'),
    MAILGRANT_DEADLINE_SECONDS: String(seconds),
    MAILGRANT_CONFIG: '',
    NODE_ENV: 'production',
    ...more,
  };
  return startFunction({
    target,
    source: join(folder, 'dist', target),
    port: port ?? (await freePort(0)),
    env,
    onLine: (line) => output.push(line),
  });
}
const portOf = ({ url }: RunningFunction): number => Number(new URL(url).port);

before(async () => {
  const yaml = `mailboxes:\n  ${MAILBOX}: { name: Example Notices, secret: ${SECRET}, aliases: [no-reply@example.com] }\n  bulk@example.com: { via: smtp }\nkeys:\n  shop: { sha256: ${CONFIG.keys[0]?.sha256}, from: [${MAILBOX}, bulk@example.com] }
routes:
  tags: { topic: tags, when: 'event.tag.startsWith("v")', from: ${MAILBOX}, to: ['{{event.who}}'], template: release }
  releases: { hook: { verify: github, secret: hook-releases }, when: 'event.action == "published"', from: ${MAILBOX}, to: you@example.net, template: release }
  signups: { hook: { verify: standard-webhooks, secret: hook-signups }, from: ${MAILBOX}, to: you@example.net, template: release }
  ticks: { hook: { verify: google-oidc, audience: https://hooks.example.com, email: ticks@laptop.iam.gserviceaccount.com }, from: ${MAILBOX}, to: you@example.net, template: release }
`;
  mkdirSync(join(folder, 'templates'));
  writeFileSync(join(folder, 'templates', 'release.hbs'), '---\nsubject: Release {{event.tag}} canary-subject\n---\n<p>canary-body</p>\n');
  writeFileSync(join(folder, 'mailgrant.yaml'), yaml);
  built = await buildFunctions(join(folder, 'mailgrant.yaml'), join(folder, 'dist'));
  // The framework is the bundle's one dependency; here it is the project's own.
  symlinkSync(join(import.meta.dirname, '..', 'node_modules'), join(folder, 'node_modules'));
  google = await startGoogle({ smtp: {} });
  writeFileSync(join(folder, 'certificate.pem'), google.smtp?.certificate ?? '');
  google.storeSecret(PROJECT, 'mailgrant-bulk-example-com', JSON.stringify(google.oauth.enrol('bulk@example.com', [SCOPE_MAIL])));
  google.storeSecret(PROJECT, SECRET, JSON.stringify(google.oauth.enrol(MAILBOX)));
  [api, worker] = await Promise.all([start('api'), start('worker')]);
});
after(async () => {
  await Promise.all([api, worker].map((one) => one?.[Symbol.asyncDispose]()));
  await google?.[Symbol.asyncDispose]();
});

/** Never in a function: not at its start, and not in a part that is loaded later. */
const HEAVY =
  /node_modules\/(googleapis|google-gax|google-auth-library|protobufjs|@grpc\/|@google-cloud\/|@bufbuild\/cel\/dist\/\w+\/pars|yaml|zod|mailparser|esbuild|handlebars\/(lib|dist\/(cjs|amd)\/handlebars\/compiler))|functions\/(fake-google|pages|dev|cli|config)\//;
/** But for a part of one function: Google's library judges the identity tokens of webhooks, and its clients look at grants for the watch. */
const NEEDED: Readonly<Record<string, RegExp>> = {
  hooks: /node_modules\/google-auth-library\/(build|package\.json)/,
  worker: /node_modules\/(googleapis\/build\/src\/apis\/gmail\/v1\.js|googleapis-common|google-auth-library)/,
  watch: /node_modules\/(googleapis\/build\/src\/apis\/gmail\/v1\.js|googleapis-common|google-auth-library)/,
};
// The worker also delivers events and renders templates, by parts that are loaded with the first of them.
const ALL_BYTES_MAX: Readonly<Record<string, number>> = { worker: 2_100_000, hooks: 1_200_000, watch: 1_800_000 };
/** Loaded by the first email that needs it, never at the start: it would be parsed by every instance. */
const LATER =
  /node_modules\/|functions\/mail\/(message\/raw-message|batch)\.ts|functions\/google\/http\/fetch-file\.ts|functions\/(mail|google|trigger)\/(events|bounces|inbox)\/|functions\/google\/firestore\/suppressions\.ts|functions\/trigger\/documents\/|functions\/google\/http\/post-webhook\.ts/;
test('each folder and file that a function must not load exists', () => {
  for (const room of ['fake-google', 'pages', 'dev', 'cli', 'config']) {
    assert.match(`functions/${room}/`, HEAVY);
    assert.ok(existsSync(join('functions', room)), room);
  }
  for (const file of ['mail/message/raw-message.ts', 'mail/batch.ts', 'google/http/fetch-file.ts']) {
    assert.match(`functions/${file}`, LATER);
    assert.ok(existsSync(join('functions', file)), file);
  }
});
test('a function loads little at its start, and nothing heavy ever', () => {
  for (const { name, bytes, allBytes, parts } of built) {
    const paths = (some: typeof parts): string[] => some.flatMap(({ inputs }) => inputs.map(({ path }) => path));
    assert.deepEqual(
      paths([...parts]).filter((path) => HEAVY.test(path) && !NEEDED[name]?.test(path)),
      [],
    );
    assert.deepEqual(
      paths(parts.filter(({ atStart }) => atStart)).filter((path) => LATER.test(path)),
      [],
    );
    assert.ok(
      // A quarter of a megabyte are the parsers of html and of English times, which only an email that needs one loads.
      bytes < 150_000 && allBytes < (ALL_BYTES_MAX[name] ?? 900_000),
      `${name} loads ${bytes} bytes at its start, ${allBytes} in all`,
    );
    assert.ok(
      parts.some(({ file, atStart }) => atStart && readFileSync(file, 'utf8').includes(MAILBOX)),
      `${name} carries its config`,
    );
    const manifest = JSON.parse(readFileSync(join(folder, 'dist', name, 'package.json'), 'utf8'));
    assert.deepEqual(
      [manifest.main, manifest.dependencies, manifest.engines],
      ['index.cjs', { '@google-cloud/functions-framework': '5.0.5' }, { node: '24.x' }],
    );
  }
});

function resend(key = KEY): Resend {
  return new Resend(key, { baseUrl: `${api.url}/` });
}

test('the resend SDK needs only a URL and a key', async () => {
  const file = Buffer.from(Array.from({ length: 3_000_000 }, (_, n) => n % 251));
  const { data, error } = await resend().emails.send({
    from: `Äcme <${MAILBOX}>`,
    to: ['Jörg <you@example.net>'],
    cc: 'copy@example.net',
    bcc: ['hidden@example.org'],
    replyTo: 'help@example.com',
    subject: 'Grüße ✓ canary-subject',
    html: '<p>canary-body <img src="cid:logo"></p>',
    headers: { 'X-Entity-Ref-ID': '7' },
    attachments: [
      { filename: 'groß.bin', content: file },
      { filename: 'logo.png', content: file.subarray(0, 500), contentId: 'logo' },
    ],
  });
  assert.equal(error, null);
  const stored = google.mails.list()[0];
  const mail = await simpleParser(stored?.raw ?? '');
  assert.deepEqual(
    [mail.subject, mail.messageId, mail.headers.get('x-entity-ref-id'), mail.from?.text],
    ['Grüße ✓ canary-subject', `<${data?.id}@example.com>`, '7', `"Äcme" <${MAILBOX}>`],
  );
  assert.deepEqual(stored?.recipients, ['you@example.net', 'copy@example.net', 'hidden@example.org']);
  assert.deepEqual(
    mail.attachments
      .map(({ filename, content }) => [filename, content.equals(filename === 'logo.png' ? file.subarray(0, 500) : file)])
      .sort(),
    [
      ['groß.bin', true],
      ['logo.png', true],
    ],
  );
});

test("the SDK's idempotencyKey sends once, and errors arrive under the names it knows", async () => {
  const mail = { from: MAILBOX, to: 'you@example.net', subject: 'x', text: 'canary-body' };
  const before = google.mails.count();
  const first = await resend().emails.send(mail, { idempotencyKey: 'sdk/1' });
  const again = await resend().emails.send(mail, { idempotencyKey: 'sdk/1' });
  const other = await resend().emails.send({ ...mail, text: 'other' }, { idempotencyKey: 'sdk/1' });
  const names = [
    other,
    await resend('re_nothing').emails.send(mail),
    await resend().emails.send({ ...mail, to: 'x' }),
    await resend().emails.send({ ...mail, from: 'ceo@example.com' }),
  ];
  assert.deepEqual([again.data?.id, google.mails.count() - before], [first.data?.id, 1]);
  assert.deepEqual(
    names.map(({ error }) => [error?.name, error?.statusCode]),
    [
      ['invalid_idempotent_request', 409],
      ['invalid_api_key', 403],
      ['validation_error', 422],
      ['validation_error', 403],
    ],
  );
});

test('a mailbox with `via: smtp` sends from the bundle too', async () => {
  const mail = { from: 'bulk@example.com', to: 'you@example.net', bcc: 'hidden@example.org', subject: 'x', text: 'canary-body' };
  const before = google.calls['smtp-data'];
  assert.equal((await resend().emails.send(mail)).error, null);
  assert.deepEqual(
    [google.calls['smtp-data'] - before, google.mails.list()[0]?.recipients],
    [1, ['you@example.net', 'hidden@example.org']],
  );
});

test('a push is sent by the worker', async () => {
  const before = google.mails.count();
  assert.deepEqual(
    [(await post(worker.url, envelope(MAIL))).status, (await post(worker.url, envelope(MAIL))).status, google.mails.count() - before],
    [204, 204, 1],
  );
});

test('an event of a topic is judged, rendered and sent by the worker as it is deployed', async () => {
  const before = google.mails.count();
  const event = (tag: string) => envelope({ tag, who: 'you@example.net', note: 'canary-body' }, { messageId: `tag-${tag}` });
  const statuses = [];
  for (const tag of ['v7', 'v7', 'x7']) statuses.push((await post(`${worker.url}/routes/tags`, event(tag))).status);
  assert.deepEqual(
    [statuses, google.mails.count() - before, google.mails.list()[0]?.recipients],
    [[204, 204, 204], 1, ['you@example.net']],
  );
});

const raw: { name: string; type: string; body: string; code: string }[] = [
  { name: 'malformed JSON', type: 'application/json', body: '{"from"', code: 'request_invalid' },
  { name: 'malformed JSON as text', type: 'text/plain', body: '{"from"', code: 'request_invalid' },
  { name: 'a form', type: 'application/x-www-form-urlencoded', body: 'from=x', code: 'request_invalid' },
  { name: 'a charset that nobody knows', type: 'application/json; charset=klingon', body: '{}', code: 'field_missing' },
];
for (const { name, type, body, code } of raw)
  test(`${name} is answered by us, in the contract's form, not by the framework`, async () => {
    const reply = await post(`${api.url}/emails`, body, { ...authorised, 'content-type': type });
    assert.deepEqual([reply.status, reply.body?.['code'], reply.body?.['statusCode']], [422, code, 422]);
  });

const deaths = [
  { name: 'api', path: '/emails', body: MAIL, headers: { ...authorised, 'idempotency-key': 'death' }, busy: 409, done: 200 },
  { name: 'worker', path: '/', body: envelope(MAIL, { messageId: 'death' }), headers: {}, busy: 503, done: 204 },
] as const;
for (const { name, path, body, headers, busy, done } of deaths)
  for (const taken of [true, false])
    (taken === (name === 'api') ? test : longTest)(
      `${name} is killed with -9 between "session saved" and "reply read", Gmail ${taken ? 'took' : 'did not take'} the mail: one email after redelivery`,
      async () => {
        const victim = await start(name, SHORT_S);
        const before = google.mails.count();
        const key = { ...headers, ...('idempotency-key' in headers && { 'idempotency-key': `death-${taken}` }) };
        const order = name === 'api' ? body : envelope(MAIL, { messageId: `death-${taken}` });
        google.faults.script({ on: 'transfer', delayMs: 60_000, ...(taken ? {} : { reset: 'before' as const }) });
        const reached = google.reached('transfer');
        const cut = post(victim.url + path, order, key).catch(() => 'cut');
        await reached;
        victim.child.kill('SIGKILL');
        assert.equal(await cut, 'cut');
        await victim.ended;
        await using next = await start(name, DEADLINE_S, portOf(victim));
        let reply = await post(next.url + path, order, key);
        while (reply.status === busy) {
          await sleep(100); // the dead one's lease still holds
          reply = await post(next.url + path, order, key);
        }
        assert.deepEqual([reply.status, google.mails.count() - before], [done, 1]);
        assert.deepEqual([(await post(next.url + path, order, key)).status, google.mails.count() - before], [done, 1]);
      },
    );

test('the webhooks that were deployed: signed, unsigned, unwanted, and with an identity token', async () => {
  await using hooks = await start('hooks');
  google.storeSecret(PROJECT, 'hook-releases', 'canary-hook-secret');
  const before = google.mails.count();
  const ask = async (path: string, event: unknown, headers: Record<string, string>) =>
    (await post(`${hooks.url}/hooks/${path}`, event, headers)).status;
  const signed = (event: unknown) => ({
    'x-hub-signature-256': `sha256=${createHmac('sha256', 'canary-hook-secret').update(JSON.stringify(event)).digest('hex')}`,
  });
  const published = { action: 'published', tag: 'v1' };
  const edited = { action: 'edited', tag: 'v1' };
  assert.deepEqual(
    [
      await ask('releases', published, signed(published)),
      await ask('releases', published, signed(published)),
      await ask('releases', edited, signed(edited)),
      await ask('releases', published, signed(edited)),
      await ask('nowhere', published, signed(published)),
    ],
    [200, 200, 200, 401, 401],
  );
  const secret = `whsec_${Buffer.from('canary-hook-secret').toString('base64')}`;
  google.storeSecret(PROJECT, 'hook-signups', secret);
  const standard = {
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(Math.floor(Date.now() / 1_000)),
    'webhook-signature': new Webhook(secret).sign('msg_1', new Date(), JSON.stringify(published)),
  };
  assert.deepEqual([await ask('signups', published, standard), await ask('signups', edited, standard)], [200, 401]);
  const token = (audience: string) => ({
    authorization: `Bearer ${google.signer.token('ticks@laptop.iam.gserviceaccount.com', audience)}`,
  });
  assert.deepEqual(
    [
      await ask('ticks', { tag: 'v2' }, token('https://hooks.example.com')),
      await ask('ticks', { tag: 'v2' }, token('https://other.example.com')),
    ],
    [200, 401],
  );
  assert.equal(google.mails.count() - before, 3);
});

test('the watch looks at every mailbox, and sends nothing', async () => {
  await using watch = await start('watch');
  const before = google.mails.count();
  const reply = await post(watch.url, {});
  assert.deepEqual([reply.status, reply.body?.['ok'], google.mails.count()], [200, true, before]);
});

longTest('SIGTERM lets the email in hand finish, then the process ends by itself', async () => {
  const leaving = await start('api');
  google.faults.script({ on: 'transfer', delayMs: 300 });
  const reached = google.reached('transfer');
  const reply = post(`${leaving.url}/emails`, MAIL, authorised);
  await reached;
  leaving.child.kill('SIGTERM');
  assert.deepEqual([(await reply).status, await leaving.ended], [200, '0']);
});

test('SIGTERM lets a queued email in hand finish: it is sent, acknowledged and recorded, and the process ends', async () => {
  const [leaving, before] = [await start('worker'), google.mails.count()];
  const [accepted] = await accept();
  google.faults.script({ on: 'transfer', delayMs: 300 });
  const reached = google.reached('transfer');
  const pushed = post(leaving.url, accepted?.push);
  await reached;
  leaving.child.kill('SIGTERM');
  assert.deepEqual([(await pushed).status, await leaving.ended, google.mails.count() - before], [204, '0', 1]);
  assert.equal(google.ledgerEntry(accepted?.id ?? '')?.['state'], 'sent');
});

test('a queued email that is longer than the grace of a SIGTERM is left exactly resumable: the next worker sends it once', async () => {
  const [leaving, before] = [await start('worker', 5), google.mails.count()];
  const [accepted] = await accept();
  google.faults.script({ on: 'transfer', reset: 'before', delayMs: 60_000, keepBytes: 10 });
  const reached = google.reached('transfer');
  const cut = post(leaving.url, accepted?.push).catch(() => 'cut');
  await reached;
  leaving.child.kill('SIGTERM');
  leaving.child.kill('SIGKILL'); // as the platform does when the grace is over
  assert.equal(await cut, 'cut');
  await leaving.ended;
  const { state, handle } = google.ledgerEntry(accepted?.id ?? '') ?? {};
  assert.deepEqual([state, typeof handle], ['sending', 'string']);
  let reply = await post(worker.url, accepted?.push);
  while (reply.status === 503) {
    await sleep(100); // the dead one's lease still holds
    reply = await post(worker.url, accepted?.push);
  }
  assert.deepEqual([reply.status, google.mails.count() - before], [204, 1]);
});

/** Has an email accepted into the queue by the bundle; answers its id and the push of its message. */
async function accept() {
  await using queue = await start('api', DEADLINE_S, undefined, { MAILGRANT_TOPIC: TOPIC });
  google.pubsub.createTopic(TOPIC);
  google.faults.script({ on: 'open', answer: 'rate' }); // `direct` hands over what it could not send
  const { status, body } = await post(`${queue.url}/emails`, MAIL, authorised);
  assert.equal(status, 200);
  return google.pubsub
    .published(TOPIC)
    .slice(-1)
    .map(({ data, attributes }) => ({
      id: String(body?.['id']),
      push: envelope(null, { data: Buffer.from(data).toString('base64'), attributes }),
    }));
}

test('a client that goes away while it posts leaves nothing behind, and the function lives', async () => {
  const entries = google.ledgerEntries().length;
  await new Promise<void>((done) => {
    const half = request(`${api.url}/emails`, { method: 'POST', headers: { ...authorised, 'content-length': 1_000 } });
    half.on('error', () => done());
    half.write('{"from":', () => half.destroy());
    half.on('close', () => done());
  });
  assert.deepEqual([(await fetch(`${api.url}/health`)).status, google.ledgerEntries().length], [200, entries]);
});

test('whoever reads the log goes away: emails are sent all the same', async () => {
  await using deaf = await start('worker');
  deaf.child.stdout?.destroy();
  const before = google.mails.count();
  const statuses = [];
  for (const messageId of ['deaf-1', 'deaf-2', 'deaf-3']) statuses.push((await post(deaf.url, envelope(MAIL, { messageId }))).status);
  assert.deepEqual([statuses, google.mails.count() - before], [[204, 204, 204], 3]);
});

test('a function with a wrong environment does not start, and says why', async () => {
  const lines: string[] = [];
  const started = startFunction({
    target: 'api',
    source: join(folder, 'dist/api'),
    port: await freePort(0),
    env: { GOOGLE_CLOUD_PROJECT: '', MAILGRANT_DEADLINE_SECONDS: 'x' },
    onLine: (line) => lines.push(line),
  });
  await assert.rejects(started, /ended before it answered/);
  assert.match(lines.join('\n'), /GOOGLE_CLOUD_PROJECT.*MAILGRANT_DEADLINE_SECONDS/);
});

test('everything that both functions printed is structured, and free of secrets, addresses and content', () => {
  assert.ok(output.length > 15);
  for (const line of output) assert.equal(typeof JSON.parse(line).severity, 'string', line);
  assert.doesNotMatch(output.join('\n'), /canary|@example|Grüße|upload_id/);
});
