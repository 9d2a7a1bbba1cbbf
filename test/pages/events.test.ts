import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Config } from '../../functions/mail/model/config.ts';
import { type Hooks, startHooks } from '../support/stack/hooks.ts';
import { CONFIG, type Laptop, MAIL, MAILBOX, startQueued } from '../support/stack/laptop.ts';
import { formTo, startPagesOf } from '../support/stack/pages-of.ts';
import { configWith } from '../support/stack/routes.ts';

const route = (verify: string, change: object = {}) => ({
  hook: { verify, secret: `hook-${verify}`, ...change },
  from: MAILBOX,
  to: ['you@example.net'],
  template: 'any',
});
const hmac = { header: 'x-signature', algorithm: 'sha256', encoding: 'hex', prefix: '' };
const ROUTES = {
  'standard-webhooks': route('standard-webhooks'),
  github: route('github'),
  slack: route('slack'),
  stripe: route('stripe'),
  hmac: route('hmac', hmac),
  bearer: route('bearer'),
  basic: route('basic'),
  picky: { ...route('github', { secret: 'hook-picky' }), when: 'attributes["x-github-event"] == "release" && event.n == 1' },
  'google-oidc': {
    ...route('google-oidc'),
    hook: { verify: 'google-oidc', audience: 'https://a.example', email: 'a@b.iam.gserviceaccount.com' },
  },
};
const config: Config = { ...CONFIG, routes: configWith(ROUTES).routes ?? [] };

let laptop: Laptop;
let hooks: Hooks;
let pages: Awaited<ReturnType<typeof startPagesOf>>;
before(async () => {
  laptop = await startQueued({ delivery: 'direct', google: { queues: 'auto' } });
  hooks = await startHooks(ROUTES, laptop);
  for (const name of Object.keys(ROUTES))
    hooks.store(name, `${name === 'standard-webhooks' ? `whsec_${btoa('canary'.repeat(6))}` : 'canary'.repeat(6)}\n`);
  pages = await startPagesOf(laptop, config, hooks.url);
  // The functions of this laptop log to an array: what they say is told the pages when the email is there.
  laptop.google.watch((seen) => {
    if (seen?.door === 'transfer') for (const name of ['worker', 'hooks']) pages.say(name, '{"severity":"INFO","event":"mail"}');
  });
});
after(async () => {
  await pages[Symbol.asyncDispose]();
  await hooks[Symbol.asyncDispose]();
  await laptop[Symbol.asyncDispose]();
});

const play = async (fields: Readonly<Record<string, string>>): Promise<string> => (await formTo(pages, '/events', fields)).text();

test('an email that is published reaches the inbox by the queue and the worker', async () => {
  const before = laptop.google.mails.count();
  const text = await play({ to: 'mails', data: JSON.stringify(MAIL) });
  assert.ok(/published<\/span>/.test(text) && /What the function said/.test(text));
  assert.equal(laptop.google.mails.count(), before + 1);
});

for (const name of Object.keys(ROUTES).filter((one) => !['google-oidc', 'picky'].includes(one)))
  test(`an event is signed as ${name} wants it, line breaks and all`, async () => {
    const before = laptop.google.mails.count();
    // What a browser makes of a text of two lines.
    const text = await play({ to: name, data: `{"type": "${name}",\r\n "event": 1}` });
    assert.ok(/accepted<\/span>/.test(text) && !/not accepted/.test(text));
    assert.equal(laptop.google.mails.count(), before + 1);
  });

test('a header that the condition asks for is filled in, sent beside the signature, and never in its place', async () => {
  const page = await fetch(`${pages.url}/events?to=picky`).then((reply) => reply.text());
  assert.match(page, /<details class="more" open><summary>Headers[\s\S]*value="\{&#34;x-github-event&#34;:&#34;release&#34;\}"/);
  const before = laptop.google.mails.count();
  await play({ to: 'picky', data: '{"n": 1}', attributes: '{"X-GitHub-Event": "release", "x-hub-signature-256": "sha256=00"}' });
  assert.equal(laptop.google.mails.count(), before + 1);
});

test('what cannot be signed, read or found is said, and nothing is sent', async () => {
  const before = [laptop.google.mails.count(), laptop.google.pubsub.waiting()];
  assert.ok((await play({ to: 'google-oidc', data: '{}' })).includes('Only Google can sign'));
  assert.ok((await play({ to: 'mails', data: '{}', attributes: '[]' })).includes('Attributes: expected JSON'));
  for (const attributes of ['[]', 'x', '{"a b": "c"}', '{"a": "c\\r\\nd: e"}'])
    assert.ok((await play({ to: 'github', data: '{}', attributes })).includes('Headers: expected JSON'), attributes);
  assert.equal((await formTo(pages, '/events', { to: 'nobody', data: '{}' })).status, 404);
  assert.deepEqual([laptop.google.mails.count(), laptop.google.pubsub.waiting()], before);
});

test('the routes of the config are listed with what they wait for, and no secret', async () => {
  const text = await fetch(`${pages.url}/events?to=github`).then((reply) => reply.text());
  for (const name of Object.keys(ROUTES)) assert.ok(text.includes(`href="/events?to=${name}"`), name);
  assert.ok(text.includes('webhook, github') && text.includes('Sign and send'));
  assert.ok(!text.includes('canary'));
});
