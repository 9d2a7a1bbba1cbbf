import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { PAGES, renderPage } from '../../../functions/cli/explain/docs-command.ts';

for (const file of PAGES)
  test(`the tables of ${file} are those of the lists in the code (else: npm run docs)`, () => {
    const page = readFileSync(file, 'utf8');
    assert.match(page, /<!-- (?:table|answer)/);
    assert.equal(renderPage(page), page);
  });

test('a table that was changed by hand is made anew', () => {
  const begin = '<!-- table: group sign-in -->\n';
  const end = '<!-- end of table -->';
  const made = renderPage(`${begin}| old |\n${end}`);
  assert.ok(!made.includes('| old |') && made.includes('`app-password-required`'));
  assert.equal(renderPage(made), made);
});
