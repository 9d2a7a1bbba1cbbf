/** No object of another module is changed by ours, neither Node's nor a package's: other code relies on them as they are. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { CONFIG, PROJECT } from './support/stack/laptop.ts';

const ROOT = join(import.meta.dirname, '..');
const PROGRAM = join(import.meta.dirname, 'support/programs/patches.ts');
const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
writeFileSync(join(folder, 'config.json'), JSON.stringify(CONFIG));

const sources = readdirSync(join(ROOT, 'functions'), { recursive: true, encoding: 'utf8' }).filter((file) => /(?<!\.d)\.ts$/.test(file));
// Everything that a function or `npm start` is made of; what starts a program when it is imported is not.
const files = sources
  .filter((file) => !/^(cli\/main|dev\/(main|run-dev|npm-parent))\.ts$/.test(file))
  .map((file) => join(ROOT, 'functions', file));
const packages = [
  ...new Set(
    files.flatMap(
      (file) =>
        [...readFileSync(file, 'utf8').matchAll(/^import (?!type)[^'=();]*from '([^'.][^']*)'|\bimport\('([^'.][^']*)'\)/gm)]
          .map(([, named, dynamic]) => named ?? dynamic ?? '')
          .filter((name) => !name.startsWith('node:') && name !== 'zod'), // completes its own prototypes when they are first used
    ),
  ),
];

async function patchesOf(imported: readonly string[]): Promise<string[]> {
  const env = { ...process.env, GOOGLE_CLOUD_PROJECT: PROJECT, MAILGRANT_CONFIG: join(folder, 'config.json') };
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, JSON.stringify(packages), JSON.stringify(imported)], { env });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}

test('no file of ours replaces, adds or takes away a function of another module', async () => {
  assert.ok(files.length > 250 && packages.length > 10, `${files.length} files, ${packages.length} packages`);
  assert.deepEqual(await patchesOf(files), []);
});

const planted: readonly { name: string; text: string; found: string }[] = [
  { name: 'a function of Node', text: "import domain from 'node:domain'; domain.create = () => null;", found: 'domain.create' },
  {
    name: 'a prototype of Node',
    text: "import { Server } from 'node:net'; Server.prototype.listen = function () { return this; };",
    found: 'net.Server.prototype.listen',
  },
  {
    name: "a prototype of a package's",
    text: `import Node from '${import.meta.resolve('nodemailer/lib/mail-composer')}'; Node.prototype.compile = () => null;`,
    found: 'nodemailer/lib/mail-composer.default.prototype.compile',
  },
  { name: 'a global', text: 'Array.prototype.last = function () { return this.at(-1); };', found: 'globalThis.Array.prototype.last' },
];
for (const { name, text, found } of planted)
  test(`a change of ${name} is seen`, async () => {
    const file = join(folder, `${name.replaceAll(/\W/g, '-')}.mjs`);
    writeFileSync(file, text);
    assert.deepEqual(await patchesOf([file]), [found]);
  });
