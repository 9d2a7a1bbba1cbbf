/** Every alert tells somebody who was woken up what to do: in its own text, and in a playbook. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { typed } from '../support/programs/command-line.ts';
import { INFRA } from '../support/programs/terraform.ts';

const page = readFileSync('docs/operations.md', 'utf8');
const infra = readFileSync(join(INFRA, 'monitoring.tf'), 'utf8');
/** The alerts of the two maps, and those that are resources of their own; the others are made by `for_each`. */
const mapped = [...infra.matchAll(/^ +title += "(.*)"\n[\s\S]*?^ +text += "(.*)"$/gm)].map(([, title = '', text = '']) => ({
  title,
  text,
}));
const single = [...infra.matchAll(/^ {2}display_name += "\$\{var\.name_prefix\}: ([^$"]+)"\n[\s\S]*?^ {4}content += "(.*)"$/gm)].map(
  ([, title = '', text = '']) => ({ title, text }),
);
const alerts = [...mapped, ...single];
const playbooks = new Map(
  [...page.slice(page.indexOf('\n## Alerts'), page.indexOf('\n## Tasks')).matchAll(/^### (.*)\n([\s\S]*?)(?=^###|(?![\s\S]))/gm)].map(
    ([, title = '', text = '']) => [title, text],
  ),
);

test('every alert policy is one of these, and sends its reader to the page', () => {
  const policies = [...infra.matchAll(/^resource "google_monitoring_alert_policy" "(\w+)" \{\n([\s\S]*?)^\}/gm)];
  const each = policies.filter(([, , text = '']) => /for_each +=/.test(text));
  assert.deepEqual([each.length, policies.length - each.length], [2, single.length]);
  assert.ok(mapped.length >= 11);
  for (const [, name, text = ''] of policies) assert.match(text, /content += .*docs\/operations\.md/, name);
});

test('README and infra/README lead to the page', () => {
  for (const one of ['README.md', 'infra/README.md']) assert.match(readFileSync(one, 'utf8'), /\]\((\.\.\/)?docs\/operations\.md/, one);
});

test('every alert has a playbook, and every playbook an alert', () =>
  assert.deepEqual([...playbooks.keys()].sort(), alerts.map(({ title }) => title).sort()));

for (const { title, text } of alerts) {
  test(`"${title}" says what to run and when it may be ignored`, () => {
    assert.match(text, /`(npx mailgrant|gcloud) /);
    assert.match(text, /safe to ignore/i);
  });
  test(`the playbook of "${title}" says what happened, where to look, what to do, and when to ignore it`, () =>
    assert.deepEqual(
      [...(playbooks.get(title) ?? '').matchAll(/^- \*\*(\w+)\*\*/gm)].map(([, word]) => word),
      ['Happened', 'Look', 'Do', 'Ignore'],
    ));
}

const commands = alerts.flatMap(({ title, text }) =>
  [...text.matchAll(/npx mailgrant ((?:dead |ledger )?[\w-]+)((?:[^`$]|\$\{[^}]*\})*)`/g)].map(([, command = '', rest = '']) => ({
    title,
    command,
    options: [
      ...rest
        .replaceAll(/\$\{local\.place\}/g, '--project --database --prefix')
        .replaceAll(/\$\{local\.ledger\}/g, '--project --database')
        .matchAll(/--([a-z][\w-]*)/g),
    ].map(([, one]) => one),
  })),
);
for (const name of new Set(commands.map(({ command }) => command)))
  test(`what alerts give to mailgrant ${name} stands in its help`, async () => {
    const { stdout } = await typed([...name.split(' '), '--help']);
    const known = new Set([...stdout.matchAll(/--([a-z][\w-]*)/g)].map(([, one]) => one));
    assert.deepEqual(
      commands.filter((one) => one.command === name && one.options.some((option) => !known.has(option))),
      [],
    );
  });
