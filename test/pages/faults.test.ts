import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { NAMED_FAULTS } from '../../functions/fake-google/faults/named-faults.ts';
import type { Running } from '../../functions/fake-google/http/server.ts';
import type { Config } from '../../functions/mail/model/config.ts';
import { authorised, CONFIG, type Laptop, MAIL, PROJECT, post, startLaptop } from '../support/stack/laptop.ts';
import { formTo, startPagesOf } from '../support/stack/pages-of.ts';

const SMTP = {
  ...(CONFIG.mailboxes[0] as Config['mailboxes'][0]),
  address: 'smtp@example.com',
  via: 'smtp',
  secret: 'smtp',
  aliases: [],
} as const;
const config: Config = { ...CONFIG, mailboxes: [...CONFIG.mailboxes, SMTP], keys: CONFIG.keys.map((key) => ({ ...key, from: null })) };

let laptop: Laptop;
let pages: Running;
before(async () => {
  laptop = await startLaptop({ config, google: { smtp: {} } });
  laptop.google.storeSecret(PROJECT, SMTP.secret, JSON.stringify(laptop.google.oauth.enrol(SMTP.address, ['https://mail.google.com/'])));
  pages = await startPagesOf(laptop, config);
});
after(async () => {
  await pages[Symbol.asyncDispose]();
  await laptop[Symbol.asyncDispose]();
});
beforeEach(() => laptop.google.faults.clear());

/** What an email comes to under each switch: its state, its code, and how many letters arrive. */
const ENDS: Readonly<Record<string, readonly [once: readonly unknown[], always: readonly unknown[]]>> = {
  'lose-reply': [
    ['sent', null, 1],
    ['sent', null, 1],
  ],
  'half-way': [
    ['sent', null, 1],
    ['unknown', 'delivery_unknown', 0],
  ],
  'never-known': [
    ['unknown', 'session_gone', 0],
    ['unknown', 'session_gone', 0],
  ],
  'dead-grant': [
    ['failed', 'grant_revoked', 0],
    ['failed', 'grant_revoked', 0],
  ],
  'daily-limit': [
    ['parked', 'quota_daily', 0],
    ['parked', 'quota_daily', 0],
  ],
  'too-fast': [
    ['waiting', 'rate_limited', 0],
    ['waiting', 'rate_limited', 0],
  ],
  'gmail-down': [
    ['waiting', 'google_unavailable', 0],
    ['waiting', 'google_unavailable', 0],
  ],
  slow: [
    ['sent', null, 1],
    ['sent', null, 1],
  ],
  'wrong-scope': [
    ['failed', 'scope_missing', 0],
    ['failed', 'scope_missing', 0],
  ],
  'ledger-down': [
    ['sent', null, 1],
    [null, 'ledger_unavailable', 0],
  ],
  'smtp-lose-reply': [
    ['sent', null, 1],
    ['sent', null, 1],
  ],
  'smtp-password': [
    ['sent', null, 1],
    ['failed', 'token_refused', 0],
  ],
  'smtp-daily-limit': [
    ['parked', 'quota_daily', 0],
    ['parked', 'quota_daily', 0],
  ],
  'smtp-later': [
    ['waiting', 'rate_limited', 0],
    ['waiting', 'rate_limited', 0],
  ],
  'smtp-recipient': [
    ['failed', 'mail_refused', 0],
    ['failed', 'mail_refused', 0],
  ],
  // What comes back later changes nothing of how it was sent: test/trigger/inbox/.
  ...Object.fromEntries(
    NAMED_FAULTS.filter(({ via }) => via === 'back').map(({ name }) => [
      name,
      [
        ['sent', null, 1],
        ['sent', null, 1],
      ],
    ]),
  ),
};

for (const { name, via } of NAMED_FAULTS)
  for (const [index, choice] of (['once', 'always'] as const).entries())
    test(`the switch ${name}, ${choice}, does what its words say`, async () => {
      await formTo(pages, '/faults', { name, choice });
      const { google } = laptop;
      if (name === 'slow') for (const fault of google.faults.pending()) Object.assign(fault, { delayMs: 1 });
      const before = google.mails.count();
      const { body } = await post(`${laptop.api}/emails`, { ...MAIL, from: via === 'smtp' ? SMTP.address : MAIL.from }, authorised);
      const entry = google.ledgerEntry(String(body?.['id']));
      assert.deepEqual(
        [entry?.['state'] ?? null, entry ? entry['code'] : body?.['code'], google.mails.count() - before],
        ENDS[name]?.[index],
      );
      assert.equal(google.faults.pending().length > 0, choice === 'always');
    });

test('a switch moves the way it is told, and nothing else is one', async () => {
  const shown = async () => {
    const text = await fetch(`${pages.url}/faults`).then((reply) => reply.text());
    return /id="daily-limit-(\w+)" value="\w+" checked/.exec(text)?.[1];
  };
  const seen: unknown[] = [await shown()];
  for (const choice of ['once', 'always', 'once', 'off', 'always']) {
    await formTo(pages, '/faults', { name: 'daily-limit', choice });
    seen.push([choice, await shown(), laptop.google.faults.pending().length]);
  }
  const refused = [
    await formTo(pages, '/faults', { name: 'no-such', choice: 'once' }),
    await formTo(pages, '/faults', { name: 'slow', choice: 'twice' }),
    await formTo(pages, '/faults', {}),
  ].map(({ status }) => status);
  await formTo(pages, '/faults', { name: 'all' });
  seen.push(laptop.google.faults.pending().length);
  assert.deepEqual(seen, [
    'off',
    ['once', 'once', 1],
    ['always', 'always', 1],
    ['once', 'once', 1],
    ['off', 'off', 0],
    ['always', 'always', 1],
    0,
  ]);
  assert.deepEqual(refused, [400, 400, 400]);
});

test('a fault that was scripted by command is shown as such, and switched off with all others', async () => {
  await post(`${laptop.google.url}/control/faults`, { on: 'open', answer: 'backend' });
  const text = await fetch(`${pages.url}/faults`).then((reply) => reply.text());
  assert.match(text, /Scripted by command[\s\S]*&#34;answer&#34;:&#34;backend&#34;/);
  await formTo(pages, '/faults', { name: 'all' });
  assert.equal(laptop.google.faults.pending().length, 0);
});
