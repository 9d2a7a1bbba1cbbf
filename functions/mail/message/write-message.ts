import { buildMime, encodePhrase, encodeText } from '../mime/build-mime.ts';
import { partOf } from '../mime/file-parts.ts';
import { type Address, distinct } from '../model/address.ts';
import { decodeHeader } from '../model/encoded-words.ts';
import { structuredValue } from '../model/structured-headers.ts';
import type { Attachment } from './attachments.ts';
import type { EmailFields } from './email.ts';
import { isTidy } from './header-section.ts';
import type { Header } from './headers.ts';
import { ID_HEADER, messageId, type Stamp } from './mime-message.ts';
import type { Sender } from './sender.ts';

/** The MIME message of an email; the same email and stamp give the same bytes. */
export async function writeMessage(request: EmailFields, sender: Sender, stamp: Stamp): Promise<Uint8Array> {
  const bytes = await write(request, sender, stamp, (text) => text);
  // A run of blanks that is longer than a line is folded into an empty line, which mail programs take for the end of the headers.
  return hasBlankLine(bytes) ? write(request, sender, stamp, (text) => text.replace(/\s+/g, ' ').trim()) : bytes;
}

async function write(request: EmailFields, sender: Sender, stamp: Stamp, line: (text: string) => string): Promise<Uint8Array> {
  const id = messageId(stamp.id, sender.from.address);
  const people = (list: readonly Address[]) => distinct(list).map(({ name, address }) => ({ name: line(name), address }));
  const { html, images } = await imagesOf(request.html ?? '', (number) => id.slice(1, -1).replace('@', `.${number}@`));
  const files = [...request.attachments, ...images].map((file, index) =>
    partOf({ ...file, filename: line(file.filename), contentType: typeOf(file) }, index),
  );
  const content = {
    from: people([sender.from]),
    to: people(request.to),
    cc: people(request.cc),
    bcc: people(request.bcc),
    replyTo: people(request.replyTo),
    subject: unreadAsWord(line(request.subject)),
    html: inLines(html),
    text: inLines(await textOf(request)),
    headers: [...(stamp.idHeader ? [[ID_HEADER, stamp.id] as const] : []), ...request.headers].map(([key, value]) =>
      headerOf([key, line(value)]),
    ),
    messageId: id,
    date: new Date(stamp.acceptedAt),
    baseBoundary: stamp.id,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
  return buildMime(content, files, sender.mailbox.via === 'api');
}

/** A reader of html is loaded where there may be an image to be found. */
async function imagesOf(html: string, idOf: (number: number) => string) {
  // Browsers read over a tab or a line break in an address, and the colon may be an entity.
  if (!/d[\t\n\r]*a[\t\n\r]*t[\t\n\r]*a[\t\n\r]*[:&]/i.test(html)) return { html, images: [] };
  const { withInlineImages } = await import('../mime/inline-images.ts');
  return withInlineImages(html, idOf);
}

async function textOf({ text, html }: EmailFields): Promise<string> {
  if (text !== null || html === null) return text ?? '';
  const { htmlToText: plainText } = await import('../mime/html-to-text.ts'); // a parser of html, loaded only for an email without a text
  return plainText(html);
}

/**
 * An attached message is written as it is, not as base64 (RFC 2046, 5.2.1); a message whose lines have another form is written as
 * any other file.
 */
function typeOf({ filename, contentType, content }: Pick<Attachment, 'filename' | 'contentType' | 'content'>): string | null {
  if (!(contentType === null ? /\.(eml|mime|mht|mhtml|nws)$/i.test(filename) : /^message\//i.test(contentType))) return contentType;
  return isTidy(content) ? (contentType ?? 'message/rfc822') : 'application/octet-stream';
}

/**
 * RFC 5322, 2.3: CR and LF occur only together; programs differ on what one of them alone means. nodemailer does not change them.
 */
const inLines = (text: string): string => text.replace(/\r\n?|\n/g, '\r\n');

/**
 * Text that contains `=?` without an encoded-word, such as `WHERE a=?`, is encoded as a whole: some programs take the text after
 * it for an encoded-word, and then keep the line breaks of folding in the text.
 */
function unreadAsWord(text: string): string {
  const decoded = text.includes('=?') ? decodeHeader(text) : null;
  return decoded?.includes('=?') ? encodeText(decoded.replace(/\s+/g, ' ').trim()) : text;
}

/** By default nodemailer encodes JSON and other values with quotes, although they are plain ASCII and programs read them. */
function headerOf([key, given]: Header): { key: string; value: string | { prepared: true; foldLines: true; value: string } } {
  const structured = structuredValue(key, given, encodePhrase);
  const value = structured && 'value' in structured ? structured.value : unreadAsWord(given);
  // nodemailer formats References itself, and turns a prepared value into "[object Object]".
  if (/^references$/i.test(key) || !/^[ -~]*$/.test(value) || /\S{900}/.test(value)) return { key, value };
  return { key, value: { prepared: true, foldLines: true, value } };
}

function hasBlankLine(bytes: Uint8Array): boolean {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return /\r\n[ \t]+(\r|$)/.test(whole.subarray(0, Math.max(0, whole.indexOf('\r\n\r\n'))).toString('latin1'));
}
