import { attachmentsInJson, parseJson } from './json.ts';

/** A streaming reader of a JSON body: it decodes the base64 of large files while the chunks arrive. */
export interface Base64Stream {
  push(chunk: Buffer): void;
  /** The parsed body, with bytes in the place of large files. Throws MailFailure: request_invalid. */
  end(): unknown;
}

// The quotes are unescaped, so this is never inside a string: it is a key and the start of its value.
const KEY = '"content"';
const BEGIN = /^"content"[ \t\r\n]{0,8}:[ \t\r\n]{0,8}"/;
const LONGEST_BEGIN = 27;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
// A shorter text stays text: it may not be a file, and it costs little memory.
const FILE_MIN_BYTES = 32 * 1024;
const FILE_MIN_TEXT = Math.floor((FILE_MIN_BYTES * 4) / 3);

/** `announced` is the Content-Length. A value that is not plain base64 stays in the text, and the JSON parser judges it. */
export function createBase64Stream(announced: number): Base64Stream {
  const nonce = crypto.randomUUID();
  const text: Buffer[] = [];
  const files: Buffer[] = [];
  let seen = 0;
  let carry: Buffer = Buffer.alloc(0);
  let file: Decoder | null = null;

  const plain = (bytes: Buffer): void => void text.push(Buffer.from(bytes)); // a copy: the chunk's memory is released

  /** Processes as much as it can; returns the bytes that must wait for the next chunk. */
  const work = (bytes: Buffer, last: boolean): Buffer => {
    let rest = bytes;
    for (;;) {
      if (file) {
        const end = rest.indexOf(QUOTE);
        const part = end < 0 ? rest : rest.subarray(0, end);
        if (!file.take(part)) {
          plain(file.asText());
          file = null; // an escape, or not base64: the string continues as text
          continue;
        }
        if (end < 0) return rest.subarray(rest.length);
        const bytes = file.end();
        plain(bytes ? Buffer.from(`${nonce}${files.push(bytes) - 1}`) : file.asText());
        file = null;
        rest = rest.subarray(end);
        continue;
      }
      const begin = fileIn(rest);
      if (begin < 0) {
        const keep = last ? 0 : Math.min(LONGEST_BEGIN + 1, rest.length); // includes the byte before the quote
        plain(rest.subarray(0, rest.length - keep));
        return rest.subarray(rest.length - keep);
      }
      plain(rest.subarray(0, begin));
      rest = rest.subarray(begin);
      file = createDecoder(Math.ceil(((announced - seen + rest.length) * 3) / 4) + 3);
    }
  };

  return {
    push(chunk) {
      seen += chunk.length;
      carry = Buffer.from(work(carry.length > 0 ? Buffer.concat([carry, chunk]) : chunk, false));
    },
    end() {
      work(carry, true);
      if (file) plain(file.asText()); // the body ends inside a string: invalid JSON
      const body = parseJson(Buffer.concat(text));
      for (const one of attachmentsInJson(body)) {
        const place = typeof one.content === 'string' && one.content.startsWith(nonce) ? Number(one.content.slice(nonce.length)) : -1;
        if (files[place]) one.content = files[place];
      }
      return body;
    },
  };
}

/** Offset of the next `content` value that may be a file; -1 for none. Shorter values are skipped. */
function fileIn(bytes: Buffer): number {
  for (let at = bytes.indexOf(KEY); at >= 0; at = bytes.indexOf(KEY, at)) {
    const [found] = (bytes[at - 1] !== BACKSLASH && BEGIN.exec(bytes.toString('latin1', at, at + LONGEST_BEGIN))) || [];
    const begin = at + (found ?? KEY).length;
    const end = found ? bytes.indexOf(QUOTE, begin) : begin;
    if (end < 0 || end - begin > FILE_MIN_TEXT) return begin;
    at = end;
  }
  return -1;
}

interface Decoder {
  /** False if `part` is not plain base64; then no byte of it was used. */
  take(part: Buffer): boolean;
  /** The decoded bytes, or null if the text is too short or not base64. */
  end(): Buffer | null;
  asText(): Buffer;
}

/** Decodes base64 in parts into one buffer. The buffer is allocated once the text is long enough to be a file; the system provides only the pages that are written. */
function createDecoder(capacity: number): Decoder {
  let bytes: Buffer | null = null;
  let length = 0;
  let held = ''; // not decoded yet: too short for a file, or the last characters, which may hold the padding
  const asText = (): Buffer => Buffer.from((bytes?.toString('base64', 0, length) ?? '') + held, 'latin1');
  return {
    asText,
    take(part) {
      const raw = held + part.toString('latin1');
      if (!bytes && raw.length <= FILE_MIN_TEXT) {
        held = raw;
        return true;
      }
      bytes ??= Buffer.allocUnsafeSlow(capacity);
      // PHP's json_encode escapes each slash with a backslash.
      const packed = raw.includes('\\') ? raw.replaceAll('\\/', '/') : raw;
      const usable = packed.length < 8 ? 0 : packed.length - 4 - (packed.length % 4); // the last four characters may hold the padding or half an escape
      if (packed.indexOf('\\') >= 0 && packed.indexOf('\\') !== packed.length - 1) return false;
      if (bytes.write(packed.slice(0, usable), length, 'base64') !== (usable / 4) * 3) return false;
      length += (usable / 4) * 3;
      held = packed.slice(usable);
      return true;
    },
    end() {
      if (!bytes) return null;
      const digits = held.replace(/={1,2}$/, '');
      const size = Math.floor((digits.length * 3) / 4);
      if (digits.length % 4 === 1 || bytes.write(digits, length, 'base64') !== size || length + size < FILE_MIN_BYTES) return null;
      const file = bytes.subarray(0, length + size);
      // JSON.stringify of the email gives the base64 that the caller sent.
      return Object.assign(file, { toJSON: () => file.toString('base64') as never });
    },
  };
}
