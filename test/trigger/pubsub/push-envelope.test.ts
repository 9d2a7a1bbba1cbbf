import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { STATES } from '../../../functions/mail/delivery/ledger.ts';
import { recordOf } from '../../../functions/trigger/http/email-record.ts';
import { authorised, CONFIG, KEY, MAIL, MAILBOX, post, startLaptop } from '../../support/stack/laptop.ts';

const OTHER = KEY.replace('mg_shop', 'mg_other');
const config = {
  ...CONFIG,
  keys: [...CONFIG.keys, { id: 'other', sha256: createHash('sha256').update(OTHER).digest('hex'), from: [MAILBOX], to: null }],
};
const read = async (url: string, key = KEY) => {
  const reply = await fetch(url, { headers: { authorization: `Bearer ${key}` } });
  return { status: reply.status, body: (await reply.json()) as Record<string, unknown> };
};

test('a key reads what became of its email, never what was in it', async () => {
  await using laptop = await startLaptop({ config });
  const sent = await post(`${laptop.api}/emails`, { ...MAIL, cc: 'copy@example.net' }, authorised);
  const { status, body } = await read(`${laptop.api}/emails/${sent.body?.['id']}`);
  const { created_at, gmail_id, ...rest } = body;
  assert.deepEqual([status, gmail_id], [200, laptop.google.mails.list()[0]?.id]);
  assert.match(String(created_at), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}\+00$/);
  assert.deepEqual(rest, {
    object: 'email',
    id: sent.body?.['id'],
    last_event: 'sent',
    from: '',
    to: [],
    cc: null,
    bcc: null,
    reply_to: null,
    subject: '',
    tags: [],
    html: null,
    text: null,
    scheduled_at: null,
    outcome: 'sent',
    attempts: 1,
    rejected: 0,
    code: null,
    fix: null,
    catalogue: null,
    cause: null,
    not_before: null,
    bounce: null,
  });
});

test('a failed email shows its code and what mends it', async () => {
  await using laptop = await startLaptop({ config });
  laptop.google.faults.script({ on: 'token', answer: 'invalid_grant', times: 2 });
  const failed = await post(`${laptop.api}/emails`, MAIL, authorised);
  const { body } = await read(`${laptop.api}/emails/${failed.body?.['id']}`);
  assert.deepEqual(
    [body['last_event'], body['outcome'], body['code'], String(body['fix']).length > 10, body['cause']],
    ['failed', 'failed', 'grant_revoked', true, 'refresh-token-expired-testing-7-days'],
  );
});

test("another key's mail, an unknown one and no id at all are answered alike", async () => {
  await using laptop = await startLaptop({ config });
  const sent = await post(`${laptop.api}/emails`, MAIL, authorised);
  const answers = await Promise.all([
    read(`${laptop.api}/emails/${sent.body?.['id']}`, OTHER),
    read(`${laptop.api}/emails/00000000-0000-4000-8000-000000000000`),
    read(`${laptop.api}/emails/..%2Fkeys`),
  ]);
  for (const answer of answers) assert.deepEqual(answer, answers[0]);
  assert.deepEqual([answers[0]?.status, answers[0]?.body['name']], [404, 'not_found']);
});

test('one idempotency key of two callers is two mails: neither learns of the other, nor holds it up', async () => {
  await using laptop = await startLaptop({ config });
  const key = { 'idempotency-key': 'order/7' };
  const other = { ...MAIL, subject: 'another' };
  const [mine, theirs, again] = [
    await post(`${laptop.api}/emails`, MAIL, { ...authorised, ...key }),
    await post(`${laptop.api}/emails`, other, { authorization: `Bearer ${OTHER}`, ...key }),
    await post(`${laptop.api}/emails`, MAIL, { ...authorised, ...key }),
  ];
  assert.deepEqual([mine.status, theirs.status, again.status, laptop.google.mails.count()], [200, 200, 200, 2]);
  assert.deepEqual([again.body?.['id'] === mine.body?.['id'], theirs.body?.['id'] === mine.body?.['id']], [true, false]);
});

test('every state has a word that strict clients know', () => {
  const known = 'bounced canceled clicked complained delivered delivery_delayed failed opened queued scheduled sent suppressed'.split(' ');
  for (const state of STATES) {
    const entry = { id: 'x', state, acceptedAt: 0, attempts: 1, gmailId: null, code: null, notBefore: null };
    const record = recordOf(entry as unknown as Parameters<typeof recordOf>[0]);
    assert.ok(known.includes(String(record['last_event'])), state);
    assert.equal('statusCode' in record, false); // Python and Ruby would take it for an error
  }
});
