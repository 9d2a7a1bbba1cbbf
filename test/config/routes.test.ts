import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConfig } from '../../functions/config/schema.ts';

const BASE = { mailboxes: { 'notices@example.com': { aliases: ['no-reply@example.com'] } } };
const VALID = { topic: 'cloud-builds', from: 'notices@example.com', to: ['dev@example.com'], template: 'cloud-build' };
const route = (change: object, name = 'builds') => checkConfig({ ...BASE, routes: { [name]: { ...VALID, ...change } } });
const HOOK = { topic: undefined, hook: { verify: 'github', secret: 'hook-github' } };

test('a route is read with every default filled in', () => {
  assert.deepEqual(route({ from: 'Builds <No-Reply@Example.com>', every: '15m' }).config?.routes, [
    {
      name: 'builds',
      topic: 'cloud-builds',
      hook: null,
      when: null,
      from: { name: 'Builds', address: 'no-reply@example.com' },
      to: ['dev@example.com'],
      cc: [],
      bcc: [],
      replyTo: [],
      subject: null,
      headers: {},
      template: 'cloud-build',
      digest: 'digest',
      dedupe: null,
      everyMs: 900_000,
      only: null,
      limits: { perDay: 300, perMinute: null },
    },
  ]);
});

const hooks: { given: object; read: object }[] = [
  { given: { verify: 'github', secret: 's' }, read: { verify: 'github', secret: 's', toleranceSeconds: 300 } },
  {
    given: { verify: 'hmac', secret: 's', header: 'X-Signature', prefix: 'sha256=', toleranceSeconds: 60 },
    read: {
      verify: 'hmac',
      secret: 's',
      toleranceSeconds: 60,
      hmac: { header: 'x-signature', algorithm: 'sha256', encoding: 'hex', prefix: 'sha256=' },
    },
  },
  {
    given: { verify: 'google-oidc', audience: 'https://hooks.example.com', email: 'monitor@project.iam.gserviceaccount.com' },
    read: {
      verify: 'google-oidc',
      secret: '',
      toleranceSeconds: 300,
      google: { audience: 'https://hooks.example.com', email: 'monitor@project.iam.gserviceaccount.com' },
    },
  },
];
for (const { given, read } of hooks)
  test(`a hook ${JSON.stringify(Object.keys(given))} is read`, () =>
    assert.deepEqual(route({ ...HOOK, hook: given }).config?.routes?.[0]?.hook, read));

test('recipients that only an event tells are left to it; a list of names and addresses is fine', () => {
  const change = {
    to: ['{{event.owner}}', 'Dev Team <Dev@Example.com>', '"Doe, Ann" <ann@example.com>'],
    reply_to: ['help@elsewhere.example'],
    headers: { 'X-Kind': 'build', 'List-Unsubscribe': '<https://example.com>' },
    only: ['*@example.com'],
  };
  assert.deepEqual(route(change).problems, []);
});

const wrong: { change: object; problem: string; name?: string }[] = [
  { change: { topic: undefined }, problem: 'routes.builds: expected a topic or a hook' },
  { change: { hook: HOOK.hook }, problem: 'routes.builds: expected a topic or a hook' },
  { change: { topic: 'a/b' }, problem: 'routes.builds.topic: expected the id' },
  { change: { topic: 'google-things' }, problem: 'routes.builds.topic: expected the id' },
  { change: { from: undefined }, problem: 'routes.builds.from: missing' },
  { change: { from: 'other@example.com' }, problem: 'routes.builds.from: other@example.com is no mailbox' },
  { change: { from: 'a@example.com, b@example.com' }, problem: 'routes.builds.from: expected an address' },
  { change: { to: undefined }, problem: 'routes.builds.to: missing' },
  { change: { to: [] }, problem: 'routes.builds.to: expected at least one recipient' },
  { change: { to: ['a@example.com\nBcc: b@example.com'] }, problem: 'routes.builds.to' },
  { change: { to: ['dev@example.com', 'nobody'] }, problem: 'routes.builds.to.1: expected an address' },
  { change: { cc: 'a@example.com, b@example.com' }, problem: 'routes.builds.cc.0: expected an address' },
  { change: { reply_to: ['Ann <ann@>'] }, problem: 'routes.builds.reply_to.0: expected an address' },
  { change: { only: ['*@example.org'] }, problem: 'routes.builds.to.0: dev@example.com is not among `only` of the route' },
  { change: { bcc: ['Ann <ann@example.org>'], only: ['*@example.com'] }, problem: 'routes.builds.bcc.0: ann@example.org is not among' },
  { change: { headers: { Bcc: 'a@example.com' } }, problem: 'routes.builds.headers.Bcc: mailgrant writes this header itself' },
  { change: { headers: { 'content-type': 'text/plain' } }, problem: 'routes.builds.headers.content-type: mailgrant writes' },
  { change: { headers: { 'Reply-To': 'a@example.com' } }, problem: 'routes.builds.headers.Reply-To: mailgrant writes' },
  { change: { subject: 'x\r\nBcc: b@example.com' }, problem: 'routes.builds.subject: expected one non-empty line' },
  { change: { headers: { 'X Y': 'z' } }, problem: 'routes.builds.headers' },
  { change: { template: '../secret' }, problem: 'routes.builds.template: expected the name of a file' },
  { change: { template: undefined }, problem: 'routes.builds.template: missing' },
  { change: { when: true }, problem: 'routes.builds.when: expected a CEL expression' },
  { change: { every: '1 hour' }, problem: 'routes.builds.every: expected a time' },
  { change: { every: '8d' }, problem: 'routes.builds.every: expected at most 7d' },
  { change: { only: ['example.com'] }, problem: 'routes.builds.only.0: expected an address or a pattern' },
  { change: { filter: 'x' }, problem: 'routes.builds.filter: unknown setting' },
  { change: {}, name: 'Builds', problem: 'routes.Builds: expected 1 to 40' },
  { change: { ...HOOK, hook: { verify: 'github' } }, problem: 'routes.builds.hook.secret: missing' },
  {
    change: { ...HOOK, hook: { verify: 'github', secret: 'a+b/c=' } },
    problem: 'routes.builds.hook.secret: expected the name of a secret',
  },
  { change: { ...HOOK, hook: { verify: 'hmac', secret: 's' } }, problem: 'routes.builds.hook.header: missing' },
  { change: { ...HOOK, hook: { verify: 'github', secret: 's', header: 'x' } }, problem: 'routes.builds.hook.header: only for' },
  {
    change: { ...HOOK, hook: { verify: 'google-oidc', secret: 's', audience: 'a', email: 'a@b.example' } },
    problem: 'routes.builds.hook.secret: not with',
  },
  { change: { ...HOOK, hook: { verify: 'github', secret: 's', rememberFor: '1h' } }, problem: 'routes.builds.hook.rememberFor: only for' },
  {
    change: { ...HOOK, hook: { verify: 'bearer', secret: 's', rememberFor: 'long' } },
    problem: 'routes.builds.hook.rememberFor: expected',
  },
  { change: { ...HOOK, hook: { verify: 'google-oidc', audience: 'a' } }, problem: 'routes.builds.hook.email: missing' },
];
for (const { change, problem, name } of wrong)
  test(`${problem} is named`, () => {
    const { problems } = route(change, name);
    assert.ok(problems.length === 1 && problems[0]?.startsWith(problem), problems.join('\n'));
  });
