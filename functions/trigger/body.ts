import type { IncomingMessage } from 'node:http';
import { MailFailure } from '../mail/failure.ts';

// What Cloud Run takes for one HTTP/1 request: a larger one never arrives.
export const BODY_MAX_BYTES = 32 * 1024 * 1024;

/** The request's content type without parameters, in lower case. */
export function contentTypeOf({ rawHeaders }: IncomingMessage): string {
  const at = rawHeaders.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'content-type');
  return (rawHeaders[at + 1] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

// A client that trickles its body must not hold an instance: 32 MB in 30 s is 8.5 Mbit/s.
export const BODY_PATIENCE_MS = 30_000;

/**
 * Reads the whole body, no more than `maxBytes` of it and no longer than `patienceMs`. A request that was already read
 * (a framework that parses bodies itself) hands over what it kept. Throws MailFailure: request_invalid, too_large.
 */
export async function readBody(
  req: IncomingMessage & { rawBody?: Buffer },
  { maxBytes = BODY_MAX_BYTES, patienceMs = BODY_PATIENCE_MS } = {},
): Promise<Buffer> {
  const { 'content-encoding': encoding = 'identity', 'content-length': announced = '0' } = req.headers;
  if (req.rawBody) return req.rawBody;
  if (encoding !== 'identity') throw new MailFailure('request_invalid', 'The body must not be compressed: leave out Content-Encoding.');
  if (Number(announced) > maxBytes) throw tooLarge(maxBytes);
  return new Promise((done, fail) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const late = setTimeout(
      () => refuse(new MailFailure('request_invalid', `The body did not arrive within ${patienceMs / 1_000} seconds.`)),
      patienceMs,
    );
    const over = (): void => {
      clearTimeout(late);
      req.off('close', broken).off('error', broken);
    };
    const refuse = (failure: MailFailure): void => {
      over();
      req.removeAllListeners('data').pause(); // the answer closes the connection
      fail(failure);
    };
    const broken = (): void => refuse(new MailFailure('request_invalid', 'The request ended before its body was complete.'));
    req.on('data', (chunk: Buffer) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size > maxBytes) refuse(tooLarge(maxBytes));
    });
    req.once('end', () => {
      over();
      done(Buffer.concat(chunks));
    });
    req.once('error', broken).once('close', broken);
  });
}

const tooLarge = (maxBytes: number): MailFailure => new MailFailure('too_large', `The request body is larger than ${maxBytes} bytes.`);

// A mail needs five levels; a parser that is given millions of them needs gigabytes.
const DEPTH_MAX = 32;

/** Parses a JSON body of at most 32 levels. Throws MailFailure: request_invalid. */
export function parseJson(body: Buffer): unknown {
  if (depthOf(body) > DEPTH_MAX)
    throw new MailFailure('request_invalid', `The request body has more than ${DEPTH_MAX} levels of arrays and objects.`);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new MailFailure('request_invalid', 'The request body is not valid JSON in UTF-8.');
  }
}

/** How deep arrays and objects nest, until it is more than enough; strings, most of a body, are leapt over. */
function depthOf(body: Buffer): number {
  // A large body is one file mostly, with a handful of brackets in all: then nothing needs to be walked through.
  if (countOf(0x5b, body) + countOf(0x7b, body) <= DEPTH_MAX) return 0;
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < body.length && deepest <= DEPTH_MAX; at++) {
    const byte = body[at];
    if (byte === 0x22) at = endOfString(body, at);
    else if (byte === 0x5b || byte === 0x7b) deepest = Math.max(deepest, ++depth);
    else if (byte === 0x5d || byte === 0x7d) depth--;
  }
  return deepest;
}

/** How often a byte occurs, counted no further than needed. */
function countOf(byte: number, body: Buffer): number {
  let count = 0;
  for (let at = body.indexOf(byte); at >= 0 && count <= DEPTH_MAX; at = body.indexOf(byte, at + 1)) count++;
  return count;
}

/** Where the quote is that ends the string begun at `start`: not one behind an odd number of backslashes. */
function endOfString(body: Buffer, start: number): number {
  for (let end = body.indexOf(0x22, start + 1); end >= 0; end = body.indexOf(0x22, end + 1)) {
    let slashes = 0;
    while (body[end - 1 - slashes] === 0x5c) slashes++;
    if (slashes % 2 === 0) return end;
  }
  return body.length;
}
