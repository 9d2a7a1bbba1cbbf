/** docs/promises.md, and the table of docs/authorize.md: each sentence is on its page, and each test that is named exists. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const rowsOf = (page: string, cells: number): string[][] =>
  [...readFileSync(page, 'utf8').matchAll(/^\| (?!page|promise|code|-)(.+) \|$/gm)]
    .map(([, row = '']) => row.split(' | '))
    .filter((row) => row.length === cells);
const plain = (text: string): string => text.replaceAll('**', '').replaceAll(/\s+/g, ' ');

const promises = rowsOf('docs/promises.md', 4);
test('the table is there, and has sentences of each page', () => {
  const pages = new Set(promises.map(([page]) => page));
  for (const page of ['README.md', 'docs/authorize.md', 'docs/delivery.md', 'docs/operations.md', 'docs/routes.md'])
    assert.ok(pages.has(page), page);
});

for (const [page = '', sentence = '', file = '', name = ''] of promises)
  test(`${page}: ${sentence}`, () => {
    assert.ok(plain(readFileSync(page, 'utf8')).includes(plain(sentence)), 'the sentence is not on the page');
    const path = file.replaceAll('`', '');
    assert.ok(existsSync(path), path);
    const names = [...readFileSync(path, 'utf8').matchAll(/\btest\(\s*(['"`])((?:\\.|(?!\1).)*)\1/gs)].map(([, , text = '']) => text);
    assert.ok(
      names.some((text) => text.includes(name)),
      `${path} has no test whose name has: ${name}`,
    );
  });

for (const [promise = '', cell = ''] of rowsOf('docs/authorize.md', 2).filter(([, cell = '']) => cell.includes('.test.ts')))
  test(`docs/authorize.md: ${promise}: its tests exist, with the words that are named`, () => {
    const files = [...cell.matchAll(/`([\w/-]+\.test\.ts)`/g)].map(([, file = '']) =>
      file.includes('/') ? file : `test/cli/grants/${file}`,
    );
    assert.ok(files.length > 0);
    for (const file of files) assert.ok(existsSync(file), file);
  });
