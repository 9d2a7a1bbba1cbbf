import { isMap, isScalar, type Node, type Pair, parseDocument, stringify, YAMLMap } from 'yaml';

/*
 * The text of the configuration with one key more or less. The library's printer moves comments and blanks of the whole file, so
 * only the text of the key is changed; where `keys` is written in braces, the library prints the file.
 */

/** The text with the entry after the last one. */
export function withEntry(text: string, id: string, entry: Readonly<Record<string, unknown>>): string {
  const keys = blockOf(text);
  const lines = printed({ [id]: entry })
    .trimEnd()
    .split('\n');
  if (keys === null) return through(text, (map) => map.set(id, entry));
  const last = keys?.items.at(-1);
  if (!keys || !last) return `${text.replace(/([^\n])$/, '$1\n')}keys:\n${lines.map((line) => `  ${line}\n`).join('')}`;
  const start = startOf(last);
  const indent = ' '.repeat(start - lineStart(text, start));
  const end = lineEnd(text, endOf(last.value as Node));
  return `${text.slice(0, end)}${lines.map((line) => `\n${indent}${line}`).join('')}${text.slice(end)}`;
}

/** The text without the entry; without `keys` if it was the only one. */
export function withoutEntry(text: string, id: string): string {
  const keys = blockOf(text);
  if (!keys) return through(text, (map) => map.delete(id));
  const all = (parseDocument(text).contents as YAMLMap).items as Pair[];
  const pairs = keys.items.length > 1 ? (keys.items as Pair[]) : all;
  const name = keys.items.length > 1 ? id : 'keys';
  const pair = pairs.find(({ key }) => isScalar(key) && String(key.value) === name);
  if (!pair) return text;
  return text.slice(0, lineStart(text, startOf(pair))) + text.slice(lineEnd(text, endOf(pair.value as Node)) + 1);
}

/** `keys` as a block; undefined where there are none, null where it is written in another form. */
function blockOf(text: string): YAMLMap | null | undefined {
  const document = parseDocument(text);
  if (!document.has('keys')) return undefined;
  const keys = document.get('keys');
  return isMap(keys) && keys.flow !== true && keys.items.length > 0 ? keys : null;
}

function through(text: string, change: (keys: YAMLMap) => unknown): string {
  const document = parseDocument(text);
  const there = document.get('keys');
  const keys = isMap(there) ? there : new YAMLMap();
  change(keys);
  document.set('keys', document.createNode(keys.toJSON()));
  return document.toString({ lineWidth: 0 });
}

/** Lists and limits on one line each, as in the rest of the file. */
function printed(value: Readonly<Record<string, Readonly<Record<string, unknown>>>>): string {
  const document = parseDocument(stringify(value, { lineWidth: 0 }));
  const [entry] = Object.keys(value);
  for (const { value: inner } of (document.get(entry) as YAMLMap<unknown, { flow?: boolean }>).items)
    if (inner && 'items' in inner) inner.flow = true;
  return document.toString({ lineWidth: 0 }).replace(/\[ (.*) \]$/gm, '[$1]');
}

const startOf = ({ key }: Pair): number => (key as Node).range?.[0] ?? 0;
const lineStart = (text: string, at: number): number => text.lastIndexOf('\n', at - 1) + 1;
const lineEnd = (text: string, at: number): number => (text.indexOf('\n', at) < 0 ? text.length : text.indexOf('\n', at));

/** The end of a value; the range of a block may include comments and blanks after it. */
function endOf(node: Node): number {
  const last = isMap(node) && node.flow !== true ? (node.items.at(-1)?.value as Node | undefined) : undefined;
  return last ? endOf(last) : Math.max(0, (node.range?.[1] ?? 1) - 1);
}
