/** Recipients that bounced for good: refused, told, and let go again by a person. */
import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Resend } from 'resend';
import { Webhook } from 'standardwebhooks';
import { runSuppressionCommand } from '../../../functions/cli/ledger/suppression-command.ts';
import type { Bouncing } from '../../../functions/fake-google/faults/bouncing.ts';
import { EVENT_TYPES } from '../../../functions/mail/model/email-event.ts';
import { type BouncingLaptop, startBouncing, sweep } from '../../support/stack/bounces.ts';
import { SECRET as GRANT, MAILBOX, PROJECT } from '../../support/stack/laptop.ts';

const DAY_MS = 24 * 60 * 60_000;
const SUPPRESS = { suppress: { bouncedMs: 90 * DAY_MS } };
const SECRET = `whsec_${Buffer.from('canary-0123456789abcdef').toString('base64')}`;

/** A command as an operator types it, against the laptop. */
function command({ laptop }: BouncingLaptop, verb: string, words: string[], options: Record<string, string | boolean> = {}) {
  const config = join(mkdtempSync(join(tmpdir(), 'mailgrant-')), 'mailgrant.yaml');
  writeFileSync(config, `mailboxes:\n  ${MAILBOX}: { secret: ${GRANT}, bounces: true }\nsuppress: { bounced: 90d }\n`);
  const env = { MAILGRANT_GOOGLE_URL: laptop.google.url, MAILGRANT_DATABASE: '(default)' };
  return runSuppressionCommand({ config, project: PROJECT, ...options }, verb, words, env);
}

test('bounced for good: the event is verified by both libraries, and the next email to it is refused, told, and stored hashed', async () => {
  const received: { headers: Record<string, string>; body: string }[] = [];
  const app = createServer(async (req, res) => {
    received.push({ headers: req.headers as Record<string, string>, body: Buffer.concat(await req.toArray()).toString('utf8') });
    res.writeHead(204).end();
  });
  await new Promise<void>((done) => app.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(app.address() as AddressInfo).port}/events`;
  const events = [{ name: 'app', url, secret: 'hook-events', types: EVENT_TYPES, addresses: false }];
  await using own = await startBouncing({ ...SUPPRESS, events });
  own.laptop.google.storeSecret(PROJECT, 'hook-events', SECRET);
  own.clock.now = Date.now(); // the libraries have no other clock
  const { id } = await own.send({ tags: [{ name: 'order', value: '42' }] });
  await own.bounce();
  const again = await own.send();
  await own.run();
  app.close();
  app.closeAllConnections();
  assert.deepEqual([again.status, again.body['code'], again.body['name']], [422, 'recipient_suppressed', 'validation_error']);
  assert.match(String(again.body['message']), /^`to` holds an address/);
  const record = await own.record(again.id);
  assert.deepEqual([record['last_event'], record['outcome']], ['suppressed', 'failed']);
  const told = received.map(({ headers, body }) => {
    const verified = new Resend('re_x').webhooks.verify({
      payload: body,
      headers: { id: headers['svix-id'] ?? '', timestamp: headers['svix-timestamp'] ?? '', signature: headers['svix-signature'] ?? '' },
      webhookSecret: SECRET,
    });
    assert.deepEqual(new Webhook(SECRET).verify(body, headers), JSON.parse(body));
    return verified as unknown as { type: string; data: { email_id: string; tags: object; bounce?: { type: string; subType: string } } };
  });
  assert.deepEqual(
    told.map(({ type, data }) => [type, data.email_id]),
    [
      ['email.sent', id],
      ['email.bounced', id],
      ['email.suppressed', again.id],
    ],
  );
  const bounced = told[1]?.data;
  assert.deepEqual([bounced?.tags, bounced?.bounce?.type, bounced?.bounce?.subType], [{ order: '42' }, 'Permanent', 'General']);
  const { data } = await command(own, 'list', []);
  const { suppressions } = data as { suppressions: { email: string; reason: string }[] };
  assert.deepEqual(
    suppressions.map(({ email, reason }) => [email, reason]),
    [[id, 'bounced']],
  );
  assert.doesNotMatch(
    JSON.stringify([suppressions, ...own.lines, ...own.laptop.lines, received.map(({ body }) => body)]),
    /you@example|canary/,
  );
});

const HARMLESS: readonly (readonly [string, Bouncing, ('api' | 'smtp')?])[] = [
  ['a full mailbox', { kind: 'full' }, 'smtp'],
  ['a delay', { kind: 'delay' }],
  ['a forged report', { forged: true }],
  ['headers that do not say whether it failed', { by: 'exchange' }],
];
for (const [name, how, via = 'api'] of HARMLESS)
  test(`nobody is suppressed for ${name}`, async () => {
    await using own = await startBouncing(SUPPRESS, { via });
    await own.send();
    await own.bounce(how);
    assert.equal((await own.send()).status, 200);
  });

test('nobody is suppressed on the word of another domain', async () => {
  await using own = await startBouncing(SUPPRESS);
  const { id } = await own.send({ to: ['you@example.net', 'evil@attacker.example'] });
  const lines = [
    'Authentication-Results: mx.google.com; dkim=pass header.i=@attacker.example; dmarc=pass header.from=attacker.example',
    'From: mailer-daemon@attacker.example',
    'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
    'X-Failed-Recipients: you@example.net',
    `In-Reply-To: <${id}@example.com>`,
  ];
  own.laptop.google.received.receive(MAILBOX, `${lines.join('\r\n')}\r\n\r\n`);
  await own.run();
  assert.equal((await own.record(id))['last_event'], 'bounced');
  assert.equal((await own.send()).status, 200);
});

test('where the config suppresses nobody, nothing is asked and nothing is stored', async () => {
  await using own = await startBouncing();
  await own.send();
  await own.bounce();
  const before = own.laptop.google.calls.ledger;
  const { status } = await own.send();
  const plain = own.laptop.google.calls.ledger - before;
  assert.equal(status, 200);
  await using suppressing = await startBouncing(SUPPRESS);
  const start = suppressing.laptop.google.calls.ledger;
  await suppressing.send();
  assert.equal(suppressing.laptop.google.calls.ledger - start, plain + 1);
});

test('the whole email is refused for one recipient, and the field is named, cc and bcc too', async () => {
  await using own = await startBouncing(SUPPRESS);
  await own.send();
  await own.bounce();
  const { status, body } = await own.send({ to: 'other@example.org', cc: ['fine@example.org'], bcc: ['YOU@example.net'] });
  assert.equal(status, 422);
  assert.match(String(body['message']), /^`bcc` holds/);
  assert.equal(own.laptop.google.mails.count(), 1);
});

test('queued: refused at the door, and again when a scheduled email comes due', async () => {
  await using own = await startBouncing({ ...SUPPRESS, delivery: 'queued' });
  own.laptop.google.pubsub.subscribe({
    name: 'projects/laptop/subscriptions/mails',
    topic: 'projects/laptop/topics/mails',
    endpoint: own.worker,
  });
  const later = await own.send({ scheduled_at: new Date(own.clock.now + DAY_MS).toISOString() });
  await own.send();
  await own.run();
  await own.bounce();
  const refused = await own.send();
  assert.equal(refused.body['code'], 'recipient_suppressed');
  own.clock.now += DAY_MS + 60_000;
  await own.run();
  await own.run();
  const record = await own.record(later.id);
  assert.deepEqual([record['outcome'], record['code']], ['failed', 'recipient_suppressed']);
});

test('it ends after its time, and by an operator, who may also begin it', async () => {
  await using own = await startBouncing(SUPPRESS);
  own.clock.now = Date.now();
  await own.send();
  await own.bounce();
  const removed = async (options = {}) => ((await command(own, 'remove', ['You@Example.net'], options)).data as { did: string }).did;
  assert.equal(await removed({ 'dry-run': true }), 'nothing');
  assert.equal((await own.send()).status, 422);
  assert.equal(await removed(), 'removed');
  assert.equal((await own.send()).status, 200);
  assert.equal(await removed(), 'nothing');
  assert.equal(((await command(own, 'add', ['you@example.net'], { for: '2d' })).data as { did: string }).did, 'added');
  assert.equal((await own.send()).status, 422);
  own.clock.now += 3 * DAY_MS;
  assert.equal((await own.send()).status, 200);
  for (const words of [[], ['x'], ['a@example.net', 'b@example.net']]) assert.equal((await command(own, 'add', words)).exitCode, 2);
});

test('a report that is looked at again does not undo what an operator decided', async () => {
  await using own = await startBouncing(SUPPRESS);
  own.clock.now = Date.now();
  await own.send();
  await own.bounce();
  await command(own, 'remove', ['you@example.net']);
  own.laptop.google.received.forgetHistory(); // the newest messages are looked through once more
  assert.equal((await sweep(own)).status, 204);
  assert.deepEqual([own.last('inbox')['repeated'], (await own.send()).status], [1, 200]);
});

test('nobody is suppressed for an email that has not left', async () => {
  await using own = await startBouncing(SUPPRESS);
  const { id } = await own.send();
  const { ledger } = own.laptop.edge.startInvocation();
  const change = async (part: object): Promise<void> => {
    const found = await ledger.read(id);
    assert.ok(found && (await ledger.replace(found, { ...found.entry, ...part })));
  };
  await change({ state: 'sending', leaseUntil: own.clock.now + 60_000 }); // whether it leaves is not known yet
  await own.bounce();
  await change({ state: 'failed', leaseUntil: 0, code: 'mail_refused' });
  assert.equal((await own.send()).status, 200);
  own.clock.now += 120_000;
  await own.run();
  assert.equal(own.last('inbox')['foreign'], 1);
  assert.equal((await own.send()).status, 200);
});
