/** The runner of the tests, with test files of its own. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

const RUNNER = join(import.meta.dirname, 'run.ts');
const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, code: string): string {
  const path = join(folder, `${name}.test.ts`);
  writeFileSync(path, `import { after, before, beforeEach, test } from 'node:test';\n${code}\n`);
  return path;
}

/** Starts the runner as from a shell, not as a part of this run. */
function start(
  files: readonly string[],
  env: Record<string, string> = {},
): { child: ChildProcess; ended: Promise<number | string | null> } {
  const own = Object.entries(process.env).filter(([name]) => !/^(NODE_TEST_CONTEXT|MAILGRANT_(?!TERRAFORM).*)$/.test(name));
  const child = spawn(process.execPath, [RUNNER, ...files], {
    env: { ...Object.fromEntries(own), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return { child, ended: new Promise((done) => child.once('exit', (code, signal) => done(code ?? signal))) };
}

async function run(files: readonly string[], env: Record<string, string> = {}) {
  const { child, ended } = start(files, env);
  const [out] = await Promise.all([text(child.stdout as NodeJS.ReadableStream), text(child.stderr as NodeJS.ReadableStream)]);
  const count = (what: string): number => Number(new RegExp(`^ℹ ${what} (\\d+)$`, 'm').exec(out)?.[1]);
  return { code: await ended, pass: count('pass'), fail: count('fail'), cancelled: count('cancelled') };
}

const FINE = file('fine', "test('one', () => {}); await null; test('two', () => {});");

test('every test of every file counts, and the hooks of a file are for that file alone', async () => {
  const hooks = "let state = ''; before(() => { state += 'b'; }); beforeEach(() => { state += 'e'; });";
  const check = (name: string) =>
    file(name, `${hooks} test('x', () => { if (state !== 'be') throw new Error(state); }); after(() => { state = ''; });`);
  const ran = await run([FINE, check('hooks-1'), check('hooks-2'), check('hooks-3'), check('hooks-4')]);
  assert.deepEqual([ran.code, ran.fail, ran.cancelled], [0, 0, 0]);
  assert.ok(ran.pass >= 6, String(ran.pass)); // a process that found no file left counts as one more
});

const broken: readonly (readonly [string, string])[] = [
  ['a test that fails', "test('x', () => { throw new Error('no'); });"],
  ['a file that does not load', "throw new Error('no');"],
  ['a hook before the tests', "before(() => { throw new Error('no'); }); test('x', () => {});"],
  ['a hook after the tests', "after(() => { throw new Error('no'); }); test('x', () => {});"],
];
for (const [name, code] of broken)
  test(`${name} fails the run, and the other files run all the same`, async () => {
    const ran = await run([file('broken', code), FINE]);
    assert.deepEqual([ran.code, ran.pass >= 2], [1, true]);
  });

test('a server that a file leaves open does not keep the run from ending, nor hides a failure', async () => {
  const open =
    "import { createServer } from 'node:http'; test('x', () => new Promise((done) => createServer().listen(0, '127.0.0.1', done)));";
  const fine = await run([file('open', open)]);
  assert.deepEqual([fine.code, fine.fail], [0, 0]);
  const failing = await run([file('open-failing', `${open} test('y', () => { throw new Error('no'); });`)]);
  assert.deepEqual([failing.code, failing.fail > 0], [1, true]);
});

test('a test that is skipped fails the run where nothing may be missing, and only there', async () => {
  const skipping = file('skipping', "test('x', { skip: 'missing' }, () => {});");
  assert.deepEqual([(await run([skipping])).code, (await run([skipping], { MAILGRANT_REQUIRE: 'all' })).code], [0, 1]);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  test(`${signal} ends the run, and what its tests have started`, async () => {
    const pids = [1, 2].map((n) => join(folder, `${signal}-${n}`));
    const files = pids.map((pid, n) =>
      file(
        `${signal}-${n}`,
        `import { spawn } from 'node:child_process'; import { writeFileSync } from 'node:fs';
         const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
         process.once('exit', () => child.kill('SIGKILL'));
         test('never ends', async () => { writeFileSync(${JSON.stringify(pid)}, String(child.pid)); await new Promise(() => setInterval(() => {}, 1000)); });`,
      ),
    );
    const { child, ended } = start(files);
    while (!pids.every((pid) => existsSync(pid) && readFileSync(pid, 'utf8') !== '')) await sleep(20);
    child.kill(signal);
    assert.notEqual(await ended, 0);
    for (const pid of pids) while (lives(Number(readFileSync(pid, 'utf8')))) await sleep(20);
  });

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
