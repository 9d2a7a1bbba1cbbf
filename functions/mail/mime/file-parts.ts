import { detectExtension, detectMimeType } from 'nodemailer/lib/mime-funcs';

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
export function partOf({ filename, contentType, cid, content }: FilePart, index: number): FileOptions {
  const type = contentType ?? detectMimeType(filename || 'bin');
  return {
    filename: filename === '' ? `attachment-${index + 1}.${extensionOf(type)}` : filename,
    contentType: withCharset(type, content),
    contentDisposition: cid === null ? 'attachment' : 'inline',
    ...(cid !== null && { cid }),
    content: Buffer.from(content.buffer, content.byteOffset, content.byteLength),
  };
}

function extensionOf(contentType: string): string {
  const found = detectExtension(contentType.replace(/;.*/s, '').trim().toLowerCase());
  return /^\w+$/.test(found) ? found : 'bin';
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
