import type { Socket } from 'node:net';
import type { Origin } from './connections.ts';

/** One HTTPS exchange, whole: what Google's REST APIs need and no more. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly body?: string | Uint8Array;
  /** Milliseconds until the whole answer must be there. */
  readonly timeoutMs: number;
  /** The body must not reach Google twice: a connection that breaks is never tried again here. */
  readonly once?: boolean;
  /** A larger answer is no answer; 4 MB where it is left out. */
  readonly maxBytes?: number;
}

/** A request as it goes out. */
export interface Request {
  readonly origin: Origin;
  readonly head: string;
  readonly body: string | Uint8Array;
  /** How a text is written; one of ASCII alone needs no encoding, and is cheaper without. */
  readonly encoding: 'latin1' | 'utf8';
}

// All addresses are ours, or were compared with ours; taking them apart by a pattern is a tenth of what a URL object costs.
// Without a host a request would go to this machine, with the token in hand.
const ADDRESS = /^(https?):\/\/(?:\[([\da-f:.]+)\]|([\w.-]+))(?::(\d{1,5}))?(\/[!-"$-~]*)$/;
const VALUE = /^[\t -~]*$/;

/** A call as a request of HTTP/1.1; the code of what is wrong where it cannot be one. */
export function readRequest({ method, url, headers, body = '' }: Call): Request | 'ERR_INVALID_URL' | 'ERR_INVALID_CHAR' {
  const address = ADDRESS.exec(url);
  if (!address || Number(address[4] ?? 0) > 65_535) return 'ERR_INVALID_URL';
  const [, scheme, ipv6, name, given, path] = address;
  const secure = scheme === 'https';
  const usual = secure ? 443 : 80;
  const port = given === undefined ? usual : Number(given);
  const host = ipv6 ?? name ?? '';
  let head = `${method} ${path} HTTP/1.1\r\nhost: ${ipv6 === undefined ? host : `[${host}]`}${port === usual ? '' : `:${port}`}\r\n`;
  const bytes = Buffer.byteLength(body);
  if (bytes > 0 || method === 'POST' || method === 'PUT') head += `content-length: ${bytes}\r\n`;
  for (const key in headers) {
    const value = String(headers[key]);
    if (!VALUE.test(value)) return 'ERR_INVALID_CHAR'; // a line break here would be another header, or another request
    head += `${key}: ${value}\r\n`;
  }
  return { origin: { secure, host, port }, head: `${head}\r\n`, body, encoding: bytes === body.length ? 'latin1' : 'utf8' };
}

const SLICE_BYTES = 256 * 1024;

/** Writes a request. A large body goes slice by slice: written at once it is there three times, as it is, copied, and encrypted. */
export function writeRequest(socket: Socket, { head, body, encoding }: Request): void {
  if (body.length <= SLICE_BYTES)
    return void (typeof body === 'string' ? socket.write(head + body, encoding) : socket.write(Buffer.concat([Buffer.from(head), body])));
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  let at = 0;
  const next = (): void => {
    while (at < bytes.length && !socket.destroyed) {
      const ready = socket.write(bytes.subarray(at, at + SLICE_BYTES));
      at += SLICE_BYTES;
      if (!ready) return void socket.once('drain', next);
    }
  };
  socket.write(head);
  next();
}
