/** What is said of a wrong configuration: in plain words, never with a secret in it, and with the setting that was meant. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { warningsOf } from '../../functions/config/config-warnings.ts';
import { checkConfig } from '../../functions/config/schema.ts';
import { looksSecret } from '../../functions/config/wording.ts';

const BOX = 'notices@example.com';
const SHA = 'a'.repeat(64);
const mailbox = (change: object) => ({ mailboxes: { [BOX]: change } });
const key = (change: unknown) => ({ ...mailbox({}), keys: { shop: change } });
const ROUTE = { topic: 'builds', from: BOX, to: 'dev@example.com', template: 'webhook' };
const hook = (change: object) => ({
  ...mailbox({}),
  routes: { a: { ...ROUTE, topic: undefined, hook: { verify: 'github', secret: 'hook-a', ...change } } },
});

const said: [name: string, value: unknown, ...patterns: RegExp[]][] = [
  ['a key in clear as its hash', key({ sha256: 'mg_shop_canary0123456789', from: [BOX] }), /^keys\.shop\.sha256: .*never the key/],
  ['a key in clear as a setting', key({ key: 'mg_shop_canary0123456789', sha256: SHA, from: [BOX] }), /^keys\.shop\.key: .*never the key/],
  ['a key in clear in place of the entry', key('mg_shop_canary0123456789'), /^keys\.shop: expected settings/],
  [
    'a key in clear as a name',
    { ...mailbox({}), keys: { mg_shop_canary0123456789: { sha256: SHA, from: [BOX] } } },
    /^keys\.\(a secret\):/,
  ],
  ['a password of a mailbox', mailbox({ password: 'abcd efgh ijkl mnop' }), /password: .*never in this file/],
  ['a token of a mailbox', mailbox({ refresh_token: '1//0canary' }), /refresh_token: .*never in this file/],
  ...['GOCSPX-canary0123456789', 'whsec_canary0123456789abcdef', 'ghp_canary0123456789', 'Zm9vYmFyYmF6cXV4MDEyMzQ1Ng'].map(
    (secret): [string, unknown, RegExp] => [
      `a secret in place of its name (${secret.slice(0, 5)}…)`,
      hook({ secret }),
      /hook\.secret: .*the secret itself/,
    ],
  ),
  ['a secret of a mailbox in place of its name', mailbox({ secret: 'GOCSPX-canary0123456789' }), /secret: .*the secret itself/],
  ['a secret with other letters', mailbox({ secret: '{"client_id":"canary"}' }), /secret: .*never the secret itself/],
  ['perday', mailbox({ limits: { perday: 5, perMinute: 1 } }), /limits\.perday: .*perDay/],
  ['per_minute', mailbox({ limits: { per_minute: 5, perDay: 1 } }), /per_minute: .*perMinute/],
  ['alias', mailbox({ alias: ['a@example.com'] }), /alias: .*aliases/],
  ['Keys', { ...mailbox({}), Keys: {} }, /^Keys: .*keys/],
  ['mailbox', { ...mailbox({}), mailbox: {} }, /^mailbox: .*mailboxes/],
  ['templte of a route', { ...mailbox({}), routes: { a: { ...ROUTE, templte: 'x' } } }, /templte: .*template/],
  ['tolerence of a hook', hook({ toleranceSecond: 5 }), /toleranceSecond: .*toleranceSeconds/],
  ['fetchfrom', { ...mailbox({}), attachments: { fetchFrom: [], fetchfrom: [] } }, /fetchfrom: .*fetchFrom/],
  ['via: imap', mailbox({ via: 'imap' }), /via: expected api or smtp; .*IMAP/],
  ['grant: password', mailbox({ grant: 'password' }), /grant: expected refresh-token, delegation or service-account-key/],
  ['delivery: later', { ...mailbox({}), delivery: 'later' }, /^delivery: expected direct or queued/],
  ['aliases as a text', mailbox({ aliases: 'a@example.com' }), /aliases: expected a list/],
  ['mailboxes as a list', { mailboxes: [BOX] }, /^mailboxes: expected entries/],
  ['limits as a number', mailbox({ limits: 5 }), /limits: expected settings/],
  ['disabled: maybe', key({ sha256: SHA, from: [BOX], disabled: 'maybe' }), /disabled: expected true or false/],
  ['a mailbox in two spellings', { mailboxes: { [BOX]: {}, 'Notices@Example.com': {} } }, /"notices@example\.com": .*twice.*two spellings/],
  [
    'an alias that is a mailbox',
    { mailboxes: { [BOX]: { aliases: ['a@example.com'] }, 'a@example.com': {} } },
    /a@example\.com already belongs to notices@example\.com/,
  ],
];
for (const [name, value, ...patterns] of said)
  test(`${name} is told`, () => {
    const { problems } = checkConfig(value);
    for (const pattern of patterns)
      assert.ok(
        problems.some((problem) => pattern.test(problem)),
        problems.join('\n'),
      );
    assert.doesNotMatch(problems.join('\n'), /canary|ijkl/);
  });

const NOW = Date.UTC(2026, 10, 24);
const warned: [name: string, value: unknown, pattern: RegExp | null][] = [
  ['a key whose day is over', key({ sha256: SHA, from: [BOX], expires: '2026-11-22' }), /^keys\.shop\.expires: .*2026-11-22/],
  ['a key on its last day', key({ sha256: SHA, from: [BOX], expires: '2026-11-24' }), null],
  ['a mailbox beyond Workspace', mailbox({ limits: { perDay: 2_001 } }), /limits\.perDay: 2001 .*2000/],
  ['a mailbox at the limit', mailbox({ limits: { perDay: 2_000 } }), null],
  ['a mailbox of gmail.com beyond it', { mailboxes: { 'a@gmail.com': { limits: { perDay: 600 } } } }, /600 .*500/],
  ['a key beyond its mailbox', key({ sha256: SHA, from: [BOX], limits: { perDay: 5_000 } }), /^keys\.shop\.limits\.perDay: 5000/],
  [
    'a route beyond its mailbox',
    { ...mailbox({}), routes: { a: { ...ROUTE, limits: { perDay: 9_000 } } } },
    /^routes\.a\.limits\.perDay: 9000/,
  ],
  ['no limit, as it is said', mailbox({ limits: { perDay: null } }), null],
];
for (const [name, value, pattern] of warned)
  test(`${name}: ${pattern ? 'a warning' : 'none'}`, () => {
    const { config, problems } = checkConfig(value);
    assert.ok(config, problems.join('\n'));
    const warnings = warningsOf(config, NOW).join('\n');
    if (pattern) assert.match(warnings, pattern);
    else assert.equal(warnings, '');
  });

test('names of secrets do not look like secrets', () => {
  for (const name of [
    'mailgrant-notices',
    'hook-signup',
    'mailgrant-notices-example-com',
    'STRIPE_WEBHOOK_SECRET',
    'prod-github-hook-2026',
    'MyAppSecret1',
  ])
    assert.ok(!looksSecret(name), name);
});

test('whatever stands at a place of the file, no word of the library is in what is said, and no secret', () => {
  const wrong = fc.constantFrom<unknown>(
    5,
    -1,
    1.5,
    'x',
    '',
    true,
    null,
    [],
    [1],
    {},
    { a: 1 },
    'mg_shop_canary0123456789',
    'x'.repeat(300),
  );
  const whole = {
    ...mailbox({
      name: 'x',
      via: 'api',
      limits: { perDay: 1 },
      aliases: ['a@example.com'],
      tokens: 'reuse',
      grant: 'refresh-token',
      secret: 'x',
    }),
    keys: { shop: { sha256: SHA, from: [BOX], to: ['*@example.com'], expires: '2027-01-01', disabled: false, limits: { perDay: 1 } } },
    routes: { a: { ...ROUTE, when: 'event.a', every: '1h', limits: { perDay: 1 }, headers: { 'X-A': 'b' } }, b: { ...hook({}).routes.a } },
    delivery: 'direct',
    ledger: { addresses: 'hashed' },
    attachments: { fetchFrom: ['a.example.com'] },
    documents: { collection: 'mail', from: [BOX] },
    events: { crm: { url: 'https://a.example.com', secret: 'events-crm' } },
  } as Record<string, unknown>;
  const places = (value: unknown, at: string[] = []): string[][] => [
    ...(at.length > 0 ? [at] : []),
    ...(typeof value === 'object' && value !== null ? Object.entries(value).flatMap(([name, one]) => places(one, [...at, name])) : []),
  ];
  const put = (value: unknown, [first = '', ...rest]: string[], by: unknown): unknown => {
    const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string, unknown>;
    copy[first] = rest.length > 0 ? put(copy[first], rest, by) : by;
    return copy;
  };
  fc.assert(
    fc.property(fc.constantFrom(...places(whole)), wrong, (place, by) => {
      const { problems } = checkConfig(put(whole, place, by));
      assert.doesNotMatch(problems.join('\n'), /Invalid|Too (?:small|big)|received|Unrecognized|canary|undefined|\[object/);
    }),
    { seed: 5, numRuns: 1_500 },
  );
});
