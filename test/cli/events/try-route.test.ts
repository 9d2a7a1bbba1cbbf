/** Routes from the command line: what stops a build, what an event comes to, and what a person sees of it. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { compileConfig } from '../../../functions/config/compile-config.ts';
import { typed } from '../../support/programs/command-line.ts';

let folder: string;
const file = (name: string): string => join(folder, name);

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { status, stdout, stderr } = await typed(args, { BROWSER: 'true' });
  return { code: status, out: stdout, err: stderr };
}

const CONFIG = (change = '') => `mailboxes:
  notices@example.com: {}
routes:
  builds:
    topic: cloud-builds
    when: event.status in ["FAILURE"]
    from: notices@example.com
    to: [dev@example.com]
    template: cloud-build
${change}`;

const HOOKED = `  hooked:
    hook: { verify: github, secret: hook-ci }
    when: attributes["x-github-event"] == "release"
    from: notices@example.com
    to: [dev@example.com]
    template: webhook
  strict:
    topic: events
    from: notices@example.com
    to: [dev@example.com]
    template: strict
`;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
  cpSync('config/templates', file('templates'), { recursive: true });
  writeFileSync(file('templates/strict.hbs'), '---\nsubject: Build {{default event.name event.id}}\n---\n<p>x</p>\n');
  writeFileSync(file('mailgrant.yaml'), CONFIG(HOOKED));
  mkdirSync(file('bad/templates/partials'), { recursive: true });
});

const wrong: { name: string; config?: string; template?: string; told: RegExp }[] = [
  {
    name: 'CEL that does not parse',
    config: CONFIG().replace('in ["FAILURE"]', '=== "x"'),
    told: /bad\/mailgrant\.yaml:6: routes\.builds\.when: .*\(at 1:14 of the expression\)/,
  },
  {
    name: 'CEL with a wrong name',
    config: CONFIG('    dedupe: evnt.id\n'),
    told: /bad\/mailgrant\.yaml:10: routes\.builds\.dedupe: "evnt" is unknown/,
  },
  {
    name: 'CEL of a wrong type',
    config: CONFIG('    dedupe: event.id == "x"\n'),
    told: /mailgrant\.yaml:10: routes\.builds\.dedupe: expected text, this is bool/,
  },
  {
    name: 'a recipient that is a bad template',
    config: CONFIG('    cc:\n      - a@example.com\n      - "{{evnt.who}}"\n'),
    told: /mailgrant\.yaml:12: "evnt\.who" is unknown/,
  },
  {
    name: 'a template that is not there',
    config: CONFIG().replace('template: cloud-build', 'template: gone'),
    told: /mailgrant\.yaml:9: routes\.builds\.template: there is no template "gone"/,
  },
  {
    name: 'a template with a wrong name',
    template: '---\nsubject: x\n---\n<p>\n{{event.id}} {{evnt.id}}',
    told: /templates\/cloud-build\.hbs:5: "evnt\.id" is unknown/,
  },
  { name: 'a template that does not parse', template: '---\nsubject: x\n---\n{{#if event.id}}', told: /templates\/cloud-build\.hbs:4: / },
  { name: 'a template without a subject', template: '<p>', told: /templates\/cloud-build\.hbs:1: expected a head/ },
  {
    name: 'a template with raw text of the event',
    template: '---\nsubject: x\n---\n{{{event.id}}}',
    told: /templates\/cloud-build\.hbs:4: three braces/,
  },
];
const put = (config = CONFIG(), template = '---\nsubject: x\n---\nx'): string => {
  writeFileSync(file('bad/mailgrant.yaml'), config);
  writeFileSync(file('bad/templates/cloud-build.hbs'), template);
  return file('bad/mailgrant.yaml');
};
for (const { name, config, template, told } of wrong)
  test(`${name} is named with file, line and reason`, () =>
    assert.throws(() => compileConfig(put(config, template)), { name: 'ConfigProblems', message: told }));

test('what is wrong stops the build before anything is written, and the check of the config', async () => {
  const bad = put(CONFIG('    dedupe: evnt.id\n'), '---\nsubject: x\n---\n{{evnt.id}}');
  const built = await run('build', '--config', bad, '--out', file('bad/dist'));
  const checked = await run('config', '--config', bad, '--json');
  assert.deepEqual([built.code, checked.code, existsSync(file('bad/dist'))], [1, 1, false]);
  assert.match(built.err, /has 2 problems:\n.*cloud-build\.hbs:4: "evnt\.id".*\n.*mailgrant\.yaml:10: routes\.builds\.dedupe/);
  assert.equal(JSON.parse(checked.out).problems.length, 2);
});

const event = (name: string, value: unknown): string => {
  writeFileSync(file(name), typeof value === 'string' ? value : JSON.stringify(value));
  return file(name);
};
const at = (...args: string[]) => run(...args, '--config', file('mailgrant.yaml'));

test('test-route says whether the route wants the event, and shows the mail', async () => {
  const { code, out } = await at('test-route', 'builds', '--event', 'config/samples/cloud-build.json');
  assert.equal(code, 0);
  assert.match(
    out,
    /^builds: match\.\n\nFrom: notices@example\.com\nTo: dev@example\.com\nSubject: Build failure: shop-main\n\nCloud Build\n/,
  );
  const { out: json } = await at('test-route', 'builds', '--json', '--event', event('ok.json', { status: 'SUCCESS' }));
  assert.deepEqual(JSON.parse(json), {
    ok: true,
    command: 'test-route',
    error: null,
    route: 'builds',
    match: false,
    dedupe: null,
    mail: null,
  });
});

test('test-route takes a push envelope as it takes the event in it', async () => {
  const data = readFileSync('config/samples/cloud-build.json').toString('base64');
  const { out } = await at('test-route', 'builds', '--json', '--event', event('push.json', { message: { data, messageId: '1' } }));
  assert.deepEqual([JSON.parse(out).match, JSON.parse(out).mail.subject], [true, 'Build failure: shop-main']);
});

const failing: { name: string; command?: string; args: () => string[]; told: RegExp; status?: number }[] = [
  {
    name: 'a condition that cannot be decided',
    args: () => ['builds', '--event', event('a.json', {})],
    told: /route_condition\nwhen: no such field/,
  },
  {
    name: 'a value that is missing',
    args: () => ['strict', '--event', event('b.json', { status: 'FAILURE' })],
    told: /route_template\n.*templates\/strict\.hbs:2: default: none of event\.name, event\.id is there/,
  },
  {
    name: 'a route that is not there',
    args: () => ['gone', '--event', event('c.json', {})],
    told: /mailgrant\.yaml has no route gone; it has builds, hooked, strict/,
  },
  {
    name: 'a header of a webhook that was not given',
    args: () => ['hooked', '--event', event('h.json', {})],
    told: /"x-github-event" in attributes asks .*\n.*--attribute x-github-event=VALUE/,
  },
  {
    name: 'an event that is nearly JSON',
    args: () => ['builds', '--event', event('n.json', '{"status":"FAILURE",}')],
    told: /n\.json is no JSON/,
  },
  {
    name: 'an event that is not there',
    args: () => ['builds', '--event', 'gone.json'],
    told: /--event: gone\.json cannot be read: ENOENT/,
  },
  { name: 'no event', args: () => ['builds'], told: /--event is missing/, status: 2 },
  {
    name: 'a wrong attribute',
    args: () => ['builds', '--event', event('d.json', {}), '--attribute', 'x'],
    told: /expected name=value/,
    status: 2,
  },
];
for (const { name, command = 'test-route', args, told, status = 1 } of failing)
  test(`${name} is an error`, async () => {
    const { code, out, err } = await at(command, ...args());
    assert.deepEqual([code, out], [status, '']);
    assert.match(err, told);
  });

test('preview writes the email, its text and a page around them, and opens the page', async () => {
  const { code, out } = await at('preview', 'builds', '--json', '--out', file('shown'), '--event', 'config/samples/cloud-build.json');
  const { mail, text, page, opened, match } = JSON.parse(out);
  assert.deepEqual([code, opened, match], [0, true, true]);
  assert.match(readFileSync(mail, 'utf8'), /^<!doctype html>[\s\S]*The build failed/);
  assert.match(readFileSync(text, 'utf8'), /^Cloud Build\n/);
  assert.match(readFileSync(page, 'utf8'), /<iframe title="The email at 390 pixels" sandbox/);
});

test('preview shows what the route does not want, too, and the digest', async () => {
  writeFileSync(file('mailgrant.yaml'), CONFIG('    every: 1h\n'));
  const unwanted = await at(
    'preview',
    'builds',
    '--no-open',
    '--out',
    file('shown'),
    '--event',
    event('e.json', { ...JSON.parse(readFileSync('config/samples/cloud-build.json', 'utf8')), status: 'SUCCESS' }),
  );
  assert.match(unwanted.out, /does not want this event/);
  const digest = await at(
    'preview',
    'builds',
    '--no-open',
    '--out',
    file('shown'),
    '--digest',
    '41',
    '--event',
    'config/samples/cloud-build.json',
  );
  assert.equal(digest.code, 0);
  assert.match(readFileSync(file('shown/builds.txt'), 'utf8'), /41 more events/);
});
