import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timeOf } from '../../../functions/mail/message/scheduled-at.ts';

const NOW = Date.UTC(2026, 10, 24, 8, 30); // a Tuesday
const at = (...parts: [number, number, number, number, number?, number?]): number => Date.UTC(...parts);

const read: [string, number][] = [
  ['2026-12-24T08:00:00Z', at(2026, 11, 24, 8)],
  ['2026-12-24T08:00:00.123Z', at(2026, 11, 24, 8) + 123],
  ['2026-12-24T09:00+01:00', at(2026, 11, 24, 8)],
  ['2026-12-24t09:00:00-0500', at(2026, 11, 24, 14)],
  ['in 1 min', NOW + 60_000],
  ['in 10 minutes', NOW + 600_000],
  ['in an hour', NOW + 3_600_000],
  ['in a day', NOW + 86_400_000],
  ['in 2 weeks', NOW + 14 * 86_400_000],
  ['In  30  Seconds ', NOW + 30_000],
  ['tomorrow at 9am', at(2026, 10, 25, 9)],
  ['today at 17:45', at(2026, 10, 24, 17, 45)],
  ['tomorrow at 12:30am UTC', at(2026, 10, 25, 0, 30)],
  ['tomorrow at 12pm', at(2026, 10, 25, 12)],
  ['Friday at 3pm', at(2026, 10, 27, 15)],
  ['tuesday at 9am', at(2026, 10, 24, 9)],
  ['tuesday at 8am', at(2026, 11, 1, 8)],
  ['next monday at 10:00 GMT', at(2026, 10, 30, 10)],
];
for (const [text, time] of read)
  test(`${JSON.stringify(text)} is ${new Date(time).toISOString()}`, () => assert.equal(timeOf(text, NOW), time));

const refused = [
  '2026-12-24',
  '2026-12-24T08:00:00', // no offset: whose morning?
  '2026-13-24T08:00:00Z',
  '1766563200',
  'Friday at 3pm ET', // a zone by name
  'tomorrow at 25:00',
  'tomorrow at 13pm',
  'tomorrow at 0am',
  'in 5',
  'in -5 minutes',
  'soon',
  '',
];
for (const text of refused) test(`${JSON.stringify(text)} is no time`, () => assert.equal(timeOf(text, NOW), null));
