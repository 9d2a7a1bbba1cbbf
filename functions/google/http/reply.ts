/** A whole answer to one HTTP request; header names are in lower case. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

/** What came is no answer that HTTP/1.1 knows, or one that is too large. */
export class NoHttp extends Error {
  readonly code: 'EPROTO' | 'EMSGSIZE';

  constructor(code: 'EPROTO' | 'EMSGSIZE') {
    super(code); // never the bytes: they may hold a token
    this.name = 'NoHttp';
    this.code = code;
  }
}

export interface ReplyReader {
  /** Takes bytes as they come; true once the answer is whole. Throws NoHttp. */
  take(bytes: Buffer): boolean;
  /** The other side is done: true if that makes the answer whole. */
  end(): boolean;
  /** The whole answer. */
  reply(): Reply;
  /** For how many milliseconds the connection may wait for another request; 0 if it is over. */
  keepMs(): number;
}

const HEAD_MAX_BYTES = 64 * 1024;
const LINE_MAX_BYTES = 1024;
const NOTHING: Buffer = Buffer.alloc(0);

type Step = 'head' | 'body' | 'size' | 'chunk' | 'after chunk' | 'trailers' | 'until close' | 'over';

/**
 * Reads one answer of HTTP/1.1 (RFC 9112) from one connection, on which nothing else is under way. Strict: an answer that
 * two readers could take for two things is none, and who asked finds out in another way what became of the request.
 */
export function createReplyReader(maxBytes: number): ReplyReader {
  let step: Step = 'head';
  let rest = NOTHING;
  let head: Head | null = null;
  let missing = 0;
  let size = 0;
  const pieces: Buffer[] = [];

  /** The next line without its end; null while it is not there. */
  const line = (): string | null => {
    const end = rest.indexOf('\r\n');
    if (end > LINE_MAX_BYTES || (end < 0 && rest.length > LINE_MAX_BYTES)) throw new NoHttp('EPROTO');
    return end < 0 ? null : eat(end + 2).toString('latin1', 0, end);
  };
  const eat = (count: number): Buffer => {
    const eaten = rest.subarray(0, count);
    rest = rest.subarray(count);
    return eaten;
  };
  const grow = (count: number): void => {
    size += count;
    if (size > maxBytes) throw new NoHttp('EMSGSIZE');
  };
  /** Moves what is there of a piece of known length; true when it is complete. */
  const fill = (): boolean => {
    const piece = eat(missing);
    if (piece.length > 0) pieces.push(piece);
    missing -= piece.length;
    return missing === 0;
  };

  /** One step ahead; false where more bytes are needed. */
  const STEPS: Readonly<Record<Step, () => boolean>> = {
    head: () => {
      const end = rest.indexOf('\r\n\r\n');
      if (end > HEAD_MAX_BYTES || (end < 0 && rest.length > HEAD_MAX_BYTES)) throw new NoHttp('EPROTO');
      if (end < 0) return false;
      head = readHead(eat(end + 4).toString('latin1', 0, end));
      if (head.status < 200) return true; // 100 and 103 announce the answer
      const { framing } = head;
      step = typeof framing === 'number' ? 'body' : framing;
      missing = typeof framing === 'number' ? framing : 0;
      grow(missing);
      return true;
    },
    body: () => {
      if (!fill()) return false;
      step = 'over';
      return true;
    },
    size: () => {
      const text = line();
      if (text === null) return false;
      const digits = /^([\da-f]{1,8})[\t ]*(?:;|$)/i.exec(text)?.[1];
      if (digits === undefined) throw new NoHttp('EPROTO');
      missing = Number.parseInt(digits, 16);
      grow(missing);
      step = missing === 0 ? 'trailers' : 'chunk';
      return true;
    },
    chunk: () => {
      if (!fill()) return false;
      step = 'after chunk';
      return true;
    },
    'after chunk': () => {
      const text = line();
      if (text) throw new NoHttp('EPROTO');
      if (text === '') step = 'size';
      return text === '';
    },
    trailers: () => {
      const text = line();
      if (text === null) return false;
      grow(text.length);
      if (text === '') step = 'over';
      return true;
    },
    'until close': () => {
      grow(rest.length);
      if (rest.length > 0) pieces.push(eat(rest.length));
      return false;
    },
    over: () => false,
  };

  return {
    take(bytes) {
      rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
      while (STEPS[step]());
      return step === 'over';
    },
    end() {
      if (step === 'until close') step = 'over';
      return step === 'over';
    },
    reply: () => ({
      status: head?.status ?? 0,
      headers: head?.headers ?? {},
      body: pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces),
    }),
    keepMs: () => (step === 'over' && rest.length === 0 ? (head?.keepMs ?? 0) : 0),
  };
}

interface Head {
  readonly status: number;
  readonly headers: Reply['headers'];
  /** The length of the body, or how its end is told. */
  readonly framing: number | 'size' | 'until close';
  readonly keepMs: number;
}

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: |$)/;
const NAME = /^[!#$%&'*+.^_`|~\da-z-]+$/i; // RFC 9110, 5.6.2
const NO_VALUE = /[\0\r\n]/;

function readHead(text: string): Head {
  const [first = ''] = text.split('\r\n', 1);
  const [, minor, digits] = STATUS_LINE.exec(first) ?? [];
  const status = Number(digits);
  if (minor === undefined || status === 101) throw new NoHttp('EPROTO');
  const headers: Record<string, string> = Object.create(null);
  for (let at = first.length + 2; at < text.length; ) {
    const next = text.indexOf('\r\n', at);
    const end = next < 0 ? text.length : next;
    const colon = text.indexOf(':', at);
    const raw = text.slice(colon + 1, end);
    if (colon < 0 || colon > end || NO_VALUE.test(raw)) throw new NoHttp('EPROTO');
    const name = nameOf(text.slice(at, colon));
    const value = trimmed(raw);
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before}, ${value}`;
    at = end + 2;
  }
  const framing = framingOf(status, headers);
  const closes = minor === '0' || framing === 'until close' || /(?:^|,)\s*close\s*(?:,|$)/i.test(headers['connection'] ?? '');
  return { status, headers, framing, keepMs: closes ? 0 : keepMsOf(headers['keep-alive']) };
}

/** Without blanks and tabs around it, and no other white space: that may hide what is left. */
function trimmed(value: string): string {
  let from = 0;
  let to = value.length;
  while (from < to && isBlank(value.charCodeAt(from))) from++;
  while (to > from && isBlank(value.charCodeAt(to - 1))) to--;
  return value.slice(from, to);
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;

const names = new Map<string, string>();
const NAMES_MAX = 200; // servers use the same few again and again
const NAME_MAX = 40;

/** A header's name in lower case; looked at once, since each answer brings the same ones. Throws NoHttp, also for a folded line. */
function nameOf(given: string): string {
  const known = names.get(given);
  if (known !== undefined) return known;
  if (!NAME.test(given)) throw new NoHttp('EPROTO');
  const name = given.toLowerCase();
  // A copy: a piece of the head would keep all of it, with the address of a session in it.
  if (names.size < NAMES_MAX && given.length <= NAME_MAX) names.set(Buffer.from(given).toString(), name);
  return name;
}

/** RFC 9112, 6.3. Two lengths, or a length beside chunks, would be two answers: refused. */
function framingOf(status: number, headers: Reply['headers']): Head['framing'] {
  const { 'transfer-encoding': coding, 'content-length': length } = headers;
  if (coding !== undefined && (length !== undefined || !/^chunked$/i.test(coding))) throw new NoHttp('EPROTO');
  if (length !== undefined && !/^\d{1,15}$/.test(length)) throw new NoHttp('EPROTO');
  if (status < 200 || status === 204 || status === 304) return 0;
  if (coding !== undefined) return 'size';
  return length === undefined ? 'until close' : Number(length);
}

const EARLY_MS = 1_000; // a request that meets the server's own timeout on its way would be lost

/** Servers that close idle connections soon say when: `Keep-Alive: timeout=5`. */
function keepMsOf(hint: string | undefined): number {
  const seconds = /(?:^|[,\s])timeout=(\d{1,6})/i.exec(hint ?? '')?.[1];
  return seconds === undefined ? Number.POSITIVE_INFINITY : Math.max(0, Number(seconds) * 1_000 - EARLY_MS);
}
