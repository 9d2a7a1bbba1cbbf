import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onceARun } from '../once-a-run.ts';

const ROOT = join(import.meta.dirname, '../../..');
/** Under MAILGRANT_INSTALL=1 npm installs the package's dependencies; otherwise they are links to the checkout's. */
export const INSTALL = process.env['MAILGRANT_INSTALL'] === '1';

/** The oldest Node at hand, where npm installs: the package brings the one that it needs. */
export const NODE = INSTALL ? (['/usr/bin/node', '/usr/local/bin/node'].find(existsSync) ?? process.execPath) : process.execPath;

export interface Packed {
  /** The archive that `npm pack` made. */
  readonly archive: string;
  readonly files: readonly string[];
}

/** Packs once a run: npm compiles into lib/ of the checkout, which two at once would do on top of each other. */
export function pack(): Packed {
  const folder = onceARun('packed', (own) => {
    const args = ['pack', '--json', '--pack-destination', own];
    writeFileSync(join(own, 'packed.json'), execFileSync('npm', args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'ignore'] }));
  });
  const [{ filename, files }] = JSON.parse(readFileSync(join(folder, 'packed.json'), 'utf8')) as [
    { filename: string; files: { path: string }[] },
  ];
  return { archive: join(folder, filename), files: files.map(({ path }) => path) };
}

/** Installs the archive, and what else is named, into `folder/node_modules`. */
export function install({ archive }: Packed, folder: string, more: readonly string[] = []): void {
  if (INSTALL) {
    if (!existsSync(join(folder, 'package.json'))) writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    execFileSync('npm', ['install', '--no-audit', '--no-fund', archive, ...more], { cwd: folder, stdio: 'ignore' });
    return;
  }
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, 'mailgrant'), { recursive: true });
  execFileSync('tar', ['xzf', archive, '--strip-components=1', '-C', join(modules, 'mailgrant')]);
  for (const name of readdirSync(join(ROOT, 'node_modules')))
    if (name !== '.bin') symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
}
