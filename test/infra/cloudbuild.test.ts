/** cloudbuild.yaml: by a strict table of its keys, and by gcloud's own parser where there is one. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import * as z from 'zod';
import { onPath, sdkRoot, skipUnless } from '../support/programs/emulators.ts';

const text = readFileSync('cloudbuild.yaml', 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const seconds = z.string().regex(/^\d+s$/);
const step = z.strictObject({
  id: z.string().regex(/^[a-z-]+$/),
  // Exact: a digest, or a version to the last number.
  name: z
    .string()
    .regex(/^[a-z0-9./-]+(@sha256:[0-9a-f]{64}|:\d+\.\d+\.\d+(-[a-z]+)?)$/, { error: 'expected a digest or an exact version' }),
  entrypoint: z.string(),
  args: z.array(z.string()),
  env: z.array(z.string().regex(/^[A-Z_]+=/)).optional(),
  waitFor: z.array(z.string()).optional(),
  allowFailure: z.boolean().optional(),
});
const file = z.strictObject({
  substitutions: z.record(z.string().regex(/^_[A-Z0-9_]+$/), z.string()),
  steps: z.array(step).min(1),
  artifacts: z.strictObject({ objects: z.strictObject({ location: z.string().startsWith('gs://'), paths: z.array(z.string()) }) }),
  images: z.array(z.string()).min(1), // what provenance is written for
  options: z.strictObject({
    logging: z.literal('CLOUD_LOGGING_ONLY'),
    machineType: z.string(),
    dynamicSubstitutions: z.literal(true),
    requestedVerifyOption: z.literal('VERIFIED'),
    sourceProvenanceHash: z.array(z.literal('SHA256')),
  }),
  timeout: seconds,
  tags: z.array(z.string()),
});
type Build = z.output<typeof file>;

/** What of a build file is wrong, one line each. */
function problems(yaml: string): string[] {
  const { data, error } = file.safeParse(parse(yaml));
  if (!data) return error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  return [...orderProblems(data), ...textProblems(data)];
}

const GIVEN = ['PROJECT_ID', 'SHORT_SHA'];

function orderProblems({ steps }: Build): string[] {
  const before = (id: string): string[] => (steps.find((one) => one.id === id)?.waitFor ?? []).flatMap((one) => [one, ...before(one)]);
  const ids = steps.map(({ id }) => id);
  const order = ['install', 'check', 'test', 'build', 'plan', 'apply', 'smoke'];
  return [
    ...ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `${id}: twice`),
    ...steps.flatMap(({ id, waitFor = [] }, at) =>
      waitFor.filter((one) => !ids.slice(0, at).includes(one)).map((one) => `${id}: waits for ${one}`),
    ),
    ...order.filter((id) => !ids.includes(id)).map((id) => `${id}: missing`),
    ...['check', 'test', 'build'].filter((id) => !before('plan').includes(id)).map((id) => `plan: does not wait for ${id}`),
    ...['plan'].filter((id) => !before('apply').includes(id)).map((id) => `apply: does not wait for ${id}`),
    ...['apply'].filter((id) => !before('smoke').includes(id)).map((id) => `smoke: does not wait for ${id}`),
  ];
}

function textProblems({ steps, substitutions, artifacts, images }: Build): string[] {
  const ran = steps.flatMap(({ args, env = [] }) => [...args, ...env]);
  const texts = [...ran, ...Object.values(substitutions), artifacts.objects.location, ...images];
  // `$$` is a shell's own dollar; everything else that follows one is a substitution.
  const used = texts.flatMap((one) => [...one.replaceAll('$$', '').matchAll(/\$\{?(\w+)/g)].map(([, name = '']) => name));
  const known = [...Object.keys(substitutions), ...GIVEN];
  const plan = steps.find(({ id }) => id === 'plan')?.args.at(-1) ?? '';
  const apply = steps.find(({ id }) => id === 'apply')?.args.at(-1) ?? '';
  const planned = /-out=(\S+)/.exec(plan)?.[1] ?? 'nothing';
  const shells = steps.filter(({ entrypoint }) => /^(ba)?sh$/.test(entrypoint));
  return [
    ...used.filter((name) => !known.includes(name)).map((name) => `${name}: no such substitution`),
    ...Object.keys(substitutions)
      .filter((name) => !used.includes(name))
      .map((name) => `${name}: not used`),
    ...Object.entries(substitutions)
      .filter((one) => /secret|token|password|key/i.test(one.join(' ')))
      .map(([name]) => `${name}: looks like a secret`),
    ...images.filter((image) => !ran.some((text) => text.includes(`--tag "${image}"`))).map((image) => `${image}: no step builds it`),
    ...(apply.trim().endsWith(planned) ? [] : [`apply: does not apply ${planned}`]),
    ...(/-auto-approve|latest/.test(texts.join('\n')) ? ['something is applied or fetched unseen'] : []),
    ...shells.flatMap(({ id, args }) => {
      const { status, stderr } = spawnSync('bash', ['-n', '-c', (args.at(-1) ?? '').replaceAll('$$', '$')], { encoding: 'utf8' });
      return status === 0 ? [] : [`${id}: ${stderr}`];
    }),
  ];
}

test('the pipeline is well formed and in order', () => assert.deepEqual(problems(text), []));

test('the trigger of infra/ tells only what the pipeline asks', () => {
  const [, told = ''] = /substitutions = merge\(([\s\S]*?)\n {2}\)/.exec(readFileSync('infra/build.tf', 'utf8')) ?? [];
  const names = [...told.matchAll(/\b(_[A-Z_]+) =/g)].map(([, name]) => String(name));
  assert.ok(names.length > 3);
  assert.deepEqual(
    names.filter((name) => !Object.hasOwn(parse(text).substitutions, name)),
    [],
  );
});

test('a commit without the settings of the deployment is not planned', () => {
  const plan = String((parse(text) as Build).steps.find(({ id }) => id === 'plan')?.args.at(-1)).replaceAll('$$', '$');
  const ran = (...files: string[]): string => {
    const at = mkdtempSync(join(folder, 'plan-'));
    mkdirSync(join(at, 'infra'));
    mkdirSync(join(at, 'bin'));
    for (const file of files) writeFileSync(join(at, 'infra', file), '');
    writeFileSync(join(at, 'bin/terraform'), '#!/bin/sh\necho "terraform $*"\n', { mode: 0o755 });
    const { status, stdout } = spawnSync('sh', ['-ceu', plan.replaceAll(/\$\{_?[A-Z_]+\}/g, 'x')], {
      cwd: at,
      env: { PATH: `${join(at, 'bin')}:/usr/bin:/bin` },
      encoding: 'utf8',
    });
    return `${status} ${stdout}`;
  };
  assert.match(ran(), /^1 $/);
  assert.match(ran('terraform.tfvars'), /^0 [\s\S]*infra init(?![\s\S]*readonly)[\s\S]*infra plan .*-out=/);
  assert.match(ran('terraform.tfvars', '.terraform.lock.hcl'), /infra init .*-lockfile=readonly/);
});

const mistakes: readonly { readonly name: string; readonly from: string | RegExp; readonly to: string; readonly says: RegExp }[] = [
  { name: 'an unknown key', from: 'waitFor: [plan]', to: 'waitsFor: [plan]', says: /waitsFor/ },
  {
    name: 'a floating image',
    from: 'node:24.21.0-bookworm',
    to: 'node:24',
    says: /steps\.\d+\.name: expected a digest or an exact version/,
  },
  { name: 'an image of today', from: 'hashicorp/terraform:1.11.4', to: 'hashicorp/terraform:latest', says: /exact version/ },
  { name: 'a wait for nothing', from: 'waitFor: [plan]', to: 'waitFor: [plans]', says: /apply: waits for plans/ },
  {
    name: 'an apply without tests',
    from: 'waitFor: [check, test, build]',
    to: 'waitFor: [check, build]',
    says: /plan: does not wait for test/,
  },
  {
    name: 'an apply of another plan',
    from: '-lock-timeout=120s /workspace/plan.bin',
    to: '-auto-approve',
    says: /does not apply \/workspace\/plan\.bin/,
  },
  {
    name: "a shell's dollar that Cloud Build takes for its own",
    from: /\$\$(\{key\}\.tar\.gz" npm)/,
    to: '$$$1',
    says: /key: no such substitution/,
  },
  {
    name: 'a secret among the substitutions',
    from: '  _REGION: ',
    to: '  _API_TOKEN: x\n  _REGION: ',
    says: /_API_TOKEN: looks like a secret/,
  },
  {
    name: 'a shell line that is cut off',
    from: 'tar xzf npm-cache.tar.gz || echo',
    to: 'tar xzf "npm-cache.tar.gz || echo',
    says: /restore-cache: bash/,
  },
  { name: 'nothing that provenance is written for', from: /^images: .*\n/m, to: '', says: /images/ },
  { name: 'an image that nobody builds', from: /archives:(?=[^"]*" dist)/, to: 'archive:', says: /no step builds it/ },
  {
    name: 'no provenance',
    from: '  requestedVerifyOption: VERIFIED # provenance of the image, from a build in a region too\n',
    to: '',
    says: /requestedVerifyOption/,
  },
];
for (const { name, from, to, says } of mistakes)
  test(`planted: ${name}`, () => {
    const bad = text.replace(from, to);
    assert.notEqual(bad, text);
    assert.match(problems(bad).join('\n'), says);
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

  test('takes the file as it is', () => assert.equal(read(text).stdout.trim(), String(parse(text).steps.length)));

  test('would not take an unknown key', () =>
    assert.match(read(text.replace('waitFor: [plan]', 'waitsFor: [plan]')).stderr, /waitsFor: unused/));
});
