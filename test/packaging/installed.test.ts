/**
 * The package in a folder of its own: packed, installed, and used as somebody who has no checkout uses it. By default the dependencies are
 * links to the checkout's; under MAILGRANT_INSTALL=1 npm installs them, and the oldest Node on this machine starts the commands.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { skipUnless } from '../support/programs/emulators.ts';
import { install, NODE, pack } from '../support/programs/installed.ts';
import { hasTerraform } from '../support/programs/terraform.ts';

const ROOT = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
const { GOOGLE_CLOUD_PROJECT: _, npm_lifecycle_script: __, ...ENV } = process.env;
let packed: readonly string[] = [];
let dev: ChildProcess | null = null;
after(() => {
  dev?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

before(() => {
  const made = pack();
  packed = made.files;
  install(made, folder);
});

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}
const started = (...args: string[]): readonly [string, string[]] => [
  NODE,
  [join(folder, 'node_modules/mailgrant/bin/mailgrant.js'), ...args],
];
const run = (program: string, args: readonly string[], cwd = folder, env = ENV): Promise<Ran> =>
  new Promise((done) =>
    execFile(program, args, { cwd, env, maxBuffer: 50_000_000 }, (error, out, err) =>
      done({ code: error ? Number(error.code ?? 1) : 0, out, err }),
    ),
  );
const mailgrant = (...args: string[]): Promise<Ran> => run(...started(...args));

test('the package has what it needs, and nothing of this repository beside it', () => {
  const strange = packed.filter((path) => /\.ts$/.test(path) && !/^lib\/.*\.d\.ts$/.test(path));
  assert.deepEqual(strange, []);
  assert.deepEqual(
    packed.filter((path) => /^(test|functions|\.)|root\.tf$|tftest/.test(path)),
    [],
  );
  for (const path of ['LICENSE', 'CHANGELOG.md', 'README.md', 'lib/cli/main.js', 'lib/api.js', 'infra/main.tf', 'lib/package-lock.json'])
    assert.ok(packed.includes(path), path);
});

test('what the compiled code imports is a dependency, and not one of development alone', () => {
  const lib = join(folder, 'node_modules/mailgrant/lib');
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { dependencies: Record<string, string> };
  const code = readdirSync(lib, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.js'));
  const imports = code.flatMap((file) =>
    [...readFileSync(join(lib, file), 'utf8').matchAll(/(?:^(?:import|export) [^'=();]*?|^import |\bimport\()'([^'.\s][^'\s]*)'/gm)].map(
      ([, name = '']) => name,
    ),
  );
  const packages = imports
    .filter((name) => !name.startsWith('node:'))
    .map((name) =>
      name
        .split('/')
        .slice(0, name.startsWith('@') ? 2 : 1)
        .join('/'),
    );
  assert.ok(packages.length > 10);
  assert.deepEqual(
    [...new Set(packages)].filter((name) => !Object.hasOwn(dependencies, name)),
    [],
  );
});

test('init writes a project, says what comes next, and writes over nothing', async () => {
  writeFileSync(join(folder, '.gitignore'), 'mine\n');
  const { code, out, err } = await mailgrant('init', '--mailbox', 'post@example.org', '--json');
  const answer = JSON.parse(out) as { written: string[]; kept: string[]; next: string[] };
  assert.deepEqual([code, answer.kept.includes('.gitignore'), answer.next.at(-1)], [0, true, 'npx mailgrant dev'], err);
  for (const file of answer.written) assert.ok(existsSync(join(folder, file)), file);
  assert.deepEqual(
    answer.written.filter((file) => file !== 'package.json'),
    ['mailgrant.yaml', 'templates/welcome.hbs', 'infra/main.tf', 'cloudbuild.yaml', 'README.md'],
  );
  assert.equal(readFileSync(join(folder, '.gitignore'), 'utf8'), 'mine\n');
  assert.ok(readFileSync(join(folder, 'README.md'), 'utf8').split('\n').length <= 11);
  const again = await mailgrant('init', '--json');
  assert.deepEqual([again.code, JSON.parse(again.out).error.code], [1, 'project_exists']);
  const other = await mailgrant('init', 'other', '--mailbox', 'nobody');
  assert.deepEqual([other.code, existsSync(join(folder, 'other'))], [2, false]);
});

test('a supplied template works by its name, and one of the project takes its place', async () => {
  const route = '\nroutes:\n  builds: { topic: builds, from: post@example.org, to: [dev@example.org], template: cloud-build }\n';
  const config = readFileSync(join(folder, 'mailgrant.yaml'), 'utf8');
  writeFileSync(join(folder, 'mailgrant.yaml'), config + route);
  const event = join(folder, 'node_modules/mailgrant/config/samples/cloud-build.json');
  const subject = async (): Promise<string> =>
    JSON.parse((await mailgrant('test-route', 'builds', '--event', event, '--json')).out).mail.subject as string;
  assert.equal(await subject(), 'Build failure: shop-main');
  writeFileSync(join(folder, 'templates/cloud-build.hbs'), '---\nsubject: "Mine: {{event.status}}"\n---\n<p>x</p>\n');
  assert.equal(await subject(), 'Mine: FAILURE');
  assert.equal((await mailgrant('config')).code, 0);
});

test('dev is up in one line, an SDK sends, and SIGTERM ends it', async () => {
  const [program, args] = started('dev', '--json', '--ephemeral', '--port', '0');
  const child = spawn(program, args, { cwd: folder, env: ENV, stdio: ['ignore', 'pipe', 'ignore'] });
  dev = child;
  const ended = new Promise((done) => child.once('exit', (code, signal) => done(code ?? signal)));
  const line = await new Promise<string>((done) => createInterface({ input: child.stdout }).once('line', done));
  const { ready, api, key, from, inbox } = JSON.parse(line) as Record<string, string | boolean>;
  assert.deepEqual([ready, from], [true, 'post@example.org']);
  const { Resend } = await import('resend');
  const { data, error } = await new Resend(String(key), { baseUrl: `${api}/` }).emails.send({
    from: String(from),
    to: 'you@example.net',
    subject: 's',
    text: 't',
  });
  assert.equal(error, null);
  assert.match(data?.id ?? '', /^[0-9a-f-]{36}$/);
  const { MailpitClient } = await import('mailpit-api');
  const mailpit = new MailpitClient(String(inbox));
  assert.deepEqual(
    (await mailpit.listMessages()).messages.map(({ Subject, To }) => [Subject, To[0]?.Address]),
    [['s', 'you@example.net']],
  );
  await mailpit.deleteMessages();
  assert.equal((await mailpit.listMessages()).total, 0);
  child.kill('SIGTERM');
  assert.equal(await ended, 0);
});

test('mailgrant/testing has types: a number is not made of a subject', async () => {
  const lines = ["import { startMailgrant } from 'mailgrant/testing';", 'const mailgrant = await startMailgrant();'];
  const wrong = 'export const subject: number = (await mailgrant.inbox.wait({})).Subject;';
  writeFileSync(join(folder, 'types.mts'), [...lines, wrong].join('\n'));
  const options = '--noEmit --strict --skipLibCheck --module nodenext --target es2024 --lib es2024,esnext.disposable';
  const types = ['--typeRoots', join(ROOT, 'node_modules/@types'), '--types', 'node'];
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const { out } = await run(process.execPath, [tsc, ...options.split(' '), ...types, 'types.mts']);
  assert.deepEqual(out.match(/TS\d+/g), ['TS2322'], out);
});

test('build makes the archives, each with a lock of its own', async () => {
  const { code, out, err } = await mailgrant('build', '--zip', '--json');
  assert.equal(code, 0, err);
  const { functions } = JSON.parse(out) as { functions: { name: string; archive: { file: string } }[] };
  assert.deepEqual(
    functions.map(({ name }) => name),
    ['api', 'worker', 'hooks', 'watch'],
  );
  for (const { archive } of functions) assert.ok(existsSync(join(folder, archive.file)));
  const worker = join(folder, 'dist/worker');
  const parts = readdirSync(worker).map((file) => readFileSync(join(worker, file), 'utf8'));
  assert.ok(parts.some((text) => text.includes('post@example.org')));
  const lock = JSON.parse(readFileSync(join(folder, 'dist/api/package-lock.json'), 'utf8')) as { packages: object };
  assert.ok(Object.keys(lock.packages).includes('node_modules/@google-cloud/functions-framework'));
});

const skip = skipUnless(hasTerraform, 'terraform and MAILGRANT_TERRAFORM_OFFLINE');
test('the root of the project plans with the Terraform of the package', { skip }, async () => {
  const tf = join(process.env['MAILGRANT_TERRAFORM_OFFLINE'] ?? '', 'tf');
  const { code, out, err } = await run(tf, [join(folder, 'infra'), 'plan-json', '-var', 'project_id=acme-mail-prod']);
  assert.equal(code, 0, err);
  const { planned_values: planned } = JSON.parse(out) as {
    planned_values: { outputs: object; root_module: { child_modules: { resources: { address: string }[] }[] } };
  };
  const addresses = planned.root_module.child_modules.flatMap(({ resources }) => resources.map(({ address }) => address));
  assert.ok(addresses.includes('module.mailgrant.google_cloudfunctions2_function.this["api"]'));
  assert.deepEqual(Object.keys(planned.outputs).sort(), ['database', 'mails_topic', 'next_steps', 'urls']);
});
