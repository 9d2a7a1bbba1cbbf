/** `deploy` and `smoke` as commands, in a checkout of their own; the email at the end is a real one, through the laptop's stack. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import type { Deployed } from '../../../functions/cli/deploy/deploy.ts';
import { loadConfig } from '../../../functions/config/load-config.ts';
import { type Stack, startStack } from '../../../functions/dev/stack.ts';
import { longTest, sampled } from '../../support/deep.ts';
import { ACTS, beginnings, CHECKS, laid } from '../../support/programs/programs.ts';

const PROJECT = 'laptop';
const folders: string[] = [];
const place = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
  folders.push(folder);
  return folder;
};

let stack: Stack;
before(async () => {
  stack = await startStack({
    config: loadConfig('config/mailgrant.yaml'),
    folder: place(),
    sources: { api: 'functions/api.ts', worker: 'functions/worker.ts', hooks: 'functions/hooks.ts' },
    ports: { api: 0, worker: 0, hooks: 0, google: 0, inbox: 0, smtp: 0, smtps: 0 },
    deadlineSeconds: 60,
    onLine: () => {},
  });
});
after(async () => {
  await stack?.[Symbol.asyncDispose]();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

interface Ran {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

function checkout(): string {
  const folder = place();
  for (const part of ['bin', 'functions', 'config', 'package.json', 'package-lock.json'])
    cpSync(part, join(folder, part), { recursive: true });
  mkdirSync(join(folder, 'infra'));
  symlinkSync(join(process.cwd(), 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

async function execute(folder: string, path: string, argv: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
  const [program = '', ...args] = argv;
  const all = {
    PATH: path,
    HOME: folder,
    NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? '',
    MAILGRANT_GOOGLE_URL: stack.google.url,
    MAILGRANT_TOPIC: `projects/${PROJECT}/topics/mails`,
    MAILGRANT_DATABASE: '(default)',
    ...env,
  };
  const child = spawn(program, args, { cwd: folder, env: all, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((done) => child.once('close', done));
  const [out, err, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { status, out, err };
}
const cli = (...args: string[]): string[] => [process.execPath, 'functions/cli/main.ts', ...args];

test('the command deploys, and its email goes through queue and worker into the mailbox', async () => {
  const folder = checkout();
  const fakes = laid(place());
  const before = stack.google.mails.count();
  const { status, out, err } = await execute(folder, fakes.path, cli('deploy', '--project', PROJECT, '--yes', '--json'));
  assert.equal(status, 0, err);
  const data = JSON.parse(out) as Deployed;
  assert.deepEqual([data.ok, data.applied, data.smoke?.state, stack.google.mails.count() - before], [true, true, 'sent', 1]);
  assert.deepEqual(readdirSync(join(folder, 'dist')).filter((file) => file.endsWith('.zip')).length > 2, true);
  assert.doesNotMatch(out + err, /canary/); // what gcloud printed as a token
  const plan = /-out=(\S+)/.exec(fakes.calls().join('\n'))?.[1] ?? '';
  assert.throws(() => readdirSync(dirname(plan)), { code: 'ENOENT' });
});

longTest('before anybody has consented no email is sent that could only be a dead letter', async () => {
  const folder = checkout();
  writeFileSync(join(folder, 'config/mailgrant.yaml'), 'mailboxes:\n  young@example.com: {}\n');
  writeFileSync(join(folder, 'infra/terraform.tfvars'), 'name_prefix = "post"\n');
  const fakes = laid(place());
  const published = (): number => stack.google.pubsub.published(`projects/${PROJECT}/topics/mails`).length;
  const before = published();
  const { status, out } = await execute(folder, fakes.path, cli('deploy', '--project', PROJECT, '--yes'));
  assert.deepEqual([status, published() - before], [0, 0]);
  assert.match(out, /No mailbox can send yet\.\nNext:\n {2}authorize it/);
  assert.match(fakes.calls().join('\n'), /-backend-config=prefix=post/);
});

longTest('without --yes and without anybody to ask, the plan is shown and not applied', async () => {
  const fakes = laid(place());
  const { status, err } = await execute(checkout(), fakes.path, cli('deploy', '--project', PROJECT));
  assert.deepEqual([status, fakes.calls().some((call) => call.includes('infra apply'))], [1, false]);
  assert.match(err, /2 to create, 1 to change, 1 to destroy/);
  assert.match(err, /Stopped at the question/);
});

test('a dry run looks, lists every command, and changes nothing', async () => {
  const folder = checkout();
  const fakes = laid(place());
  const { status, out } = await execute(folder, fakes.path, cli('deploy', '--project', PROJECT, '--dry-run'));
  assert.equal(status, 0);
  for (const act of [...ACTS.filter((one) => !one.includes('describe')), 'terraform -chdir=infra apply']) assert.ok(out.includes(act), act);
  assert.ok(beginnings(fakes.calls(), CHECKS), fakes.calls().join('\n'));
  assert.deepEqual(readdirSync(folder).includes('dist'), false);
});

const refusals: readonly {
  readonly name: string;
  readonly args: string[];
  readonly says: RegExp;
  readonly yaml?: string;
  readonly status?: number;
}[] = [
  { name: 'no project', args: [], says: /--project: expected the ID/, status: 2 },
  { name: 'a number for a project', args: ['--project', '123'], says: /--project: expected the ID/, status: 2 },
  {
    name: 'a mailbox that is not in the config',
    args: ['--project', PROJECT, '--mailbox', 'x@example.com'],
    says: /--mailbox: x@example\.com is not in/,
  },
  { name: 'a wrong config', args: ['--project', PROJECT], says: /mailboxes.*nobody/, yaml: 'mailboxes:\n  nobody: {}\n' },
];
for (const { name, args, says, yaml, status: wanted = 1 } of sampled(refusals, 2))
  test(`${name} is refused before anything is asked`, async () => {
    const folder = checkout();
    if (yaml) writeFileSync(join(folder, 'config/mailgrant.yaml'), yaml);
    const fakes = laid(place());
    const { status, err } = await execute(folder, fakes.path, cli('deploy', ...args));
    assert.deepEqual([status, fakes.calls()], [wanted, []]);
    assert.match(err, says);
  });

// ---- smoke

const smokes: readonly {
  readonly name: string;
  readonly env?: Record<string, string>;
  readonly break?: () => void;
  readonly status: number;
  readonly says: RegExp;
}[] = [
  {
    name: 'a deployment that sends',
    status: 0,
    says: /^Sent: an email from notices@example\.com to itself went through queue, worker and Gmail/,
  },
  {
    name: 'a topic that is not there',
    env: { MAILGRANT_TOPIC: `projects/${PROJECT}/topics/nothing` },
    status: 1,
    says: /^Not sent: queue_refused/,
  },
  {
    name: 'a queue that nobody works off',
    env: { MAILGRANT_TOPIC: `projects/${PROJECT}/topics/dead-letters` },
    status: 1,
    says: /^Not sent: queued .*\nFix: Nothing took it from the queue in time\./,
  },
];
for (const { name, env, status, says } of smokes)
  test(`smoke: ${name}`, async () => {
    const ran = await execute(process.cwd(), '', cli('smoke', '--project', PROJECT, '--timeout', env ? '1' : '600'), env);
    assert.match(status === 0 ? ran.out : ran.err, says, ran.out);
    assert.equal(ran.status, status);
  });
