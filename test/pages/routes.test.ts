/** Routes as `npm start` serves them: a sample from the events page, through the topic or the webhook, to a letter. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { compileConfig } from '../../functions/config/compile-config.ts';
import { startStack } from '../../functions/dev/stack.ts';
import { MAILBOX } from '../support/stack/laptop.ts';
import { formTo } from '../support/stack/pages-of.ts';

const ROUTES = {
  'failed-builds': { topic: 'cloud-builds', from: MAILBOX, to: ['dev@example.net'], template: 'cloud-build' },
  releases: { hook: { verify: 'github', secret: 'hook-releases' }, from: MAILBOX, to: ['dev@example.net'], template: 'github-release' },
};

test('a sample event of a route becomes a letter, over its topic and over its webhook', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
  const file = join(folder, 'mailgrant.yaml');
  symlinkSync(resolve('config/templates'), join(folder, 'templates'));
  writeFileSync(file, JSON.stringify({ mailboxes: { [MAILBOX]: {} }, routes: ROUTES })); // JSON is YAML too
  const { config, module } = compileConfig(file);
  await using stack = await startStack({
    config,
    routes: module,
    folder,
    sources: { api: 'functions/api.ts', worker: 'functions/worker.ts', hooks: 'functions/hooks.ts' },
    ports: { api: 0, worker: 0, hooks: 0, google: 0, inbox: 0, smtp: 0, smtps: 0 },
    deadlineSeconds: 60,
    onLine: () => {},
  });
  for (const [index, to] of Object.keys(ROUTES).entries()) {
    const page = await fetch(`${stack.inbox.url}/events?to=${to}`).then((reply) => reply.text());
    const sample = /<textarea id="data"[^>]*>\n([\s\S]*?)<\/textarea>/.exec(page)?.[1] ?? '';
    const data = sample.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));
    const answer = await formTo(stack.inbox, '/events', { to, data }).then((reply) => reply.text());
    assert.ok(answer.includes('What the function said'), to);
    assert.deepEqual([stack.google.mails.count(), stack.google.mails.list()[0]?.recipients], [index + 1, ['dev@example.net']], to);
  }
  rmSync(folder, { recursive: true, force: true });
});
