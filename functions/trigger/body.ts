import type { IncomingMessage } from 'node:http';
import { MailFailure } from '../mail/failure.ts';

// What Cloud Run takes for one HTTP/1 request: a larger one never arrives.
export const BODY_MAX_BYTES = 32 * 1024 * 1024;

/** The request's content type without parameters, in lower case. */
export function contentTypeOf({ rawHeaders }: IncomingMessage): string {
  const at = rawHeaders.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'content-type');
  return (rawHeaders[at + 1] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/**
 * Reads the whole body, no more than `maxBytes` of it. A request that was already read (a framework that parses bodies
 * itself) hands over what it kept. Throws MailFailure: request_invalid, too_large.
 */
export async function readBody(req: IncomingMessage & { rawBody?: Buffer }, maxBytes = BODY_MAX_BYTES): Promise<Buffer> {
  const { 'content-encoding': encoding = 'identity', 'content-length': announced = '0' } = req.headers;
  if (req.rawBody) return req.rawBody;
  if (encoding !== 'identity') throw new MailFailure('request_invalid', 'The body must not be compressed: leave out Content-Encoding.');
  if (Number(announced) > maxBytes) throw tooLarge(maxBytes);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of req as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes) throw tooLarge(maxBytes);
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof MailFailure ? error : new MailFailure('request_invalid', 'The request ended before its body was complete.');
  }
  return Buffer.concat(chunks);
}

const tooLarge = (maxBytes: number): MailFailure => new MailFailure('too_large', `The request body is larger than ${maxBytes} bytes.`);

/** Parses a JSON body. Throws MailFailure: request_invalid. */
export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new MailFailure('request_invalid', 'The request body is not valid JSON in UTF-8.');
  }
}
