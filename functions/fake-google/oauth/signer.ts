import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { FakeReply } from '../http/server.ts';

/** The fake of the signer of Google's identity tokens. */
export interface Signer {
  /** A token with Google's claims for an account, with changes; `with` names another key than the published one. */
  token(email: string, audience: string, change?: Readonly<Record<string, unknown>>, header?: Readonly<Record<string, unknown>>): string;
  /** A token signed by another key that names Google's key. */
  forged(email: string, audience: string): string;
  /** From now on another key signs; the old one is no longer published. */
  rotate(): void;
  /** `oauth2/v1/certs`. Google sends certificates where this sends the bare public keys: verifiers take both. */
  certs(): FakeReply;
}

interface Key {
  readonly id: string;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** Keys are created at their first use: most stacks need none. */
export function createSigner(now: () => number): Signer {
  let keys = 0;
  let current: Key | null = null;
  const make = (): Key => ({ id: `laptop-${++keys}`, ...generateKeyPairSync('rsa', { modulusLength: 2_048 }) });
  const key = (): Key => {
    current ??= make();
    return current;
  };
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const issue = ({ privateKey }: Key, head: unknown, claims: unknown): string => {
    const text = `${part(head)}.${part(claims)}`;
    return `${text}.${sign('sha256', Buffer.from(text), privateKey).toString('base64url')}`;
  };
  const claimsOf = (email: string, audience: string): Record<string, unknown> => {
    const iat = Math.floor(now() / 1_000);
    return { iss: 'https://accounts.google.com', aud: audience, sub: '1', email, email_verified: true, iat, exp: iat + 3_600 };
  };
  return {
    token: (email, audience, change, header) =>
      issue(key(), { alg: 'RS256', kid: key().id, typ: 'JWT', ...header }, { ...claimsOf(email, audience), ...change }),
    forged: (email, audience) => issue(make(), { alg: 'RS256', kid: key().id, typ: 'JWT' }, claimsOf(email, audience)),
    rotate: () => {
      current = make();
    },
    certs: () => ({
      status: 200,
      headers: { 'cache-control': 'public, max-age=19800, must-revalidate, no-transform' },
      body: { [key().id]: key().publicKey.export({ type: 'spki', format: 'pem' }) },
    }),
  };
}
