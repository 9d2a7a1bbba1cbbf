import type { Address } from '../model/address.ts';
import { MailFailure } from '../model/failure.ts';
import type { Attachment } from './attachments.ts';
import type { EmailFields } from './email.ts';
import { MESSAGE_MAX_BYTES } from './gmail-limits.ts';
import { plainText } from './html-to-text.ts';
import { type MimeMessage, messageId, type Stamp } from './mime-message.ts';
import type { Sender } from './sender.ts';

let writing: typeof import('./writing.ts') | undefined; // only a mail that is really sent pays for it, and an instance once

/**
 * Composes the letter. Message-ID, Date and boundaries come from the stamp, so the same mail is the same bytes each
 * time. Bcc stays in the headers for the Gmail API, which takes the recipients from there and removes it; SMTP takes them
 * from the envelope and would hand the header on to everybody.
 * Throws MailFailure: too_large.
 */
export async function compose(request: EmailFields, sender: Sender, stamp: Stamp): Promise<MimeMessage> {
  const id = messageId(stamp.id, sender.from.address);
  writing ??= await import('./writing.ts');
  const content = {
    from: person(sender.from),
    to: request.to.map(person),
    cc: request.cc.map(person),
    bcc: request.bcc.map(person),
    replyTo: request.replyTo.map(person),
    subject: request.subject,
    html: inLines(request.html ?? ''),
    text: inLines(request.text ?? (request.html === null ? '' : plainText(request.html))),
    // nodemailer formats References itself, and makes "[object Object]" of a prepared value.
    headers: request.headers.map(([key, value]) => ({ key, value: /^references$/i.test(key) ? value : verbatim(value) })),
    attachments: await Promise.all(
      request.attachments.map(async ({ content, ...file }) => {
        const contentType = await typeOf({ content, ...file });
        return {
          ...(file.filename && { filename: file.filename }),
          ...(contentType && { contentType }),
          ...(file.cid && { cid: file.cid, contentDisposition: 'inline' }),
          content: Buffer.from(content.buffer, content.byteOffset, content.byteLength),
        };
      }),
    ),
    messageId: id,
    date: new Date(stamp.acceptedAt),
    baseBoundary: stamp.id,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
  const bytes = writing.write(content, sender.mailbox.via === 'api');
  if (bytes.length > MESSAGE_MAX_BYTES)
    throw new MailFailure(
      'too_large',
      `The mail has ${bytes.length} bytes with its attachments encoded; Gmail takes ${MESSAGE_MAX_BYTES}.`,
    );
  const everyone = [...request.to, ...request.cc, ...request.bcc].map(({ address }) => address);
  return { bytes, messageId: id, envelope: { from: sender.mailbox.address, to: [...new Set(everyone)] } };
}

/** A letter within the letter goes as it is, not as base64 (RFC 2046, 5.2.1): one with lines of another form goes as any file. */
async function typeOf({ filename, contentType, content }: Attachment): Promise<string | null> {
  if (!(contentType === null ? /\.(eml|mime|mht|mhtml|nws)$/i.test(filename) : /^message\//i.test(contentType))) return contentType;
  const { isTidy } = await import('./header-section.ts');
  return isTidy(content) ? contentType : 'application/octet-stream';
}

/** RFC 5322, 2.3: CR and LF stand together or not at all; readers differ on what one of them alone is. nodemailer leaves them. */
const inLines = (text: string): string => text.replace(/\r\n?|\n/g, '\r\n');

const person = ({ name, address }: Address): { name: string; address: string } => ({ name, address });

/** Left to itself, nodemailer encodes JSON and other values with quotes, which are plain ASCII and read by programs. */
function verbatim(value: string): string | { prepared: true; foldLines: true; value: string } {
  return /^[ -~]*$/.test(value) && !/\S{900}/.test(value) ? { prepared: true, foldLines: true, value } : value;
}
