import { Readable } from 'node:stream';
import MailComposer from 'nodemailer/lib/mail-composer';
import { encodeWord, encodeWords } from 'nodemailer/lib/mime-funcs';
import { type FileOptions, invitationOf } from './file-parts.ts';
import { encodedSize } from './gmail-limits.ts';

export type MimeOptions = NonNullable<ConstructorParameters<typeof MailComposer>[0]>;

const LARGE_BYTES = 256 * 1024;
const SLICE_BYTES = 57 * 512; // whole lines of base64

/**
 * The MIME message as nodemailer writes it. Large files go through nodemailer's streams in slices, into one buffer of the right
 * size: `build()` would hold the whole message twice, and the file as one string.
 */
export async function buildMime(options: MimeOptions, files: readonly FileOptions[], keepBcc: boolean): Promise<Uint8Array> {
  const fileBytes = files.reduce((sum, { content }) => sum + content.length, 0);
  const large = fileBytes > LARGE_BYTES;
  const attachments = files.map((file) => ({ ...file, ...(large && isEncoded(file) && { content: inSlices(file.content) }) }));
  const root = new MailComposer({ ...options, attachments, alternatives: [...invitationOf(files)] }).compile();
  root.keepBcc = keepBcc;
  if (!large) return root.build();
  const expected = encodedSize(fileBytes) + LARGE_BYTES + 4 * (lengthOf(options.html) + lengthOf(options.text));
  return collect(root.createReadStream(), expected);
}

/** Everything except an attached message is written in base64. */
const isEncoded = ({ contentType }: FileOptions): boolean => !/^message\//i.test(contentType);

const inSlices = (content: Buffer): Readable =>
  Readable.from(
    (function* () {
      for (let at = 0; at < content.length; at += SLICE_BYTES) yield content.subarray(at, at + SLICE_BYTES);
    })(),
    { objectMode: false },
  );

const lengthOf = (text: unknown): number => (typeof text === 'string' ? text.length : 0);

/** Pages of the buffer that are never written use no memory, so too large an estimate costs nothing. */
async function collect(stream: AsyncIterable<unknown>, expected: number): Promise<Uint8Array> {
  let whole = Buffer.allocUnsafeSlow(expected);
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    if (length + chunk.length > whole.length) whole = Buffer.concat([whole, Buffer.allocUnsafeSlow(whole.length)]);
    length += chunk.copy(whole, length);
  }
  return whole.subarray(0, length);
}

/** The words of a phrase as encoded-words (RFC 2047). */
export const encodePhrase = (phrase: string): string => encodeWords(phrase, 'Q', 52, true);

/** The same for a text that must be encoded although it is plain ASCII. */
export const encodeText = (text: string): string => encodeWord(text, 'Q', 52);
