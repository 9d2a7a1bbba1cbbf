/** docs/first-deployment.md: every hazard names its source, and something that exists and catches it. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { YOUNG_SENTENCES } from '../../functions/cli/deploy/young-project.ts';
import { CHANGE_POLICIES } from '../support/programs/change-policies.ts';
import { POLICIES } from '../support/programs/policies.ts';

const page = readFileSync('docs/first-deployment.md', 'utf8');
const rows = [...page.matchAll(/^\| (H\d\d) \| (.+) \| (.+) \| (.+) \|$/gm)].map(([, id = '', happens = '', source = '', caught = '']) => ({
  id,
  happens,
  source,
  caught,
}));

test('the hazards are numbered, and each says what happens and where that is from', () => {
  assert.deepEqual(
    rows.map(({ id }) => id),
    rows.map((_, index) => `H${String(index + 1).padStart(2, '0')}`),
  );
  assert.ok(rows.length >= 30);
  for (const { id, happens, source } of rows) assert.ok(happens.length > 20 && source.length > 5, id);
});

for (const { id, caught } of rows)
  test(`${id} is caught by something that exists, or says that it is not tested`, () => {
    const rules =
      [...caught.matchAll(/(?:[Rr]ules?|change rule) "|", "|"; (?=change)/g)].length > 0
        ? [...caught.matchAll(/"([^"]{20,})"/g)].map(([, rule = '']) => rule)
        : [];
    const known = [...Object.keys(POLICIES), ...Object.keys(CHANGE_POLICIES)];
    const files = [...caught.matchAll(/`((?:test|infra)\/[\w./-]+)`/g)].map(([, file = '']) => file);
    assert.deepEqual([...rules.filter((rule) => !known.includes(rule)), ...files.filter((file) => !existsSync(file))], []);
    assert.ok(rules.length + files.length > 0 || /not tested|told in|the same rule|says what/.test(caught), 'nothing catches it');
  });

test('the page stands behind each sentence that a deployment waits for', () =>
  assert.ok(YOUNG_SENTENCES.length > 5 && rows.length > YOUNG_SENTENCES.length));
