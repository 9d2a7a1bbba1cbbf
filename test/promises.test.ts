/** docs/promises.md, and the table of docs/authorize.md: each sentence is on its page, and each test that is named exists. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

/** The rows of the table with this head. Throws for a table that is not there, and for a row with more or fewer cells than the head. */
function tableIn(text: string, head: string): string[][] {
  const lines = text.split('\n');
  const at = lines.indexOf(head);
  assert.ok(at >= 0, `no table: ${head}`);
  const end = lines.findIndex((line, index) => index > at && !line.startsWith('|'));
  const cells = (line: string): string[] => line.replace(/^\| | \|$/g, '').split(' | ');
  return lines.slice(at + 2, end < 0 ? undefined : end).map((line) => {
    assert.equal(cells(line).length, cells(head).length, `not as many cells as the head: ${line}`);
    return cells(line);
  });
}
const plain = (text: string): string => text.replaceAll('**', '').replaceAll(/\s+/g, ' ');

/** The name of a test as it is written, in each kind of quotes; `${…}` may hold a template of its own. */
const NAME = /\btest\(\s*(?:'((?:\\.|[^'\\])*)'|"((?:\\.|[^"\\])*)"|`((?:\\.|\$\{(?:[^`{}]|`[^`]*`)*\}|[^`\\])*)`)/gs;

function assertTest(file: string, name: string): void {
  const path = file.replaceAll('`', '');
  assert.ok(existsSync(path), path);
  const names = [...readFileSync(path, 'utf8').matchAll(NAME)].map((found) => found.slice(1).join(''));
  assert.ok(name !== '' && names.some((text) => text.includes(name)), `${path} has no test whose name has: ${name}`);
}

const promises = tableIn(readFileSync('docs/promises.md', 'utf8'), '| page | sentence | test | name |');
const onAuthorize = tableIn(readFileSync('docs/authorize.md', 'utf8'), '| promise | test | name |');

/** How many promises of each page have a test: a row that is taken away is seen here. */
const COUNTS: Readonly<Record<string, number>> = {
  'README.md': 5,
  'docs/authorize.md': 3,
  'docs/delivery.md': 3,
  'docs/operations.md': 9,
  'docs/routes.md': 4,
};

test('each page has its promises in the tables', () => {
  const counts = Object.groupBy(promises, ([page = '']) => page);
  assert.deepEqual(Object.fromEntries(Object.entries(counts).map(([page, rows]) => [page, rows?.length])), COUNTS);
  assert.equal(onAuthorize.length, 10);
});

for (const [page = '', sentence = '', file = '', name = ''] of promises)
  test(`${page}: ${sentence}`, () => {
    assert.ok(plain(readFileSync(page, 'utf8')).includes(plain(sentence)), 'the sentence is not on the page');
    assertTest(file, name);
  });

for (const [promise = '', file = '', name = ''] of onAuthorize) test(`docs/authorize.md: ${promise}`, () => assertTest(file, name));

const HEAD = '| promise | test | name |';
const PLANTED: Readonly<Record<string, readonly [string, RegExp]>> = {
  'a cell too few': ['| a | `test/promises.test.ts` |', /not as many cells/],
  'a cell too many': ['| a | `test/promises.test.ts` | each page | b |', /not as many cells/],
  'a name that no test has': ['| a | `test/promises.test.ts` | a name of nothing |', /no test whose name has/],
  'no name': ['| a | `test/promises.test.ts` |  |', /no test whose name has/],
  'a file that is not there': ['| a | `test/nothing.test.ts` | each page |', /test\/nothing/],
};
for (const [what, [row, says]] of Object.entries(PLANTED))
  test(`planted: ${what}`, () =>
    assert.throws(() => {
      for (const [, file = '', name = ''] of tableIn(`${HEAD}\n|---|---|---|\n${row}\n`, HEAD)) assertTest(file, name);
    }, says));
