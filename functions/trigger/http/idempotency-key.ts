import type { IncomingMessage } from 'node:http';
import { MailFailure } from '../../mail/model/failure.ts';

const KEY_MAX = 256;

/** The caller's Idempotency-Key; null if there is none. Throws MailFailure: idempotency_key_invalid. */
export function idempotencyKey({ headers }: IncomingMessage): string | null {
  const key = headers['idempotency-key'];
  return key === undefined ? null : checkedKey(String(key));
}

/** Checks a key and returns it. Throws MailFailure: idempotency_key_invalid. */
export function checkedKey(key: string): string {
  if (key.length > 0 && key.length <= KEY_MAX) return key;
  throw new MailFailure('idempotency_key_invalid', 'The idempotency key must have 1 to 256 characters.');
}
