import { isCollection, LineCounter, parseDocument, visit, type YAMLParseError } from 'yaml';
import { placed } from './line-numbers.ts';

interface Read {
  readonly value: unknown;
  /** Adds to each problem, `path: reason`, its line in the file. */
  placed(problems: readonly string[]): string[];
}

/** The content of a YAML file, or why it cannot be read: each reason as `file:line: reason`. */
export function readYaml(file: string, text: string): Read | { readonly problems: string[] } {
  const counter = new LineCounter();
  const document = parseDocument(text, { uniqueKeys: true, strict: true, prettyErrors: false, lineCounter: counter });
  const lines = text.split(/\r?\n/);
  const at = (offset: number, reason: string): string => {
    const { line } = counter.linePos(offset);
    const written = lines[line - 1] ?? '';
    return `${file}:${line}: ${/(?:[:[,]|^\s*-)\s*\{\{/.test(written) ? UNQUOTED : reason}`;
  };
  const problemOf = ({ code, pos, message }: YAMLParseError): string => {
    const [quote] = /["'](?=quote)/.exec(message) ?? [];
    if (!quote) return at(pos[0], `${message}${HINTS[code] ?? ''}`);
    return at(text.lastIndexOf(quote, pos[0] - 1), 'the text that begins with a quote has no closing one');
  };
  const { errors } = document;
  // After the first error the parser reports every line that follows, so only the first is shown.
  const told = errors.filter(({ code }, index) => index === 0 || code === 'DUPLICATE_KEY').slice(0, TOLD_MAX);
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
  if (problems.length > 0) return { problems: problems.slice(0, TOLD_MAX) };
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: ALIASES_MAX });
  } catch {
    return { problems: [`${file}: its aliases come to more than ${ALIASES_MAX} settings, or to themselves`] };
  }
  return { value, placed: (found) => placed(file, found.slice(0, TOLD_MAX), document, counter) };
}

const ALIASES_MAX = 20;
// Nobody reads more at once.
const TOLD_MAX = 100;

// YAML reads unquoted braces as a map.
const UNQUOTED = 'a value that begins with braces needs quotes: "{{…}}"';
const INDENT = '; the lines of one block begin in the same column, after spaces';
const HINTS: Readonly<Record<string, string>> = {
  BAD_INDENT: INDENT,
  BLOCK_AS_IMPLICIT_KEY: INDENT,
  MULTILINE_IMPLICIT_KEY: INDENT,
};
