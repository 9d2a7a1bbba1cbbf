import { isCollection, LineCounter, parseDocument, visit, type YAMLParseError } from 'yaml';
import { placed } from './line-numbers.ts';

interface Read {
  readonly value: unknown;
  /** Says of problems with the value, `path: reason` each, in which line they are. */
  placed(problems: readonly string[]): string[];
}

/** What a YAML file holds, or why it holds nothing that can be read: each as `file:line: reason`. */
export function readYaml(file: string, text: string): Read | { readonly problems: string[] } {
  const counter = new LineCounter();
  const document = parseDocument(text, { uniqueKeys: true, strict: true, prettyErrors: false, lineCounter: counter });
  const at = (offset: number, reason: string): string => {
    const { line } = counter.linePos(offset);
    const written = text.split(/\r?\n/)[line - 1] ?? '';
    return `${file}:${line}: ${/(?:[:[,]|^\s*-)\s*\{\{/.test(written) ? UNQUOTED : reason}`;
  };
  const problemOf = ({ code, pos, message }: YAMLParseError): string => {
    const [quote] = /["'](?=quote)/.exec(message) ?? [];
    if (!quote) return at(pos[0], `${message}${HINTS[code] ?? ''}`);
    return at(text.lastIndexOf(quote, pos[0] - 1), 'the text that begins with a quote has no closing one');
  };
  const { errors } = document;
  // Where the reader lost its way, it stumbles over each line that follows.
  const told = errors.filter(({ code }, index) => index === 0 || code === 'DUPLICATE_KEY');
  if (told.length > 0) return { problems: told.map(problemOf) };
  const problems: string[] = [];
  visit(document, {
    Pair: (_, { key }) => {
      if (isCollection(key)) problems.push(at(key.range?.[0] ?? 0, 'a name is one word'));
    },
    Alias: (_, alias) => {
      if (!alias.resolve(document)) problems.push(at(alias.range?.[0] ?? 0, `nothing is named &${alias.source}`));
    },
  });
  if (problems.length > 0) return { problems };
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: ALIASES_MAX });
  } catch {
    return { problems: [`${file}: its aliases come to more than ${ALIASES_MAX} settings, or to themselves`] };
  }
  return { value, placed: (found) => placed(file, found, document, counter) };
}

const ALIASES_MAX = 20;

// To YAML, braces that nobody quoted are a map.
const UNQUOTED = 'a value that begins with braces needs quotes: "{{…}}"';
const INDENT = '; the lines of one block begin in the same column, after spaces';
const HINTS: Readonly<Record<string, string>> = {
  BAD_INDENT: INDENT,
  BLOCK_AS_IMPLICIT_KEY: INDENT,
  MULTILINE_IMPLICIT_KEY: INDENT,
};
