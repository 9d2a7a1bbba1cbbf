/** The rooms of `functions/` and the imports between them, held to the table in `support/import-law.ts`. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { mayImport, ROOMS, roomsTable } from './support/import-law.ts';
import { walkText } from './support/walk.ts';

const ROOT = join(import.meta.dirname, '..');
const FILES_MAX = 16;

// Anchored at the line, so that a field called 'from' is no import; dynamic and type-only ones count.
const IMPORT = /^(import type|import|export)\s[^'=();]*from '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm;
// Globals are no imports: what the pure rooms may not touch.
const IMPURE =
  /\b(process|fetch|crypto|setTimeout|setInterval)\b(\.\w|\()|\bconsole\.(log|warn|error|info|debug)\b|\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b/;

interface Source {
  readonly file: string;
  readonly text: string;
}
const sources: Source[] = readdirSync(join(ROOT, 'functions'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ file: join('functions', file), text: readFileSync(join(ROOT, 'functions', file), 'utf8') }));

interface Import {
  readonly target: string;
  readonly typeOnly: boolean;
}

function importsOf({ file, text }: Source): Import[] {
  return [...text.matchAll(IMPORT)].map(([, keyword, named, bare, dynamic]) => {
    const specifier = named ?? bare ?? dynamic ?? '';
    const target = specifier.startsWith('.') ? relative(ROOT, join(ROOT, dirname(file), specifier)) : specifier;
    return { target, typeOnly: keyword === 'import type' };
  });
}

/** The whole path of the folder: `mail/queue` is another room than `mail`. */
const roomOf = (file: string): string => relative('functions', dirname(file));

function violations(source: Source): string[] {
  const room = roomOf(source.file);
  const law = ROOMS[room];
  if (!law) return [`${room}: no row in the import law`];
  const allowed = ({ target, typeOnly }: Import): boolean => {
    if (!target.startsWith('functions/')) return law.packages?.test(target) === true && (typeOnly || !law.types?.test(target));
    return (roomOf(target) === room && room !== '') || mayImport(room).includes(roomOf(target));
  };
  return importsOf(source)
    .filter((one) => !allowed(one))
    .map(({ target }) => target);
}

for (const source of sources) {
  test(`${source.file} imports only what its room may see`, () => assert.deepEqual(violations(source), []));
  if (ROOMS[roomOf(source.file)]?.pure) test(`${source.file} is pure`, () => assert.equal(IMPURE.exec(source.text)?.[0], undefined));
}

const planted = [
  { file: 'functions/mail/model/x.ts', text: "import { readFileSync } from 'node:fs';", found: ['node:fs'] },
  {
    file: 'functions/mail/x.ts',
    text: "import type { Google } from '../fake-google/google.ts';",
    found: ['functions/fake-google/google.ts'],
  },
  {
    file: 'functions/mail/model/x.ts',
    text: "import {\n  a,\n  b,\n} from '../queue/resume.ts';",
    found: ['functions/mail/queue/resume.ts'],
  },
  { file: 'functions/google/x.ts', text: "const x = await import('../dev/stack.ts');", found: ['functions/dev/stack.ts'] },
  { file: 'functions/api.ts', text: "import './cli/main.ts';", found: ['functions/cli/main.ts'] },
  { file: 'functions/api.ts', text: "import './watch.ts';", found: ['functions/watch.ts'] },
  { file: 'functions/trigger/http/x.ts', text: "import { createServer } from 'node:http';", found: ['node:http'] },
  { file: 'functions/trigger/http/x.ts', text: "import type { Server } from 'node:http';", found: [] },
  {
    file: 'functions/google/queue/x.ts',
    text: "import { pubsub_v1 } from 'googleapis/build/src/apis/pubsub/v1.js';",
    found: ['googleapis/build/src/apis/pubsub/v1.js'],
  },
  {
    file: 'functions/google/queue/x.ts',
    text: "const x = await import('googleapis/build/src/apis/pubsub/v1.js');",
    found: ['googleapis/build/src/apis/pubsub/v1.js'],
  },
  { file: 'functions/google/queue/x.ts', text: "import type { pubsub_v1 } from 'googleapis/build/src/apis/pubsub/v1.js';", found: [] },
  { file: 'functions/nowhere/x.ts', text: '', found: ['nowhere: no row in the import law'] },
  { file: 'functions/mail/x.ts', text: "import { a } from './y.ts';\nconst from = 'node:fs';", found: [] },
];
for (const { file, text, found } of planted)
  test(`the law sees ${JSON.stringify(text.slice(0, 40))} in ${file}`, () => assert.deepEqual(violations({ file, text }), found));

/** The first circle that is found, as a path; none: undefined. */
function circle(arrows: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const walk = (at: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(at)) return [...path.slice(path.indexOf(at)), at];
    if (done.has(at)) return undefined;
    for (const next of arrows.get(at) ?? []) {
      const found = walk(next, [...path, at]);
      if (found) return found;
    }
    done.add(at);
    return undefined;
  };
  for (const start of arrows.keys()) {
    const found = walk(start, []);
    if (found) return found;
  }
  return undefined;
}

test('no rooms import each other in a circle', () =>
  assert.equal(circle(new Map(Object.keys(ROOMS).map((room) => [room, mayImport(room)]))), undefined));
test('no files import each other in a circle', () => {
  const arrows = sources.map((source): [string, string[]] => [source.file, importsOf(source).map(({ target }) => target)]);
  assert.equal(circle(new Map(arrows)), undefined);
});
test('a circle is found', () =>
  assert.deepEqual(circle(new Map([['a', ['b']], ['b', ['c']], ['c', ['b']]])), ['b', 'c', 'b'])); // biome-ignore format: a picture

test('each row of the law is used, and every room has files', () => {
  const used = new Map<string, Set<string>>();
  for (const source of sources) {
    const rooms = used.get(roomOf(source.file)) ?? new Set();
    used.set(roomOf(source.file), rooms);
    for (const { target } of importsOf(source)) if (target.startsWith('functions/')) rooms.add(roomOf(target));
  }
  const idle = Object.keys(ROOMS).flatMap((room) =>
    used.has(room)
      ? mayImport(room)
          .filter((other) => !used.get(room)?.has(other))
          .map((other) => `${room} → ${other}`)
      : [room],
  );
  assert.deepEqual(idle, []);
});

test('no room has too many files, and no file is found twice by its name', () => {
  const rooms = Map.groupBy(sources, ({ file }) => roomOf(file));
  assert.deepEqual(
    [...rooms].filter(([, files]) => files.length > FILES_MAX).map(([room]) => room),
    [],
  );
  const unique = sources.filter(({ file }) => !/^functions\/(fake-google|pages|dev)\//.test(file));
  const names = Map.groupBy(unique, ({ file }) => basename(file));
  const twice = [...names].filter(([, files]) => files.length > 1).map(([name]) => name);
  assert.deepEqual(twice, []);
});

/** Names that files declare and export. What a front door exports again under its public name is no second declaration. */
const DECLARED = /^export (?:declare )?(?:abstract )?(?:async )?(?:const|let|function\*?|class|interface|type|enum) (\w+)/gm;

function namesExportedTwice(from: readonly Source[]): string[] {
  const declared = from.flatMap(({ file, text }) => [...text.matchAll(DECLARED)].map(([, name]) => ({ name, file })));
  return [...Map.groupBy(declared, ({ name }) => name)]
    .filter(([, places]) => places.length > 1)
    .map(([name, places]) => `${name}: ${places.map(({ file }) => file).join(', ')}`);
}

test('no exported name, of a value or a type, stands for two things', () =>
  assert.deepEqual(namesExportedTwice(sources.filter(({ file }) => !file.endsWith('.d.ts'))), []));
test('a name that two files export is found, of whatever kind', () => {
  const twice = (first: string, second: string): number =>
    namesExportedTwice([
      { file: 'functions/a.ts', text: first },
      { file: 'functions/b.ts', text: second },
    ]).length;
  assert.equal(twice('export const found = 1;', 'export type found = string;'), 1);
  assert.equal(twice('export interface Row {}', 'export async function Row() {}'), 1);
  assert.equal(twice('export const found = 1;', "export { found } from './a.ts';\nconst row = 2;"), 0);
});

test('no function and no test is reached through an index file', () =>
  assert.deepEqual(
    sources.filter(({ file }) => /(^|\/)index\.ts$/.test(file)),
    [],
  ));

test('the map and the walk in CONTRIBUTING.md are as the code is (MAILGRANT_WRITE=1 writes it anew)', () => {
  const path = join(ROOT, 'CONTRIBUTING.md');
  const text = readFileSync(path, 'utf8');
  const written = (name: string, block: string, page: string): string =>
    page.replace(new RegExp(`(<!-- ${name} -->\\n)[\\s\\S]*?(\\n<!-- /${name} -->)`), (_, open, close) => `${open}${block}${close}`);
  const anew = written('walk', walkText(), written('rooms', roomsTable(), text));
  if (process.env['MAILGRANT_WRITE']) writeFileSync(path, anew);
  else assert.equal(text, anew);
});
