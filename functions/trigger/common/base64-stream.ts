import { attachmentsIn, parseJson } from './json.ts';

/** Takes a JSON body in chunks; files are sieved out of the text and decoded on the way. */
export interface Base64Stream {
  push(chunk: Buffer): void;
  /** The parsed body, with bytes in the place of large files. Throws MailFailure: request_invalid. */
  end(): unknown;
}

// Unescaped quotes: inside a string they cannot stand like this, so it is a key and the begin of its value.
const KEY = '"content"';
const BEGIN = /^"content"[ \t\r\n]{0,8}:[ \t\r\n]{0,8}"/;
const LONGEST_BEGIN = 27;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
// A shorter text stays a text: it may be something else than a file, and costs nothing.
const FILE_MIN_BYTES = 32 * 1024;
const FILE_MIN_TEXT = Math.floor((FILE_MIN_BYTES * 4) / 3);

/** `announced` is the body's length. What is no plain base64 stays in the text as it was, for the parser to judge. */
export function createBase64Stream(announced: number): Base64Stream {
  const nonce = crypto.randomUUID();
  const text: Buffer[] = [];
  const files: Buffer[] = [];
  let seen = 0;
  let carry: Buffer = Buffer.alloc(0);
  let file: Decoder | null = null;

  const plain = (bytes: Buffer): void => void text.push(Buffer.from(bytes)); // a copy: the chunk's memory is given back

  /** Works off what it can; answers what must wait for the next chunk. */
  const work = (bytes: Buffer, last: boolean): Buffer => {
    let rest = bytes;
    for (;;) {
      if (file) {
        const end = rest.indexOf(QUOTE);
        const part = end < 0 ? rest : rest.subarray(0, end);
        if (!file.take(part)) {
          plain(file.asText());
          file = null; // an escape, or no base64: the string goes on as text
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
        const keep = last ? 0 : Math.min(LONGEST_BEGIN + 1, rest.length); // with what stands before its quote
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
      if (file) plain(file.asText()); // cut off in the middle: no valid JSON
      const body = parseJson(Buffer.concat(text));
      for (const one of attachmentsIn(body)) {
        const place = typeof one.content === 'string' && one.content.startsWith(nonce) ? Number(one.content.slice(nonce.length)) : -1;
        if (files[place]) one.content = files[place];
      }
      return body;
    },
  };
}

/** Where the value of the next `content` begins that may be a file; -1 for none. Texts that end too soon are leapt over. */
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
  /** False where it is no plain base64; then nothing of `part` was taken. */
  take(part: Buffer): boolean;
  /** The bytes, or null where the text is none that should be decoded. */
  end(): Buffer | null;
  asText(): Buffer;
}

/** Decodes base64 that comes in parts, into one buffer of which only the pages are used that are written; it is made when it is worth it. */
function createDecoder(capacity: number): Decoder {
  let bytes: Buffer | null = null;
  let length = 0;
  let held = ''; // too little to decode yet; then less than four characters, or the last ones with their padding
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
      // PHP writes each slash behind a backslash.
      const packed = raw.includes('\\') ? raw.replaceAll('\\/', '/') : raw;
      const usable = packed.length < 8 ? 0 : packed.length - 4 - (packed.length % 4); // the last four may hold the padding, or half an escape
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
      // Whoever writes the mail down as JSON gets back what came in.
      return Object.assign(file, { toJSON: () => file.toString('base64') as never });
    },
  };
}
