/** Bounces, from the report in the mailbox to the ledger. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bouncing } from '../../../functions/fake-google/faults/bouncing.ts';
import { type BouncingLaptop, startBouncing, sweep } from '../../support/stack/bounces.ts';
import { MAILBOX, post } from '../../support/stack/laptop.ts';

const bounceOf = (record: Record<string, unknown>) => {
  const { type, subType } = (record['bounce'] ?? {}) as { type?: string; subType?: string };
  return [record['last_event'], type ?? null, subType ?? null];
};
const counted = (own: BouncingLaptop, name: string): unknown => own.last('inbox')[name];

/** Who reports what, and what is recorded: by the headers alone, and by the body where the scope reads it. */
const ROWS: readonly { readonly how: Bouncing; readonly headers: readonly unknown[]; readonly body: readonly unknown[] }[] = [
  { how: {}, headers: ['bounced', 'Permanent', 'General'], body: ['bounced', 'Permanent', 'NoEmail'] },
  { how: { kind: 'full' }, headers: ['bounced', 'Permanent', 'General'], body: ['bounced', 'Transient', 'MailboxFull'] },
  { how: { kind: 'delay' }, headers: ['sent', null, null], body: ['sent', null, null] },
  { how: { forged: true }, headers: ['sent', null, null], body: ['sent', null, null] },
  { how: { by: 'exchange' }, headers: ['bounced', 'Undetermined', 'Undetermined'], body: ['bounced', 'Permanent', 'NoEmail'] },
  {
    how: { by: 'exchange', kind: 'full' },
    headers: ['bounced', 'Undetermined', 'Undetermined'],
    body: ['bounced', 'Transient', 'MailboxFull'],
  },
  { how: { by: 'exchange', kind: 'delay' }, headers: ['sent', null, null], body: ['sent', null, null] },
  { how: { by: 'exchange', forged: true }, headers: ['sent', null, null], body: ['sent', null, null] },
  { how: { by: 'exim' }, headers: ['bounced', 'Permanent', 'General'], body: ['bounced', 'Permanent', 'NoEmail'] },
  { how: { by: 'exim', kind: 'delay' }, headers: ['sent', null, null], body: ['sent', null, null] },
  // Postfix names the email in the body alone.
  { how: { by: 'postfix' }, headers: ['sent', null, null], body: ['bounced', 'Permanent', 'NoEmail'] },
  { how: { by: 'postfix', kind: 'delay' }, headers: ['sent', null, null], body: ['sent', null, null] },
];
for (const via of ['api', 'smtp'] as const)
  for (const { how, headers, body } of ROWS)
    test(`${JSON.stringify(how)} by ${via === 'api' ? 'its headers' : 'its body'}`, async () => {
      await using own = await startBouncing({}, { via });
      const { id } = await own.send();
      await own.bounce(how);
      assert.deepEqual(bounceOf(await own.record(id)), via === 'api' ? headers : body);
      assert.equal(own.laptop.google.pubsub.waiting(), 0);
      assert.doesNotMatch(JSON.stringify([...own.lines, ...own.laptop.lines]), /canary|you@example|mailer-daemon/i);
    });

test('a notification that comes again, late or twice finds nothing new, and asks Gmail nothing', async () => {
  await using own = await startBouncing({}, {});
  const { id } = await own.send();
  await own.bounce();
  const first = await own.record(id);
  const { calls, received } = own.laptop.google;
  const claims = Buffer.from(JSON.stringify({ aud: own.worker })).toString('base64url');
  const notify = (historyId: unknown) =>
    post(
      `${own.worker}/inbox`,
      {
        message: { messageId: '1', data: Buffer.from(JSON.stringify({ emailAddress: MAILBOX, historyId })).toString('base64') },
        subscription: 's',
      },
      { authorization: `Bearer e30.${claims}.x` },
    );
  const before = calls.inbox + calls.search;
  assert.equal((await notify(received.historyId())).status, 204);
  assert.equal((await notify(Number(received.historyId()) - 1)).status, 204);
  assert.equal(calls.inbox + calls.search, before);
  assert.deepEqual(await own.record(id), first);
  assert.equal((await notify('x')).status, 400);
});

test('a notification that is lost: the sweep finds the bounce', async () => {
  await using own = await startBouncing();
  const { id } = await own.send();
  own.laptop.google.received.bounce(own.laptop.google.mails.ids()[0] ?? '');
  assert.equal((await own.record(id))['last_event'], 'sent');
  assert.equal((await sweep(own)).status, 204);
  assert.equal((await own.record(id))['last_event'], 'bounced');
  await own.run();
  assert.deepEqual([counted(own, 'repeated'), counted(own, 'bounced')], [undefined, undefined]);
});

test('a history that is gone is bridged by the newest messages, and nothing is recorded twice', async () => {
  await using own = await startBouncing();
  const { id } = await own.send();
  await own.bounce();
  const { id: second } = await own.send();
  own.laptop.google.received.bounce(own.laptop.google.mails.ids()[0] ?? '');
  own.laptop.google.received.forgetHistory();
  assert.equal((await sweep(own)).status, 204);
  const seen = own.last('inbox');
  assert.deepEqual([seen['gap'], seen['bounced'], seen['repeated']], [true, 1, 1]);
  assert.deepEqual([(await own.record(id))['last_event'], (await own.record(second))['last_event']], ['bounced', 'bounced']);
  assert.equal((await sweep(own)).status, 204);
  assert.equal(counted(own, 'gap'), false);
});

test('messages that are no bounce of ours are told apart', async () => {
  await using own = await startBouncing();
  const { id } = await own.send();
  const { received } = own.laptop.google;
  const head = (lines: readonly string[]): string => `${[...lines, '', 'canary-body', ''].join('\r\n')}`;
  const proof = 'Authentication-Results: mx.google.com; dmarc=pass header.from=googlemail.com';
  const from = 'From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>';
  const report = 'Content-Type: multipart/report; report-type=delivery-status; boundary=b';
  received.receive(
    MAILBOX,
    head(['From: boss@example.net', 'Subject: Re: canary-subject', 'Auto-Submitted: auto-replied', `In-Reply-To: <${id}@example.com>`]),
  );
  received.receive(
    MAILBOX,
    head([proof, from, report, 'X-Failed-Recipients: nobody@example.org', 'In-Reply-To: <of-another-app@example.com>']),
  );
  received.receive(
    MAILBOX,
    head([
      proof,
      from,
      report,
      'X-Failed-Recipients: nobody@example.org',
      'In-Reply-To: <00000000-0000-4000-8000-000000000000@example.com>',
    ]),
  );
  received.receive(
    MAILBOX,
    head([from, report, 'X-Failed-Recipients: you@example.net', `In-Reply-To: <${id}@example.com>`, proof.replace('pass', 'fail')]),
  );
  received.receive(MAILBOX, head(['From: you@example.net', 'Subject: Re', `In-Reply-To: <${id}@example.com>`]));
  received.receive(MAILBOX, head([proof, from, report, 'X-Failed-Recipients: you@example.net', `In-Reply-To: <${id}@example.com>`]), [
    'SPAM',
  ]);
  assert.equal((await sweep(own)).status, 204);
  const seen = own.last('inbox');
  assert.deepEqual([seen['auto_reply'], seen['foreign'], seen['forged'], seen['other'], seen['bounced']], [1, 2, 1, 2, undefined]);
  assert.equal((await own.record(id))['last_event'], 'sent');
});

for (const by of ['gmail', 'exim'] as const)
  test(`an email whose Message-ID Gmail has replaced is found by its thread (${by})`, async () => {
    await using own = await startBouncing();
    own.laptop.google.assumptions.broken.add('message-id-is-kept');
    const { id } = await own.send();
    await own.send(); // another one, in a thread of its own
    own.laptop.google.received.bounce(own.laptop.google.mails.ids()[1] ?? '', { by, messageId: 'CA+replaced@mail.gmail.com' });
    await own.run();
    assert.equal((await own.record(id))['last_event'], 'bounced');
  });

test('of an email to several people the bounce names whom it is about, and each report is told', async () => {
  await using own = await startBouncing();
  const { id } = await own.send({ to: ['a@example.net', 'b@example.org'] });
  await own.bounce({ recipient: 'b@example.org' });
  await own.bounce({ recipient: 'a@example.net' });
  await own.bounce({ recipient: 'c@elsewhere.example' }); // one of them passes it on to somebody else
  const ledger = await own.laptop.edge.startInvocation().ledger.read(id);
  const { recipients = [], bounces = [] } = ledger?.entry ?? {};
  assert.deepEqual(
    bounces.map((one) => one.recipients),
    [[recipients[1]], [recipients[0]], []],
  );
});

test('Gmail is down: the notification comes again, and the bounce is recorded then', async () => {
  await using own = await startBouncing();
  const { id } = await own.send();
  await own.run();
  own.laptop.google.faults.script({ on: 'inbox', answer: 'unavailable' });
  await own.bounce();
  assert.equal((await own.record(id))['last_event'], 'sent');
  assert.equal(own.laptop.google.pubsub.waiting(), 1);
  own.clock.now += 60_000;
  await own.run();
  assert.equal((await own.record(id))['last_event'], 'bounced');
});

test('a grant that may not read: acknowledged and told, and the watch says what to do', async () => {
  await using own = await startBouncing();
  const { google } = own.laptop;
  google.storeSecret('laptop', 'mailgrant-notices', JSON.stringify(google.oauth.enrol(MAILBOX)));
  const { status } = await own.send();
  own.clock.now += 10 * 60_000; // secrets are kept for five minutes
  await own.bounce();
  assert.deepEqual([status, own.last('inbox')['code'], google.pubsub.waiting()], [200, 'scope_missing', 0]);
  const { mailboxes } = (await (await fetch(own.laptop.watch, { method: 'POST' })).json()) as {
    mailboxes: { code?: string; checks: string }[];
  };
  assert.deepEqual([mailboxes[0]?.code, /bounces wrong/.test(mailboxes[0]?.checks ?? '')], ['bounces_unreadable', true]);
});

test('a topic that Gmail may not publish on: the watch says so, and the email goes out', async () => {
  await using own = await startBouncing({}, {}, { inboxTopic: 'projects/laptop/topics/none' });
  assert.equal((await own.send()).status, 200);
  const { mailboxes } = (await (await fetch(own.laptop.watch, { method: 'POST' })).json()) as { mailboxes: { code?: string }[] };
  assert.equal(mailboxes[0]?.code, 'bounces_unwatched');
});

test('a call that carries no token for the worker is refused', async () => {
  await using own = await startBouncing();
  assert.equal((await post(`${own.worker}/inbox`, {})).status, 400);
  assert.equal((await post(`${own.worker}/inbox/sweep`, {})).status, 400);
});

test('a report that is quicker than the answer of the upload waits for the invocation that sends the email', async () => {
  await using own = await startBouncing();
  const { id } = await own.send();
  const { ledger } = own.laptop.edge.startInvocation();
  const change = async (part: object): Promise<void> => {
    const found = await ledger.read(id);
    assert.ok(found && (await ledger.replace(found, { ...found.entry, ...part })));
  };
  await change({ state: 'sending', leaseUntil: own.clock.now + 60_000 });
  await own.bounce();
  assert.deepEqual([(await ledger.read(id))?.entry.bounces, own.laptop.google.pubsub.waiting()], [undefined, 1]);
  await change({ state: 'sent', leaseUntil: 0 });
  own.clock.now += 30_000;
  await own.run();
  assert.equal((await own.record(id))['last_event'], 'bounced');
});

test('a message that Gmail will not answer about is counted and told, and the bounce behind it is recorded', async () => {
  await using own = await startBouncing();
  const { id } = await own.send();
  await own.run();
  const { received, mails, faults, pubsub } = own.laptop.google;
  received.bounce(mails.ids()[0] ?? '', { messageId: 'CA+replaced@mail.gmail.com' }); // asks for its thread
  received.bounce(mails.ids()[0] ?? '');
  faults.script({ on: 'inbox', delayMs: 1 }, { on: 'inbox', status: 400 }); // the history, then the thread
  assert.equal((await sweep(own)).status, 204);
  await own.run();
  const line = own.lines.find((one) => one['unreadable'] === 1) ?? {};
  assert.deepEqual(
    [line['severity'], line['code'], line['detail'], line['bounced'], pubsub.waiting()],
    ['WARNING', 'unexpected', 'Gmail answered 400', 1, 0],
  );
  assert.equal((await own.record(id))['last_event'], 'bounced');
});
