import { setTimeout as sleep } from 'node:timers/promises';
import { MailFailure } from '../../mail/model/failure.ts';
import { type AccessToken, SecretString } from '../../mail/model/secret.ts';
import { type Call, createExchange, type HttpReply, json } from '../http/exchange.ts';
import { answerOf, type TokenSource } from '../http/google-client.ts';
import { withRetry } from '../http/retry.ts';
import type { TokenResponse } from './token-endpoint.ts';

const EARLY_MS = 5 * 60_000; // the metadata server returns a new token this long before the old one expires
const TIMEOUT_MS = 5_000;

/**
 * The function's own access token, for all of Google's services (a mailbox's tokens are in token-cache.ts). A token is cached
 * until five minutes before it expires, or until a service refuses it; while the metadata server is unavailable, until it
 * expires. At most one request is in flight. The request has its own deadline, because the invocations that wait for it may have
 * little time left.
 */
export function createIdentity(metadataUrl: string, now: () => number = Date.now): TokenSource {
  const exchanges = createExchange();
  let kept: AccessToken | null = null;
  let pending: Promise<AccessToken> | null = null;
  return async (refused) => {
    if (refused !== undefined && kept === refused) kept = null;
    if (kept && kept.expiresAt - EARLY_MS > now()) return kept;
    pending ??= fetchIdentity(metadataUrl, exchanges, now).finally(() => {
      pending = null;
    });
    try {
      kept = await pending;
      return kept;
    } catch (error) {
      if (kept && kept.expiresAt > now()) return kept;
      throw error;
    }
  };
}

async function fetchIdentity(metadataUrl: string, exchanges: ReturnType<typeof createExchange>, now: () => number): Promise<AccessToken> {
  const deadline = AbortSignal.timeout(TIMEOUT_MS);
  const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal: deadline });
  const exchange = withRetry(exchanges(deadline), pause, Math.random);
  return readIdentity(await answerOf(exchange(identityCall(metadataUrl)), 'the metadata server', 'google_unavailable'), now());
}

const identityCall = (metadataUrl: string): Call => ({
  method: 'GET',
  url: `${metadataUrl}/computeMetadata/v1/instance/service-accounts/default/token`,
  headers: { 'metadata-flavor': 'Google' },
  timeoutMs: TIMEOUT_MS,
});

/** Throws MailFailure: google_unavailable, identity_refused. */
export function readIdentity(reply: HttpReply, now: number): AccessToken {
  const { access_token: token, expires_in: seconds = 0 } = json<TokenResponse>(reply) ?? {};
  if (reply.status === 200 && typeof token === 'string')
    return { secret: new SecretString(token), expiresAt: now + Number(seconds) * 1_000 };
  throw new MailFailure(reply.status >= 500 ? 'google_unavailable' : 'identity_refused', `the metadata server answered ${reply.status}`);
}
