import { MESSAGE_MAX_BYTES } from '../mime/gmail-limits.ts';
import { distinct } from '../model/address.ts';
import { MailFailure } from '../model/failure.ts';
import type { EmailFields } from './email.ts';
import { type MimeMessage, messageId, type Stamp } from './mime-message.ts';
import type { Sender } from './sender.ts';

let writing: typeof import('./write-message.ts') | undefined; // only an email that is really sent pays for it, and an instance once

/**
 * Composes the MIME message. Message-ID, Date and boundaries come from the stamp, so the same email is the same bytes each
 * time. Bcc stays in the headers for the Gmail API, which takes the recipients from there and removes it; SMTP takes them
 * from the envelope and would hand the header on to everybody.
 * Throws MailFailure: too_large.
 */
export async function compose(request: EmailFields, sender: Sender, stamp: Stamp): Promise<MimeMessage> {
  writing ??= await import('./write-message.ts');
  const bytes = await writing.writeMessage(request, sender, stamp);
  if (bytes.length > MESSAGE_MAX_BYTES)
    throw new MailFailure(
      'too_large',
      `The email has ${bytes.length} bytes with its attachments encoded; Gmail takes ${MESSAGE_MAX_BYTES}.`,
    );
  const everyone = distinct([...request.to, ...request.cc, ...request.bcc]).map(({ address }) => address);
  return { bytes, messageId: messageId(stamp.id, sender.from.address), envelope: { from: sender.mailbox.address, to: everyone } };
}
