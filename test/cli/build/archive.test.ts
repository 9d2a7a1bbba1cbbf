import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { unzipSync } from 'fflate';
import { DEPLOYABLES } from '../../../functions/cli/build/build.ts';
import { lockFor } from '../../../functions/cli/build/lock.ts';
import { longTest } from '../../support/deep.ts';

const root = join(import.meta.dirname, '../../..');
const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A checkout of its own, built in a time zone of its own. */
function build(name: string, timeZone: string, out: string): { name: string; archive: { file: string; sha256: string } }[] {
  const checkout = join(folder, name);
  for (const part of ['functions', 'config', 'package.json', 'package-lock.json'])
    cpSync(join(root, part), join(checkout, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(checkout, 'node_modules'));
  const args = ['functions/cli/main.ts', 'build', '--zip', '--json', '--out', out];
  const { functions } = JSON.parse(
    execFileSync(process.execPath, args, { cwd: checkout, env: { ...process.env, TZ: timeZone }, encoding: 'utf8' }),
  ) as { functions: { name: string; archive: { file: string; sha256: string } }[] };
  return functions.map((one) => ({ ...one, archive: { ...one.archive, file: join(checkout, one.archive.file) } }));
}

longTest('two checkouts of the same source give the same archives, byte for byte, and each holds what is deployed', () => {
  const one = build('one', 'Asia/Tokyo', 'dist');
  const other = build('another-place', 'America/St_Johns', 'out/deep');
  assert.deepEqual(
    one.map(({ name }) => name),
    [...DEPLOYABLES],
  );
  assert.deepEqual(
    one.map(({ archive }) => archive.sha256),
    other.map(({ archive }) => archive.sha256),
  );
  for (const [index, { name, archive }] of one.entries()) {
    assert.ok(readFileSync(archive.file).equals(readFileSync(other[index]?.archive.file ?? '')));
    const files = Object.keys(unzipSync(readFileSync(archive.file)));
    for (const wanted of ['index.cjs', 'package.json', 'package-lock.json']) assert.ok(files.includes(wanted), `${name}: ${wanted}`);
    assert.deepEqual(
      files.filter((file) => file.endsWith('.map')),
      [],
    );
  }
  const lock = JSON.parse(readFileSync(join(folder, 'one/dist/api/package-lock.json'), 'utf8')) as { packages: Record<string, unknown> };
  const whole = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as { packages: Record<string, unknown> };
  const { '': own, ...packages } = lock.packages;
  for (const [path, entry] of Object.entries(packages)) assert.deepEqual(entry, whole.packages[path], path);
  assert.ok(Object.keys(packages).length > 20 && own);
  // npm itself finds the lock file complete and in step with package.json; nothing is fetched or written.
  execFileSync('npm', ['ci', '--dry-run', '--offline', '--ignore-scripts'], { cwd: join(folder, 'one/dist/api'), stdio: 'pipe' });
});

const manifest = { name: 'x', version: '1.0.0', private: true, main: 'index.cjs', engines: { node: '24.x' }, dependencies: { a: '1.0.0' } };
const lock = (packages: Record<string, object>) => ({ lockfileVersion: 3, packages });
const trees = [
  {
    name: 'a package beside the asking one comes before one further up',
    packages: {
      'node_modules/a': { dependencies: { b: '2' } },
      'node_modules/a/node_modules/b': { dependencies: { c: '1' } },
      'node_modules/b': {},
      'node_modules/c': { dependencies: { a: '1' } },
      'node_modules/unused': {},
    },
    taken: ['node_modules/a', 'node_modules/a/node_modules/b', 'node_modules/c'],
  },
  {
    name: 'scoped names, and an optional package that is not there',
    packages: { 'node_modules/a': { dependencies: { '@s/b': '1' }, optionalDependencies: { none: '1' } }, 'node_modules/@s/b': {} },
    taken: ['node_modules/@s/b', 'node_modules/a'],
  },
];
for (const { name, packages, taken } of trees)
  test(name, () => {
    const made = lockFor(manifest, lock(packages)) as { packages: object };
    assert.deepEqual(
      Object.keys(made.packages).filter((path) => path !== ''),
      taken,
    );
  });

test('a lock file that lacks a needed package is refused', () =>
  assert.throws(() => lockFor(manifest, lock({ 'node_modules/a': { dependencies: { b: '1' } } })), /b is missing/));
