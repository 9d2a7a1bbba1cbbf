/** What `config` and `deploy` say of emails that wait equals what a worker with that config does with them. */
import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { CONFIG_CHECK } from '../../../functions/cli/build/config-command.ts';
import { operatorFor } from '../../../functions/cli/common/operator.ts';
import { createLedgerQuery } from '../../../functions/cli/ledger/ledger-query.ts';
import { refusedByConfig, refusedText, warnOfRefused } from '../../../functions/cli/ledger/refused-by-config.ts';
import { connect } from '../../../functions/google/connect.ts';
import type { CallerKey, Config } from '../../../functions/mail/model/config.ts';
import { DELIVERIES_MAX } from '../../../functions/mail/queue/retry-policy.ts';
import type { Handler } from '../../../functions/runtime/serve.ts';
import { pubsubWorker } from '../../../functions/trigger/pubsub/push-handler.ts';
import {
  ALIAS,
  authorised,
  CONFIG,
  DEAD_TOPIC,
  KEY,
  MAIL,
  MAILBOX,
  PROJECT,
  post,
  QUEUE,
  SECRET,
  serveOn,
  settingsFor,
  startLaptop,
  TOPIC,
} from '../../support/stack/laptop.ts';

const [box] = CONFIG.mailboxes;
const [shop] = CONFIG.keys;
assert.ok(box && shop);
const withKey = (change: Partial<CallerKey>): Partial<Config> => ({ keys: [{ ...shop, ...change }] });
const OTHER = { ...box, address: 'sales@example.com', aliases: [] };

const changes: readonly {
  readonly name: string;
  readonly change: Partial<Config>;
  readonly reason: string | null;
  /** What the worker records; the same as the reason unless that is `unclear`. */
  readonly code?: string | null;
}[] = [
  { name: 'nothing is changed', change: {}, reason: null },
  { name: 'the key is removed', change: { keys: [] }, reason: 'key_invalid' },
  { name: 'the key is renamed', change: withKey({ id: 'shop-2' }), reason: 'key_invalid' },
  { name: 'the key is disabled', change: withKey({ disabled: true }), reason: 'key_invalid' },
  { name: 'the key has ended', change: withKey({ expires: Date.parse('2026-01-01') }), reason: 'key_invalid' },
  { name: 'the mailbox is gone', change: { mailboxes: [OTHER], ...withKey({ from: null }) }, reason: 'sender_not_allowed' },
  {
    name: 'the key may send from another mailbox only',
    change: { mailboxes: [box, OTHER], ...withKey({ from: [OTHER.address] }) },
    reason: 'sender_not_allowed',
  },
  { name: 'the key may write to one other address', change: withKey({ to: ['me@example.net'] }), reason: 'recipient_not_allowed' },
  { name: 'the key may write to this address', change: withKey({ to: ['you@example.net'] }), reason: null },
  {
    name: 'the key may write to another domain',
    change: withKey({ to: ['*@example.org'] }),
    reason: 'unclear',
    code: 'recipient_not_allowed',
  },
  { name: 'the key may write to this domain', change: withKey({ to: ['*@example.net'] }), reason: 'unclear', code: null },
  { name: 'an alias is gone that the emails are not from', change: { mailboxes: [{ ...box, aliases: [] }] }, reason: null },
];

/** Two emails of the API that wait, one for its message and one for its time, and a worker that can be given another config. */
async function waiting(addresses: Config['ledger']['addresses']) {
  const config: Config = { ...CONFIG, ledger: { addresses }, delivery: 'queued' };
  const laptop = await startLaptop({ config, settings: QUEUE });
  let worker: Handler = async () => {};
  const door = await serveOn((req, res) => worker(req, res));
  for (const name of [TOPIC, DEAD_TOPIC]) laptop.google.pubsub.createTopic(name);
  laptop.google.pubsub.subscribe({
    name: `projects/${PROJECT}/subscriptions/mails`,
    topic: TOPIC,
    endpoint: door.url,
    deadLetter: { topic: DEAD_TOPIC, maxDeliveryAttempts: DELIVERIES_MAX },
  });
  const ids: string[] = [];
  for (const more of [{}, { scheduled_at: new Date(Date.now() + 86_400_000).toISOString() }]) {
    const reply = await post(`${laptop.api}/emails`, { ...MAIL, ...more }, authorised);
    assert.equal(reply.status, 200);
    ids.push(String(reply.body?.['id']));
  }
  return {
    ...laptop,
    config,
    ids,
    deploy(next: Config) {
      const edge = connect(settingsFor(laptop.google.url, { ...QUEUE, config: next }), () => {});
      worker = pubsubWorker(edge, () => {});
    },
    async [Symbol.asyncDispose]() {
      door.close();
      await laptop[Symbol.asyncDispose]();
    },
  };
}

for (const addresses of ['hashed', 'plain'] as const)
  for (const { name, change, reason: expected, code } of changes)
    test(`${name} (addresses ${addresses}): what is said of emails that wait is what the worker does`, async () => {
      await using own = await waiting(addresses);
      const next = { ...own.config, ...change };
      const operator = operatorOf(own.google.url);
      const found = await refusedByConfig(next, createLedgerQuery(operator), connect(own.settings, () => {}).pseudonym, Date.now());
      const actual = code === undefined ? expected : code;
      const reason = addresses === 'plain' && expected === 'unclear' ? actual : expected;
      assert.deepEqual(found, reason === null ? [] : [{ reason, caller: 'shop', count: 2 }]);
      assert.equal(refusedText(found).length, reason === null ? 0 : 2);
      own.deploy(next);
      await own.google.pubsub.flush();
      const entry = own.google.ledgerEntry(own.ids[0] ?? '');
      assert.deepEqual([entry?.['state'], entry?.['code'] ?? null], actual === null ? ['sent', null] : ['failed', actual]);
    });

/** A config file, and an operator who uses it. */
const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
const file = join(folder, 'mailgrant.yaml');
writeFileSync(file, `mailboxes:\n  ${MAILBOX}: { secret: ${SECRET}, aliases: [${ALIAS}] }\n`);
const operatorOf = (url: string) => operatorFor(file, PROJECT, { MAILGRANT_GOOGLE_URL: url });

test('`config --project` says it, and does not ask a ledger that was not named', async (t) => {
  await using own = await waiting('hashed');
  const run = (options: Record<string, string>) => CONFIG_CHECK.run({ config: file, ...options });
  const before = { ...process.env };
  t.after(() => {
    process.env = before;
  });
  process.env['MAILGRANT_GOOGLE_URL'] = own.google.url;
  const named = await run({ project: PROJECT });
  assert.deepEqual((named.data as { refused?: unknown }).refused, [{ reason: 'key_invalid', caller: 'shop', count: 2 }]);
  assert.match(named.text, /2 emails that wait of shop would be refused, key_invalid/);
  const reads = own.google.calls.ledger;
  process.env['GOOGLE_CLOUD_PROJECT'] = PROJECT;
  assert.equal(Object.hasOwn((await run({})).data, 'refused'), false);
  assert.equal(own.google.calls.ledger, reads);
  assert.doesNotMatch(named.text, new RegExp(`canary|${KEY}`));
});

test('a ledger that does not answer is said; one that is not there has nothing that waits', async () => {
  await using own = await waiting('hashed');
  const operator = operatorOf(own.google.url);
  own.google.faults.script({ on: 'ledger', status: 403 });
  assert.match((await warnOfRefused(operator, CONFIG)).warnings.join(), /is not known: Firestore answered 403/);
  own.google.faults.script({ on: 'ledger', status: 404 });
  assert.deepEqual((await warnOfRefused(operator, CONFIG)).warnings, []);
});
