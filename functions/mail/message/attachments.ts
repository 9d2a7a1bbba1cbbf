import { blockedType, encodedSize, MESSAGE_MAX_BYTES } from '../mime/gmail-limits.ts';
import { MailFailure, toFailure } from '../model/failure.ts';
import { hidesInParameters, lineProblem } from '../model/header-text.ts';

/** One file of an email. With `cid` it is an inline part that the html refers to as `cid:…`. */
export interface Attachment {
  readonly filename: string;
  /** MIME type with its parameters; null to derive it from the filename. */
  readonly contentType: string | null;
  readonly cid: string | null;
  /** Empty until the file at `url` is fetched. */
  readonly content: Uint8Array;
  readonly url?: string;
}

type Fields = Record<string, unknown>;

// Each attachment is a MIME part with its own headers: thousands of small ones cost as much as a large email.
const COUNT_MAX = 500;
const LINE_MAX = 900;

/** Every field of a file that is read. */
export const ATTACHMENT_FIELDS = [
  'filename',
  'content',
  'path',
  'content_type',
  'contentType',
  'content_id',
  'contentId',
  'inline_content_id',
] as const;
/** Advice for nodemailer's fields of a file that are not read here. */
export const ATTACHMENT_ADVICE: Readonly<Record<string, string>> = {
  encoding: 'send the content in base64',
  cid: 'use `content_id`',
  href: 'use `path`',
  httpHeaders: 'fetch the file yourself and send it in `content`',
  raw: 'use `content`',
  headers: 'the headers of the part are written from the other fields',
  contentDisposition: 'a file with `content_id` is inline, every other one an attachment',
  contentTransferEncoding: 'mailgrant chooses it',
};

/**
 * Reads the `attachments` of a request; problems are collected as sentences. Files may be fetched from `hosts` only. Throws
 * MailFailure: attachment_invalid, too_large.
 */
export function parseAttachments(value: unknown, hosts: readonly string[], problems: string[]): Attachment[] {
  if (isAbsent(value)) return [];
  if (!Array.isArray(value)) {
    problems.push('Invalid `attachments` field: expected an array of objects.');
    return [];
  }
  if (value.length > COUNT_MAX) {
    problems.push(`Invalid \`attachments\` field: ${value.length} files are more than ${COUNT_MAX}.`);
    return [];
  }
  const unreadable: string[] = [];
  const attachments = value.flatMap((item: unknown, index) => {
    const field = `attachments[${index}]`;
    if (typeof item !== 'object' || item === null || Array.isArray(item)) {
      problems.push(`Invalid \`${field}\` field: expected an object.`);
      return [];
    }
    try {
      return parseAttachment(item as Fields, field, hosts, problems);
    } catch (error) {
      unreadable.push(toFailure(error).message);
      return [];
    }
  });
  if (unreadable.length > 0) throw new MailFailure('attachment_invalid', unreadable.join(' '));
  checkSize(attachments);
  return attachments;
}

/** Checks the size early, as base64: Gmail would refuse the email only after the whole upload. */
function checkSize(attachments: readonly Attachment[]): void {
  const size = attachments.reduce((sum, { content }) => sum + encodedSize(content.byteLength), 0);
  if (size > MESSAGE_MAX_BYTES)
    throw new MailFailure('too_large', `The attachments have ${size} bytes when encoded as base64; Gmail takes ${MESSAGE_MAX_BYTES}.`);
}

/** Fetches the files that are given by URL. Throws MailFailure: attachment_invalid, too_large. */
export async function loadFiles(
  attachments: readonly Attachment[],
  fetchFile: (url: string, maxBytes: number) => Promise<Uint8Array>,
): Promise<Attachment[]> {
  const loaded: Attachment[] = [];
  let room = Math.floor(MESSAGE_MAX_BYTES * (57 / 78));
  for (const [index, { url, ...attachment }] of attachments.entries()) {
    const content = url === undefined ? attachment.content : await fetchFile(url, room).catch(named(`attachments[${index}].path`));
    room -= content.byteLength;
    loaded.push({ ...attachment, content });
  }
  checkSize(loaded);
  return loaded;
}

const named =
  (field: string) =>
  (error: unknown): never => {
    const { code, message } = toFailure(error);
    throw new MailFailure(code, `The file of \`${field}\` could not be fetched: ${message}`);
  };

/**
 * A problem for each field of another library's form: if such a field were ignored, the email would differ from what its caller
 * expects. Unknown fields are ignored, as in Resend's contract.
 */
export function foreignFields(fields: Fields, at: string, advice: Readonly<Record<string, string>>): string[] {
  const names = Object.keys(advice).filter((name) => !isAbsent(fields[name]));
  return names.map((name) => `Invalid \`${at}${name}\` field: it is not read here; ${advice[name]}.`);
}

/** True for the values by which Resend's clients leave a field out. */
export function isAbsent(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  return Array.isArray(value) ? value.length === 0 : typeof value === 'object' && Object.keys(value).length === 0;
}

function parseAttachment(item: Fields, field: string, hosts: readonly string[], problems: string[]): Attachment[] {
  problems.push(...foreignFields(item, `${field}.`, ATTACHMENT_ADVICE));
  const line = (name: string, given: unknown): string | null => {
    if (isAbsent(given)) return null;
    const problem = lineProblem(given, LINE_MAX);
    if (problem === null) return String(given);
    problems.push(`Invalid \`${field}.${name}\` field: ${problem}.`);
    return null;
  };
  const url = isAbsent(item['path']) ? null : parsePath(item['path'], hosts);
  if (url === '') {
    const fetched =
      hosts.length > 0 ? `files are fetched only from https://${hosts.join(', https://')} here` : 'files are not fetched here';
    problems.push(`Invalid \`${field}.path\` field: ${fetched}; send the content.`);
    return [];
  }
  const contentType = line('content_type', item['content_type'] ?? item['contentType']);
  if (contentType !== null && !/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+\s*(;|$)/.test(contentType))
    problems.push(`Invalid \`${field}.content_type\` field: expected a type such as text/csv.`);
  if (contentType !== null && hidesInParameters(contentType))
    problems.push(
      `Invalid \`${field}.content_type\` field: a parameter of it hides a control character, or is in a charset that readers do not share; use UTF-8.`,
    );
  // A multipart attachment would become a level of the message's own MIME tree, with the caller's boundary.
  if (contentType !== null && /^multipart\//i.test(contentType))
    problems.push(
      `Invalid \`${field}.content_type\` field: a file cannot be ${contentType.slice(0, 30).replace(/;.*/, '')}; use application/octet-stream.`,
    );
  const cid = line('content_id', item['content_id'] ?? item['contentId'] ?? item['inline_content_id']);
  if (cid !== null && !/^<?[^<>\s]+>?$/.test(cid)) problems.push(`Invalid \`${field}.content_id\` field: expected an id without blanks.`);
  const filename = line('filename', item['filename']) ?? (url === null ? '' : nameIn(url));
  const blocked = blockedType(filename);
  if (blocked) problems.push(`Invalid \`${field}.filename\` field: Gmail blocks files of the type \`${blocked}\`.`);
  const common = { filename, contentType, cid: cid?.replace(/^<|>$/g, '') ?? null };
  return [url === null ? { ...common, content: decode(item['content'], field) } : { ...common, content: new Uint8Array(), url }];
}

/** The normalised URL of a file that may be fetched; '' for any other text. */
function parsePath(path: unknown, hosts: readonly string[]): string {
  if (typeof path !== 'string' || path.length > 2_000 || !URL.canParse(path)) return '';
  const { protocol, host, username, password, href } = new URL(path);
  return protocol === 'https:' && username === '' && password === '' && hosts.includes(host) ? href : '';
}

/** The last part of the path, if it is a plain filename. */
const nameIn = (url: string): string => /\/([\w.-]{1,100})$/.exec(new URL(url).pathname)?.[1] ?? '';

/**
 * Decodes the forms of content that clients send: bytes (a large file, decoded while it was received), base64, `{type: "Buffer",
 * data}`, an array of bytes, an object of bytes by index.
 */
function decode(content: unknown, field: string): Uint8Array {
  if (content instanceof Uint8Array) return content;
  if (
    isAbsent(content) ||
    isAbsent((content as { type?: unknown; data?: unknown }).type === 'Buffer' ? (content as { data?: unknown }).data : content)
  )
    throw new MailFailure('attachment_invalid', `The attachment content is empty. It is \`${field}\`.`);
  const bytes = typeof content === 'string' ? fromText(content) : fromNumbers(content);
  if (!bytes) throw new MailFailure('attachment_invalid', `The attachment content is not base64. It is \`${field}\`.`);
  return bytes;
}

function fromText(text: string): Uint8Array | null {
  if (text.startsWith('BEGIN:VCALENDAR')) return Buffer.from(text); // Laravel sends calendars as plain text; a colon is never base64
  const packed = /\s/.test(text) ? text.replace(/\s+/g, '') : text;
  const bytes = Buffer.from(packed, 'base64');
  let digits = packed.length;
  while (digits > 0 && packed[digits - 1] === '=') digits--;
  // Buffer skips characters that are not base64, so the result is too short: checking the length is far cheaper than a regular
  // expression.
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
