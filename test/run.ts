/**
 * Runs the tests: `npm test` the quick ones, `npm run test:all` all, `npm run test:unit` those of pure code; with names of files those alone.
 * Many files share a process, so that Node, the libraries and the fake Google are loaded a few times instead of once a file.
 */
import { existsSync, globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { emulator, sdkRoot, spawnEmulator } from './support/programs/emulators.ts';

/** What a test imports that starts something, or leads to what does. */
const STARTS =
  /from '(node:(child_process|https?|net|tls)|[^']*\/(support\/(stack|programs)|fake-google|inbox|pages|dev|testing|google|cli)\/[^']*|[^']*stack[^']*)'/;
const isUnit = (file: string): boolean => !STARTS.test(readFileSync(file, 'utf8')) && !/test\/(docs|bundles|explore\/)/.test(file);

/** Those that wait long, or work long, begin first, so that none of them is left alone at the end. */
const FIRST: readonly string[] = [
  'test/bundles.test.ts',
  'test/dev/several.test.ts',
  'test/infra/scenarios.test.ts',
  'test/packaging/installed.test.ts',
  'test/packaging/examples.test.ts',
  'test/dev/stack.test.ts',
  'test/docs.test.ts',
  'test/cli/grants/every-call.test.ts',
  'test/cli/deploy/deploy-command.test.ts',
  'test/testing/start-mailgrant.test.ts',
  'test/explore/interleavings.test.ts',
  'test/trigger/pubsub/keep-while-stopped.test.ts',
  'test/trigger/pubsub/pubsub-emulator.test.ts',
];
const rank = (file: string): number => (FIRST.includes(file) ? FIRST.indexOf(file) : FIRST.length);

/** Left out of `npm test`, each because of a quicker one of its kind that is not. */
const LONG: Readonly<Record<string, string>> = {
  'test/browser/attacker.test.ts': 'test/pages/origin-check.test.ts',
  'test/cli/deploy/walk.test.ts': 'test/cli/deploy/deploy-command.test.ts',
  'test/infra/second-environment.test.ts': 'test/infra/scenarios.test.ts',
};

const unit = process.argv[2] === 'unit';
const named = process.argv.slice(unit ? 3 : 2);
const quick = (process.env['MAILGRANT_TESTS'] ?? (named.length === 0 ? 'quick' : 'all')) === 'quick';
for (const file of Object.entries(LONG).flat()) if (!existsSync(file)) throw new Error(`${file} is not there`);
const files = (named.length > 0 ? named.flatMap((name) => globSync(name)) : globSync('test/**/*.test.ts').sort())
  .filter((file) => (!unit || isUnit(file)) && !(quick && file in LONG))
  .sort((a, b) => rank(a) - rank(b));
if (files.length === 0) throw new Error(`no test file: ${named.join(' ')}`);

const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
writeFileSync(join(folder, 'files.json'), JSON.stringify(files));
const cache = join(import.meta.dirname, '../node_modules/.cache/compiled');
// Copies of the sources in temporary folders leave entries that nobody asks for again.
if (existsSync(cache) && readdirSync(cache, { recursive: true }).length > 20_000) rmSync(cache, { recursive: true, force: true });
mkdirSync(cache, { recursive: true });
process.env['METADATA_SERVER_DETECTION'] ??= 'none';
process.env['NODE_COMPILE_CACHE'] ??= cache; // every process of every test loads what another one has compiled
process.env['MAILGRANT_LANE'] = folder;
process.env['MAILGRANT_RUN'] = folder; // see support/once-a-run.ts
process.env['MAILGRANT_TESTS'] = quick ? 'quick' : 'all'; // see support/deep.ts

// Java takes seconds to start, and three files need it.
const firestore = files.some((file) => file.includes('firestore')) ? emulator(sdkRoot(), 'firestore') : null;
if (firestore) {
  const { url, child } = await spawnEmulator(firestore);
  process.once('exit', () => void child.kill('SIGKILL'));
  child.unref();
  process.env['MAILGRANT_FIRESTORE_EMULATOR'] = url;
}

const lanes = Math.min(files.length, unit ? 2 : availableParallelism() + 1); // one more, since some of them wait
const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => stop.abort());
const skipped: string[] = [];
run({
  files: Array.from({ length: lanes }, () => join(import.meta.dirname, 'support/lane.ts')),
  concurrency: lanes,
  timeout: 600_000, // for a test that hangs: no test depends on speed
  signal: stop.signal,
})
  .on('test:fail', ({ todo }) => {
    if (todo === undefined || todo === false) process.exitCode = 1;
  })
  .on('test:pass', ({ skip, name, file }) => {
    if (skip !== undefined && skip !== false) skipped.push(`${file}: ${name}`);
  })
  .once('end', () => {
    if (process.env['MAILGRANT_REQUIRE'] !== 'all' || skipped.length === 0) return;
    console.error(`MAILGRANT_REQUIRE=all, and these were skipped:\n${skipped.join('\n')}`);
    process.exitCode = 1;
  })
  .compose(new spec())
  .pipe(process.stdout);
