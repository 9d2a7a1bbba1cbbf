import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ConfigProblems } from '../../functions/config/config-problems.ts';
import { loadConfig } from '../../functions/config/load-config.ts';
import { readYaml } from '../../functions/config/read-yaml.ts';
import { checkConfig, secretFor } from '../../functions/config/schema.ts';

const SHA = 'a'.repeat(64);
const VALID = { mailboxes: { 'notices@example.com': {} } };

test('defaults are filled in, and addresses are in lower case', () => {
  const { config } = checkConfig({
    mailboxes: { 'Notices@Example.com': { aliases: ['No-Reply@example.com'] } },
    keys: { shop: { sha256: SHA, from: ['NO-REPLY@example.com'], to: ['*@Example.net'] } },
  });
  assert.deepEqual(config, {
    mailboxes: [
      {
        address: 'notices@example.com',
        name: '',
        grant: 'refresh-token',
        secret: 'mailgrant-notices-example-com',
        delegate: '',
        via: 'api',
        aliases: ['no-reply@example.com'],
        tokens: 'per-invocation',
        limits: { perDay: 1_600, perMinute: null },
      },
    ],
    keys: [{ id: 'shop', sha256: SHA, from: ['no-reply@example.com'], to: ['*@example.net'] }],
    delivery: 'direct',
    ledger: { addresses: 'hashed' },
  });
});

test('bounces and suppression are off, and one line each turns them on', () => {
  const plain = checkConfig(VALID).config;
  assert.deepEqual([plain && 'suppress' in plain, plain?.mailboxes.some((one) => 'bounces' in one)], [false, false]);
  const { config } = checkConfig({ ...box({ bounces: true }), suppress: { bounced: '90d' } });
  assert.deepEqual([config?.mailboxes[0]?.bounces, config?.suppress], [true, { bouncedMs: 90 * 24 * 60 * 60_000 }]);
});

const limits: { name: string; limits?: object; becomes: object }[] = [
  { name: 'notices@example.com', becomes: { perDay: 1_600, perMinute: null } },
  { name: 'me@gmail.com', becomes: { perDay: 400, perMinute: null } },
  { name: 'me@gmail.com', limits: { perMinute: 30 }, becomes: { perDay: 400, perMinute: 30 } },
  { name: 'notices@example.com', limits: { perDay: 50 }, becomes: { perDay: 50, perMinute: null } },
  { name: 'notices@example.com', limits: { perDay: null }, becomes: { perDay: null, perMinute: null } },
];
for (const { name, limits: given, becomes } of limits)
  test(`a mailbox at ${name.split('@')[1]} with limits ${JSON.stringify(given)} has ${JSON.stringify(becomes)}`, () =>
    assert.deepEqual(checkConfig({ mailboxes: { [name]: given ? { limits: given } : {} } }).config?.mailboxes[0]?.limits, becomes));

const box = (change: unknown) => ({ mailboxes: { 'notices@example.com': change } });
const key = (change: object) => ({ ...VALID, keys: { shop: { sha256: SHA, from: ['notices@example.com'], ...change } } });
const AT = 'mailboxes."notices@example.com"';
const wrong: { value: unknown; problems: string[] }[] = [
  { value: null, problems: ['mailboxes: missing'] },
  { value: { mailboxes: {} }, problems: ['mailboxes: expected at least one mailbox'] },
  { value: { mailboxes: { nobody: {} } }, problems: ['mailboxes.nobody: '] },
  { value: { ...VALID, mailbox: 1 }, problems: ['mailbox: unknown setting'] },
  { value: box({ nmae: 'x' }), problems: [`${AT}.nmae: unknown setting`] },
  { value: box({ name: 'a\r\nBcc: x' }), problems: [`${AT}.name: `] },
  { value: box({ secret: 'a/b' }), problems: [`${AT}.secret: `] },
  { value: box({ aliases: ['x'] }), problems: [`${AT}.aliases.0: `] },
  { value: box({ via: 'pigeon' }), problems: [`${AT}.via: `] },
  { value: box({ bounces: 'yes' }), problems: [`${AT}.bounces: `] },
  { value: { ...VALID, suppress: {} }, problems: ['suppress.bounced: expected a time in days'] },
  { value: { ...VALID, suppress: { bounced: '12h' } }, problems: ['suppress.bounced: expected a time in days'] },
  { value: { ...VALID, suppress: { bounced: '900d' } }, problems: ['suppress.bounced: expected at most 365d'] },
  { value: { ...VALID, suppress: { bounced: '90d', complained: '90d' } }, problems: ['suppress.complained: unknown setting'] },
  { value: box({ grant: 'password' }), problems: [`${AT}.grant: `] },
  { value: box({ grant: 'delegation' }), problems: [`${AT}.delegate: missing`] },
  {
    value: box({ grant: 'delegation', delegate: 'me@example.com' }),
    problems: [`${AT}.delegate: expected the email of a service account`],
  },
  { value: box({ delegate: 'd@p.iam.gserviceaccount.com' }), problems: [`${AT}.delegate: only for grant: delegation`] },
  {
    value: { mailboxes: { 'me@gmail.com': { grant: 'service-account-key' } } },
    problems: ['mailboxes."me@gmail.com".grant: Google delegates only Workspace'],
  },
  { value: box({ tokens: 'always' }), problems: [`${AT}.tokens: `] },
  {
    value: { ...VALID, keys: { pubsub: { sha256: SHA, from: ['notices@example.com'] } } },
    problems: ['keys.pubsub: taken; it is the name of callers without a key'],
  },
  { value: box({ limits: {} }), problems: [`${AT}.limits: expected perDay, perMinute or both`] },
  { value: box({ limits: { perDay: 0, perMinute: 1.5 } }), problems: [`${AT}.limits.perDay: `, `${AT}.limits.perMinute: `] },
  { value: box({ limits: { perHour: 5, perDay: 1 } }), problems: [`${AT}.limits.perHour: unknown setting`] },
  { value: key({ limits: { perDay: '5' } }), problems: ['keys.shop.limits.perDay: expected a whole number'] },
  { value: key({ expires: '2027-02-30' }), problems: ['keys.shop.expires: expected a date'] },
  { value: key({ expires: 20270131 }), problems: ['keys.shop.expires: expected a date'] },
  { value: key({ disabled: 'yes' }), problems: ['keys.shop.disabled: '] },
  { value: key({ identity: 'nobody' }), problems: ['keys.shop.identity: '] },
  { value: key({ identity: 'ci@project.iam.gserviceaccount.com' }), problems: ['keys.shop.sha256: not beside an identity'] },
  { value: { ...VALID, attachments: { fetchFrom: ['https://cdn.example.com/'] } }, problems: ['attachments.fetchFrom.0: '] },
  { value: { ...VALID, attachments: { fetchFrom: ['127.0.0.1'] } }, problems: ['attachments.fetchFrom.0: '] },
  { value: { ...VALID, delivery: 'later' }, problems: ['delivery: expected direct or queued'] },
  { value: { ...VALID, ledger: { addresses: 'clear' } }, problems: ['ledger.addresses: '] },
  { value: key({ sha256: 'x' }), problems: ['keys.shop.sha256: '] },
  { value: key({ sha256: undefined }), problems: ['keys.shop.sha256: missing'] },
  { value: key({ from: [] }), problems: ['keys.shop.from: '] },
  { value: key({ from: ['other@example.com'] }), problems: ['keys.shop.from.0: other@example.com is no mailbox'] },
  { value: key({ to: ['example.com'] }), problems: ['keys.shop.to.0: '] },
  { value: { ...VALID, keys: { Shop: { sha256: 'x' } } }, problems: ['keys.Shop: ', 'keys.Shop.sha256: ', 'keys.Shop.from: missing'] },
  {
    value: { ...VALID, keys: { a: { sha256: SHA, from: ['notices@example.com'] }, b: { sha256: SHA, from: ['notices@example.com'] } } },
    problems: ['keys.b.sha256: the same key'],
  },
  {
    value: { mailboxes: { 'a@example.com': { aliases: ['b@example.com'] }, 'b@example.com': {} } },
    problems: ['mailboxes."b@example.com": b@example.com already belongs to a@example.com; leave it in one of the two'],
  },
  // Two addresses that come to one secret: the second consent would replace the first one.
  {
    value: { mailboxes: { 'a.b@example.com': {}, 'a-b@example.com': {} } },
    problems: ['mailboxes."a-b@example.com".secret: mailgrant-a-b-example-com is the secret of a.b@example.com too'],
  },
  {
    value: { mailboxes: { 'a@example.com': { secret: 'one' }, 'b@example.com': { secret: 'one', grant: 'service-account-key' } } },
    problems: ['mailboxes."b@example.com".secret: one is the secret of a@example.com too'],
  },
  {
    value: {
      mailboxes: { 'a@example.com': { secret: 'one' } },
      routes: { form: { hook: { verify: 'github', secret: 'one' }, from: 'a@example.com', to: ['b@example.com'], template: 'x' } },
    },
    problems: ['routes.form.hook.secret: one is the secret of a mailbox'],
  },
  {
    value: { mailboxes: { 'a@example.com': { via: 'x', aliases: 7, foo: 1 } }, keys: 7 },
    problems: ['mailboxes."a@example.com".via: ', 'mailboxes."a@example.com".aliases: ', 'mailboxes."a@example.com".foo: ', 'keys: '],
  },
];
for (const { value, problems } of wrong)
  test(`${JSON.stringify(value).slice(0, 90)}: ${problems.length} named at once`, () => {
    const found = checkConfig(value).problems;
    assert.equal(found.length, problems.length, found.join('\n'));
    for (const problem of problems)
      assert.ok(
        found.some((one) => one.startsWith(problem)),
        `${problem} in ${found.join(' | ')}`,
      );
  });

test('limits, expiry, identities and hosts come out as the functions read them', () => {
  const { config } = checkConfig({
    mailboxes: { 'notices@Bücher.example': { limits: { perDay: 2000 } } },
    keys: {
      shop: {
        sha256: SHA,
        from: ['notices@bücher.example'],
        limits: { perMinute: 60, perDay: 500 },
        expires: '2027-01-31',
        disabled: true,
      },
      ci: { identity: 'CI@project.iam.gserviceaccount.com', from: ['notices@xn--bcher-kva.example'] },
    },
    attachments: { fetchFrom: ['CDN.example.com'] },
  });
  assert.deepEqual(
    [config?.mailboxes[0]?.limits, config?.mailboxes[0]?.secret],
    [{ perDay: 2000, perMinute: null }, 'mailgrant-notices-b-cher-example'], // by the name as it is written: Terraform does the same
  );
  assert.deepEqual(config?.keys, [
    {
      id: 'shop',
      sha256: SHA,
      from: ['notices@xn--bcher-kva.example'],
      to: null,
      limits: { perDay: 500, perMinute: 60 },
      disabled: true,
      expires: Date.UTC(2027, 1, 1),
    },
    { id: 'ci', sha256: '', from: ['notices@xn--bcher-kva.example'], to: null, identity: 'ci@project.iam.gserviceaccount.com' },
  ]);
  assert.deepEqual(config?.attachments, { fetchFrom: ['cdn.example.com'] });
});

const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
const yaml = (text: string): string => {
  const file = join(folder, 'x.yaml');
  writeFileSync(file, text);
  return file;
};
test('a file that is no YAML, or names a setting twice, is refused with its line', () => {
  assert.throws(() => loadConfig(yaml('mailboxes: [')), { name: 'ConfigProblems', message: /x\.yaml:1: / });
  assert.throws(() => loadConfig(yaml('mailboxes:\n  a@example.com: {}\n  a@example.com: {}\n')), {
    name: 'ConfigProblems',
    message: /unique/i,
  });
  assert.throws(() => loadConfig(join(folder, 'none.yaml')), { name: 'ConfigProblems', message: /ENOENT/ });
});

const misplaced: { name: string; text: string; told: string[] }[] = [
  {
    name: 'a setting that is wrong, and one that is unknown',
    text: 'mailboxes:\n  a@example.com:\n    via: pigeon\n    nam: x\n',
    told: ['3: mailboxes."a@example.com".via: ', '4: mailboxes."a@example.com".nam: unknown setting'],
  },
  {
    name: 'one of a list',
    text: 'mailboxes:\n  a@example.com:\n    aliases:\n      - b@example.com\n      - b\n',
    told: ['5: mailboxes."a@example.com".aliases.1: '],
  },
  {
    name: 'what is missing, told where it is missing from',
    text: 'mailboxes: { a@example.com: {} }\nkeys:\n  shop:\n    sha256: x\n',
    told: ['4: keys.shop.sha256: ', '3: keys.shop.from: missing'],
  },
  {
    name: 'an address that is written with capitals',
    text: 'mailboxes:\n  a@example.com: {}\n  B@Example.com: { grant: delegation }\n',
    told: ['3: mailboxes."b@example.com".delegate: missing'],
  },
  {
    name: 'what an alias stands for, where it stands',
    text: 'mailboxes:\n  a@example.com: { limits: &l { perDay: 0 } }\n  b@example.com:\n    limits: *l\n',
    told: ['2: mailboxes."a@example.com".limits.perDay: ', '2: mailboxes."b@example.com".limits.perDay: '],
  },
  {
    name: 'a name, and a route',
    text: 'mailboxes: { a@example.com: {} }\nkeys: { Shop: {} }\nroutes:\n  r:\n    from: a@example.com\n    to: [x@example.com]\n    template: t\n    topic: t\n',
    told: ['2: keys.Shop: ', '2: keys.Shop.from: ', '8: routes.r.topic: '],
  },
  {
    name: 'the second of two names of one address',
    text: 'mailboxes:\n  a@example.com: {}\n  A@example.com: {}\n',
    told: ['3: mailboxes."a@example.com": it stands twice in the file, in two spellings; keep one'],
  },
  {
    name: 'an address with letters beyond ASCII',
    text: 'mailboxes:\n  a@example.com: {}\n  a@bücher.example: { grant: delegation }\n',
    told: ['3: mailboxes."a@xn--bcher-kva.example".delegate: missing'],
  },
  {
    name: 'a name with a quote in it',
    text: "mailboxes: { a@example.com: {} }\nkeys:\n\n  'x\"y': 7\n",
    told: ['4: keys."x\\"y": ', '4: keys."x\\"y": '],
  },
  { name: 'an alias of nothing', text: 'mailboxes:\n  a@example.com: *nope\n', told: ['2: nothing is named &nope'] },
  {
    name: 'an alias of itself',
    text: 'mailboxes: &a\n  a@example.com: *a\n',
    told: ['2: mailboxes."a@example.com"."a@example.com": unknown setting'],
  },
  {
    name: 'more aliases than anybody writes',
    text: `mailboxes: { a@example.com: {} }\nkeys:\n  x0: &l { from: [a@example.com] }\n${Array.from({ length: 30 }, (_, n) => `  y${n}: *l\n`).join('')}`,
    told: [' its aliases come to more than 20'],
  },
  { name: 'no such section', text: 'delivery: queued\n', told: ['mailboxes: missing'] },
  { name: 'an empty file', text: '', told: ['mailboxes: missing'] },
];
for (const { name, text, told } of misplaced)
  test(`${name}: the problem is told with its line`, () => {
    const found: string[] = [];
    assert.throws(
      () => loadConfig(yaml(text)),
      ({ problems }: ConfigProblems) => found.push(...problems.map((one) => one.replace(`${folder}/x.yaml:`, ''))) > 0,
    );
    assert.equal(found.length, told.length, found.join('\n'));
    for (const one of told)
      assert.ok(
        found.some((problem) => problem.startsWith(one)),
        `${one} in ${found.join(' | ')}`,
      );
  });

const slips: { name: string; text: string; told: string[] }[] = [
  {
    name: 'an indent that is off in a block of four lines',
    text: 'routes:\n  orders:\n   topic: shop\n    when: x\n    from: y\n    to: z\n',
    told: ['x.yaml:3: Nested mappings are not allowed in compact mappings; the lines of one block begin in the same column, after spaces'],
  },
  { name: 'a tab', text: 'routes:\n  orders:\n\ttopic: shop\n\tto: x\n', told: ['x.yaml:3: Tabs are not allowed as indentation'] },
  {
    name: 'a quote that is not closed',
    text: 'a:\n  b: "x\n  c: 1\n',
    told: ['x.yaml:2: the text that begins with a quote has no closing one'],
  },
  {
    name: 'braces without quotes, alone',
    text: 'to: {{event.owner}}\n',
    told: ['x.yaml:1: a value that begins with braces needs quotes: "{{…}}"'],
  },
  {
    name: 'braces without quotes, in a list',
    text: 'a: 1\nto: [{{event.owner}}, b]\n',
    told: ['x.yaml:2: a value that begins with braces needs quotes: "{{…}}"'],
  },
  {
    name: 'braces without quotes, in front',
    text: 'to:\n  - {{event.owner}} x\n',
    told: ['x.yaml:2: a value that begins with braces needs quotes: "{{…}}"'],
  },
];
for (const { name, text, told } of slips)
  test(`${name} is told once, with its line`, () => {
    const read = readYaml('x.yaml', text);
    assert.deepEqual('problems' in read && read.problems, told);
  });

test('the committed config is valid', () => assert.equal(loadConfig('config/mailgrant.yaml').mailboxes.length, 1));

test('a secret is named after its address', () =>
  assert.equal(secretFor('no.reply+x@example.co.uk'), 'mailgrant-no-reply-x-example-co-uk'));
