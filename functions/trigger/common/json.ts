import { MailFailure } from '../../mail/model/failure.ts';

// An email needs five levels; JSON.parse needs gigabytes for millions of levels.
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

/** The nesting depth of arrays and objects, counted no further than the limit. Strings, most of a body, are skipped. */
function depthOf(body: Buffer): number {
  // A large body is mostly one file and has few brackets in all: then no scan is needed.
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

/** How often a byte occurs, counted no further than the limit. */
function countOf(byte: number, body: Buffer): number {
  let count = 0;
  for (let at = body.indexOf(byte); at >= 0 && count <= DEPTH_MAX; at = body.indexOf(byte, at + 1)) count++;
  return count;
}

/** Offset of the quote that ends the string which starts at `start`: a quote after an odd number of backslashes is escaped. */
function endOfString(body: Buffer, start: number): number {
  for (let end = body.indexOf(0x22, start + 1); end >= 0; end = body.indexOf(0x22, end + 1)) {
    let slashes = 0;
    while (body[end - 1 - slashes] === 0x5c) slashes++;
    if (slashes % 2 === 0) return end;
  }
  return body.length;
}

/** The attachments of an email in Resend's form; entries that are not objects are left out. */
export function attachmentsInJson(body: unknown): { content?: unknown }[] {
  const list = typeof body === 'object' && body !== null ? (body as { attachments?: unknown }).attachments : null;
  return Array.isArray(list) ? list.filter((one) => typeof one === 'object' && one !== null) : [];
}
