/** The pipeline's four builds: by a strict table of their keys, and by gcloud's own parser where there is one. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import * as z from 'zod';
import { onPath, sdkRoot, skipUnless } from '../support/programs/emulators.ts';

const NAMES = ['check', 'plan', 'apply', 'smoke'] as const;
type Name = (typeof NAMES)[number];
const texts = Object.fromEntries(
  NAMES.map((name) => [name, readFileSync(name === 'check' ? 'cloudbuild.yaml' : `infra/builds/${name}.yaml`, 'utf8')]),
) as Record<Name, string>;
const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const seconds = z.string().regex(/^\d+s$/);
const step = z.strictObject({
  id: z.string().regex(/^[a-z-]+$/),
  // Exact: a digest, or a version to the last number, to which the update bot adds the digest.
  name: z.string().regex(/^[a-z0-9./-]+(:\d+\.\d+\.\d+(-[a-z]+)?)(@sha256:[0-9a-f]{64})?$/, {
    error: 'expected an exact version, with or without a digest',
  }),
  entrypoint: z.string(),
  args: z.array(z.string()),
  env: z.array(z.string().regex(/^[A-Z_]+=/)).optional(),
  waitFor: z.array(z.string()).optional(),
});
const file = z.strictObject({
  substitutions: z.record(z.string().regex(/^_[A-Z0-9_]+$/), z.string()),
  steps: z.array(step).min(1),
  images: z.array(z.string()).min(1).optional(), // what provenance is written for
  options: z.strictObject({
    logging: z.literal('CLOUD_LOGGING_ONLY'),
    machineType: z.string().optional(),
    dynamicSubstitutions: z.literal(true),
    requestedVerifyOption: z.literal('VERIFIED').optional(),
    sourceProvenanceHash: z.array(z.literal('SHA256')).optional(),
  }),
  timeout: seconds,
  tags: z.array(z.string()),
});
type Build = z.output<typeof file>;

/** Which step comes after which, in each file. */
const ORDER: Readonly<Record<Name, Readonly<Record<string, readonly string[]>>>> = {
  // What is kept was built before a test could change it.
  check: { install: [], build: ['install'], keep: ['build'], check: ['keep'], test: ['keep'] },
  plan: { commit: [], plan: ['commit'], review: ['plan'], keep: ['review'] },
  apply: { commit: [], apply: ['commit'], image: ['apply'] },
  smoke: { install: [], smoke: ['install'] },
};

/** What of a build file is wrong, one line each. */
function problems(name: Name, yaml: string): string[] {
  const { data, error } = file.safeParse(parse(yaml));
  if (!data) return error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  return [...orderProblems(name, data), ...textProblems(name, data), ...rightsProblems(name, data)];
}

const GIVEN = ['PROJECT_ID', 'SHORT_SHA', 'COMMIT_SHA'];

function orderProblems(name: Name, { steps }: Build): string[] {
  const before = (id: string): string[] => (steps.find((one) => one.id === id)?.waitFor ?? []).flatMap((one) => [one, ...before(one)]);
  const ids = steps.map(({ id }) => id);
  return [
    ...ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `${id}: twice`),
    ...steps.flatMap(({ id, waitFor = [] }, at) =>
      waitFor.filter((one) => !ids.slice(0, at).includes(one)).map((one) => `${id}: waits for ${one}`),
    ),
    ...Object.entries(ORDER[name]).flatMap(([id, first]) => [
      ...(ids.includes(id) ? [] : [`${id}: missing`]),
      ...first.filter((one) => !before(id).includes(one)).map((one) => `${id}: does not wait for ${one}`),
    ]),
  ];
}

function textProblems(name: Name, { steps, substitutions, images = [] }: Build): string[] {
  const ran = steps.flatMap(({ args, env = [] }) => [...args, ...env]);
  const texts = [...ran, ...Object.values(substitutions), ...images];
  // `$$` is a shell's own dollar; everything else that follows one is a substitution.
  const used = texts.flatMap((one) => [...one.replaceAll('$$', '').matchAll(/\$\{?(\w+)/g)].map(([, found = '']) => found));
  const known = [...Object.keys(substitutions), ...GIVEN];
  const shells = steps.filter(({ entrypoint }) => /^(ba)?sh$/.test(entrypoint));
  return [
    ...used.filter((one) => !known.includes(one)).map((one) => `${one}: no such substitution`),
    ...Object.keys(substitutions)
      .filter((one) => !used.includes(one))
      .map((one) => `${one}: not used`),
    ...Object.entries(substitutions)
      .filter((one) => /secret|token|password|key/i.test(one.join(' ')))
      .map(([one]) => `${one}: looks like a secret`),
    ...images.filter((image) => !ran.some((text) => text.includes(`--tag "${image}"`))).map((image) => `${image}: no step builds it`),
    ...(name === 'apply' && images.length === 0 ? ['images: nothing that provenance is written for'] : []),
    ...(/-auto-approve|latest/.test(texts.join('\n')) ? ['something is applied or fetched unseen'] : []),
    ...shells.flatMap(({ id, args }) => {
      const { status, stderr } = spawnSync('bash', ['-n', '-c', (args.at(-1) ?? '').replaceAll('$$', '$')], { encoding: 'utf8' });
      return status === 0 ? [] : [`${id}: ${stderr}`];
    }),
  ];
}

/** What each build may run: packages of npm only where the account may do nothing, and never with their scripts. */
function rightsProblems(name: Name, { steps }: Build): string[] {
  const ran = steps.map(({ id, entrypoint, args }) => ({ id, text: [entrypoint, ...args].join(' ') }));
  const all = ran.map(({ text }) => text).join('\n');
  return [
    ...(name === 'plan' || name === 'apply'
      ? ran.filter(({ text }) => /\b(npm|npx)\b/.test(text)).map(({ id }) => `${id}: runs what comes from npm`)
      : []),
    ...ran
      .filter(({ text }) => /\bnpm ci\b/.test(text) && !/--ignore-scripts/.test(text))
      .map(({ id }) => `${id}: runs scripts of packages`),
    ...(name === 'check' && !/^npm run test:all$/m.test(all) ? ['test: leaves the long tests out'] : []),
    ...(name !== 'apply' && /terraform[^\n]* apply/.test(all) ? ['applies'] : []),
    ...(name === 'plan' && !/-lock=false/.test(all) ? ['plan: locks a state that it may only read'] : []),
    ...(name === 'apply' && !/apply [^\n]*\/workspace\/plan\.bin$/m.test(all.trim())
      ? ['apply: does not apply the plan that was kept']
      : []),
    ...(name !== 'check' && !/"\$\{_COMMIT\}" = "\$\{COMMIT_SHA\}"/.test(all) ? ['takes another commit than was checked'] : []),
    ...((name === 'plan' || name === 'apply') && !/sha256sum --check --strict/.test(all) ? ['takes archives unchecked'] : []),
    ...(/gcloud storage cp (?!--no-clobber)[^\n]* "gs:/.test(all.replaceAll(/cp "gs:/g, '')) ? ['overwrites what another build kept'] : []),
  ];
}

for (const name of NAMES) test(`the build ${name} is well formed and in order`, () => assert.deepEqual(problems(name, texts[name]), []));

test('there are no other builds', () =>
  assert.deepEqual(
    readdirSync('infra/builds').sort(),
    NAMES.filter((name) => name !== 'check')
      .map((name) => `${name}.yaml`)
      .sort(),
  ));

test('the triggers of infra/ tell each build what it asks, and nothing else', () => {
  const infra = readFileSync('infra/build.tf', 'utf8');
  const [, uses = ''] = /build_uses = \{\n([\s\S]*?)\n {2}\}/.exec(infra) ?? [];
  const [, told = ''] = /build_told = \{\n([\s\S]*?)\n {2}\}/.exec(infra) ?? [];
  const names = (text: string): string[] => [...text.matchAll(/\b_[A-Z_]+\b/g)].map(String);
  for (const name of NAMES) {
    const given = names(new RegExp(`^ +${name} += .*$`, 'm').exec(uses)?.[0] ?? '');
    const state = name === 'plan' || name === 'apply' ? ['_STATE_BUCKET'] : [];
    const asked = Object.keys((parse(texts[name]) as Build).substitutions).filter((one) => one !== '_SOURCE_BUCKET');
    assert.deepEqual([...new Set([...given, ...state, ...(name === 'check' ? [] : names(told))])].sort(), asked.sort(), name);
  }
});

/** Runs the shell of a step in a folder of its own, with programs that only say how they were called. */
function ran(name: Name, id: string, lay: (at: string) => void, env: Record<string, string> = {}): string {
  const script = String((parse(texts[name]) as Build).steps.find((one) => one.id === id)?.args.at(-1)).replaceAll('$$', '\u0000');
  const at = mkdtempSync(join(folder, `${id}-`));
  for (const part of ['infra/env', 'bin']) mkdirSync(join(at, part), { recursive: true });
  lay(at);
  for (const program of ['terraform', 'gcloud'])
    writeFileSync(join(at, 'bin', program), `#!/bin/sh\necho "${program} $*"\n`, { mode: 0o755 });
  const filled = script
    .replaceAll(/\$\{(_?[A-Z_]+)\}/g, (_, one: string) => env[one] ?? (one === '_ENV' ? '' : 'x'))
    .replaceAll('\u0000', '$');
  const { status, stdout } = spawnSync('sh', ['-ceu', filled.replaceAll('/workspace/', `${at}/`)], {
    cwd: at,
    env: { PATH: `${join(at, 'bin')}:/usr/bin:/bin` },
    encoding: 'utf8',
  });
  return `${status} ${stdout}`;
}

test('a commit without the settings of the deployment is not planned', () => {
  const lay =
    (...files: string[]) =>
    (at: string): void => {
      for (const one of files) writeFileSync(join(at, 'infra', one), '');
    };
  assert.match(ran('plan', 'plan', lay()), /^1 $/);
  assert.match(
    ran('plan', 'plan', lay('terraform.tfvars')),
    /^0 [\s\S]*infra init (?![\s\S]*readonly)[\s\S]*infra plan .*-var-file=terraform\.tfvars .*-out=/,
  );
  assert.match(ran('plan', 'plan', lay('terraform.tfvars', '.terraform.lock.hcl')), /infra init .*-lockfile=readonly/);
  assert.match(ran('plan', 'plan', lay('terraform.tfvars'), { _ENV: 'staging' }), /^1 $/);
  assert.match(
    ran('plan', 'plan', lay('env/staging.tfvars'), { _ENV: 'staging' }),
    /prefix=x\/staging[\s\S]*-var-file=env\/staging\.tfvars/,
  );
});

test('archives that are not those of the commit, or of another commit, go no further', () => {
  const lay =
    (content: string) =>
    (at: string): void => {
      mkdirSync(join(at, 'kept'));
      writeFileSync(join(at, 'bin/mkdir'), '#!/bin/sh\nmv kept dist\n', { mode: 0o755 });
      writeFileSync(join(at, 'kept/api.zip'), content);
      writeFileSync(join(at, 'kept/SHA256SUMS'), `${createHash('sha256').update('built').digest('hex')}  api.zip\n`);
    };
  for (const name of ['plan', 'apply'] as const) {
    assert.match(ran(name, 'commit', lay('built')), /^0 /);
    assert.match(ran(name, 'commit', lay('changed')), /^1 /);
    assert.match(ran(name, 'commit', lay('built'), { COMMIT_SHA: 'newer' }), /^1 /);
  }
});

const mistakes: readonly {
  readonly name: string;
  readonly of: Name;
  readonly from: string | RegExp;
  readonly to: string;
  readonly says: RegExp;
}[] = [
  { name: 'an unknown key', of: 'plan', from: 'waitFor: [plan]', to: 'waitsFor: [plan]', says: /waitsFor/ },
  {
    name: 'a floating image',
    of: 'check',
    from: 'node:24.21.0-bookworm',
    to: 'node:24',
    says: /steps\.\d+\.name: expected an exact version/,
  },
  { name: 'an image of today', of: 'apply', from: 'hashicorp/terraform:1.11.4', to: 'hashicorp/terraform:latest', says: /exact version/ },
  { name: 'a wait for nothing', of: 'apply', from: 'waitFor: [apply]', to: 'waitFor: [applied]', says: /image: waits for applied/ },
  {
    name: 'a plan that is kept unseen',
    of: 'plan',
    from: 'waitFor: [review]',
    to: 'waitFor: [plan]',
    says: /keep: does not wait for review/,
  },
  {
    name: 'archives that a test may have changed',
    of: 'check',
    from: /(id: keep[\s\S]*?waitFor: )\[build\]/,
    to: '$1[install]',
    says: /keep: does not wait for build/,
  },
  {
    name: 'an apply of another plan',
    of: 'apply',
    from: '-lock-timeout=120s /workspace/plan.bin',
    to: '-auto-approve',
    says: /does not apply the plan that was kept/,
  },
  { name: 'an apply of another commit', of: 'apply', from: /^ +test "\$\{_COMMIT\}.*\n/m, to: '', says: /another commit/ },
  {
    name: 'an apply of unchecked archives',
    of: 'apply',
    from: /sha256sum --check --strict SHA256SUMS/,
    to: 'ls',
    says: /archives unchecked/,
  },
  {
    name: 'packages of npm beside the deploying account',
    of: 'apply',
    from: 'terraform -chdir=infra apply',
    to: 'npm ci --ignore-scripts && terraform -chdir=infra apply',
    says: /apply: runs what comes from npm/,
  },
  { name: 'the quick tests alone', of: 'check', from: '[run, test:all]', to: '[test]', says: /leaves the long tests out/ },
  { name: 'scripts of packages', of: 'check', from: 'ci, --ignore-scripts,', to: 'ci,', says: /install: runs scripts of packages/ },
  { name: 'a plan that locks', of: 'plan', from: ' -lock=false', to: '', says: /may only read/ },
  { name: 'a plan that applies', of: 'plan', from: 'terraform -chdir=infra show', to: 'terraform -chdir=infra apply', says: /^applies$/m },
  { name: 'archives that are overwritten', of: 'check', from: 'cp --no-clobber', to: 'cp', says: /overwrites what another build kept/ },
  {
    name: "a shell's dollar that Cloud Build takes for its own",
    of: 'plan',
    from: '$${lock}',
    to: `$${'{lock}'}`,
    says: /lock: no such substitution/,
  },
  {
    name: 'a secret among the substitutions',
    of: 'plan',
    from: '  _REGION: ',
    to: '  _API_TOKEN: x\n  _REGION: ',
    says: /_API_TOKEN: looks like a secret/,
  },
  { name: 'a shell line that is cut off', of: 'plan', from: '"infra/$${vars}"', to: '"infra/$${vars}', says: /plan: bash/ },
  { name: 'nothing that provenance is written for', of: 'apply', from: /^images: .*\n/m, to: '', says: /images/ },
  { name: 'an image that nobody builds', of: 'apply', from: /archives:(?=[^"]*" dist)/, to: 'archive:', says: /no step builds it/ },
];
for (const { name, of, from, to, says } of mistakes)
  test(`planted: ${name}`, () => {
    const bad = texts[of].replace(from, (_, kept) => to.replace('$1', () => String(kept)));
    assert.notEqual(bad, texts[of]);
    assert.match(problems(of, bad).join('\n'), says);
  });

// ---- gcloud's parser, which knows the whole format

const PARSER = `
import os, sys, warnings
root, path = sys.argv[1:]
sys.path[:0] = [os.path.join(root, 'lib'), os.path.join(root, 'lib', 'third_party')]
warnings.simplefilter('ignore')
from googlecloudsdk.api_lib.cloudbuild import config
from googlecloudsdk.api_lib.util import apis
print(len(config.LoadCloudbuildConfigFromPath(path, apis.GetMessagesModule('cloudbuild', 'v1')).steps))
`;
const root = onPath('gcloud') ? sdkRoot() : null;

describe("gcloud's parser", { skip: skipUnless(root !== null, 'gcloud') }, () => {
  const env = { ...process.env, CLOUDSDK_CONFIG: folder };
  let python: string;
  before(() => {
    python = execFileSync('gcloud', ['info', '--format=value(basic.python_location)'], { encoding: 'utf8', env }).trim();
  });
  const read = (yaml: string): { status: number | null; stdout: string; stderr: string } => {
    const path = join(folder, 'cloudbuild.yaml');
    writeFileSync(path, yaml);
    return spawnSync(python, ['-c', PARSER, root ?? '', path], { encoding: 'utf8', env });
  };

  for (const name of NAMES)
    test(`takes ${name} as it is`, () => assert.equal(read(texts[name]).stdout.trim(), String(parse(texts[name]).steps.length)));

  test('would not take an unknown key', () =>
    assert.match(read(texts.plan.replace('waitFor: [plan]', 'waitsFor: [plan]')).stderr, /waitsFor: unused/));
});
