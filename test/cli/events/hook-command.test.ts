import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { typed } from '../../support/programs/command-line.ts';
import { onPath, skipUnless } from '../../support/programs/emulators.ts';
import { type Hooks, routeOf, startHooks } from '../../support/stack/hooks.ts';
import { hookOf } from '../../verify/schemes.ts';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const route = (hook: string): string => `{ hook: ${hook}, from: notices@example.com, to: dev@example.com, template: any }`;
const config = file(
  'mailgrant.yaml',
  `mailboxes: { notices@example.com: {} }
routes:
  releases: ${route('{ verify: github, secret: hook-releases }')}
  alerts: ${route('{ verify: bearer, secret: hook-alerts }')}
  incidents: ${route('{ verify: basic, secret: hook-incidents }')}
  ticks: ${route('{ verify: google-oidc, audience: "https://hooks.example.com", email: a@b.iam.gserviceaccount.com }')}
  builds: { topic: cloud-builds, from: notices@example.com, to: dev@example.com, template: any }
`,
);
const event = file("it's an event.json", '{"text":"canary-body grüße"}\n');
const secret = file('secret', 'canary-hook-secret\n');

let hooks: Hooks;
before(async () => {
  hooks = await startHooks({
    releases: routeOf(hookOf('github'), 'releases'),
    alerts: routeOf(hookOf('bearer'), 'alerts'),
    incidents: routeOf(hookOf('basic'), 'incidents'),
  });
  for (const name of ['releases', 'alerts', 'incidents']) hooks.store(name, 'canary-hook-secret');
});
after(() => hooks[Symbol.asyncDispose]());

const hook = async (...args: string[]) => {
  const { status, stdout, stderr } = await typed(['hook', ...args, '--config', config]);
  return { code: status, text: stdout + stderr };
};

for (const name of ['releases', 'alerts', 'incidents'])
  test(`the curl for ${name} is accepted as it stands, and shows no secret`, { skip: skipUnless(onPath('curl'), 'curl') }, async () => {
    const args = ['--event', event, '--secret-file', secret, '--url', hooks.url, '--header', "X-GitHub-Event: it's a release"];
    const { text, code } = await hook('sign', name, ...args);
    assert.deepEqual([code, /canary-hook-secret/.test(text)], [0, false]);
    const before = hooks.laptop.google.mails.count();
    const { stdout } = await run('bash', ['-c', text]);
    assert.deepEqual([/^HTTP\/1.1 (\d+)/.exec(stdout)?.[1], hooks.laptop.google.mails.count() - before], ['200', 1]);
  });

test('a route of google-oidc asks gcloud for its token', async () => {
  const { text } = await hook('sign', 'ticks', '--event', event);
  assert.match(text, /"Authorization: Bearer \$\(gcloud auth print-identity-token --audiences=https:\/\/hooks\.example\.com\)"/);
});

const mistakes: readonly (readonly [string, string[], RegExp, number?])[] = [
  ['no verb', [], /Fix: npx mailgrant hook --help/, 2],
  ['no route', ['sign'], /missing required argument 'ROUTE'/, 2],
  ['no event', ['sign', 'releases'], /--event FILE/, 2],
  [
    'a route that is not there',
    ['sign', 'other', '--event', event],
    /no route other with a hook; it has releases, alerts, incidents, ticks/,
  ],
  ['a route of a topic', ['sign', 'builds', '--event', event], /no route builds with a hook/],
  ['an event that cannot be read', ['sign', 'releases', '--event', '/nowhere', '--secret-file', secret], /--event \/nowhere/],
  [
    'a header that is none',
    ['sign', 'releases', '--event', event, '--header', 'nonsense', '--secret-file', secret],
    /--header nonsense/,
    2,
  ],
  ['a secret that cannot be read', ['sign', 'releases', '--event', event, '--secret-file', '/nowhere'], /--secret-file/],
];
for (const [name, args, words, status = 1] of mistakes)
  test(`${name} is exit code ${status} and says what is missing`, async () => {
    const { code, text } = await hook(...args);
    assert.equal(code, status);
    assert.match(text, words);
  });
