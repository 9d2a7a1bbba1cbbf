import type { Mailbox } from '../../mail/model/config.ts';
import type { AccessToken } from '../../mail/model/secret.ts';
import { type InvocationCalls, mintByGrant, type TokenSources } from './mint-token.ts';

const EARLY_MS = 5 * 60_000; // a cached token is not used in its last five minutes

interface Minting {
  readonly promise: Promise<AccessToken>;
  token: AccessToken | null;
}

/**
 * Mints access tokens for one invocation: one token per mailbox, shared by the calls of this invocation. Naming the token that
 * Gmail refused mints a new one. Only a mailbox with `tokens: reuse` keeps its token in `sources.tokenCache`, beyond the
 * invocation. `scopeOf` is the scope that a service account requests, by default to send.
 */
export function createMinter(
  sources: TokenSources,
  calls: InvocationCalls,
  scopeOf?: (mailbox: Mailbox) => string,
): (sender: { readonly mailbox: Mailbox }, refused?: AccessToken) => Promise<AccessToken> {
  const minted = new Map<string, Minting>();
  return async ({ mailbox }, refused) => {
    const reuse = mailbox.tokens === 'reuse';
    const kept = reuse ? sources.tokenCache.get(mailbox.address) : undefined;
    if (kept && kept !== refused && kept.expiresAt - EARLY_MS > calls.now()) return kept;
    const known = minted.get(mailbox.address);
    if (known && (!refused || known.token !== refused)) return known.promise;
    const minting: Minting = { promise: mintByGrant(mailbox, sources, calls, scopeOf?.(mailbox)), token: null };
    minted.set(mailbox.address, minting);
    minting.promise.then(
      (token) => {
        minting.token = token;
        if (reuse) sources.tokenCache.set(mailbox.address, token);
      },
      () => minted.delete(mailbox.address), // a failed mint is not shared with later emails
    );
    return minting.promise;
  };
}
