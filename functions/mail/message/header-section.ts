import { MailFailure } from '../model/failure.ts';

/** One header of a finished message: `value` is unfolded, `lines` are the bytes as they came, without the last CRLF. */
export interface HeaderField {
  readonly name: string;
  readonly value: string;
  readonly lines: string;
}

// RFC 5322 2.1.1: 998 characters and CRLF.
const LINE_MAX = 998;
const HEAD_MAX_BYTES = 64 * 1024;
const FIELDS_MAX = 300;
const CR = 0x0d;
const LF = 0x0a;

/**
 * Splits a finished message into its headers and the byte at which its body begins. A message that two programs could read
 * differently is refused; nothing is corrected silently. Throws MailFailure: request_invalid.
 */
export function readHead(bytes: Uint8Array): { readonly fields: readonly HeaderField[]; readonly bodyAt: number } {
  checkLines(bytes);
  const end = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf('\r\n\r\n');
  if (end < 0) throw invalid('it has no empty line between headers and body.');
  if (end > HEAD_MAX_BYTES) throw invalid(`its headers have more than ${HEAD_MAX_BYTES} bytes.`);
  const fields: HeaderField[] = [];
  for (const line of Buffer.from(bytes.subarray(0, end)).toString('latin1').split('\r\n')) {
    const last = fields.at(-1);
    if (/[^\t -~]/.test(line)) throw invalid('its headers hold control characters, or letters beyond ASCII that are not encoded.');
    if (/^[ \t]/.test(line)) {
      if (!last || line.trim() === '') throw invalid('a folded header line has nothing to follow, or nothing in it.');
      fields[fields.length - 1] = { ...last, value: `${last.value} ${line.trim()}`, lines: `${last.lines}\r\n${line}` };
    } else {
      const [, name, value = ''] = /^([!-9;-~]{1,76}):(.*)$/.exec(line) ?? [];
      if (name === undefined) throw invalid('a header line is no `Name: value`.');
      fields.push({ name: name.toLowerCase(), value: value.trim(), lines: line });
    }
  }
  if (fields.length > FIELDS_MAX) throw invalid(`it has more than ${FIELDS_MAX} headers.`);
  return { fields, bodyAt: end + 4 };
}

/** True if `readHead` accepts the lines. */
export function isTidy(bytes: Uint8Array): boolean {
  try {
    checkLines(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Every line ends in CRLF, is no longer than 998 bytes, and nothing else is a line end; there is no NUL. */
function checkLines(bytes: Uint8Array): void {
  if (bytes.includes(0)) throw invalid('it holds a NUL byte.');
  for (let start = 0; start < bytes.length; ) {
    const lf = bytes.indexOf(LF, start);
    const cr = bytes.indexOf(CR, start);
    const end = lf < 0 ? bytes.length : lf - 1;
    if (lf >= 0 && bytes[end] !== CR) throw invalid('a line ends in LF alone; write CRLF.');
    if (cr >= 0 && cr < end) throw invalid('it holds a CR that ends no line.');
    if (end - start > LINE_MAX) throw invalid(`a line is longer than ${LINE_MAX} bytes; encode the part as base64 or quoted-printable.`);
    start = lf < 0 ? bytes.length : lf + 1;
  }
}

export const invalid = (why: string): MailFailure => new MailFailure('request_invalid', `The message cannot be sent: ${why}`);
