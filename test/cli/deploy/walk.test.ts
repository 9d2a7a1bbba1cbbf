/**
 * docs/deploy.md, typed by the letter: real commands of mailgrant, real Terraform against the stand-in of the provider, a gcloud that notes its calls,
 * and the laptop's stack for Google. In place of `your-project` stands the stack's project.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { loadConfig } from '../../../functions/config/load-config.ts';
import { type Stack, startStack } from '../../../functions/dev/stack.ts';
import { type Deployment, openDeployment } from '../../support/programs/deployment.ts';
import { onPath, skipUnless } from '../../support/programs/emulators.ts';
import { laid } from '../../support/programs/programs.ts';
import { hasTerraform } from '../../support/programs/terraform.ts';
import { blocksOf } from '../../support/stack/pages.ts';

const skip = skipUnless(hasTerraform && onPath('curl'), 'terraform with MAILGRANT_TERRAFORM_OFFLINE, and curl');
const MARKER = 'run by test/cli/deploy/walk.test.ts';
const ROOT = process.cwd();
const [configure, project, deploy, consent, staging] = blocksOf('docs/deploy.md')
  .filter(({ marker }) => marker === MARKER)
  .map(({ code }) => code.replaceAll(/\byour-project\b/g, 'laptop'));

describe('docs/deploy.md by the letter', { skip, timeout: 600_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
  let stack: Stack;
  let offline: Deployment;
  let env: Record<string, string>;
  let gcloud: () => string[];
  let printed = '';

  before(async () => {
    for (const part of ['bin', 'functions', 'config', 'package.json', 'package-lock.json', 'infra'])
      cpSync(join(ROOT, part), join(folder, part), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    writeFileSync(join(folder, 'stack.yaml'), 'mailboxes:\n  notices@example.com: { name: Example Notices }\n');
    stack = await startStack({
      config: loadConfig(join(folder, 'stack.yaml')),
      folder: join(folder, '.mailgrant'),
      sources: { api: 'functions/api.ts', worker: 'functions/worker.ts', hooks: 'functions/hooks.ts' },
      ports: { api: 0, worker: 0, hooks: 0, google: 0, inbox: 0, smtp: 0, smtps: 0 },
      deadlineSeconds: 60,
      onLine: () => {},
    });
    // Nobody has consented yet: the stack's own grant goes.
    const token = (
      (await (
        await fetch(`${stack.google.url}/computeMetadata/v1/instance/service-accounts/default/token`, {
          headers: { 'metadata-flavor': 'Google' },
        })
      ).json()) as { access_token: string }
    ).access_token;
    const disabled = await fetch(`${stack.google.url}/v1/projects/laptop/secrets/mailgrant-notices-example-com/versions/1:disable`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
    });
    assert.equal(disabled.status, 200);
    writeFileSync(join(folder, 'client.json'), JSON.stringify(stack.google.clients.file('installed')));

    offline = await openDeployment();
    const fakes = laid(folder);
    gcloud = fakes.calls;
    // The stand-in keeps the state beside the files: the bucket is gcloud's, and gcloud is not real.
    cpSync(join(offline.folder, 'zz_offline_override.tf'), join(folder, 'infra/zz_offline_override.tf'));
    const real = spawnSync('bash', ['-c', 'command -v terraform'], { encoding: 'utf8' }).stdout.trim();
    writeFileSync(
      join(fakes.path, 'terraform'),
      `#!/bin/bash\nset -- $(for a in "$@"; do case "$a" in -backend-config=*) ;; *) printf '%q ' "$a";; esac; done)\nexec ${real} "$@"\n`,
    );
    chmodSync(join(fakes.path, 'terraform'), 0o755);
    mkdirSync(join(folder, 'home'));
    env = {
      ...offline.env,
      TF_CLI_ARGS_init: `-plugin-dir=${offline.plugins}`,
      TF_VAR_settle_seconds: '0',
      PATH: `${fakes.path}:${join(ROOT, 'node_modules/.bin')}:/usr/bin:/bin`,
      HOME: join(folder, 'home'),
      MAILGRANT_GOOGLE_URL: stack.google.url,
      METADATA_SERVER_DETECTION: 'none',
      BROWSER: `node ${join(ROOT, 'test/support/programs/browser.ts')} %s`,
      STATE: join(folder, 'state.env'),
    };
  });
  after(async () => {
    await stack?.[Symbol.asyncDispose]();
    await offline?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Types a block into one shell after the other, each with what the last one exported; `answers` are typed when asked. */
  async function type(block: string | undefined, answers = ''): Promise<string> {
    const script = `npx() { shift; node bin/mailgrant.js "$@"; }\n[ ! -e "$STATE" ] || source "$STATE"\nset -euo pipefail\n${block}\nexport -p | grep -E ' (GOOGLE_CLOUD_PROJECT|MAILGRANT_KEY)=' > "$STATE" || true`;
    const child = spawn('bash', ['-c', script], { cwd: folder, env, stdio: ['pipe', 'pipe', 'pipe'] });
    child.stdin.end(answers);
    const ended = new Promise<number | null>((done) => child.once('close', done));
    const [out, err, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    assert.equal(status, 0, `${out}\n${err}`.slice(-4_000));
    return out;
  }

  test('1: the config is valid', async () => assert.match(await type(configure), /is valid/));

  test('2: the project is asked of gcloud as it is written', async () => {
    await type(project);
    for (const call of ['auth login --update-adc', 'projects create laptop', 'billing projects link laptop', 'set-quota-project laptop'])
      assert.ok(
        gcloud().some((one) => one.includes(call)),
        call,
      );
  });

  test('3: it is deployed after a yes, and ends with a key and a first request', async () => {
    printed = await type(deploy, 'y\n');
    assert.match(printed, /^Deployed\./m);
    assert.match(printed, /No mailbox can send yet\./);
    assert.match(readFileSync(join(folder, 'infra/terraform.tfvars'), 'utf8'), /access = \{ api = "public" \}/);
    assert.match(readFileSync(join(folder, 'config/mailgrant.yaml'), 'utf8'), /^ {2}shop:/m);
    assert.match(printed, /export MAILGRANT_KEY=mg_shop_\S{43}\n/);
    assert.ok(gcloud().some((one) => /services enable .*cloudfunctions\.googleapis\.com/.test(one)));
  });

  test('3 again: nothing had to be changed, and nobody is asked', async () => {
    const again = await type('npx mailgrant deploy --project laptop');
    assert.match(again, /^Nothing had to be changed\./m);
  });

  test('5: the mailbox consents, and the first email is sent', async () => {
    const before = stack.google.mails.count();
    const out = await type(consent);
    assert.match(out, /Sent: /);
    assert.deepEqual([stack.google.mails.count() - before, existsSync(join(folder, 'client.json'))], [1, false]);
  });

  test('the request that was printed works as it stands, at the address of the function', async () => {
    const [, curl = ''] = /(export MAILGRANT_KEY=[\s\S]*?)\n\n# Django/.exec(printed) ?? [];
    const before = stack.google.mails.count();
    // The deployed address and the key of its config stand for those of the stack.
    const out = await type(
      curl.replace(/https:\/\/mailgrant-api-[\w.-]+\.run\.app/, stack.functions.api.url).replace(/mg_shop_\S+/, stack.key),
    );
    assert.match(out, /"id":"[0-9a-f-]{36}"/);
    assert.equal(stack.google.mails.count() - before, 1);
  });

  test('the settings for Django are those that the backend reads', () => {
    const backend = readFileSync('clients/django/mailgrant_django.py', 'utf8');
    const [, settings = ''] = /(EMAIL_BACKEND = [\s\S]*?DEFAULT_FROM_EMAIL = .*)/.exec(printed) ?? [];
    const names = [...settings.matchAll(/^(MAILGRANT_\w+) = /gm)].map(([, name]) => String(name));
    assert.deepEqual(names, ['MAILGRANT_URL', 'MAILGRANT_API_KEY']);
    for (const name of names) assert.ok(backend.includes(`"${name}"`), name);
    assert.match(settings, /MAILGRANT_URL = "https:\/\/mailgrant-api-/);
  });

  test('staging is a config and a project of its own', async () => {
    const out = await type(staging);
    assert.match(out, /staging@example\.com {2}secret/);
    assert.doesNotMatch(out, /notices@example\.com {2}secret/);
    assert.match(out, /-var-file=env\/staging\.tfvars -var project_id=laptop-staging/);
    assert.match(out, /prefix=mailgrant\/staging/);
  });
});

test('README says how many commands one types', () => {
  const [, count = '', block = ''] =
    /^(\w+) commands, in a project with billing:\n\n<!-- .* -->\n```sh\n([\s\S]*?)```/m.exec(readFileSync('README.md', 'utf8')) ?? [];
  assert.equal(block.trim().split('\n').length, ['Zero', 'One', 'Two', 'Three', 'Four', 'Five', 'Six'].indexOf(count));
});
