import { detectMimeType } from 'nodemailer/lib/mime-funcs';
import { detectExtension } from './extension.ts';

/** A file of an email: `contentType` null to derive it from the name, `filename` '' for none. */
export interface FilePart {
  readonly filename: string;
  readonly contentType: string | null;
  readonly cid: string | null;
  readonly content: Uint8Array;
}

/** The same in nodemailer's form. */
export interface FileOptions {
  readonly filename: string;
  readonly contentType: string;
  readonly contentDisposition: 'inline' | 'attachment';
  readonly cid?: string;
  readonly content: Buffer;
}

/**
 * The part of the file at `index`. A part with a content id is inline; every other part, also an attached message, is a file to be
 * saved.
 */
export function partOf({ filename: given, contentType, cid, content }: FilePart, index: number): FileOptions {
  const filename = visible(given);
  const type = contentType ?? detectMimeType(filename || 'bin');
  return {
    filename: filename === '' ? `attachment-${index + 1}.${detectExtension(type)}` : filename,
    contentType: withCharset(type, content),
    contentDisposition: cid === null ? 'attachment' : 'inline',
    ...(cid !== null && { cid }),
    content: Buffer.from(content.buffer, content.byteOffset, content.byteLength),
  };
}

/** The name without blanks around it; '' for one that shows nothing, or only dots, which no program can save. */
function visible(name: string): string {
  const trimmed = name.trim();
  return /^[\p{Z}\p{C}\p{M}.\u115f\u1160\u2800\u3164\uffa0]*$/u.test(trimmed) ? '' : trimmed;
}

/** Without a charset, text is ASCII (RFC 2046, 4.1.2). If the content is not ASCII and is UTF-8, the type says so. */
function withCharset(type: string, content: Uint8Array): string {
  if (!/^text\//i.test(type) || /;\s*charset\*?\d*\*?\s*=/i.test(type) || content.every((byte) => byte < 0x80)) return type;
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(content);
    return `${type}; charset=utf-8`;
  } catch {
    return type;
  }
}

/** A calendar with a method (RFC 6047, 2.4): Gmail shows its buttons if the calendar is also an alternative of the text. */
export function invitationOf(parts: readonly FileOptions[]): readonly object[] {
  for (const { contentType, content } of parts) {
    const [, method] = /^text\/calendar\s*;(?:.*;)?\s*method\s*=\s*"?([\w-]{1,30})"?/is.exec(contentType) ?? [];
    if (method)
      return [{ contentType: `text/calendar; charset=utf-8; method=${method.toUpperCase()}`, content, contentTransferEncoding: 'base64' }];
  }
  return [];
}
