import { type Algorithm, verifyMac } from './mac.ts';
import type { WebhookProof } from './scheme.ts';

/** A proof by HMAC: one of the given signatures must match. Null where none is well formed. */
export function macProof(algorithm: Algorithm, given: readonly (Buffer | null)[], data: Buffer): WebhookProof | null {
  const macs = given.filter((mac) => mac !== null);
  if (macs.length === 0) return null;
  return { matches: async (secret) => (await Promise.all(macs.map((mac) => verifyMac(algorithm, secret, mac, data)))).includes(true) };
}

/** The signed text followed by the body. */
export const prefixed = (head: string, body: Buffer): Buffer => Buffer.concat([Buffer.from(head), body]);
