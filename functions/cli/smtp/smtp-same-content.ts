import { createHash } from 'node:crypto';
import { headOf, type SmtpEnvelope } from './smtp-idempotency.ts';

const MESSAGES_MAX = 10_000;

/**
 * The idempotency key of a normalised message: sender, recipients and all content. Within `windowMs` of the first such message
 * the key is the same. With a window of 0 there is no key: two equal messages may be intended.
 */
export function createSameContent(windowMs: number, now: () => number): (normalised: Buffer, envelope: SmtpEnvelope) => string | null {
  const begun = new Map<string, number>();
  return (normalised, { from, to }) => {
    if (windowMs === 0) return null;
    const content = sha256(JSON.stringify([from, to, sha256(normalised)]));
    for (const [old, at] of begun)
      if (at + windowMs <= now() || begun.size > MESSAGES_MAX) begun.delete(old);
      else break;
    const at = begun.get(content) ?? now();
    begun.set(content, at);
    return `smtp/content/${sha256(`${content}\n${at}`)}`;
  };
}

/** Whether a message names its own idempotency key, by Resend's header. */
export const namesItsKey = (message: Buffer): boolean => /^resend-idempotency-key:/im.test(headOf(message));

/**
 * A message without the parts that a program creates each time it composes the same email (Django, Action Mailer, Laravel): the
 * function writes Message-ID and Date, from the first try, and boundaries are derived from the content. So the same email has the
 * same bytes under its key.
 */
export function normalised(message: Buffer): Buffer {
  const end = message.indexOf('\r\n\r\n');
  if (end < 0) return message;
  const head = message.subarray(0, end).toString('latin1').replace(DRAWN, '');
  const text = `${head.replace(/^\r\n|\r\n$/g, '')}${message.subarray(end).toString('latin1')}`;
  const boundaries = [...new Set([...text.matchAll(BOUNDARY)].map(([, quoted, bare]) => quoted ?? bare ?? ''))];
  const ids = unreferenced(text);
  if (boundaries.length + ids.length === 0) return Buffer.from(text, 'latin1');
  const renamed = (name: (index: number) => string): string => {
    const fields = text
      .replace(BOUNDARY, (_, quoted, bare) => `boundary="${name(boundaries.indexOf(quoted ?? bare))}"`)
      .replace(CONTENT_ID, (field, id) => (ids.includes(id) ? `Content-ID: <${name(ids.indexOf(id))}@mailgrant>` : field));
    return fields.replace(/^--(.{1,70}?)(--)?[ \t]*(?=\r$)/gm, (line, one: string, close = '') => {
      const [open, closed] = [boundaries.indexOf(`${one}${close}`), boundaries.indexOf(one)];
      return open >= 0 ? `--${name(open)}` : closed >= 0 ? `--${name(closed)}${close}` : line;
    });
  };
  const hash = sha256(renamed((index) => String(index)));
  return Buffer.from(
    renamed((index) => `=_${index}_${hash.slice(0, 48)}`),
    'latin1',
  );
}

/** The Content-IDs that no HTML refers to: Action Mailer makes one for every file. */
function unreferenced(text: string): string[] {
  const ids = [...new Set([...text.matchAll(CONTENT_ID)].map(([, id = '']) => id))];
  if (ids.length === 0) return [];
  const blocks = text.split('\r\n\r\n');
  const decoded = blocks.flatMap((block, index) => {
    if (!/content-type:\s*text\//i.test(block) || !/content-transfer-encoding:\s*base64/i.test(block)) return [];
    return [Buffer.from((blocks[index + 1] ?? '').replace(/\r\n--[\s\S]*/, ''), 'base64').toString('latin1')];
  });
  const read = [text.replace(/=\r\n/g, ''), ...decoded].join('\n').replaceAll('%40', '@').replaceAll('=40', '@').toLowerCase();
  return ids.filter((id) => !read.includes(`cid:${id.toLowerCase()}`));
}

const DRAWN = /(?:^|\r\n)(?:message-id|date):[^\r\n]*(?:\r\n[ \t][^\r\n]*)*/gi;
const CONTENT_ID = /^content-id:\s*<([^>\r\n]+)>/gim;
const BOUNDARY = /\bboundary=(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))/gi;

const sha256 = (data: Buffer | string): string => createHash('sha256').update(data).digest('hex');
