/** Every block of sh, js and python in every page runs as it stands, against the stack of `npm start`, or says why not. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { parseCommandLine } from '../functions/cli/command-line.ts';
import { COMMANDS } from '../functions/cli/commands.ts';
import { compileConfig } from '../functions/config/compile-config.ts';
import { type Stack, startStack } from '../functions/dev/stack.ts';
import { ENVIRONMENT } from '../functions/runtime/settings.ts';
import { sampled } from './support/deep.ts';
import { typed } from './support/programs/command-line.ts';
import { onPath, skipUnless } from './support/programs/emulators.ts';
import { type Block, blocksOf, MARKERS, PAGES } from './support/stack/pages.ts';

const RUN: Readonly<Record<string, string>> = {
  sh: 'source "$BLOCK"',
  js: 'node --input-type=module -e "$(cat "$BLOCK")"',
  python: 'python3 "$BLOCK"',
};
/** What stands in the pages for a reader's own values. */
const stand = (stack: Stack): readonly (readonly [RegExp, string])[] => [
  [/https:\/\/mailgrant-api-[\w.-]+\.run\.app/g, stack.functions.api.url],
  [/http:\/\/127\.0\.0\.1:8080/g, stack.functions.api.url],
  [/http:\/\/127\.0\.0\.1:8081/g, stack.functions.worker.url],
  [/http:\/\/127\.0\.0\.1:8085/g, stack.google.url],
  [/http:\/\/127\.0\.0\.1:8025/g, stack.inbox.url],
  [/\bmg_shop_…/g, stack.key],
  [/\byour-project\b/g, 'laptop'],
];
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\s*$/;
/** What the blocks of a page print, where the page is about their answers; each of them sends one mail. */
const PRINTED: Readonly<Record<string, readonly RegExp[]>> = {
  'docs/trigger-email.md': [/"state":\{"stringValue":"SUCCESS"\}/],
  'docs/use-it-from.md': [/^$/, UUID, /^sent\s*$/, UUID, UUID, /^\{"id":"/, /^\{"data":\[\{"id":"[^"]+"\}\],"errors":\[\{"index":1,/],
};

const ROOT = process.cwd();
const all = PAGES.flatMap(blocksOf);
const runs = all.filter(({ language, marker }) => language in RUN && marker === null);
let stack: Stack;
let folder: string;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
  cpSync('config', join(folder, 'config'), { recursive: true }); // a page may change it
  for (const name of ['functions', 'clients', 'docs', 'test', 'infra', 'node_modules', 'package.json', 'README.md'])
    symlinkSync(join(ROOT, name), join(folder, name));
  const { config, module: routes } = compileConfig('config/mailgrant.yaml');
  stack = await startStack({
    config: { ...config, documents: { collection: 'mail', database: '(default)', from: ['notices@example.com'] } }, // a page asks for it
    routes,
    folder: join(folder, '.mailgrant'),
    sources: { api: 'functions/api.ts', worker: 'functions/worker.ts', hooks: 'functions/hooks.ts' },
    ports: { api: 0, worker: 0, hooks: 0, google: 0, inbox: 0, smtp: 0, smtps: 0 },
    deadlineSeconds: 60,
    onLine: () => {},
  });
});
after(async () => {
  await stack?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a block as a reader's shell would; what it exports is there for the later blocks of its page. */
async function run({ page, language, code }: Block): Promise<{ code: number; stdout: string; stderr: string }> {
  const state = join(folder, `${page.replaceAll('/', '-')}.env`);
  const file = join(folder, 'block');
  writeFileSync(
    file,
    stand(stack).reduce((text, [from, to]) => text.replaceAll(from, to), code),
  );
  const script = `
    npx() { if [ "$1" = mailgrant ]; then shift; node functions/cli/main.ts "$@"; else command npx "$@"; fi; }
    [ ! -e "$STATE" ] || source "$STATE"
    set -euo pipefail
    ${RUN[language]}
    export -p > "$STATE"`;
  const env = {
    PATH: `${join(ROOT, 'node_modules/.bin')}:${process.env['PATH']}`,
    HOME: folder,
    NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? '',
    STATE: state,
    BLOCK: file,
    MAILGRANT_KEY: stack.key,
    MAILGRANT_URL: stack.functions.api.url,
    MAILGRANT_GOOGLE_URL: stack.google.url,
    BROWSER: `node ${join(ROOT, 'test/support/programs/browser.ts')} %s`,
    GOOGLE_CLOUD_PROJECT: 'laptop',
  };
  return new Promise((done) => {
    execFile('bash', ['-c', script], { cwd: folder, env }, (error, stdout, stderr) =>
      done({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr }),
    );
  });
}

for (const block of runs) {
  const of = runs.filter(({ page }) => page === block.page);
  const printed = PRINTED[block.page]?.[of.indexOf(block)];
  const needs = ['bash', ...(block.language === 'python' ? ['python3'] : []), ...(/\bcurl\b/.test(block.code) ? ['curl'] : [])];
  const skip = skipUnless(needs.every(onPath), needs.join(', '));
  test(`${block.page}:${block.line} (${block.language}) runs as it stands`, { skip }, async () => {
    const before = stack.google.mails.count();
    const { code, stdout, stderr } = await run(block);
    stack.google.faults.clear(); // a page may show how to make one
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    if (!printed) return;
    assert.match(stdout, printed);
    assert.equal(stack.google.mails.count() - before, String(printed) === '/^$/' ? 0 : 1);
  });
}

test('each page that is about answers has an expectation for each of its blocks', () => {
  for (const [page, expected] of Object.entries(PRINTED)) assert.equal(runs.filter((one) => one.page === page).length, expected.length);
});

for (const { page, line, marker, language } of all.filter(({ marker }) => marker !== null))
  test(`${page}:${line} (${language}) gives a reason that holds for not being run`, () => {
    const form = MARKERS.map((one) => one.exec(marker ?? '')).find(Boolean);
    assert.ok(form, `unknown marker: ${marker}`);
    if (form[1]) assert.ok(existsSync(form[1]), `${form[1]} is not there`);
  });

test('a block of a program that is not run says so', () => {
  const code = new Set(['py', 'go', 'ruby', 'php', 'dockerfile']);
  const silent = all.filter(({ language, marker }) => code.has(language) && marker === null);
  assert.deepEqual(
    silent.map(({ page, line }) => `${page}:${line}`),
    [],
  );
});

/** Every `npx mailgrant …` and `npm run …` of the pages, in blocks and in running text, with the options it is given. */
const commands = PAGES.flatMap((page) =>
  [
    ...readFileSync(page, 'utf8').matchAll(
      /(?:npx mailgrant ((?:(?:key|ledger|dead|hook|suppression) )?[a-z][\w-]*)|npm run ([a-z][\w:-]*))((?:\\\n|[^`\n|#&])*)/g,
    ),
  ].map(([, command, script = 'mailgrant', rest = '']) => ({
    page,
    command,
    script,
    options: [...rest.matchAll(/(?<=\s)--([a-z][\w-]*)/g)].map(([, option = '']) => option),
  })),
);
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };

test('every npm script that a page names is one', () => {
  const missing = commands.filter(({ script }) => !(script in scripts));
  assert.deepEqual(missing, []);
});

for (const name of new Set(commands.flatMap(({ command = [] }) => command)))
  test(`what the pages give to mailgrant ${name} stands in its help`, async () => {
    const { stdout: help } = await typed([...name.split(' '), '--help']);
    assert.match(help, new RegExp(`^Usage: npx mailgrant ${name}`));
    const known = new Set(['config', 'help', 'json', ...[...help.matchAll(/--([a-z][\w-]*)/g)].map(([, option]) => option)]);
    const unknown = commands.filter((one) => one.command === name && one.options.some((option) => !known.has(option)));
    assert.deepEqual(unknown, []);
  });

test("the configuration page names each variable of a function's environment, with what it is for", () => {
  const rows = Object.entries(ENVIRONMENT).map(([name, about]) => `| \`${name}\` | ${about} |\n`);
  assert.ok(readFileSync('docs/configuration.md', 'utf8').includes(`|---|---|\n${rows.join('')}<!-- end -->`), rows.join(''));
});

/** Commands in running text, with their page. A bare name, such as `npx mailgrant build`, is no call. */
const inline = PAGES.flatMap((page) =>
  [...readFileSync(page, 'utf8').matchAll(/`npx mailgrant ([^`\n]+)`/g)].map(([, text = '']) => ({ page, text })),
).filter(({ text }) => /[A-Z./@]|--/.test(text) && text !== 'COMMAND');

for (const { page, text } of inline)
  test(`${page} has a command in its text that can be typed: ${text}`, async () => {
    const words = [...text.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
    const parsed = await parseCommandLine(words, COMMANDS, '0.0.0');
    assert.equal(parsed.kind, 'run', JSON.stringify(parsed));
  });

/** Those of them that ask nobody, with a config that has the routes of the pages. */
const OFFLINE = /^(test-route|preview|hook sign|config|key list)\b/;
for (const { page, text } of sampled(
  inline.filter((one) => OFFLINE.test(one.text)),
  4,
))
  test(`${page} has a command in its text that runs as it stands: ${text}`, async () => {
    const own = mkdtempSync(join(folder, 'inline-'));
    cpSync('config', join(own, 'config'), { recursive: true });
    const config = join(own, 'config/mailgrant.yaml');
    writeFileSync(config, readFileSync(config, 'utf8').replaceAll(/^ {2}# {1,3}(?=(releases:| {2}(hook|when|from|to|template):))/gm, '  '));
    mkdirSync(join(own, '.mailgrant/hook-secrets'), { recursive: true });
    writeFileSync(join(own, '.mailgrant/hook-secrets/hook-releases'), 'x'.repeat(40));
    const script = `mailgrant() { node ${join(ROOT, 'functions/cli/main.ts')} "$@"; }; mailgrant ${text}`;
    const env = { ...process.env, BROWSER: 'true' };
    const ran = await new Promise<{ code: number; text: string }>((done) =>
      execFile('bash', ['-c', script], { cwd: own, env }, (error, out, err) =>
        done({ code: error ? Number(error.code ?? 1) : 0, text: out + err }),
      ),
    );
    assert.equal(ran.code, 0, ran.text);
  });

test('the key has one name in the environment, and signing in to Google one command', () => {
  const texts = PAGES.map((page) => ({ page, text: readFileSync(page, 'utf8') }));
  const other = /(?:env\.|environ\["|ENV(?:\.fetch\()?\[?"|getenv\('|Getenv\("|\$)(?:RESEND|MAILGRANT)_API_KEY/;
  assert.deepEqual(
    texts.filter(({ text }) => other.test(text)).map(({ page }) => page),
    [],
  );
  const signIn = /gcloud auth application-default login(?! --impersonate)/;
  assert.deepEqual(
    texts.filter(({ page, text }) => !page.endsWith('why-gmail-auth-fails.md') && signIn.test(text)).map(({ page }) => page),
    [],
  );
});

test('what VS Code launches is there', () => {
  const { configurations } = JSON.parse(readFileSync('.vscode/launch.json', 'utf8')) as {
    configurations: { runtimeExecutable: string; program: string }[];
  };
  const paths = configurations
    .flatMap(({ runtimeExecutable, program }) => [runtimeExecutable, program])
    .filter((path) => !path.includes('{file}'));
  for (const path of paths) assert.ok(existsSync(path.replace(/^\$\{workspaceFolder\}/, ROOT)), path);
});

const DECISIONS = globSync('docs/decisions/*.md').sort();

test('links between the pages, and to files and headings, lead somewhere', () => {
  const slug = (heading: string): string =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s-]/gu, '')
      .replaceAll(' ', '-');
  const headings = (page: string): string[] =>
    [...readFileSync(page, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => slug(heading));
  const broken = [...PAGES, ...DECISIONS].flatMap((page) =>
    [...readFileSync(page, 'utf8').matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)/g)]
      .map(([, target = '', heading]) => ({ target: target === '' ? page : join(page, '..', target), heading }))
      .filter(({ target, heading }) => !existsSync(target) || (heading !== undefined && !headings(target).includes(heading)))
      .map(({ target, heading }) => `${page}: ${target}#${heading ?? ''}`),
  );
  assert.deepEqual(broken, []);
});

test('each decision has a number of its own, and at most 40 lines', () => {
  const numbers = DECISIONS.map((file) => basename(file).slice(0, 3));
  assert.deepEqual([...new Set(numbers)], numbers);
  const long = DECISIONS.filter((file) => readFileSync(file, 'utf8').split('\n').length > 41);
  assert.deepEqual(long, []);
});
