import { hasControl } from './address.ts';
import { MailFailure } from './failure.ts';

/** One file of a mail. With `cid` it is an inline part that the html refers to as `cid:…`. */
export interface Attachment {
  readonly filename: string;
  /** MIME type with its parameters; null to derive it from the filename. */
  readonly contentType: string | null;
  readonly cid: string | null;
  readonly content: Uint8Array;
}

type Fields = Record<string, unknown>;

/** Reads the `attachments` of a request; problems are collected as sentences. Throws MailFailure: attachment_invalid. */
export function parseAttachments(value: unknown, problems: string[]): Attachment[] {
  if (isAbsent(value)) return [];
  if (!Array.isArray(value)) {
    problems.push('Invalid `attachments` field: expected an array of objects.');
    return [];
  }
  return value.flatMap((item: unknown, index) => {
    const field = `attachments[${index}]`;
    if (typeof item !== 'object' || item === null || Array.isArray(item)) {
      problems.push(`Invalid \`${field}\` field: expected an object.`);
      return [];
    }
    return parseAttachment(item as Fields, field, problems);
  });
}

/** True for what Resend's clients write in place of leaving a field out. */
export function isAbsent(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  return Array.isArray(value) ? value.length === 0 : typeof value === 'object' && Object.keys(value).length === 0;
}

function parseAttachment(item: Fields, field: string, problems: string[]): Attachment[] {
  const line = (name: string, given: unknown): string | null => {
    if (isAbsent(given)) return null;
    if (typeof given === 'string' && !hasControl(given)) return given;
    problems.push(`Invalid \`${field}.${name}\` field: expected one line of text.`);
    return null;
  };
  if (!isAbsent(item['path'])) {
    problems.push(`Invalid \`${field}.path\` field: files are not fetched; send the content.`);
    return [];
  }
  const contentType = line('content_type', item['content_type'] ?? item['contentType']);
  if (contentType !== null && !/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+\s*(;|$)/.test(contentType))
    problems.push(`Invalid \`${field}.content_type\` field: expected a type such as text/csv.`);
  const cid = line('content_id', item['content_id'] ?? item['contentId'] ?? item['inline_content_id']);
  if (cid !== null && !/^<?[^<>\s]+>?$/.test(cid)) problems.push(`Invalid \`${field}.content_id\` field: expected an id without blanks.`);
  const filename = line('filename', item['filename']) ?? '';
  return [{ filename, contentType, cid: cid?.replace(/^<|>$/g, '') ?? null, content: decode(item['content'], field) }];
}

/** Decodes the four shapes in use: base64, `{type: "Buffer", data}`, an array of bytes, an object of bytes by index. */
function decode(content: unknown, field: string): Uint8Array {
  if (isAbsent(content)) throw new MailFailure('attachment_invalid', `The attachment content is empty: \`${field}\`.`);
  const bytes = typeof content === 'string' ? fromText(content) : fromNumbers(content);
  if (!bytes) throw new MailFailure('attachment_invalid', `The attachment content is not base64: \`${field}\`.`);
  return bytes;
}

function fromText(text: string): Uint8Array | null {
  if (text.startsWith('BEGIN:VCALENDAR')) return Buffer.from(text); // Laravel sends calendars as plain text; a colon is never base64
  const packed = /\s/.test(text) ? text.replace(/\s+/g, '') : text;
  const bytes = Buffer.from(packed, 'base64');
  let digits = packed.length;
  while (digits > 0 && packed[digits - 1] === '=') digits--;
  // Buffer skips what is not base64 and so comes out short: a length check is far cheaper than a regular expression.
  return digits % 4 !== 1 && bytes.length === Math.floor((digits * 3) / 4) ? bytes : null;
}

function fromNumbers(content: unknown): Uint8Array | null {
  const wrapped = content as { type?: unknown; data?: unknown };
  const list = wrapped.type === 'Buffer' ? wrapped.data : content;
  const numbers: unknown[] = Array.isArray(list) ? list : inOrder(list);
  if (numbers.length === 0 || !numbers.every((n) => Number.isInteger(n) && Number(n) >= 0 && Number(n) <= 255)) return null;
  return Uint8Array.from(numbers as number[]);
}

function inOrder(list: unknown): unknown[] {
  if (typeof list !== 'object' || list === null) return [];
  const bytes = list as Record<string, unknown>;
  const { length } = Object.keys(bytes);
  return Array.from({ length }, (_, index) => bytes[index]); // a key that is no index leaves a gap, which is refused
}
