/** What CI fetches and runs: Biome by its hash, audits where the registry answers, install scripts by name, exact versions. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parse } from 'yaml';

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
function place(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
  folders.push(folder);
  mkdirSync(join(folder, 'bin'));
  return folder;
}
const program = (folder: string, name: string, text: string): void => {
  writeFileSync(join(folder, 'bin', name), `#!/bin/bash\n${text}\n`);
  chmodSync(join(folder, 'bin', name), 0o755);
};

/** Runs `.ci/biome.ts` with an npm that packs a program of ours, and with the hash that biome.json is to name. */
function biome(hash: (tarball: Buffer) => string): { status: number | null; stdout: string; stderr: string } {
  const folder = place();
  mkdirSync(join(folder, 'package'));
  writeFileSync(join(folder, 'package/biome'), '#!/bin/sh\necho "biome $*"\n', { mode: 0o755 });
  execFileSync('tar', ['czf', join(folder, 'cli.tgz'), '-C', folder, 'package']);
  program(folder, 'npm', `cp ${join(folder, 'cli.tgz')} "\${@: -1}/cli.tgz"`);
  const integrity = hash(readFileSync(join(folder, 'cli.tgz')));
  const names = ['cli-linux-x64', 'cli-linux-arm64', 'cli-linux-x64-musl', 'cli-linux-arm64-musl', 'cli-darwin-arm64', 'cli-darwin-x64'];
  writeFileSync(
    join(folder, 'biome.json'),
    JSON.stringify({ version: '1.2.3', integrity: Object.fromEntries(names.map((name) => [name, integrity])) }),
  );
  const env = {
    ...process.env,
    PATH: `${join(folder, 'bin')}:/usr/bin:/bin`,
    MAILGRANT_BIOME: join(folder, 'biome.json'),
    MAILGRANT_BIOME_CACHE: join(folder, 'cache'),
  };
  return spawnSync(process.execPath, ['.ci/biome.ts', 'check', '.'], { env, encoding: 'utf8' });
}
const sha512 = (bytes: Buffer): string => `sha512-${createHash('sha512').update(bytes).digest('base64')}`;

test('Biome is run when it has the hash that is written down', () => assert.match(biome(sha512).stdout, /^biome check \.$/m));

test('a Biome with another hash is not run', () => {
  const { status, stdout, stderr } = biome(() => sha512(Buffer.from('another')));
  assert.deepEqual([status, stdout], [2, '']);
  assert.match(stderr, /it is not run/);
});

test('the version of Biome is the one whose schema the settings name', () => {
  const { version } = JSON.parse(readFileSync('.ci/linter.json', 'utf8')) as { version: string };
  assert.match(readFileSync('biome.json', 'utf8'), new RegExp(`schemas/${version.replaceAll('.', '\\.')}/`));
});

const audits: readonly { readonly name: string; readonly npm: string; readonly status: number; readonly says: RegExp }[] = [
  { name: 'nothing found', npm: 'exit 0', status: 0, says: /^ok: .*\nok: / },
  {
    name: 'a vulnerability',
    npm: '[ "$2" = signatures ] || { echo "1 high severity vulnerability"; exit 1; }',
    status: 1,
    says: /high severity[\s\S]*FAILED: no known/,
  },
  {
    name: 'a package without a valid signature',
    npm: '[ "$2" != signatures ] || { echo "1 package has an invalid registry signature"; exit 1; }',
    status: 1,
    says: /FAILED: every package/,
  },
  {
    name: 'a registry that is away',
    npm: 'echo "npm error audit endpoint returned an error" >&2; exit 1',
    status: 0,
    says: /^skipped: .*does not answer\nskipped: /,
  },
  { name: 'a network that is away', npm: 'echo "npm error code ENOTFOUND" >&2; exit 1', status: 0, says: /skipped/ },
];
for (const { name, npm, status, says } of audits)
  test(`the audit: ${name}`, () => {
    const folder = place();
    program(folder, 'npm', npm);
    const ran = spawnSync('bash', ['.ci/supply-chain'], {
      env: { ...process.env, PATH: `${join(folder, 'bin')}:/usr/bin:/bin` },
      encoding: 'utf8',
    });
    assert.equal(ran.status, status, ran.stdout);
    assert.match(ran.stdout, says);
  });

test('every package whose install script would run is judged by name, and versions are exact', () => {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Record<string, Record<string, unknown>>;
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, { hasInstallScript?: boolean; optional?: boolean; integrity?: string; link?: boolean }>;
  };
  const scripted = Object.entries(packages).filter(([path, one]) => path !== '' && one.hasInstallScript && !one.optional);
  const names = [...new Set(scripted.map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 13)))];
  assert.deepEqual(
    names.filter((name) => !(name in (manifest['allowScripts'] ?? {}))),
    [],
  );
  const loose = [...Object.entries(manifest['dependencies'] ?? {}), ...Object.entries(manifest['devDependencies'] ?? {})].filter(
    ([, version]) => !/^(npm:[\w@/-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(String(version)),
  );
  assert.deepEqual(loose, []);
  const unlocked = Object.entries(packages).filter(([path, one]) => path !== '' && !one.link && one.integrity === undefined);
  assert.deepEqual(
    unlocked.map(([path]) => path),
    [],
  );
});

// ---- .github

const workflow = (file: string): Record<string, unknown> =>
  parse(readFileSync(`.github/workflows/${file}`, 'utf8')) as Record<string, unknown>;
const workflows = readdirSync('.github/workflows');

for (const file of workflows)
  test(`the workflow ${file} has no rights but reading, no secret, and calls what CI calls`, () => {
    const text = readFileSync(`.github/workflows/${file}`, 'utf8');
    const { permissions, jobs } = workflow(file) as {
      permissions: object;
      jobs: Record<
        string,
        { permissions?: Record<string, string>; steps: { uses?: string; run?: string; with?: Record<string, unknown> }[] }
      >;
    };
    assert.deepEqual(permissions, { contents: 'read' });
    assert.doesNotMatch(text, /secrets\.|pull_request_target|\$\{\{\s*github\.(event|head_ref)/);
    for (const job of Object.values(jobs)) {
      assert.ok(Object.values(job.permissions ?? {}).every((right) => right === 'read'));
      for (const step of job.steps) if (step.uses?.startsWith('actions/checkout')) assert.equal(step.with?.['persist-credentials'], false);
    }
  });

test('a change must pass .ci/run, and that runs the audits', () => {
  assert.match(readFileSync('.github/workflows/ci.yml', 'utf8'), /run: \.ci\/run$/m);
  assert.match(readFileSync('.ci/run', 'utf8'), /^\.ci\/supply-chain$/m);
});

test('the issue form asks for what doctor and explain print, and for nothing secret', () => {
  const form = parse(readFileSync('.github/ISSUE_TEMPLATE/bug.yml', 'utf8')) as {
    body: { type: string; id?: string; attributes: Record<string, unknown>; validations?: object }[];
  };
  const text = JSON.stringify(form.body);
  for (const asked of ['npx mailgrant explain', 'npx mailgrant doctor --json']) assert.ok(text.includes(asked), asked);
  assert.match(text, /no (token|secret)/i);
  const ids = form.body.flatMap(({ id }) => id ?? []);
  assert.deepEqual(ids.length, new Set(ids).size);
});
