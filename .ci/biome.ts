// Runs Biome, held by the hash in linter.json: its packages, one per platform, do not lock in package-lock.json (docs/decisions/092). The program is
// fetched once by npm and kept in node_modules; what has another hash is not run.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const { version, integrity } = JSON.parse(
  readFileSync(process.env['MAILGRANT_BIOME'] ?? join(import.meta.dirname, 'linter.json'), 'utf8'),
) as {
  version: string;
  integrity: Readonly<Record<string, string>>;
};

const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
const musl = process.platform === 'linux' && report?.header?.glibcVersionRuntime === undefined ? '-musl' : '';
const name = `cli-${process.platform}-${process.arch}${musl}`;
const wanted = integrity[name];
if (wanted === undefined)
  stop(`Biome is not held for ${name}: add its hash to .ci/linter.json (npm view @biomejs/${name}@${version} dist.integrity)`);

// The hash is part of the place: another hash is another program.
const kept = join(
  process.env['MAILGRANT_BIOME_CACHE'] ?? join(root, 'node_modules/.cache/mailgrant'),
  `biome-${createHash('sha256').update(String(wanted)).digest('hex').slice(0, 16)}`,
);
const program = join(kept, 'package', process.platform === 'win32' ? 'biome.exe' : 'biome');
if (!existsSync(program)) fetchTo(kept);
const { status, error } = spawnSync(program, process.argv.slice(2), { stdio: 'inherit' });
if (error) stop(`Biome does not start: ${error.message}`);
process.exitCode = status ?? 1;

function fetchTo(place: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'biome-'));
  try {
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
    const packed = spawnSync(npm, ['pack', `@biomejs/${name}@${version}`, '--ignore-scripts', '--silent', '--pack-destination', folder], {
      encoding: 'utf8',
    });
    const file = readdirSync(folder).find((one) => one.endsWith('.tgz'));
    if (packed.status !== 0 || !file) stop(`Biome cannot be fetched: ${packed.stderr.trim() || 'npm pack failed'}`);
    const found = `sha512-${createHash('sha512')
      .update(readFileSync(join(folder, file)))
      .digest('base64')}`;
    if (found !== wanted) stop(`@biomejs/${name}@${version} has the hash ${found}, and not the one in .ci/linter.json: it is not run`);
    if (spawnSync('tar', ['xzf', join(folder, file), '-C', folder]).status !== 0) stop('Biome cannot be unpacked');
    mkdirSync(join(place, '..'), { recursive: true });
    rmSync(join(folder, file));
    if (!existsSync(place)) renameAcross(folder, place);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A rename, or a copy where the two are on different file systems. */
function renameAcross(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch {
    if (spawnSync('cp', ['-R', from, to]).status !== 0) stop('Biome cannot be kept');
  }
}

function stop(message: string): never {
  console.error(message);
  process.exit(2);
}
