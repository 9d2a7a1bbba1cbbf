import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prepareTime, timeOf } from '../../../functions/mail/message/scheduled-at.ts';

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

const inWords: [string, number][] = [
  ['Friday at 3pm ET', at(2026, 10, 27, 20)],
  ['Friday at 3pm EST', at(2026, 10, 27, 20)],
  ['8 July 2027 at 3pm ET', at(2027, 6, 8, 19)], // summer time
  ['9am tomorrow PST', at(2026, 10, 25, 17)],
  ['tomorrow 9am CET', at(2026, 10, 25, 8)],
  ['friday 15:00 +02:00', at(2026, 10, 27, 13)],
  ['in 1 hour and 30 minutes', at(2026, 10, 24, 10)],
  ['in half an hour', at(2026, 10, 24, 9)],
  ['5 minutes from now', at(2026, 10, 24, 8, 35)],
  ['December 24 at 8am', at(2026, 11, 24, 8)],
  ['24 Dec 2026 08:00', at(2026, 11, 24, 8)],
  ['29 February 2028 at 10:00', at(2028, 1, 29, 10)],
  ['Thu, 24 Dec 2026 08:00:00 GMT', at(2026, 11, 24, 8)],
  ['tomorrow at noon', at(2026, 10, 25, 12)],
];
for (const zone of ['UTC', 'America/New_York', 'Asia/Tokyo'])
  for (const [text, time] of inWords)
    test(`${JSON.stringify(text)} is ${new Date(time).toISOString()} on a machine in ${zone}`, async () => {
      await prepareTime({ scheduled_at: text });
      const before = process.env['TZ'];
      process.env['TZ'] = zone;
      const seen = timeOf(text, NOW);
      if (before === undefined) delete process.env['TZ'];
      else process.env['TZ'] = before;
      assert.equal(seen, time);
    });

const refused = [
  '2026-12-24',
  '2026-12-24T08:00:00', // no offset: whose morning?
  '2026-13-24T08:00:00Z',
  '1766563200',
  'Friday at 3pm IST', // India, Israel or Ireland
  '2026-02-30T10:00:00Z',
  '2026-11-31T10:00:00Z',
  '2027-02-29T10:00:00+01:00',
  '30 February 2027 at 9am',
  'Feb 29 2027 at 9am',
  '31 November at 10:00 UTC',
  '04/05/2027 8am', // April or May
  'tomorrow', // at what time?
  'next week',
  'tomorrow morning',
  'from 9am to 10am tomorrow',
  'tomorrow at 9am or so',
  `tomorrow at 9am${' '.repeat(50)}${'x'.repeat(5_000)}`,
  'tomorrow at 25:00',
  'tomorrow at 13pm',
  'tomorrow at 0am',
  'in 5',
  'in -5 minutes',
  'soon',
  '',
];
for (const text of refused)
  test(`${JSON.stringify(text).slice(0, 60)} is no time`, async () => {
    await prepareTime({ scheduled_at: text });
    assert.equal(timeOf(text, NOW), null);
  });
