/** docs/delivery.md against the code that it tells of. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { TRANSITIONS } from '../../../functions/mail/delivery/ledger.ts';
import { FAILURE_CODES } from '../../../functions/mail/model/failure.ts';
import { DELIVERIES_MAX } from '../../../functions/mail/queue/settle-message.ts';
import { ENVIRONMENT } from '../../../functions/runtime/settings.ts';
import { recordOf } from '../../../functions/trigger/http/email-record.ts';

const page = readFileSync('docs/delivery.md', 'utf8');

test('the table of states is the table of the code', () => {
  const [, table = ''] = /<!-- states:.*?-->\n([\s\S]*?)<!-- end -->/.exec(page) ?? [];
  const rows = Object.entries(TRANSITIONS).flatMap(([from, steps]) =>
    Object.keys(steps).length === 0
      ? [`| ${from} | – | it stays so |`]
      : Object.entries(steps).map(([to, why]) => `| ${from} | ${to} | ${why} |`),
  );
  assert.deepEqual(table.trim().split('\n').slice(2), rows);
});

test('every state is told as what a caller reads of it', () => {
  const told =
    /`queued`, `claimed`, `sending` are `last_event: queued`/.test(page) &&
    /`waiting`, `parked`, `unknown` are `delivery_delayed`/.test(page);
  assert.ok(told);
  const read = (state: string): unknown =>
    recordOf({ state, id: 'i', acceptedAt: 0, attempts: 0, code: null, notBefore: null, gmailId: null } as Parameters<typeof recordOf>[0])[
      'last_event'
    ];
  const delayed = ['waiting', 'parked', 'unknown'];
  for (const state of Object.keys(TRANSITIONS))
    assert.equal(
      read(state),
      ['queued', 'claimed', 'sending'].includes(state) ? 'queued' : delayed.includes(state) ? 'delivery_delayed' : state,
    );
});

test('every code and every variable that the page names exists, and its number of deliveries is the one of the code', () => {
  const words = [...page.matchAll(/`([a-z]+_[a-z_]+)`/g)]
    .map(([, word]) => word as string)
    .filter((word) => !['last_event', 'scheduled_at', 'delivery_delayed'].includes(word));
  for (const word of words) assert.ok((FAILURE_CODES as string[]).includes(word), word);
  for (const [name] of page.matchAll(/MAILGRANT_\w+/g)) assert.ok(name in ENVIRONMENT, name);
  assert.ok(DELIVERIES_MAX === 8 && page.includes("subscription's eighth delivery"));
});
