/**
 * Reads encoded-words of headers (RFC 2047) as strictly as the standard defines them. Mail programs are less strict: text that
 * one of them could decode and this file cannot is reported, never passed on.
 */

// Text that some mail program takes for an encoded-word: any charset, encoding B or Q, also with blanks, also without an end.
const LOOKS_LIKE_ONE = /=\?[^?]*\?\s*[bq]\s*\?/iy;
const WORD = /=\?([\w.:()+-]+)(?:\*[A-Za-z0-9-]+)?\?([BbQq])\?([!->@-~]*)\?=/y;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const QUOTED = /^(?:[!-<>-~]|=[0-9A-Fa-f]{2})*$/;
const BLANKS_BETWEEN = /(\?=)\s+(?==\?)/g; // do not count (RFC 2047, 6.2)
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;
// Each level is a word within a word: nobody writes more than one on purpose.
const LEVELS_MAX = 5;

/** True if the text holds a line break or another control character: in a header that is an injection. */
export const hasControl = (text: string): boolean => CONTROL.test(text);

/**
 * The text with its encoded-words decoded, repeated until no encoded-word is left. Null where something looks like an
 * encoded-word and is not a valid one of a known charset, or where decoding gives a control character.
 */
export function decodeHeader(text: string): string | null {
  let current: string | null = text;
  for (let level = 0; level <= LEVELS_MAX; level++) {
    if (current === null || hasControl(current)) return null;
    const next: string | null = decodeOnce(current);
    if (next === current) return current;
    current = next;
  }
  return null;
}

function decodeOnce(text: string): string | null {
  const joined = text.includes('?=') ? text.replace(BLANKS_BETWEEN, '$1') : text;
  let decoded = '';
  let from = 0;
  for (let at = joined.indexOf('=?'); at >= 0; at = joined.indexOf('=?', at)) {
    if (!matchAt(LOOKS_LIKE_ONE, joined, at)) {
      at += 1; // "=?=?" holds one at each of its equals signs
      continue;
    }
    const [word, charset = '', encoding = '', data = ''] = matchAt(WORD, joined, at) ?? [];
    const plain = word === undefined ? null : decodeWord(charset, encoding, data);
    if (word === undefined || plain === null) return null;
    decoded += joined.slice(from, at) + plain;
    at += word.length;
    from = at;
  }
  return from === 0 ? text : decoded + joined.slice(from);
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function decodeWord(charset: string, encoding: string, data: string): string | null {
  if (!(/b/i.test(encoding) ? BASE64 : QUOTED).test(data)) return null;
  return decodeBytes(charset, /b/i.test(encoding) ? Buffer.from(data, 'base64') : bytesInQ(data));
}

const bytesInQ = (data: string): Uint8Array =>
  percentBytes(data.replaceAll('_', ' ').replace(/[%=]/g, (sign) => (sign === '=' ? '%' : '%25')));

/** The bytes of a text in which a percent sign with two hexadecimal digits stands for a byte. */
export const percentBytes = (text: string): Uint8Array =>
  Buffer.from(
    text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );

// In every charset of this list, a byte below 0x80 is the same ASCII character in every program, or part of a multi-byte
// character.
const CHARSETS =
  /^(utf-8|windows-(874|125[0-8])|iso-8859-([2-8]|8-i|1[03-6])|koi8-[ru]|macintosh|x-mac-cyrillic|ibm866|shift_jis|euc-(jp|kr)|iso-2022-jp|gbk|gb18030|big5)$/;
const ESCAPE = 0x1b;

/** The text of the bytes; null for a charset that not all mail programs know, or for bytes that the charset does not have. */
export function decodeBytes(charset: string, bytes: Uint8Array): string | null {
  try {
    const decoder = new TextDecoder(charset, { fatal: true });
    if (!CHARSETS.test(decoder.encoding) || bytes.some((byte) => isSuspect(byte, charset, decoder.encoding))) return null;
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}

/** Control characters, and bytes that a browser reads as Windows' letters and the charset's own standard as control characters. */
function isSuspect(byte: number, charset: string, encoding: string): boolean {
  if (byte < 0x20 || byte === 0x7f) return !(byte === ESCAPE && encoding === 'iso-2022-jp');
  if (byte < 0x80 || !/^windows-/.test(encoding)) return false;
  if (/ascii|646|ansi_x3/i.test(charset)) return true;
  return byte < 0xa0 && !/^(windows|x-cp|cp)/i.test(charset);
}
