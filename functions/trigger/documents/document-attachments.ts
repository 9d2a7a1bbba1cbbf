import { MailFailure } from '../../mail/model/failure.ts';
import { type DocumentFields, isPresent, refuseUnknown } from './document-fields.ts';

const ENCODINGS = ['base64', 'hex', 'latin1', 'binary', 'ascii', 'utf8', 'utf-8', 'utf16le'] as const;

/** The supported fields of an attachment; the last two only with the values that are the default. */
const KNOWN = [
  'filename',
  'content',
  'path',
  'href',
  'encoding',
  'contentType',
  'cid',
  'contentDisposition',
  'contentTransferEncoding',
] as const;

/** A list of attachments in nodemailer's form, in the form of `POST /emails`. Throws MailFailure: request_invalid. */
export const attachmentsIn = (value: unknown, field: string): unknown[] => {
  if (!isPresent(value)) return [];
  const list = Array.isArray(value) ? value : [value]; // nodemailer accepts a single attachment too
  return list.map((one: unknown, index) => attachmentIn(one, `${field}[${index}]`));
};

/** An attachment as nodemailer accepts it: text, bytes, encoded text, a data URL, or a URL to fetch. */
function attachmentIn(value: unknown, at: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new MailFailure('request_invalid', `Invalid \`${at}\` field: expected a map.`);
  const fields = value as DocumentFields;
  refuseUnknown(fields, KNOWN, at);
  const { filename, contentType, cid, contentDisposition, contentTransferEncoding } = fields;
  const disposition = isPresent(cid) ? 'inline' : 'attachment';
  if (isPresent(contentDisposition) && contentDisposition !== disposition)
    throw new MailFailure(
      'request_invalid',
      `Invalid \`${at}.contentDisposition\` field: a file with \`cid\` is inline, any other is an attachment.`,
    );
  if (isPresent(contentTransferEncoding) && contentTransferEncoding !== 'base64')
    throw new MailFailure('request_invalid', `Invalid \`${at}.contentTransferEncoding\` field: every file is sent in base64.`);
  return { filename, content_type: contentType, content_id: cid, ...contentIn(fields, at) };
}

/** The bytes of a file, or the URL to fetch them from. Throws MailFailure: request_invalid. */
export function contentIn(
  { content, path, href, encoding, contentType }: DocumentFields,
  at: string,
): { readonly content: unknown; readonly content_type?: string } | { readonly path: unknown } {
  const place = path ?? href;
  if (content === undefined || content === null) {
    if (typeof place === 'string' && place.startsWith('data:')) return dataIn(place, contentType, at);
    return isPresent(place) ? { path: place } : { content: undefined };
  }
  if (content instanceof Uint8Array) return { content };
  if (typeof content !== 'string') return { content };
  const known = ENCODINGS.find((one) => one === (encoding ?? 'utf8'));
  if (!known) throw new MailFailure('request_invalid', `Invalid \`${at}.encoding\` field: expected ${ENCODINGS.join(', ')}.`);
  if (content === '') return { content: new Uint8Array() }; // an empty file is allowed
  return { content: known === 'base64' ? content : Buffer.from(content, known).toString('base64') };
}

function dataIn(address: string, contentType: unknown, at: string): { readonly content: unknown; readonly content_type?: string } {
  const [, type = '', base64, data = ''] = /^data:([^,;]*)(?:;[^,;]*?)*?(;base64)?,(.*)$/s.exec(address) ?? [];
  try {
    const content = base64 ? data : Buffer.from(decodeURIComponent(data)).toString('base64');
    return { ...(type && !isPresent(contentType) && { content_type: type }), content: content === '' ? new Uint8Array() : content };
  } catch {
    throw new MailFailure('request_invalid', `Invalid \`${at}.path\` field: its data cannot be decoded.`);
  }
}

const CALENDAR = ['method', 'filename', 'content', 'path', 'href', 'encoding'] as const;
const METHODS = ['publish', 'request', 'reply', 'add', 'cancel', 'refresh', 'counter', 'declinecounter'];

/** nodemailer's `icalEvent`: a calendar invitation, as a map or as the text of the calendar. Throws MailFailure: request_invalid. */
export function calendarIn(value: unknown, field: string): unknown[] {
  if (!isPresent(value)) return [];
  const fields = typeof value === 'string' || value instanceof Uint8Array ? { content: value } : (value as DocumentFields);
  if (typeof fields !== 'object' || Array.isArray(fields))
    throw new MailFailure('request_invalid', `Invalid \`${field}\` field: expected a map with \`content\`, or the text of a calendar.`);
  refuseUnknown(fields, CALENDAR, field);
  const { method = 'publish', filename = 'invite.ics' } = fields;
  if (typeof method !== 'string' || !METHODS.includes(method.toLowerCase()))
    throw new MailFailure('request_invalid', `Invalid \`${field}.method\` field: expected ${METHODS.join(', ')}.`);
  return [{ filename, ...contentIn(fields, field), content_type: `text/calendar; charset=utf-8; method=${method.toUpperCase()}` }];
}
