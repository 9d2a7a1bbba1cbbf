/** The tables of docs/testing.md are those of the code; MAILGRANT_WRITE=1 writes them. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { DOORS, MEANINGS } from '../../functions/fake-google/faults/faults.ts';
import { NAMED_FAULTS, readFaultOrder } from '../../functions/fake-google/faults/named-faults.ts';

const PAGE = 'docs/testing.md';
const TABLES = {
  'named faults': [
    '| name | what happens | what mailgrant does |',
    '|---|---|---|',
    ...NAMED_FAULTS.map(
      ({ name, happens, outcome, via }) =>
        `| \`${name}\` | ${via === 'smtp' ? 'Over SMTP: ' : via === 'back' ? 'Afterwards: ' : ''}${happens} | ${outcome} |`,
    ),
  ],
  'where a fault can be': ['| `on` | the call |', '|---|---|', ...DOORS.map((door) => `| \`${door}\` | ${MEANINGS[door]} |`)],
};

for (const [name, rows] of Object.entries(TABLES))
  test(`the page's table “${name}” is the code's`, () => {
    const text = readFileSync(PAGE, 'utf8');
    const [before = '', rest = ''] = text.split(`<!-- ${name}: written by test/fake-google/named-faults.test.ts -->\n`);
    const after = rest.slice(rest.indexOf('<!-- end -->'));
    const wanted = `${before}<!-- ${name}: written by test/fake-google/named-faults.test.ts -->\n${rows.join('\n')}\n${after}`;
    if (process.env['MAILGRANT_WRITE']) writeFileSync(PAGE, wanted);
    assert.equal(readFileSync(PAGE, 'utf8'), wanted);
  });

const ORDERS: readonly (readonly [order: unknown, scripted: number | RegExp])[] = [
  [{ name: 'lose-reply' }, 1],
  [{ name: 'never-known' }, 2],
  [{ name: 'lose-reply', standing: true }, 1],
  [{ name: 'lose-reply', times: 3 }, 1],
  [{ on: 'transfer', reset: 'after' }, 1],
  [{ on: 'transfer', reset: 'after', name: 'mine' }, 1],
  [{ name: 'nothing' }, /^name: expected one of lose-reply/],
  [{ name: 'lose-reply', delayMs: 1 }, /^delayMs: /],
  [{ name: 'lose-reply', times: 'x' }, /^times: /],
  [{}, /^on: expected one of/],
  [null, /^expected a JSON object/],
];
for (const [order, scripted] of ORDERS)
  test(`${JSON.stringify(order)} ${typeof scripted === 'number' ? 'is taken' : 'is refused with what is expected'}`, () => {
    const read = readFaultOrder(order);
    if (typeof scripted === 'number') assert.equal(read.length, scripted);
    else assert.match(String(read), scripted);
    assert.equal(typeof read === 'string', typeof scripted !== 'number');
  });
