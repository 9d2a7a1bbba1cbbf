import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '..');

/** Who may import what, besides files of the same folder. Types count too. */
const MAY_SEE: Readonly<Record<string, RegExp>> = {
  mail: /^nodemailer\/lib\/(mail-composer|mime-node|qp)$/,
  diagnose: /^functions\/mail\//,
  // The compiler of Handlebars and the parser of CEL are the build's; functions take what evaluates and renders.
  notify: /^(functions\/mail\/|@bufbuild\/cel(\/ext)?$|handlebars(\/runtime\.js)?$)/,
  config: /^(functions\/(mail|notify)\/|zod$|yaml$|node:(fs|path)$)/,
  // Web Crypto is a global; the library knows the form of Standard Webhooks.
  verify: /^(functions\/mail\/|standardwebhooks$)/,
  trigger: /^(functions\/(mail|notify|diagnose|verify)\/|functions\/(log|serve)\.ts$|node:http$)/,
  google:
    /^(functions\/mail\/|nodemailer\/lib\/smtp-connection$|googleapis\/build\/|google-auth-library\/build\/|@google-cloud\/secret-manager$|node:)/,
  // `npm start` brings the pages up; nothing else of them is known here.
  local: /^(functions\/(mail|config)\/|functions\/pages\/(start|lines)\.ts$|smtp-server$|selfsigned$|node:)/,
  // What a person sees of the laptop; it looks into the fakes, never into a function, and signs as a vendor would.
  pages: /^(functions\/(mail|local)\/|functions\/verify\/sign\.ts$|mailparser$|node:)/,
  cli: /^(functions\/(?!trigger\/|local\/|pages\/)|esbuild$|fflate$|yaml$|smtp-server$|google-auth-library$|@google-cloud\/secret-manager$|node:)/,
  // Entries and what they share.
  '': /^(functions\/((log|serve)\.ts$|(mail|trigger|google|notify)\/)|@google-cloud\/functions-framework$|node:(http|diagnostics_channel|domain)$)/,
};
const TYPES_ONLY: Readonly<Record<string, RegExp>> = { trigger: /^node:/ };
// Anchored at the line, so that a field called 'from' is no import; dynamic and type-only ones count.
const IMPORT = /^(import type|import|export)\s[^'=();]*from '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm;
// Globals are no imports: what the pure folders may not touch.
const IMPURE =
  /\b(process|fetch|crypto|setTimeout|setInterval)\b(\.\w|\()|\bconsole\.(log|warn|error|info|debug)\b|\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b/;
const PURE = ['mail', 'notify', 'diagnose'];

const sources = readdirSync(join(ROOT, 'functions'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ file: join('functions', file), text: readFileSync(join(ROOT, 'functions', file), 'utf8') }));

interface Import {
  readonly target: string;
  readonly typeOnly: boolean;
}

function importsOf(file: string, text: string): Import[] {
  return [...text.matchAll(IMPORT)].map(([, keyword, named, bare, dynamic]) => {
    const specifier = named ?? bare ?? dynamic ?? '';
    const target = specifier.startsWith('.') ? relative(ROOT, join(ROOT, dirname(file), specifier)) : specifier;
    return { target, typeOnly: keyword === 'import type' };
  });
}

const folderOf = (file: string): string => (dirname(file) === 'functions' ? '' : (file.split('/')[1] ?? ''));

function violations(file: string, text: string): string[] {
  const folder = folderOf(file);
  const law = MAY_SEE[folder];
  if (!law) return [`${folder}: no row in the import law`];
  return importsOf(file, text)
    .filter(({ target }) => !(target.startsWith('functions/') && folderOf(target) === folder && folder !== ''))
    .filter(({ target, typeOnly }) => !law.test(target) || (!typeOnly && TYPES_ONLY[folder]?.test(target)))
    .map(({ target }) => target);
}

for (const { file, text } of sources) {
  test(`${file} imports only what its folder may see`, () => assert.deepEqual(violations(file, text), []));
  if (PURE.includes(folderOf(file))) test(`${file} is pure`, () => assert.equal(IMPURE.exec(text)?.[0], undefined));
}

const planted = [
  { file: 'functions/mail/x.ts', text: "import { readFileSync } from 'node:fs';", found: ['node:fs'] },
  { file: 'functions/mail/x.ts', text: "import type { Google } from '../local/google.ts';", found: ['functions/local/google.ts'] },
  { file: 'functions/mail/x.ts', text: "import {\n  a,\n  b,\n} from '../google/call.ts';", found: ['functions/google/call.ts'] },
  { file: 'functions/google/x.ts', text: "const x = await import('../local/google.ts');", found: ['functions/local/google.ts'] },
  { file: 'functions/api.ts', text: "import './cli/main.ts';", found: ['functions/cli/main.ts'] },
  { file: 'functions/trigger/x.ts', text: "import { createServer } from 'node:http';", found: ['node:http'] },
  { file: 'functions/mail/x.ts', text: "import { a } from './y.ts';\nconst from = 'node:fs';", found: [] },
];
for (const { file, text, found } of planted)
  test(`the law sees ${JSON.stringify(text.slice(0, 40))} in ${file}`, () => assert.deepEqual(violations(file, text), found));

test('no function and no test is reached through an index file', () =>
  assert.deepEqual(
    sources.filter(({ file }) => /(^|\/)index\.ts$/.test(file)),
    [],
  ));
