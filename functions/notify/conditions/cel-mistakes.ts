/** Where an expression fails to parse, with a sentence for its author. */
export interface CelMistake {
  readonly offset: number;
  readonly reason: string;
}

const TEXTS = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|["'“”‘’]/gs;

// Habits from other languages; the parser would only say that it expected the end.
const WRITTEN: readonly (readonly [RegExp, string])[] = [
  [/^={3}/, '=== is of another language; write =='],
  [/^=(?!=)/, '= compares nothing; write =='],
  [/^<>/, '<> is of another language; write !='],
  [/^and\b/i, 'write && in place of "and"'],
  [/^or\b/i, 'write || in place of "or"'],
  [/^is\b/i, 'write == in place of "is"'],
  [/^&(?!&)/, 'write &&'],
  [/^\|(?!\|)/, 'write ||'],
  [/^(&&|\|\|)\s*$/, 'nothing follows'],
];

/** The mistake at the offset of a parse error; null where the parser's own message is as good. */
export function mistakeAt(source: string, offset: number): CelMistake | null {
  const stray = [...source.matchAll(TEXTS)].find(([text]) => text.length === 1);
  if (stray && '"\''.includes(stray[0])) return { offset: stray.index, reason: `the text that begins here has no closing ${stray[0]}` };
  if (stray) return { offset: stray.index, reason: `texts stand in " or ', not in ${stray[0]}` };
  if (/\bnot\s*$/i.test(source.slice(0, offset)))
    return { offset: source.slice(0, offset).search(/not\s*$/i), reason: 'write ! in place of "not"' };
  const reason = WRITTEN.find(([pattern]) => pattern.test(source.slice(offset)))?.[1];
  return reason === undefined ? null : { offset, reason };
}
