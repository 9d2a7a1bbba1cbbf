/** The gcloud commands that code, docs and Terraform tell a reader to type. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const files = execFileSync('git', ['ls-files', '--', 'functions', 'docs', 'infra', 'clients', 'config', 'README.md', 'SECURITY.md'], {
  encoding: 'utf8',
})
  .trim()
  .split('\n');

// A project with a deployment has bindings with conditions. There, gcloud asks for a condition and fails where it cannot ask.
test('each binding on a project says that it has no condition', () => {
  const commands = files.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/gcloud projects (?:add|remove)-iam-policy-binding[^`'\n]*(?:\\\n[^`\n]*)*/g)].map(
      ([command]) => ({
        file,
        command,
      }),
    ),
  );
  assert.ok(commands.length > 1);
  assert.deepEqual(
    commands.filter(({ command }) => !/--(condition=None|all)\b/.test(command)),
    [],
  );
});
