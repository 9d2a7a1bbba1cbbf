import { MESSAGE_MAX_BYTES } from '../mime/gmail-limits.ts';
import { distinct } from '../model/address.ts';
import { MailFailure } from '../model/failure.ts';
import type { EmailFields } from './email.ts';
import { type MimeMessage, messageId, type Stamp } from './mime-message.ts';
import type { Sender } from './sender.ts';

let writing: typeof import('./write-message.ts') | undefined; // loaded once per instance, and only for an email that is sent

/**
 * Composes the MIME message. Message-ID, Date and boundaries come from the stamp, so the same email always has the same bytes.
 * Bcc stays in the headers for the Gmail API, which reads the recipients from the headers and removes Bcc; SMTP takes the
 * recipients from the envelope and would pass the header on to every recipient. Throws MailFailure: too_large.
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
