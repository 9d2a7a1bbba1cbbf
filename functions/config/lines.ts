import { type Document, isAlias, isMap, isNode, isSeq, type LineCounter, type Node } from 'yaml';

const PATH = /^((?:[\w-]+|"[^"]*")(?:\.(?:[\w-]+|"[^"]*"))*): /;

/** Puts in front of each problem, `path: reason`, where in the file it is: `file:line: `; nothing where no part of the path is there. */
export function placed(file: string, problems: readonly string[], document: Document, counter: LineCounter): string[] {
  return problems.map((problem) => {
    const path = PATH.exec(problem)?.[1] ?? '';
    const names = [...path.matchAll(/"([^"]*)"|[\w-]+/g)].map(([whole, quoted]) => quoted ?? whole);
    const offset = offsetOf(names, document);
    return offset === null ? problem : `${file}:${counter.linePos(offset).line}: ${problem}`;
  });
}

/** Where the last part of a path begins that is in the file: a setting that is missing is told at what it is missing from. */
function offsetOf(names: readonly string[], document: Document): number | null {
  let here: unknown = document.contents;
  let offset: number | null = null;
  for (const name of names) {
    if (isAlias(here)) here = here.resolve(document);
    const [from, next] = isMap(here) ? memberOf(here.items, name) : isSeq(here) ? [here.items[Number(name)], here.items[Number(name)]] : [];
    if (!isNode(from) || !from.range) return offset;
    [offset] = from.range;
    here = next;
  }
  return offset;
}

/** The name as it is written, and what it stands for; addresses are compared in lower case, as the config has them. */
function memberOf(items: readonly { readonly key: unknown; readonly value: unknown }[], name: string): [Node?, unknown?] {
  const found = items.find(({ key }) => String(key) === name) ?? items.find(({ key }) => String(key).toLowerCase() === name.toLowerCase());
  return found && isNode(found.key) ? [found.key, found.value] : [];
}
