/**
 * A program: imports packages, remembers every function that hangs on their objects and on Node's, imports our files, and
 * prints what was replaced, added or taken away. Arguments: packages and files, as JSON.
 */
import { builtinModules, createRequire } from 'node:module';

const [packages = [], files = []] = process.argv.slice(2).map((text) => JSON.parse(text) as string[]);
const DEPTH = 4;
const require = createRequire(import.meta.url);
// Deprecated ones warn when they are loaded; the others start something.
const SKIPPED = /^(_|sys$|punycode$|inspector|test|trace_events|wasi|cluster|repl)/;

type Seen = Map<object, { readonly path: string; readonly functions: Map<PropertyKey, unknown> }>;

const isObject = (value: unknown): value is object => (typeof value === 'object' && value !== null) || typeof value === 'function';

function functionsOf(object: object): Map<PropertyKey, unknown> {
  const found = new Map<PropertyKey, unknown>();
  for (const key of Reflect.ownKeys(object)) {
    const { value, get, set } = Object.getOwnPropertyDescriptor(object, key) ?? {};
    if (typeof value === 'function') found.set(key, value);
    if (get) found.set(`get ${String(key)}`, get);
    if (set) found.set(`set ${String(key)}`, set);
  }
  return found;
}

function walk(root: unknown, path: string, depth: number, seen: Seen): void {
  if (!isObject(root) || seen.has(root) || ArrayBuffer.isView(root)) return;
  seen.set(root, { path, functions: functionsOf(root) });
  if (depth === 0) return;
  for (const key of Reflect.ownKeys(root)) {
    if (key === '_events' || key === 'arguments' || key === 'caller') continue;
    const { value } = Object.getOwnPropertyDescriptor(root, key) ?? {};
    walk(value, `${path}.${String(key)}`, depth - 1, seen);
  }
}

const roots: [string, unknown][] = builtinModules.filter((name) => !SKIPPED.test(name)).map((name) => [name, require(name)]);
for (const name of packages) roots.push([name, await import(name)]);
roots.push(['globalThis', globalThis]);
for (const key of Reflect.ownKeys(globalThis)) void Reflect.get(globalThis, key); // some are made when they are first looked at
const seen: Seen = new Map();
for (const [name, root] of roots) walk(root, name, DEPTH, seen);

for (const file of files) await import(file);

const changed: string[] = [];
for (const [object, { path, functions }] of seen) {
  const now = functionsOf(object);
  for (const key of new Set([...functions.keys(), ...now.keys()]))
    if (functions.get(key) !== now.get(key)) changed.push(`${path}.${String(key)}`);
}
console.log(JSON.stringify(changed));
process.exit(0);
