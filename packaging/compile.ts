/** Run by `npm pack`: what the package carries in lib/, compiled JavaScript with its types, and the lock of what a deployed function installs. */
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Lock, lockFor } from '../functions/cli/build/lock.ts';

const FRAMEWORK = '@google-cloud/functions-framework';

process.chdir(join(import.meta.dirname, '..'));
rmSync('lib', { recursive: true, force: true });
const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));
// Node strips no types below node_modules. The compiler writes the same files with the same names, and their types beside them.
execFileSync(process.execPath, [join(typescript, 'bin/tsc'), '--project', 'tsconfig.package.json'], { stdio: ['ignore', 2, 2] });

const { name, version, dependencies } = read('package.json') as { name: string; version: string; dependencies: Record<string, string> };
const manifest = { name, version, private: true, main: '', engines: {}, dependencies: { [FRAMEWORK]: dependencies[FRAMEWORK] ?? '' } };
writeFileSync('lib/package-lock.json', `${JSON.stringify(lockFor(manifest, read('package-lock.json') as Lock), null, 2)}\n`);

function read(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}
