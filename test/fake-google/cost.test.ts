/** What an email costs the fake Google does not grow with what it keeps. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampled } from '../support/deep.ts';
import { authorised, CONFIG, type Laptop, MAIL, post, startQueued } from '../support/stack/laptop.ts';
import { startPagesOf } from '../support/stack/pages-of.ts';

/** Reads no more than a few rows: a table of one row or one for each state, or the first rows of an index. */
const isBounded = (plan: string): boolean =>
  /^SCAN (last_mail|last|states|totals|tag_totals)\b/.test(plan) ||
  /^SCAN \w+( USING (COVERING )?INDEX .*)?: .* (WHERE 1|WHERE over = 0) ORDER BY \w+( DESC)? LIMIT \?/.test(plan);

// A page of the inbox shows a hundred: from then on it is full.
const [FIRST, LAST] = [102, 132];

async function emailOf(laptop: Laptop, subject: string): Promise<void> {
  await post(`${laptop.api}/emails`, { ...MAIL, subject }, authorised);
  await laptop.google.pubsub.flush();
  await laptop.google.tasks.flush();
}

const ways = [
  ['api', 'queued'],
  ['api', 'direct'],
  ['smtp', 'direct'],
] as const;
for (const [via, delivery] of sampled(ways, 1))
  test(`via ${via}, ${delivery}: no statement reads a whole table, and a later email uses as many as an earlier one`, async () => {
    const config = { ...CONFIG, mailboxes: CONFIG.mailboxes.map((mailbox) => ({ ...mailbox, via })) };
    await using laptop = await startQueued({ config, delivery, google: { smtp: {} } });
    await using pages = await startPagesOf(laptop, config); // they look at each call, to say which mail it was about
    const { google } = laptop;
    const counts = new Map<number, number>();
    for (let n = 1; n <= LAST; n++) {
      const counted = n === FIRST || n === LAST;
      google.usage();
      pages.inbox.usage();
      if (via === 'smtp' && counted) google.faults.script({ on: 'smtp-data', reset: 'after' }); // the mailbox is searched for the Message-ID
      await emailOf(laptop, `email ${n}`);
      await fetch(pages.url);
      await fetch(`${pages.url}/api/v1/messages`);
      const [fake, inbox] = [google.usage(), pages.inbox.usage()];
      counts.set(n, fake.statements + inbox.statements);
      if (counted)
        assert.deepEqual(
          [...fake.plans, ...inbox.plans].filter((plan) => /^SCAN|TEMP B-TREE/.test(plan) && !isBounded(plan)),
          [],
        );
    }
    assert.equal(google.mails.count(), LAST);
    // How often a reply is asked for again differs by a few; one statement for each email that is kept would be thirty.
    assert.ok((counts.get(LAST) ?? 0) <= (counts.get(FIRST) ?? 0) + 10);
  });
