/** Commands know the local stack that runs in the project, without a variable; and never instead of a project that is named. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { compileConfig } from '../../../functions/config/compile-config.ts';
import { type Stack, startStack } from '../../../functions/dev/stack.ts';
import { longTest } from '../../support/deep.ts';
import { MAIL, MAILBOX, post } from '../../support/stack/laptop.ts';

let folder: string;
let stack: Stack;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
  const file = join(folder, 'mailgrant.yaml');
  const route = `{ hook: { verify: github, secret: hook-releases }, from: ${MAILBOX}, to: you@example.net, template: any }`;
  writeFileSync(file, `mailboxes: { ${MAILBOX}: {} }\nroutes: { releases: ${route} }\n`);
  mkdirSync(join(folder, 'templates'));
  writeFileSync(join(folder, 'templates', 'any.hbs'), '---\nsubject: Hi\n---\n<p>There</p>\n');
  writeFileSync(join(folder, 'event.json'), '{}');
  const { config, module } = compileConfig(file);
  stack = await startStack({
    config,
    routes: module,
    folder: join(folder, '.mailgrant'),
    ports: { api: 0, worker: 0, hooks: 0, google: 0, inbox: 0, smtp: 0, smtps: 0 },
    deadlineSeconds: 60,
    onLine: () => {},
  });
  await post(`${stack.functions.api.url}/emails`, MAIL, { authorization: `Bearer ${stack.key}` });
});
after(async () => {
  await stack?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

interface Ran {
  readonly code: number;
  readonly err: string;
  readonly data: { readonly ok: boolean; readonly error: { readonly code: string } | null } & Record<string, unknown>;
}

function run(args: readonly string[], env: Record<string, string> = {}, cwd = folder): Promise<Ran> {
  const { GOOGLE_CLOUD_PROJECT: _, MAILGRANT_GOOGLE_URL: __, ...own } = process.env;
  return new Promise((done) =>
    execFile(process.execPath, [resolve('functions/cli/main.ts'), ...args, '--json'], { cwd, env: { ...own, ...env } }, (error, out, err) =>
      done({ code: Number(error?.code ?? 0), err, data: JSON.parse(out) as Ran['data'] }),
    ),
  );
}

for (const args of [['ledger', 'list', '--state', 'sent'], ['doctor'], ['watch'], ['dead', 'list'], ['smoke', MAILBOX]])
  for (const more of [[], ['--laptop']])
    (more.length === 0 || args[0] === 'ledger' ? test : longTest)(
      `${[...args, ...more].join(' ')} is about the local stack, and says so`,
      async () => {
        const before = stack.google.calls.ledger + stack.google.calls.secret + stack.google.calls.publish;
        const { err, data } = await run([...args, ...more]);
        assert.match(err, /local stack/);
        assert.notEqual(data.error?.code, 'project_missing');
        assert.ok(stack.google.calls.ledger + stack.google.calls.secret + stack.google.calls.publish > before);
      },
    );

test('hook sign names the port that the local stack took', async () => {
  const { data } = await run(['hook', 'sign', 'releases', '--event', 'event.json']);
  assert.equal(data['url'], `${stack.hooks?.url}/hooks/releases`);
});

test('hook sign refuses where the local stack was started without a webhook, unless a URL is given', async () => {
  const file = join(folder, '.mailgrant/stack.json');
  const stood = readFileSync(file, 'utf8');
  writeFileSync(file, JSON.stringify({ ...JSON.parse(stood), hooks: null }));
  const sign = ['hook', 'sign', 'releases', '--event', 'event.json'];
  assert.equal((await run(sign)).data.error?.code, 'hooks_not_served');
  assert.equal((await run([...sign, '--url', 'https://hooks.example.com/'])).data['url'], 'https://hooks.example.com/hooks/releases');
  writeFileSync(file, stood);
});

test('doctor --smtp is about a setup without mailgrant, so it says nothing of the local stack', async () => {
  const before = { ...stack.google.calls };
  const { err } = await run(['doctor', '--smtp', '--url', 'smtp://you:canary@127.0.0.1:1']);
  assert.doesNotMatch(err, /local stack/);
  assert.deepEqual(stack.google.calls, before);
});

test('where a project is named, the local stack is not touched', async () => {
  for (const [args, env] of [
    [['ledger', 'list', '--project', 'shop'], {}],
    [['ledger', 'list'], { GOOGLE_CLOUD_PROJECT: 'shop' }],
  ] as const) {
    const before = { ...stack.google.calls };
    const { err } = await run(args, { ...env, GOOGLE_APPLICATION_CREDENTIALS: '/nowhere' });
    assert.doesNotMatch(err, /local stack/);
    assert.deepEqual(stack.google.calls, before);
  }
});

test('where none runs, --laptop says so, and without it a project is asked for', async () => {
  const empty = mkdtempSync(join(tmpdir(), 'mailgrant-'));
  writeFileSync(join(empty, 'mailgrant.yaml'), `mailboxes: { ${MAILBOX}: {} }\n`);
  assert.equal((await run(['ledger', 'list', '--laptop'], {}, empty)).data.error?.code, 'laptop_missing');
  assert.equal((await run(['ledger', 'list'], {}, empty)).data.error?.code, 'project_missing');
  rmSync(empty, { recursive: true, force: true });
});
