import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { QUICK } from '../support/deep.ts';
import { type Typed, typed } from '../support/programs/command-line.ts';
import { skipUnless } from '../support/programs/emulators.ts';

const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
const broken = join(folder, 'broken.yaml');
const { GOOGLE_CLOUD_PROJECT: _, ...ENV } = process.env;
/** Runs the command as a program. */
const mailgrant = (args: readonly string[], env: Record<string, string> = {}, cwd = process.cwd()) =>
  spawnSync(process.execPath, [join(process.cwd(), 'functions/cli/main.ts'), ...args], { encoding: 'utf8', env: { ...ENV, ...env }, cwd });
writeFileSync(broken, 'mailboxes: { nobody: {} }\ncolour: red\n');

/** Runs it in this process where nothing is asked of the program itself: a row of each exit code and stream is always a program. */
const answer = async (args: readonly string[], env: Record<string, string>, program: boolean): Promise<Typed> => {
  if (!program && QUICK) return typed(args, { GOOGLE_CLOUD_PROJECT: undefined, ...env });
  const { status, stdout, stderr } = mailgrant(args, env);
  return { status: status ?? -1, stdout, stderr };
};

const rows: { args: string[]; status: number; out?: RegExp; err?: RegExp }[] = [
  { args: [], status: 2, err: /^Usage: npx mailgrant[\s\S]*build[\s\S]*ledger/ },
  { args: ['--help'], status: 0, out: /Mailboxes and keys:/ },
  { args: ['-h'], status: 0, out: /Mailboxes and keys:/ },
  { args: ['help', 'build'], status: 0, out: /--analyze/ },
  { args: ['--version'], status: 0, out: /^\d+\.\d+\.\d+\n$/ },
  { args: ['constructor'], status: 2, err: /unknown command 'constructor'/ },
  { args: ['sedn'], status: 2, err: /Did you mean send\?\)\nFix: npx mailgrant --help/ },
  { args: ['key', 'creat', 'x'], status: 2, err: /Did you mean create\?\)\nFix: npx mailgrant key --help/ },
  { args: ['key'], status: 2, err: /Usage: npx mailgrant key/ },
  { args: ['build', '--analyse'], status: 2, err: /Did you mean --analyze\?/ },
  { args: ['build', '--help'], status: 0, out: /--analyze/ },
  { args: ['config'], status: 0, out: /notices@example\.com {2}secret mailgrant-notices-example-com/ },
  { args: ['config', '--json'], status: 0, out: /"mailboxes"/ },
  { args: ['config', '--config', broken], status: 1, err: /2 problems:\n .*yaml:1: mailboxes\.nobody: .*\n .*yaml:2: colour: / },
  { args: ['config', '--config', broken, '--json'], status: 1, out: /"problems": \[/ },
  { args: ['build', '--config', broken, '--out', join(folder, 'no')], status: 1, err: /2 problems/ },
  { args: ['build', '--dry-run', '--out', join(folder, 'dry')], status: 0, out: /valid; nothing was written/ },
  { args: ['watch', '--project', 'p', 'nobody@example.com'], status: 1, err: /nobody@example\.com is not in the config/ },
  { args: ['watch'], status: 2, err: /GOOGLE_CLOUD_PROJECT/ },
  { args: ['watch', '--help'], status: 0, out: /Usage: npx mailgrant watch \[options\] \[ADDRESS\]/ },
  { args: ['authorize', '--help'], status: 0, out: /Usage: npx mailgrant authorize \[options\] <ADDRESS>/ },
  { args: ['smtp', '--help'], status: 0, out: /--tls-cert/ },
  { args: ['smtp', '--listen', '0.0.0.0:2525'], status: 2, err: /can be reached from other machines/ },
  { args: ['smtp', '--listen', 'nowhere'], status: 2, err: /--listen: expected HOST:PORT/ },
  { args: ['smtp', '--url', 'http://mail.example.com'], status: 2, err: /--url: expected the https URL/ },
  { args: ['smtp', '--tls-cert', 'x'], status: 2, err: /go together/ },
  { args: ['completion', 'bash'], status: 0, out: /mailgrant complete -- / },
  { args: ['complete', '--', 'key', 'c'], status: 0, out: /^create\t/ },
];
for (const [index, { args, status, out, err }] of rows.entries())
  test(`mailgrant ${args.join(' ').replaceAll(folder, '')} exits with ${status}`, async () => {
    const run = await answer(args, {}, index % 6 === 0 || args.includes(broken));
    assert.equal(run.status, status, run.stderr);
    if (out) assert.match(run.stdout, out);
    if (err) assert.match(run.stderr, err);
    assert.equal(err ? run.stdout : '', '');
    assert.doesNotMatch(run.stderr, /^\s+at /m);
  });

const P = ['--project', 'p'];
/** Calls that fail, each for a reason of its own: what it is called with, the exit code, and `error.code`. */
const failing: readonly (readonly [string[], number, string])[] = [
  [[], 2, 'usage'],
  [['nothing'], 2, 'usage'],
  [['--nonsense'], 2, 'usage'],
  [['key'], 2, 'usage'],
  [['key', 'make'], 2, 'usage'],
  [['key', 'create'], 2, 'usage'],
  [['key', 'create', 'shop'], 2, 'option_invalid'],
  [['key', 'create', 'Shop', '--from', 'notices@example.com'], 2, 'option_invalid'],
  [['key', 'revoke', 'nobody'], 1, 'config_invalid'],
  [['config', '--config', broken], 1, 'config_invalid'],
  [['config', '--config', join(folder, 'none.yaml')], 1, 'config_invalid'],
  [['config', 'more'], 2, 'usage'],
  [['build', '--config', broken], 1, 'config_invalid'],
  [['build', '--nonsense'], 2, 'usage'],
  [['deploy'], 2, 'option_invalid'],
  [['deploy', ...['--project', 'acme-mail'], '--mailbox', 'x@example.com'], 1, 'mailbox_unknown'],
  [['smoke'], 2, 'project_missing'],
  [['smoke', ...P, '--timeout', 'x'], 2, 'option_invalid'],
  [['watch'], 2, 'project_missing'],
  [['watch', ...P, 'nobody@example.com'], 1, 'mailbox_unknown'],
  [['doctor', ...P, 'nobody@example.com'], 1, 'mailbox_unknown'],
  [['verify-live'], 2, 'usage'],
  [['verify-live', ...P, 'nobody@example.com'], 1, 'mailbox_unknown'],
  [['verify-live', ...P, 'notices@example.com', '--only', 'x'], 2, 'option_invalid'],
  [['verify-live', ...P, 'notices@example.com'], 1, 'confirmation_missing'],
  [['doctor', ...P, '--config', broken], 1, 'not_well'],
  [['ledger', 'list'], 2, 'project_missing'],
  [['ledger', 'list', '--state', 'x', ...P], 2, 'option_invalid'],
  [['ledger', 'show', 'x'], 1, 'mail_missing'],
  [['dead', 'replay', ...P], 2, 'option_invalid'],
  [['dead', 'list', '--limit', '0'], 2, 'option_invalid'],
  [['authorize'], 2, 'usage'],
  [['authorize', 'nobody@example.com', ...P], 1, 'mailbox_unknown'],
  [['rotate', 'notices@example.com', ...P, '--timeout', 'x'], 2, 'option_invalid'],
  [['revoke', 'notices@example.com'], 2, 'project_missing'],
  [['explain', join(folder, 'none.txt')], 1, 'input_unreadable'],
  [['explain', 'package.json'], 1, 'not_well'],
  [['test-route'], 2, 'usage'],
  [['test-route', 'gone', '--event', 'package.json'], 1, 'route_missing'],
  [['test-route', 'failed-builds', '--event', 'package.json'], 1, 'route_condition'],
  [['preview', 'failed-builds', '--event', 'none.json'], 1, 'input_unreadable'],
  [['hook', 'sign', 'failed-builds', '--event', 'package.json'], 1, 'route_missing'],
  [['send'], 2, 'option_invalid'],
  [
    ['send', '--from', 'a@example.com', '--to', 'b@example.com', '--subject', 'x', '--text', 'x', '--url', 'http://127.0.0.1:1'],
    75,
    'not_sent',
  ],
  [['smtp', '--listen', 'x'], 2, 'option_invalid'],
];
for (const [index, [args, status, code]] of failing.entries())
  test(`mailgrant ${args.join(' ').replaceAll(folder, '')} --json is one document: ${code}`, async () => {
    const run = await answer([...args, '--json'], { MAILGRANT_KEY: 'mg_x' }, index % 8 === 0);
    const document = JSON.parse(run.stdout) as { ok: boolean; command: string; error: Record<string, unknown> };
    assert.deepEqual([run.status, document.ok, document.error['code']], [status, false, code]);
    assert.deepEqual(Object.keys(document).slice(0, 3), ['ok', 'command', 'error']);
    assert.deepEqual(Object.keys(document.error), ['code', 'message', 'fix']);
    assert.equal(typeof document.error['message'], 'string');
    assert.ok(args.join(' ').startsWith(document.command));
  });

const NAMES = [
  'config',
  'send',
  'smtp',
  'build',
  'deploy',
  'smoke',
  'authorize',
  'rotate',
  'revoke',
  'explain',
  'doctor',
  'watch',
  'verify-live',
];
const VERBS = [
  'key create',
  'key list',
  'key revoke',
  'ledger list',
  'ledger show',
  'ledger resend',
  'ledger drop',
  'dead list',
  'dead replay',
];
for (const name of [...NAMES, ...VERBS, 'dead drop', 'test-route', 'preview', 'hook sign'])
  test(`mailgrant ${name} --help has examples that parse, and no line that is wider than the terminal`, async () => {
    const { stdout } = await answer([...name.split(' '), '--help'], {}, name === 'send');
    const examples = [...stdout.matchAll(/^ {2}npx mailgrant (.+)$/gm)].map(([, example = '']) => example);
    assert.ok(examples.length > 0 && examples.every((example) => example.startsWith(name)));
    const described = stdout.split('\n').filter((line) => !line.startsWith('  npx mailgrant') && !line.startsWith('Usage:'));
    assert.deepEqual(
      described.filter((line) => line.length > 80),
      [],
    );
    assert.equal(stdout.includes(ESCAPE), false);
    for (const option of examples.join(' ').matchAll(/ (--[a-z-]+)/g)) assert.ok(described.join('\n').includes(option[1] ?? ''), option[1]);
  });

const ESCAPE = '\u001b';
test('help has colours where they are wanted, and none where NO_COLOR is set', () => {
  assert.ok(mailgrant(['--help'], { FORCE_COLOR: '1' }).stdout.startsWith(`${ESCAPE}[1mUsage:`));
  assert.equal(mailgrant(['--help'], { NO_COLOR: '1' }).stdout.includes(ESCAPE), false);
});

test('a command works in any folder below the project, and reads files from where it is typed', () => {
  const below = join(folder, 'project/docs/deep');
  mkdirSync(below, { recursive: true });
  writeFileSync(join(folder, 'project/mailgrant.yaml'), 'mailboxes:\n  a@example.com: {}\n');
  writeFileSync(join(below, 'error.txt'), 'grant_revoked');
  assert.match(mailgrant(['config'], {}, below).stdout, /^mailgrant\.yaml is valid[\s\S]*a@example\.com/);
  assert.match(mailgrant(['explain', 'error.txt'], {}, below).stdout, /^grant_revoked/);
});

test('the launcher starts the command under Node 24, whatever Node it is started with', () => {
  const old = ['/usr/bin/node', '/usr/local/bin/node'].filter((node) => existsSync(node));
  for (const node of [process.execPath, ...old]) {
    const run = spawnSync(node, [join(process.cwd(), 'bin/mailgrant.js'), 'key', 'list', '--json'], { encoding: 'utf8' });
    assert.deepEqual([run.status, JSON.parse(run.stdout).command], [0, 'key list'], node);
    const wrong = spawnSync(node, [join(process.cwd(), 'bin/mailgrant.js'), 'nothing'], { encoding: 'utf8' });
    assert.equal(wrong.status, 2);
  }
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
