import { decodeBytes, decodeHeader, hasControl, percentBytes } from './encoded-words.ts';

// RFC 5322 2.1.1: a line has at most 998 octets, and a word of plain ASCII is not folded.
const WORD_MAX = 900;

/** Why the value cannot be one line of a header, as the end of a sentence; null where it can. */
export function lineProblem(value: unknown, max: number): string | null {
  if (typeof value !== 'string') return 'expected a string';
  if (value.length > max) return `it has ${value.length} characters; ${max} is the most`;
  const control = [...value].find(hasControl);
  if (control !== undefined) return `it holds ${nameOf(control)}, which no header can; leave it out`;
  if (/[!-~]{900}/.test(value))
    return `it has a word of ${WORD_MAX} characters or more, which no header line can hold; put blanks between its words`;
  if (decodeHeader(value) === null)
    return 'it holds what some readers take for an encoded-word (`=?charset?encoding?text?=`), and it is none, or hides a control character; write the text itself';
  return null;
}

function nameOf(control: string): string {
  const code = `U+${(control.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
  return /[\n\r\u0085\u2028\u2029]/.test(control)
    ? `a line break (${code})`
    : control === '\0'
      ? 'a NUL character (U+0000)'
      : `a control character (${code})`;
}

/** Parameters of a header that are written by RFC 2231: in parts, and with percent signs. */
const EXTENDED = /([\w!#$&+.^`{|}~-]+)\*(?:(\d{1,3})\*?)?\s*=\s*("(?:[^"\\]|\\.)*"|[^;\s]*)/g;

/**
 * True if parameters of the value hide a control character behind percent-encoding (RFC 2231), also over several parts of one
 * parameter, or are in a charset that mail programs could read in different ways.
 */
export function hidesInParameters(value: string): boolean {
  const parts = [...value.matchAll(EXTENDED)].sort((a, b) => Number(a[2] ?? 0) - Number(b[2] ?? 0));
  const texts = new Map<string, string>();
  for (const [, name = '', , text = ''] of parts)
    texts.set(name.toLowerCase(), (texts.get(name.toLowerCase()) ?? '') + text.replace(/^"|"$/g, '').replace(/\\(.)/g, '$1'));
  return [...texts.values()].some((text) => {
    const [, charset = '', data = text] = /^([^']*)'[^']*'(.*)$/.exec(text) ?? [];
    const decoded = decodeBytes(charset || 'utf-8', percentBytes(data));
    return decoded === null || decodeHeader(decoded) === null;
  });
}
