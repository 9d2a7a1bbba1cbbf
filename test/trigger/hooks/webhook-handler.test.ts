import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { simpleParser } from 'mailparser';
import { type Hooks, routeOf, startHooks } from '../../support/stack/hooks.ts';
import { PROJECT, startLaptop } from '../../support/stack/laptop.ts';
import { hookOf, SIGNED_CASES } from '../../verify/schemes.ts';

const AUDIENCE = 'https://hooks.example.com';
const CALLER = 'scheduler@laptop.iam.gserviceaccount.com';
const nameOf = (scheme: string): string => scheme.replaceAll(' ', '-');
const routes: Record<string, object> = {
  ...Object.fromEntries(SIGNED_CASES.map(({ name, hook }) => [nameOf(name), routeOf(hook, nameOf(name))])),
  oidc: routeOf(hookOf('google-oidc', { google: { audience: AUDIENCE, email: CALLER } }), 'oidc'),
  picky: routeOf(hookOf('bearer'), 'picky', { when: 'has(event.wanted)' }),
  broken: routeOf(hookOf('bearer'), 'broken', { when: 'event.missing.field == 1' }),
  worded: routeOf(hookOf('bearer'), 'worded', { subject: '{{event.missing}}' }),
  nobody: routeOf(hookOf('bearer'), 'nobody', { to: ['{{default event.email ""}}'] }),
  stranger: routeOf(hookOf('bearer'), 'stranger', { to: ['{{default event.email "you@example.net"}}'], only: ['*@example.org'] }),
  deduped: routeOf(hookOf('bearer'), 'deduped', { dedupe: 'string(event.group)' }),
  stormy: routeOf(hookOf('bearer'), 'stormy', { dedupe: 'string(event.group)', every: '1h' }),
  unkept: routeOf(hookOf('bearer'), 'unkept'),
};
/** The words of the email that came last. */
const lastText = async (google = hooks.laptop.google): Promise<string> =>
  (await simpleParser(google.mails.list()[0]?.raw ?? '')).text ?? '';

let hooks: Hooks;
before(async () => {
  hooks = await startHooks(routes);
  for (const { name, secret } of SIGNED_CASES) hooks.store(nameOf(name), secret);
  for (const name of ['picky', 'broken', 'worded', 'nobody', 'stranger', 'deduped', 'stormy']) hooks.store(name, 'canary-bearer-token');
});
after(() => hooks[Symbol.asyncDispose]());

const JSON_TYPE = { 'content-type': 'application/json' };
async function post(path: string, body: string | Buffer, headers: Record<string, string> = {}, method = 'POST', url = hooks.url) {
  const reply = await fetch(`${url}${path}`, { method, headers: { ...JSON_TYPE, ...headers }, ...(method === 'POST' && { body }) });
  const text = await reply.text();
  return { status: reply.status, body: text, headers: reply.headers };
}
const second = (): number => Math.floor(Date.now() / 1_000);
const mails = (): number => hooks.laptop.google.mails.count();
let events = 0;
const eventBody = (change: Record<string, unknown> = {}): string =>
  JSON.stringify({ id: `evt_${++events}`, text: 'canary-event', ...change });
const bearer = { authorization: 'Bearer canary-bearer-token' };

for (const { name, secret, other, needs, timed, sign } of SIGNED_CASES) {
  const path = `/hooks/${nameOf(name)}`;
  test(`${name}: a genuine event is one email; a replay and the vendor's redelivery are answered 200 and send nothing`, async () => {
    const body = eventBody();
    const headers = await sign(body, secret, second());
    const before = mails();
    const first = await post(path, body, headers);
    assert.deepEqual([first.status, mails() - before], [200, 1]);
    const replay = await post(path, body, headers);
    const redelivery = await post(path, body, await sign(body, secret, second() - 1));
    assert.deepEqual([replay.status, redelivery.status, mails() - before], [200, 200, 1]);
  });

  test(`${name}: unsigned, forged, tampered and stale requests are 401, all in the same words as an unknown route`, async () => {
    const body = eventBody();
    const genuine = await sign(body, secret, second());
    const requests: [string, Record<string, string>][] = [
      [body, {}],
      [body, await sign(body, other, second())],
      ...needs.map((header): [string, Record<string, string>] => [
        body,
        Object.fromEntries(Object.entries(genuine).filter(([key]) => key !== header)),
      ]),
      ...(['bearer', 'basic'].includes(name) ? [] : [[body.replace('canary', 'tampered'), genuine] as [string, Record<string, string>]]),
      ...(timed ? [[body, await sign(body, secret, second() - 302)] as [string, Record<string, string>]] : []),
    ];
    const before = mails();
    const unknown = await post('/hooks/nowhere', body, genuine);
    for (const [given, headers] of requests) {
      const { status, body: words } = await post(path, given, headers);
      assert.deepEqual([status, words], [401, unknown.body]);
    }
    assert.deepEqual([unknown.status, mails() - before], [401, 0]);
  });
}

const reasons: readonly { name: string; route: string; sign: (body: string) => Promise<Record<string, string>>; told: RegExp }[] = [
  { name: 'no signature', route: 'stripe', sign: async () => ({}), told: /missing, repeated or malformed$/ },
  {
    name: 'an old timestamp',
    route: 'stripe',
    sign: (body) => signedAs('stripe', body, second() - 302),
    told: /^the timestamp is out of tolerance$/,
  },
  {
    name: 'other bytes',
    route: 'stripe',
    sign: (body) => signedAs('stripe', `${body} `, second()),
    told: /^the signature is from another secret or over other bytes/,
  },
  {
    name: 'no such route',
    route: 'nowhere',
    sign: (body) => signedAs('stripe', body, second()),
    told: /^no route of that name has a hook$/,
  },
  { name: 'no token', route: 'oidc', sign: async () => ({}), told: /^there is no identity token$/ },
  {
    name: 'another identity',
    route: 'oidc',
    sign: async () => ({ authorization: `Bearer ${hooks.laptop.google.signer.token('other@laptop.iam.gserviceaccount.com', AUDIENCE)}` }),
    told: /^the token names another identity$/,
  },
];
const signedAs = async (name: string, body: string, at: number): Promise<Record<string, string>> => {
  const scheme = SIGNED_CASES.find((one) => one.name === name);
  return (await scheme?.sign(body, scheme.secret, at)) ?? {};
};
for (const { name, route, sign, told } of reasons)
  test(`${name}: the log says why, the answer does not`, async () => {
    const body = eventBody();
    const reply = await post(`/hooks/${route}`, body, await sign(body));
    assert.deepEqual([reply.status, JSON.parse(reply.body)], [401, { message: 'The request was not accepted.' }]);
    assert.match(String(hooks.laptop.lines.at(-1)?.['detail']), told);
  });

test('an unsigned header cannot make a new event of an old one', async () => {
  const scheme = SIGNED_CASES.find(({ name }) => name === 'github');
  const body = eventBody();
  const headers = (await scheme?.sign(body, scheme.secret)) ?? {};
  const before = mails();
  for (const delivery of ['a', 'b']) await post('/hooks/github', body, { ...headers, 'x-github-delivery': delivery });
  assert.equal(mails() - before, 1);
});

test("Stripe's retry is the same event though its body differs", async () => {
  const scheme = SIGNED_CASES.find(({ name }) => name === 'stripe');
  const id = `evt_same${++events}`;
  const before = mails();
  for (const pending_webhooks of [2, 1]) {
    const body = JSON.stringify({ id, pending_webhooks });
    assert.equal((await post('/hooks/stripe', body, await scheme?.sign(body, scheme.secret, second()))).status, 200);
  }
  assert.equal(mails() - before, 1);
});

test('google-oidc: only the named identity gets in, with a token for this audience', async () => {
  const { signer } = hooks.laptop.google;
  const rows: readonly (readonly [string, number])[] = [
    [signer.token(CALLER, AUDIENCE), 200],
    [signer.token('other@laptop.iam.gserviceaccount.com', AUDIENCE), 401],
    [signer.token(CALLER, 'https://other.example.com'), 401],
    [signer.forged(CALLER, AUDIENCE), 401],
    [signer.token(CALLER, AUDIENCE, { exp: second() - 600 }), 401],
    ['canary-nonsense', 401],
  ];
  for (const [token, status] of rows)
    assert.equal((await post('/hooks/oidc', eventBody(), { authorization: `Bearer ${token}` })).status, status);
});

test('a rotated secret is picked up without a deploy; while both are stored, both work', async () => {
  await using own = await startHooks({ turning: routeOf(hookOf('bearer'), 'turning') });
  const ask = async (secret: string): Promise<number> =>
    (await post('/hooks/turning', eventBody(), { authorization: `Bearer ${secret}` }, 'POST', own.url)).status;
  own.store('turning', 'canary-old-secret');
  assert.deepEqual([await ask('canary-old-secret'), await ask('canary-old-secret')], [200, 200]);
  own.store('turning', 'canary-old-secret\ncanary-new-secret');
  assert.deepEqual([await ask('canary-new-secret'), await ask('canary-old-secret')], [200, 200]);
});

test('a handshake of Slack is answered with its challenge, once the signature is right', async () => {
  const scheme = SIGNED_CASES.find(({ name }) => name === 'slack');
  const body = JSON.stringify({ token: 'canary-token', challenge: 'canary-challenge', type: 'url_verification' });
  const before = mails();
  const good = await post('/hooks/slack', body, await scheme?.sign(body, scheme.secret, second()));
  const bad = await post('/hooks/slack', body, await scheme?.sign(body, scheme.other, second()));
  assert.deepEqual([good.status, JSON.parse(good.body), bad.status, mails() - before], [200, { challenge: 'canary-challenge' }, 401, 0]);
});

test("GitHub's ping is answered and mails nothing", async () => {
  const scheme = SIGNED_CASES.find(({ name }) => name === 'github');
  const body = JSON.stringify({ zen: 'Keep it logically awesome.', hook_id: 1, hook: {} });
  const before = mails();
  const reply = await post('/hooks/github', body, { ...(await scheme?.sign(body, scheme.secret)), 'x-github-event': 'ping' });
  assert.deepEqual([reply.status, mails() - before], [200, 0]);
});

test('a form is an event too: its payload field as JSON, or its fields', async () => {
  const form = { authorization: 'Bearer canary-bearer-one', 'content-type': 'application/x-www-form-urlencoded' };
  for (const [body, words] of [
    ['payload=%7B%22formed%22%3A1%7D', '"formed": 1'],
    ['command=%2Fdeploy&text=now', '"command": "/deploy"'],
  ] as const) {
    assert.equal((await post('/hooks/bearer', body, form)).status, 200);
    assert.ok((await lastText()).includes(words));
  }
});

test('conditions and templates see what kind of event the headers name, and no secrets', async () => {
  const headers = {
    authorization: 'Bearer canary-bearer-one',
    'x-github-event': 'release',
    'x-hub-signature-256': 'sha256=canary-mac',
    'x-event-token': 'canary-token',
    'user-agent': 'GitHub-Hookshot/1',
  };
  await post('/hooks/bearer', eventBody(), headers);
  const words = await lastText();
  assert.match(words, /"x-github-event": "release"/);
  assert.match(words, /"user-agent": "GitHub-Hookshot\/1"/);
  assert.doesNotMatch(words, /canary-(mac|token|bearer)/);
});

test("the route's own dedupe takes the place of the event's id", async () => {
  const before = mails();
  for (const group of ['a', 'a', 'b']) assert.equal((await post('/hooks/deduped', eventBody({ group }), bearer)).status, 200);
  assert.equal(mails() - before, 2);
});

test('of a storm one email goes out at once; what is held back is answered 200 too', async () => {
  const before = mails();
  const replies = [];
  for (let i = 0; i < 5; i++) replies.push(await post('/hooks/stormy', eventBody({ group: 'a' }), bearer));
  assert.deepEqual(
    replies.map(({ status }) => status),
    Array(5).fill(200),
  );
  assert.deepEqual([replies.filter(({ body }) => body === '{"outcome":"held"}').length, mails() - before], [4, 1]);
});

const HOUR = 3_600_000;

test('a signed timestamp that is accepted for a day cannot be replayed within it, nor one from the future', async () => {
  const clock = { now: Date.now() };
  await using laptop = await startLaptop({ now: () => clock.now });
  const scheme = SIGNED_CASES.find(({ name }) => name === 'hmac with a timestamp') ?? assert.fail();
  await using own = await startHooks({ slow: routeOf({ ...scheme.hook, toleranceSeconds: 86_400 }, 'slow') }, laptop);
  own.store('slow', scheme.secret);
  const body = eventBody();
  const headers = await scheme.sign(body, scheme.secret, second() + 86_000);
  const statuses = [];
  for (const hours of [0, 2, 20, 25]) {
    clock.now += hours * HOUR;
    statuses.push((await post('/hooks/slow', body, headers, 'POST', own.url)).status);
  }
  assert.deepEqual([statuses, laptop.google.mails.count()], [[200, 200, 200, 200], 1]);
});

test('an alert that still stands is told in each window: at once, or in its digest', async () => {
  const clock = { now: Date.now() };
  await using laptop = await startLaptop({ now: () => clock.now });
  await using own = await startHooks({ standing: routeOf(hookOf('bearer'), 'standing', { every: '3h' }) }, laptop);
  own.store('standing', 'canary-bearer-token');
  const [one, two] = [eventBody(), eventBody()];
  const ask = async (body: string) => {
    const before = laptop.google.mails.count();
    const { body: text } = await post('/hooks/standing', body, bearer, 'POST', own.url);
    return text === '{"outcome":"held"}' ? 'held' : laptop.google.mails.count() - before;
  };
  const told: unknown[] = [];
  for (const body of [one, two, one]) told.push(await ask(body));
  clock.now += 2 * HOUR;
  told.push(await ask(one)); // the same window: it is held, as any other event is
  clock.now += 3 * HOUR;
  told.push(await ask(two)); // the next window, with the digest of the one before
  assert.deepEqual(told, [1, 'held', 0, 'held', 2]);
  const [digest] = laptop.google.mails.list().filter(({ raw }) => raw.toString().includes('canary-digest'));
  assert.match(digest?.raw.toString() ?? '', /2 more/);
});

const answers: readonly {
  name: string;
  path: string;
  body?: string | Buffer;
  headers?: Record<string, string>;
  method?: string;
  status: number;
}[] = [
  { name: 'an event that the route does not want', path: '/hooks/picky', headers: bearer, status: 200 },
  { name: 'an event whose condition cannot be decided', path: '/hooks/broken', headers: bearer, status: 500 },
  { name: 'an event that lacks what the template names', path: '/hooks/worded', headers: bearer, status: 500 },
  { name: 'an event that writes to somebody whom the route may not write to', path: '/hooks/stranger', headers: bearer, status: 403 },
  { name: 'an event that makes a mail without recipients', path: '/hooks/nobody', headers: bearer, status: 422 },
  { name: 'a route whose secret is missing', path: '/hooks/unkept', headers: bearer, status: 500 },
  { name: 'a GET', path: '/hooks/picky', method: 'GET', status: 405 },
  { name: 'another path', path: '/', status: 404 },
  { name: 'a path below a route', path: '/hooks/picky/more', status: 404 },
  { name: 'a route in capitals', path: '/hooks/PICKY', status: 404 },
  { name: 'a content type that is no event', path: '/hooks/picky', headers: { ...bearer, 'content-type': 'text/html' }, status: 400 },
  { name: 'a compressed body', path: '/hooks/picky', headers: { ...bearer, 'content-encoding': 'gzip' }, status: 400 },
  { name: 'a signed body that is no JSON', path: '/hooks/picky', headers: bearer, body: '{', status: 400 },
  { name: 'a body of more than 2 MB', path: '/hooks/picky', headers: bearer, body: Buffer.alloc(2 * 1024 * 1024 + 1, 0x20), status: 413 },
];
for (const { name, path, body = eventBody(), headers = {}, method, status } of answers)
  test(`${name} is ${status}, and no mail`, async () => {
    const before = mails();
    assert.deepEqual([(await post(path, body, headers, method)).status, mails() - before], [status, 0]);
  });

test('an event whose evaluation failed is recorded, and is tried anew when it comes again after the route was mended', async () => {
  await using own = await startHooks({ mended: routeOf(hookOf('bearer'), 'mended', { when: 'event.missing == 1' }) });
  own.store('mended', 'canary-bearer-token');
  const { google } = own.laptop;
  assert.equal((await post('/hooks/mended', '{}', bearer, 'POST', own.url)).status, 500);
  assert.deepEqual(
    google.ledgerEntries().map(({ state, code, caller }) => [state, code, caller]),
    [['failed', 'route_condition', 'route:mended']],
  );
  await using deployed = await startHooks({ mended: routeOf(hookOf('bearer'), 'mended') }, own.laptop);
  assert.deepEqual([(await post('/hooks/mended', '{}', bearer, 'POST', deployed.url)).status, google.mails.count()], [200, 1]);
});

for (const [fault, status] of [
  [{ on: 'open', answer: 'unavailable' }, 503],
  [{ on: 'ledger', answer: 'cloud_unavailable', times: 3 }, 503],
  [{ on: 'secret', answer: 'cloud_unavailable', times: 3 }, 503],
  [{ on: 'transfer', reset: 'after' }, 200],
] as const)
  test(`${JSON.stringify(fault)} is ${status}, and the redelivery ends with one mail`, async () => {
    await using own = await startHooks({ fault: routeOf(hookOf('bearer'), 'fault') });
    own.store('fault', 'canary-bearer-token');
    own.laptop.google.faults.script(fault);
    const ask = async (): Promise<number> => (await post('/hooks/fault', '{}', bearer, 'POST', own.url)).status;
    assert.equal(await ask(), status);
    assert.deepEqual([await ask(), own.laptop.google.mails.count()], [200, 1]);
  });

test('a dead grant is 500; when it is mended, the redelivery sends', async () => {
  await using own = await startHooks({ dead: routeOf(hookOf('bearer'), 'dead') });
  own.store('dead', 'canary-bearer-token');
  const { google } = own.laptop;
  const ask = async (): Promise<number> => (await post('/hooks/dead', '{}', bearer, 'POST', own.url)).status;
  google.oauth.revoke('notices@example.com');
  assert.equal(await ask(), 500);
  google.storeSecret(PROJECT, 'mailgrant-notices', JSON.stringify(google.oauth.enrol('notices@example.com')));
  assert.deepEqual([await ask(), google.mails.count()], [200, 1]);
});

test('the same event twice at once is one mail', async () => {
  const body = eventBody();
  const before = mails();
  const replies = await Promise.all([1, 2, 3, 4].map(() => post('/hooks/bearer', body, { authorization: 'Bearer canary-bearer-one' })));
  assert.equal(mails() - before, 1);
  assert.ok(replies.every(({ status }) => status === 200 || status === 503));
});

test('nothing that was logged names a secret, an address or content', () => {
  assert.ok(hooks.laptop.lines.length > 50);
  assert.doesNotMatch(JSON.stringify(hooks.laptop.lines), /canary|@example|whsec_|sha256=/);
});

for (const [what, secret] of [
  ['fifteen bytes', 'canary-fifteen-'],
  ['fifteen bytes beside a good one', 'canary-secret-of-enough-bytes\ncanary-fifteen-'],
  ['a placeholder', 'change-me-please-now'],
  ['another placeholder', 'your-webhook-secret-here'],
  ['what documentation shows', '<webhook-secret-from-the-vendor>'],
  ['one letter many times', 'xxxxxxxxxxxxxxxxxxxxxxxx'],
] as const)
  test(`a secret of ${what} proves nothing: hook_secret_unusable, and no email`, async () => {
    await using own = await startHooks({ weak: routeOf(hookOf('bearer'), 'weak') });
    own.store('weak', secret);
    const reply = await post('/hooks/weak', eventBody(), { authorization: `Bearer ${secret.split('\n')[0]}` }, 'POST', own.url);
    assert.deepEqual([reply.status, own.laptop.lines.at(-1)?.['code'], own.laptop.google.mails.count()], [500, 'hook_secret_unusable', 0]);
    assert.doesNotMatch(JSON.stringify(own.laptop.lines), new RegExp(secret.slice(0, 12)));
  });

test('the password of basic is what must have sixteen bytes, not the user with it', async () => {
  await using own = await startHooks({ weak: routeOf(hookOf('basic'), 'weak') });
  own.store('weak', 'a-user-of-many-letters:short');
  const authorization = `Basic ${Buffer.from('a-user-of-many-letters:short').toString('base64')}`;
  assert.equal((await post('/hooks/weak', eventBody(), { authorization }, 'POST', own.url)).status, 500);
});

test('no parser touches a body before its proof, whatever the scheme', async () => {
  const marker = 'canary-unproven';
  const seen: string[] = [];
  const { parse } = JSON;
  const { decode } = TextDecoder.prototype;
  JSON.parse = (text: string, ...rest) => {
    if (String(text).includes(marker)) seen.push('JSON.parse');
    return parse(text, ...rest);
  };
  TextDecoder.prototype.decode = function (input, ...rest) {
    const text = decode.call(this, input, ...rest);
    if (text.includes(marker)) seen.push('TextDecoder');
    return text;
  };
  try {
    for (const { name, secret, other, needs, sign } of SIGNED_CASES) {
      const path = `/hooks/${nameOf(name)}`;
      const body = eventBody({ text: marker, deep: [[[[[]]]]] });
      const forged = name.startsWith('standard') ? ['TextDecoder'] : []; // its signature is over text: the bytes are checked beside it
      const genuine = await sign(body, secret, second());
      for (const header of needs) {
        const { [header]: _, ...rest } = genuine;
        assert.equal((await post(path, body, rest)).status, 401);
        assert.deepEqual(seen.splice(0), [], `${name} without ${header}`);
      }
      assert.equal((await post(path, body, await sign(body, other, second()))).status, 401);
      assert.deepEqual(
        seen.splice(0).filter((one) => !forged.includes(one)),
        [],
        `${name} forged`,
      );
      assert.equal((await post(path, body, genuine)).status, 200);
      assert.ok(seen.splice(0).includes('JSON.parse'), `${name} genuine`);
    }
  } finally {
    JSON.parse = parse;
    TextDecoder.prototype.decode = decode;
  }
});

test('an equal body of a sender that cannot sign is a redelivery for an hour, or for as long as the route says', async () => {
  const clock = { now: Date.now() };
  await using laptop = await startLaptop();
  const { edge } = laptop;
  const { startInvocation } = edge;
  Object.assign(edge, { now: () => clock.now, startInvocation: () => ({ ...startInvocation(), now: () => clock.now }) });
  await using own = await startHooks(
    { usual: routeOf(hookOf('bearer'), 'usual'), brief: routeOf(hookOf('bearer', { rememberMs: 60_000 }), 'brief') },
    laptop,
  );
  const body = eventBody();
  const counts: number[] = [];
  for (const name of ['usual', 'brief']) own.store(name, 'canary-bearer-token');
  for (const [name, after] of [
    ['usual', 0],
    ['usual', 59 * 60_000],
    ['brief', 0],
    ['brief', 59_000],
    ['brief', 2_000],
  ] as const) {
    clock.now += after;
    const before = own.laptop.google.mails.count();
    assert.equal((await post(`/hooks/${name}`, body, bearer, 'POST', own.url)).status, 200);
    counts.push(own.laptop.google.mails.count() - before);
  }
  assert.deepEqual(counts, [1, 0, 1, 0, 1]);
});

test('one event at two routes of one secret is an email of each, and known at each', async () => {
  await using own = await startHooks({ one: routeOf(hookOf('github'), 'shared'), two: routeOf(hookOf('github'), 'shared') });
  const scheme = SIGNED_CASES.find(({ name }) => name === 'github') ?? assert.fail();
  own.store('shared', scheme.secret);
  const body = eventBody();
  const headers = await scheme.sign(body, scheme.secret, second());
  for (const path of ['/hooks/one', '/hooks/two', '/hooks/one', '/hooks/two'])
    assert.equal((await post(path, body, headers, 'POST', own.url)).status, 200);
  assert.equal(own.laptop.google.mails.count(), 2);
});
