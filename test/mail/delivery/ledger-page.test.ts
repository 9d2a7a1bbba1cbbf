/** docs/delivery.md against the code that it tells of. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { STATES } from '../../../functions/mail/delivery/ledger.ts';
import { TABLE, WHEN } from '../../../functions/mail/delivery/transitions.ts';
import { FAILURE_CODES } from '../../../functions/mail/model/failure.ts';
import { DELIVERIES_MAX } from '../../../functions/mail/queue/retry-policy.ts';
import { ENVIRONMENT } from '../../../functions/runtime/settings.ts';
import { recordOf } from '../../../functions/trigger/http/email-record.ts';

const page = readFileSync('docs/delivery.md', 'utf8');
const EVENTS = /(<!-- events:.*?-->\n)([\s\S]*?)(<!-- end -->)/;

/** The events as the page has them: written there with MAILGRANT_WRITE=1. */
function eventsTable(): string {
  const rows = (Object.keys(TABLE) as (keyof typeof TABLE)[]).map((event) => {
    const leads = Object.groupBy(Object.entries(TABLE[event]), ([, to]) => to);
    const steps = Object.entries(leads).map(([to, from = []]) => `${from.map(([state]) => state).join(', ')} → ${to}`);
    const others = event === 'resubmit' ? [' (or queued, scheduled)'] : [];
    return `| ${event} | ${steps.join('; ')}${others.join('')} | ${WHEN[event]} |`;
  });
  return `${['| event | from → to | when |', '|---|---|---|', ...rows].join('\n')}\n`;
}

test('the table of events is the table of the code', () => {
  if (process.env['MAILGRANT_WRITE'])
    writeFileSync(
      'docs/delivery.md',
      page.replace(EVENTS, (_, head, __, end) => head + eventsTable() + end),
    );
  assert.equal(EVENTS.exec(readFileSync('docs/delivery.md', 'utf8'))?.[2], eventsTable());
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
  for (const state of STATES)
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
