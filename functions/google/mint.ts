import { MailFailure } from '../mail/failure.ts';
import type { Hidden } from '../mail/hidden.ts';
import type { AccessToken } from '../mail/ports.ts';
import type { Sender } from '../mail/sender.ts';
import type { Exchange } from './call.ts';
import { readCredential } from './credential.ts';
import type { Identity } from './identity.ts';
import type { ReadSecret } from './secrets.ts';
import { refresh } from './token.ts';

/** What outlives an invocation: the secret texts and the function's own identity, never a mailbox's token. */
export interface Vault {
  readonly secrets: ReadSecret;
  readonly identity: Identity;
  readonly tokenUrl: string;
}

/**
 * Mints access tokens for one invocation: one mint per mailbox, shared by everybody who asks while it is in flight and
 * after. Naming the token that Gmail refused brings a new one.
 */
export function createMinter(
  vault: Vault,
  exchange: Exchange,
  now: () => number,
): (sender: Sender, refused?: AccessToken) => Promise<AccessToken> {
  const minted = new Map<string, { readonly promise: Promise<AccessToken>; token: AccessToken | null }>();
  return ({ mailbox }, refused) => {
    const known = minted.get(mailbox.address);
    if (known && (!refused || known.token !== refused)) return known.promise;
    const minting = { promise: mint(mailbox.address, mailbox.secret, vault, exchange, now), token: null as AccessToken | null };
    minted.set(mailbox.address, minting);
    minting.promise.then(
      (token) => {
        minting.token = token;
      },
      () => minted.delete(mailbox.address), // a failed mint is not shared with later mails
    );
    return minting.promise;
  };
}

async function mint(
  address: string,
  secret: string,
  { secrets, identity, tokenUrl }: Vault,
  exchange: Exchange,
  now: () => number,
): Promise<AccessToken> {
  const self = await identity(exchange, now());
  const read = (stale?: Hidden): Promise<Hidden> => secrets(secret, exchange, self, now(), stale);
  const text = await read();
  try {
    return await refresh(tokenUrl, readCredential(text, address), exchange, now);
  } catch (error) {
    if (!(error instanceof MailFailure) || !ROTATED.has(error.code)) throw error;
    const newer = await read(text); // the secret may have been rotated after we kept it
    if (newer.reveal() === text.reveal()) throw error;
    return refresh(tokenUrl, readCredential(newer, address), exchange, now);
  }
}

const ROTATED = new Set(['grant_revoked', 'client_refused', 'grant_malformed']);
