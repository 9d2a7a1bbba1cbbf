import { createHash } from 'node:crypto';

/** Whom a letter is from and for, as SMTP said it; `from` is '' for the null sender. */
export interface Envelope {
  readonly from: string;
  readonly to: readonly string[];
}

const HEAD_MAX_BYTES = 64 * 1024;

/**
 * The key under which a letter is mailed once, however often its client tries. Null where the letter names one itself
 * (`Resend-Idempotency-Key`): the function reads that. Else Message-ID and envelope are the key, since a client that sends
 * one copy per recipient repeats the Message-ID; without one the bytes are.
 */
export function idempotencyKeyOf(message: Buffer, { from, to }: Envelope, contentKey: string | null = null): string | null {
  const head = headOf(message);
  if (/^resend-idempotency-key:/im.test(head)) return null;
  if (contentKey) return contentKey;
  const messageId = /^message-id:[ \t]*(\S.*?)[ \t]*$/im.exec(head)?.[1] ?? sha256(message);
  return `smtp/${sha256(JSON.stringify([messageId, from, ...to]))}`;
}

/** The headers, unfolded, with LF between them. */
export function headOf(message: Buffer): string {
  const start = message.subarray(0, HEAD_MAX_BYTES).toString('latin1');
  return (start.split('\r\n\r\n', 1)[0] ?? '').replace(/\r\n(?=[ \t])/g, '').replaceAll('\r\n', '\n');
}

const sha256 = (data: Buffer | string): string => createHash('sha256').update(data).digest('hex');
