import type { Form } from './helper-names.ts';

// The library's parser names its own tokens; these are the ones that a slip of the pen ends at.
const GOT: Readonly<Record<string, string>> = {
  EOF: 'the text ends before a {{#…}} or a {{!-- is closed',
  INVALID: 'the braces are not closed, or a quote in them is not, or they hold a sign that means nothing there',
  CLOSE: 'something is missing before the closing braces',
  OPEN_ENDBLOCK: '{{/…}} closes what was not opened',
  INVERSE: '{{else}} stands outside of a block',
  OPEN_INVERSE_CHAIN: '{{else …}} stands outside of a block',
};

/** What the library's parser stumbled over, as `file:line: reason`; `line` is where the text begins in its file. */
export function syntaxProblem({ message }: Error, file: string, line: number): string {
  const at = /^(?:Parse|Lexical) error on line (\d+)/.exec(message)?.[1];
  const [, words, place] = /^(.*) - (\d+):\d+$/s.exec(message) ?? [];
  const got = /got '(\w+)'$/.exec(message)?.[1];
  const crossed = words && /^(.+) doesn't match (.+)$/.exec(words);
  const reason =
    (crossed ? `{{#${crossed[1]}}} is still open where {{/${crossed[2]}}} stands` : words) ??
    (got && (GOT[got] ?? `unexpected ${got.toLowerCase().replaceAll('_', ' ')}`));
  return `${file}:${Number(at ?? place ?? 1) + line - 1}: ${reason ?? 'the braces cannot be read'}`;
}

/** How a call of a helper or a block differs from its form; null where it does not. */
export function callProblem(
  name: string,
  values: readonly hbs.AST.Expression[],
  options: readonly hbs.AST.HashPair[],
  { min, max, options: known }: Form,
): string | null {
  if (values.length < min || values.length > max) {
    const wanted = max === min ? String(min) : max === Number.POSITIVE_INFINITY ? `${min} or more` : `${min} or ${max}`;
    return `${name}: takes ${wanted} ${wanted === '1' ? 'value' : 'values'}, this is ${values.length}`;
  }
  const stray = options.find(({ key }) => !known.includes(key));
  if (stray) return `${name}: there is no ${stray.key}=…${known.length > 0 ? `; there are ${known.join(', ')}` : ''}`;
  const [first, ...parts] = values;
  const literal = name === 'url' && first?.type === 'StringLiteral' ? (first as hbs.AST.StringLiteral).value : null;
  return literal !== null && literal.split('{}').length !== parts.length + 1 ? 'url: as many values as {} are wanted' : null;
}
