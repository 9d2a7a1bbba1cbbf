import type { IncomingMessage } from 'node:http';
import { MailFailure } from '../../mail/model/failure.ts';
import { attachmentsInJson, parseJson } from './json.ts';

// Cloud Run's limit for one HTTP/1 request: a larger one never arrives.
export const BODY_MAX_BYTES = 32 * 1024 * 1024;

/** The request's content type in lower case, without parameters; '' if it has none. */
export function contentTypeOf({ rawHeaders }: IncomingMessage): string {
  const at = rawHeaders.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'content-type');
  return (at < 0 ? '' : (rawHeaders[at + 1] ?? '')).split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

// A client that sends its body slowly must not occupy an instance: 32 MB in 30 s is 8.5 Mbit/s.
export const BODY_TIMEOUT_MS = 30_000;

type Incoming = IncomingMessage & { rawBody?: Buffer };

interface Reading {
  readonly maxBytes?: number;
  readonly timeoutMs?: number;
  /** Free bytes in front of the body in its buffer, in which a raw message's new headers are written. */
  readonly headroom?: number;
}

/**
 * Reads the whole body: at most `maxBytes`, within `timeoutMs`. If a framework has read the body already, its `rawBody` is used.
 * Throws MailFailure: request_invalid, too_large.
 */
export async function readBody(req: Incoming, { headroom = 0, ...reading }: Reading = {}): Promise<Buffer> {
  if (req.rawBody) return req.rawBody;
  const chunks: Buffer[] = [];
  const announced = announcedBytes(req);
  // A large body is copied into one buffer as it arrives. Unwritten pages use no memory, so a false Content-Length costs nothing.
  const place = announced > LARGE_BYTES || (announced > 0 && headroom > 0);
  const whole = place ? Buffer.allocUnsafeSlow(headroom + Math.min(announced, BODY_MAX_BYTES)) : null;
  let at = headroom;
  await receive(req, reading, (chunk) => {
    if (!whole) return void chunks.push(chunk);
    at += chunk.copy(whole, at);
    free(chunk);
  });
  // A chunked body has no Content-Length: its buffer is made when all chunks have arrived.
  return whole ? whole.subarray(headroom, at) : Buffer.concat([Buffer.alloc(headroom), ...chunks]).subarray(headroom);
}

const LARGE_BYTES = 256 * 1024;

const announcedBytes = ({ headers }: IncomingMessage): number => Number(headers['content-length'] ?? 0);

/** Releases unshared memory at once: the garbage collector would let 64 MB accumulate first. */
function free({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && byteLength === buffer.byteLength) buffer.transfer(0);
}

/** Releases the memory of a body's files once the email is finished. */
export function forgetFiles(body: unknown): void {
  for (const { content } of attachmentsInJson(body)) if (content instanceof Uint8Array) (content.buffer as ArrayBuffer).transfer(0);
}

/** Passes each chunk of the body to `take` as it arrives. */
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
 * Reads a JSON body. The base64 of a large file is decoded as it arrives and is never in memory as text: `attachments[].content`
 * then holds the bytes. Throws MailFailure: request_invalid, too_large.
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
