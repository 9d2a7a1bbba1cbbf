import { createHash } from 'node:crypto';

/** The SMTP envelope: sender and recipients; `from` is '' for the null sender. */
export interface SmtpEnvelope {
  readonly from: string;
  readonly to: readonly string[];
}

const HEAD_MAX_BYTES = 64 * 1024;

/**
 * The idempotency key of a message, so that a client's retries send one email. Null if the message has its own key
 * (`Resend-Idempotency-Key`), which the function reads. Otherwise the key is Message-ID and envelope, because a client that sends
 * one copy per recipient repeats the Message-ID. Without a Message-ID the bytes take its place.
 */
export function idempotencyKeyOf(message: Buffer, { from, to }: SmtpEnvelope, contentKey: string | null = null): string | null {
  const head = headOf(message);
  if (/^resend-idempotency-key:/im.test(head)) return null;
  if (contentKey) return contentKey;
  const messageId = /^message-id:[ \t]*(\S.*?)[ \t]*$/im.exec(head)?.[1] ?? sha256(message);
  return `smtp/${sha256(JSON.stringify([messageId, from, ...to]))}`;
}

/** The headers, unfolded and separated by LF. */
export function headOf(message: Buffer): string {
  const start = message.subarray(0, HEAD_MAX_BYTES).toString('latin1');
  return (start.split('\r\n\r\n', 1)[0] ?? '').replace(/\r\n(?=[ \t])/g, '').replaceAll('\r\n', '\n');
}

const sha256 = (data: Buffer | string): string => createHash('sha256').update(data).digest('hex');
