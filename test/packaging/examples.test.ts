/** Each example in a folder of its own, with the package installed there, run as its README says. */
import assert from 'node:assert/strict';
import { execFile, spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { parse } from 'yaml';
import { parseCommandLine } from '../../functions/cli/command-line.ts';
import { COMMANDS } from '../../functions/cli/commands.ts';
import { longTest } from '../support/deep.ts';
import { skipUnless } from '../support/programs/emulators.ts';
import { INSTALL, install, NODE, type Packed, pack } from '../support/programs/installed.ts';

const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
let packed: Packed;
before(() => {
  packed = pack();
});
after(() => rmSync(folder, { recursive: true, force: true }));

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}
const manifestOf = (name: string): Manifest => JSON.parse(readFileSync(join('examples', name, 'package.json'), 'utf8')) as Manifest;

/** A copy of the example with what it needs; the package is the one of this checkout. */
function prepared(name: string): string {
  const at = join(folder, name);
  cpSync(join('examples', name), at, { recursive: true });
  const { devDependencies = {} } = manifestOf(name);
  const { mailgrant: _, ...others } = devDependencies;
  rmSync(join(at, 'package.json')); // it names a version that is not published
  if (!INSTALL) writeFileSync(join(at, 'package.json'), '{ "type": "module" }');
  install(
    packed,
    at,
    Object.entries(others).map(([one, version]) => `${one}@${version}`),
  );
  cpSync(join('examples', name, 'package.json'), join(at, 'package.json'));
  return at;
}

const run = (
  program: string,
  args: readonly string[],
  cwd: string,
  env: Record<string, string> = {},
): Promise<{ code: number; text: string }> => {
  const { NODE_TEST_CONTEXT: _, ...own } = process.env; // a test runner in a test runner would print for this one
  return new Promise((done) =>
    execFile(program, args, { cwd, env: { ...own, ...env } }, (error, out, err) =>
      done({ code: error ? Number(error.code ?? 1) : 0, text: out + err }),
    ),
  );
};

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync);
longTest('playwright: a browser signs up and confirms', { skip: skipUnless(CHROMIUM !== undefined, 'chromium') }, async () => {
  const { code, text } = await run(process.execPath, ['--test'], prepared('playwright'), { CHROMIUM: CHROMIUM ?? '' });
  assert.equal(code, 0, text);
  assert.match(text, /pass 2/);
});

const hasPytest = spawnSync('/usr/bin/python3', ['-c', 'import django, pytest, pytest_django'], { stdio: 'ignore' }).status === 0;
test('pytest and Django', {
  skip: skipUnless(hasPytest, "Debian's python3-django, python3-pytest and python3-pytest-django"),
}, async () => {
  const at = prepared('pytest-django');
  const command = `${NODE} ${join(at, 'node_modules/mailgrant/bin/mailgrant.js')}`;
  const { code, text } = await run('/usr/bin/python3', ['-m', 'pytest', '-q', '-p', 'no:cacheprovider'], at, { MAILGRANT: command });
  assert.equal(code, 0, text);
  assert.match(text, /3 passed/);
});

// Packages for one platform each, which this repository's lock could not hold: `npm run test:install` alone installs and runs them.
for (const name of INSTALL ? ['vitest', 'jest'] : [])
  test(`${name}: three tests pass`, async () => {
    const { code, text } = await run('npm', ['test'], prepared(name));
    assert.equal(code, 0, text);
    assert.match(text, /3 passed/);
  });

test('github-actions: what the Dockerfile runs is a call of the emulator, which answers its health check', async () => {
  const dockerfile = readFileSync('examples/github-actions/Dockerfile', 'utf8');
  const commandOf = (line: RegExp): string[] => JSON.parse(line.exec(dockerfile)?.[1] ?? '[]') as string[];
  const [program, file, ...args] = commandOf(/^CMD (\[.*\])$/m);
  const [, flag = '', check = ''] = commandOf(/CMD (\["node", "-e".*\])$/m);
  assert.deepEqual([program, file], ['node', 'node_modules/mailgrant/bin/mailgrant.js']);
  assert.equal((await parseCommandLine(args, COMMANDS, '0.0.0')).kind, 'run');
  const at = join(folder, 'github-actions');
  cpSync('examples/github-actions', at, { recursive: true });
  install(packed, at);
  // On this machine alone, and on free ports.
  const here = args.map((word) => (word === '0.0.0.0' ? '127.0.0.1' : /^\d+$/.test(word) ? '0' : word));
  const child = spawn(NODE, [file ?? '', ...here, '--worker', '0', '--smtp', '0', '--smtps', '0'], {
    cwd: at,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = new Promise((done) => child.once('exit', (code) => done(code)));
  try {
    const lines = createInterface({ input: child.stdout });
    const line = await Promise.race([new Promise<string>((done) => lines.once('line', done)), ended.then(() => '{}')]);
    const { inbox = '', key = '' } = JSON.parse(line) as { inbox?: string; key?: string };
    assert.match(key, /^mg_/);
    assert.equal((await run(NODE, [flag, check.replace('http://127.0.0.1:8025', inbox)], at)).code, 0);
  } finally {
    child.kill('SIGTERM');
  }
  assert.equal(await ended, 0);
});

test('github-actions: the workflow publishes the ports that the Dockerfile serves', () => {
  const { jobs } = parse(readFileSync('examples/github-actions/workflow.yml', 'utf8')) as {
    jobs: { test: { services: { mailgrant: { ports: string[] } } } };
  };
  const dockerfile = readFileSync('examples/github-actions/Dockerfile', 'utf8');
  const exposed = (/^EXPOSE (.+)$/m.exec(dockerfile)?.[1] ?? '').split(' ');
  assert.deepEqual(
    jobs.test.services.mailgrant.ports,
    exposed.map((port) => `${port}:${port}`),
  );
});

test('every example is listed, and names the version of this checkout', () => {
  const page = readFileSync('examples/README.md', 'utf8');
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  for (const name of readdirSync('examples').filter((one) => !one.includes('.'))) {
    assert.ok(page.includes(`[${name}](${name})`), name);
    if (existsSync(join('examples', name, 'package.json'))) assert.equal(manifestOf(name).devDependencies?.['mailgrant'], version);
  }
  assert.match(readFileSync('examples/github-actions/Dockerfile', 'utf8'), new RegExp(`mailgrant@${version.replaceAll('.', '\\.')}`));
});
