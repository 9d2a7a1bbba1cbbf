/** The text of infra/, without Terraform: what is described, used, tested and told in README.md. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { INFRA } from '../support/programs/terraform.ts';

const files = readdirSync(INFRA)
  .filter((file) => file.endsWith('.tf'))
  .map((file) => ({ file, text: readFileSync(join(INFRA, file), 'utf8') }));
const all = files.map(({ text }) => text).join('\n');
const readme = readFileSync(join(INFRA, 'README.md'), 'utf8');
const tests = readdirSync(join(INFRA, 'tests'))
  .filter((file) => file.endsWith('.tftest.hcl'))
  .map((file) => readFileSync(join(INFRA, 'tests', file), 'utf8'))
  .join('\n');

/** The top-level blocks of a kind: name and text, as `terraform fmt` writes them. */
const blocks = (kind: string): { name: string; text: string }[] =>
  [...all.matchAll(new RegExp(`^${kind} "(\\w+)" \\{\\n([\\s\\S]*?)^\\}`, 'gm'))].map(([, name = '', text = '']) => ({ name, text }));
const attribute = (text: string, name: string): string => new RegExp(`^  ${name} += (.*)$`, 'm').exec(text)?.[1] ?? '';
const told = (text: string): string => attribute(text, 'description').replace(/^"|"$/g, '').replaceAll('|', '\\|');

const variables = blocks('variable');
const outputs = blocks('output');

test('there are variables and outputs, each described by a whole sentence and typed', () => {
  assert.ok(variables.length > 15 && outputs.length > 5);
  for (const { name, text } of [...variables, ...outputs]) assert.match(attribute(text, 'description'), /^"[A-Z].{15,}[.:]?"$/, name);
  for (const { name, text } of variables) assert.match(text, /^ {2}type += /m, name);
});

test('one major of the provider is tried and so allowed, from the release that has what is used here', () => {
  const [, from = '', below = ''] =
    /^ {6}version = ">= (\d+\.\d+)\.\d+, < (\d+)\.0\.0"/m.exec(readFileSync(join(INFRA, 'versions.tf'), 'utf8')) ?? [];
  assert.equal(Number(below), Math.floor(Number(from)) + 1);
  assert.ok(Number(from.split('.')[1]) >= 40, 'skip_wait came with 7.40');
});

test('every variable is used', () => {
  for (const { name, text } of variables) assert.ok(all.replace(text, '').includes(`var.${name}`), name);
});

test('every variable that can be wrong was seen refused', () => {
  for (const { name, text } of variables)
    for (const _ of text.matchAll(/^ {2}validation \{/gm)) assert.match(tests, new RegExp(`expect_failures = \\[var\\.${name}\\]`), name);
  const refused = (name: string): number => [...tests.matchAll(new RegExp(`expect_failures = \\[var\\.${name}\\]`, 'g'))].length;
  for (const { name, text } of variables)
    assert.ok(refused(name) >= [...text.matchAll(/^ {2}validation \{/gm)].length, `${name}: fewer refusals than validations`);
});

test('a function that is replaced gets its callers back', () => {
  const found = [...all.matchAll(/^resource "google_cloud_run_v2_service_iam_member" "(\w+)" \{\n([\s\S]*?)^\}/gm)];
  assert.ok(found.length > 3);
  for (const [, name = '', text = ''] of found) {
    const [, service] = /name += google_cloudfunctions2_function\.this\["(\w+)"\]\.name/.exec(text) ?? [];
    assert.ok(text.includes(`replace_triggered_by = [google_cloudfunctions2_function.this["${service}"].id]`), name);
  }
});

const inputRows = variables.map(({ name, text }) => {
  const usual = attribute(text, 'default');
  return `| \`${name}\` | ${usual === '' ? 'required' : `\`${usual}\``} | ${told(text)} |`;
});
const outputRows = outputs.map(({ name, text }) => `| \`${name}\` | ${told(text)} |`);
for (const [what, rows] of [['inputs', inputRows] as const, ['outputs', outputRows] as const])
  test(`README.md tells all ${what} as they are`, () => {
    const table = new RegExp(`<!-- ${what} -->\\n\\n((?:\\|.*\\n)+)`).exec(readme)?.[1] ?? '';
    assert.deepEqual(table.trim().split('\n').slice(2), rows);
  });

test('files are named after what they hold, and none is long', () => {
  for (const { file, text } of files) {
    assert.match(file, /^[a-z_]+\.tf$/);
    assert.ok(text.split('\n').length < (file === 'variables.tf' ? 320 : 250), file);
  }
});
