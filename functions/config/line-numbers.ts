import { type Document, isAlias, isMap, isNode, isSeq, type LineCounter, type Node } from 'yaml';
import { normaliseAddress } from '../mail/model/address.ts';

const NAME = /[\w-]+|"(?:[^"\\]|\\.)*"/;
const PATH = new RegExp(`^((?:${NAME.source})(?:\\.(?:${NAME.source}))*): `);

/**
 * Adds the place in the file to each problem: `path: reason` becomes `file:line: path: reason`; a problem without a place stays as
 * it is.
 */
export function placed(file: string, problems: readonly string[], document: Document, counter: LineCounter): string[] {
  return problems.map((problem) => {
    const path = PATH.exec(problem)?.[1] ?? '';
    const names = [...path.matchAll(new RegExp(NAME, 'g'))].map(([name]) => (name.startsWith('"') ? String(JSON.parse(name)) : name));
    const offset = offsetOf(names, document);
    return offset === null ? problem : `${file}:${counter.linePos(offset).line}: ${problem}`;
  });
}

/** The offset of the longest part of a path that the file has: a missing setting is reported at the setting that lacks it. */
function offsetOf(names: readonly string[], document: Document): number | null {
  let here: unknown = document.contents;
  let offset: number | null = null;
  for (const [index, name] of names.entries()) {
    if (isAlias(here)) here = here.resolve(document);
    const last = index === names.length - 1;
    const [from, next] = isMap(here)
      ? memberOf(here.items, name, last)
      : isSeq(here)
        ? [here.items[Number(name)], here.items[Number(name)]]
        : [];
    if (!isNode(from) || !from.range) return offset;
    [offset] = from.range;
    here = next;
  }
  return offset;
}

type Member = { readonly key: unknown; readonly value: unknown };

/**
 * A name as written, and its normal form. The configuration has addresses in lower case with ASCII domains; where two addresses
 * become equal, the second is reported.
 */
function memberOf(items: readonly Member[], name: string, last: boolean): [Node?, unknown?] {
  const same = items.filter(({ key }) => String(key) === name || normaliseAddress(String(key)) === name);
  const found = (last ? undefined : same.find(({ key }) => String(key) === name)) ?? same.at(-1);
  return found && isNode(found.key) ? [found.key, found.value] : [];
}
