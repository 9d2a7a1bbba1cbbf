import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { skipUnless } from '../support/programs/emulators.ts';

const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
const broken = join(folder, 'broken.yaml');
writeFileSync(broken, 'mailboxes: { nobody: {} }\ncolour: red\n');

const rows: { args: string[]; status: number; out?: RegExp; err?: RegExp }[] = [
  { args: [], status: 2, out: /build[\s\S]*config/ },
  { args: ['--help'], status: 0, out: /COMMAND/ },
  { args: ['constructor'], status: 2, err: /Unknown command: constructor/ },
  { args: ['build', '--help'], status: 0, out: /--analyze/ },
  { args: ['config'], status: 0, out: /notices@example\.com {2}secret mailgrant-notices-example-com/ },
  { args: ['config', '--json'], status: 0, out: /"mailboxes"/ },
  { args: ['config', '--config', broken], status: 1, err: /2 problems:\n .*yaml:1: mailboxes\.nobody: .*\n .*yaml:2: colour: / },
  { args: ['config', '--config', broken, '--json'], status: 1, err: /"problems": \[/ },
  { args: ['build', '--config', broken, '--out', join(folder, 'no')], status: 1, err: /2 problems/ },
  { args: ['build', '--dry-run', '--out', join(folder, 'dry')], status: 0, out: /valid; nothing was written/ },
  { args: ['watch', '--project', 'p', 'nobody@example.com'], status: 1, err: /nobody@example\.com is not in the config/ },
  { args: ['watch'], status: 1, err: /GOOGLE_CLOUD_PROJECT/ },
  { args: ['smtp', '--help'], status: 0, out: /--tls-cert/ },
  { args: ['smtp', '--listen', '0.0.0.0:2525'], status: 1, err: /can be reached from other machines/ },
  { args: ['smtp', '--listen', 'nowhere'], status: 1, err: /--listen: expected HOST:PORT/ },
  { args: ['smtp', '--url', 'http://mail.example.com'], status: 1, err: /--url: expected the https URL/ },
  { args: ['smtp', '--tls-cert', 'x'], status: 1, err: /go together/ },
  { args: ['build', '--nonsense'], status: 1, err: /nonsense/ },
];
for (const { args, status, out, err } of rows)
  test(`mailgrant ${args.join(' ').replaceAll(folder, '')} exits with ${status}`, () => {
    const run = spawnSync(process.execPath, ['functions/cli/main.ts', ...args], { encoding: 'utf8' });
    assert.equal(run.status, status, run.stderr);
    if (out) assert.match(run.stdout, out);
    if (err) assert.match(run.stderr, err);
    assert.doesNotMatch(run.stderr, /^\s+at /m);
  });

test('neither a broken config nor a dry run writes anything', () =>
  assert.deepEqual([existsSync(join(folder, 'no')), existsSync(join(folder, 'dry'))], [false, false]));

const ignored = (name: string): number | null => spawnSync('git', ['check-ignore', '--quiet', '--no-index', name]).status;
const skip = skipUnless(ignored('node_modules/') === 0, 'a checkout of git');
test('files with a secret in them that the docs have people put here are in no commit', { skip }, () => {
  const pages = ['README.md', ...readdirSync('docs').flatMap((name) => (name.endsWith('.md') ? `docs/${name}` : []))];
  const named = pages.flatMap((page) =>
    [...readFileSync(page, 'utf8').matchAll(/--(?:client|key-file) ([\w./-]+)/g)].map(([, name = '']) => name),
  );
  const downloaded = ['client_secret_1-a.apps.googleusercontent.com.json', '.mailgrant/api-key', '.env', 'infra/terraform.tfstate'];
  assert.ok(named.length > 0);
  for (const name of [...named, ...downloaded]) assert.equal(ignored(name), 0, name);
});
