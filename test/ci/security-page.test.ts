/** SECURITY.md: every row of its tables names tests that exist, or says that it is not tested; what it promises of the repository is there. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const page = readFileSync('SECURITY.md', 'utf8');
const section = (title: string): string => page.slice(page.indexOf(title), page.indexOf('\n## ', page.indexOf(title) + 3) >>> 0);
const rows = [section('## Threat model'), section('## Checklists')].flatMap((text) =>
  [...text.matchAll(/^\| (?!asset|check|chapter|-)(.+) \|$/gm)].map(([, row = '']) => row.split(' | ')),
);

test('the tables are there', () => assert.ok(rows.length > 40));

for (const cells of rows)
  test(`${cells.slice(0, 3).join(', ').slice(0, 70)}: a test that exists, or the words`, () => {
    const last = cells.at(-1) ?? '';
    const files = [...last.matchAll(/`((?:test|\.ci)\/[\w./-]+)`/g)].map(([, file = '']) => file);
    assert.deepEqual(
      files.filter((file) => !existsSync(file)),
      [],
    );
    assert.ok(files.length > 0 || last.includes('not tested'), last);
  });

test('files that the page names are there', () => {
  const files = [...page.matchAll(/`((?:test|docs|infra|\.github|\.ci)\/[\w./-]+\.\w+|LICENSE)`/g)].map(([, file = '']) => file);
  assert.deepEqual(
    files.filter((file) => !existsSync(file)),
    [],
  );
});

test('the page says how to report, what is supported, and how long an answer takes', () => {
  for (const said of [/Report a vulnerability/, /Supported versions/, /within three working days/, /90 days/]) assert.match(page, said);
});

test('what Scorecard looks for is where it looks', () => {
  assert.match(readFileSync('LICENSE', 'utf8'), /Apache License\s+Version 2\.0/);
  const renovate = readFileSync('.github/renovate.json5', 'utf8');
  for (const setting of ['minimumReleaseAge', 'groupName', 'docker:pinDigests', 'pinGitHubActionDigests'])
    assert.ok(renovate.includes(setting), setting);
  for (const file of ['CODE_OF_CONDUCT.md', '.github/pull_request_template.md', '.github/CODEOWNERS']) assert.ok(existsSync(file), file);
});
