import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { PAGE, renderPage } from '../../../functions/cli/explain/docs-command.ts';

test('the tables of the page are those of the catalogue (else: npm run docs)', () => {
  const page = readFileSync(PAGE, 'utf8');
  assert.equal(renderPage(page), page);
});

test('a table that was changed by hand is made anew', () => {
  const begin = '<!-- table: group sign-in -->\n';
  const end = '<!-- end of table -->';
  const made = renderPage(`${begin}| old |\n${end}`);
  assert.ok(!made.includes('| old |') && made.includes('`app-password-required`'));
  assert.equal(renderPage(made), made);
});
