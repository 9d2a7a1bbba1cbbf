import type { IncomingMessage } from 'node:http';
import { MailFailure } from '../../mail/model/failure.ts';
import { attachmentsIn, parseJson } from './json.ts';

// What Cloud Run takes for one HTTP/1 request: a larger one never arrives.
export const BODY_MAX_BYTES = 32 * 1024 * 1024;

/** The request's content type without parameters, in lower case; '' where it has none. */
export function contentTypeOf({ rawHeaders }: IncomingMessage): string {
  const at = rawHeaders.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'content-type');
  return (at < 0 ? '' : (rawHeaders[at + 1] ?? '')).split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

// A client that trickles its body must not hold an instance: 32 MB in 30 s is 8.5 Mbit/s.
export const BODY_TIMEOUT_MS = 30_000;

type Incoming = IncomingMessage & { rawBody?: Buffer };

interface Reading {
  readonly maxBytes?: number;
  readonly timeoutMs?: number;
  /** Free bytes that the body's buffer shall have in front of it: for a letter's own head. */
  readonly headroom?: number;
}

/**
 * Reads the whole body, no more than `maxBytes` of it and no longer than `timeoutMs`. A request that was already read
 * (a framework that parses bodies itself) hands over what it kept. Throws MailFailure: request_invalid, too_large.
 */
export async function readBody(req: Incoming, { headroom = 0, ...reading }: Reading = {}): Promise<Buffer> {
  if (req.rawBody) return req.rawBody;
  const chunks: Buffer[] = [];
  const announced = announcedBytes(req);
  // A large body goes to its place at once; pages that never come are never touched, so a lie about its length costs nothing.
  const place = announced > LARGE_BYTES || (announced > 0 && headroom > 0);
  const whole = place ? Buffer.allocUnsafeSlow(headroom + Math.min(announced, BODY_MAX_BYTES)) : null;
  let at = headroom;
  await receive(req, reading, (chunk) => {
    if (!whole) return void chunks.push(chunk);
    at += chunk.copy(whole, at);
    free(chunk);
  });
  // A chunked body announces nothing: its place is made when all of it is there.
  return whole ? whole.subarray(headroom, at) : Buffer.concat([Buffer.alloc(headroom), ...chunks]).subarray(headroom);
}

const LARGE_BYTES = 256 * 1024;

const announcedBytes = ({ headers }: IncomingMessage): number => Number(headers['content-length'] ?? 0);

/** Gives memory back now that nobody shares: the collector would let 64 MB of it gather first. */
function free({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && byteLength === buffer.byteLength) buffer.transfer(0);
}

/** Gives back what the files of a body hold, once the mail is over. */
export function forgetFiles(body: unknown): void {
  for (const { content } of attachmentsIn(body)) if (content instanceof Uint8Array) (content.buffer as ArrayBuffer).transfer(0);
}

/** Hands over the body in the chunks in which it comes. */
async function receive(
  req: Incoming,
  { maxBytes = BODY_MAX_BYTES, timeoutMs = BODY_TIMEOUT_MS }: Reading,
  take: (chunk: Buffer) => void,
): Promise<void> {
  const { 'content-encoding': encoding = 'identity' } = req.headers;
  if (encoding !== 'identity') throw new MailFailure('request_invalid', 'The body must not be compressed: leave out Content-Encoding.');
  if (announcedBytes(req) > maxBytes) throw tooLarge(maxBytes);
  return new Promise((done, fail) => {
    let size = 0;
    const late = setTimeout(
      () => refuse(new MailFailure('request_invalid', `The body did not arrive within ${timeoutMs / 1_000} seconds.`)),
      timeoutMs,
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
      if (size > maxBytes) refuse(tooLarge(maxBytes));
      else take(chunk);
    });
    req.once('end', () => {
      over();
      done();
    });
    req.once('error', broken).once('close', broken);
  });
}

/**
 * Reads a JSON body. The base64 of a large file is decoded as it comes, so that it is never there as text: in
 * `attachments[].content` then stand its bytes. Throws MailFailure: request_invalid, too_large.
 */
export async function readJson(req: Incoming, reading: Reading = {}): Promise<unknown> {
  const announced = announcedBytes(req);
  if (req.rawBody || announced <= LARGE_BYTES || announced > BODY_MAX_BYTES) return parseJson(await readBody(req, reading));
  const { createBase64Stream } = await import('./base64-stream.ts');
  const stream = createBase64Stream(announced);
  await receive(req, reading, (chunk) => {
    stream.push(chunk);
    free(chunk);
  });
  return stream.end();
}

const tooLarge = (maxBytes: number): MailFailure => new MailFailure('too_large', `The request body is larger than ${maxBytes} bytes.`);
