import { MailFailure } from '../../mail/model/failure.ts';
import type { AccessToken } from '../../mail/model/secret.ts';
import { SecretString } from '../../mail/model/secret.ts';
import { type Call, type Exchange, json, NoReply, type Reply } from '../http/exchange.ts';

/** The function's own identity, for Secret Manager and Firestore. Not a mailbox's token: those are minted per invocation. */
export type Identity = (exchange: Exchange, now: number) => Promise<AccessToken>;

const EARLY_MS = 5 * 60_000; // the metadata server hands out a new token this long before the old one ends

/** Asks the metadata server, and keeps the answer until five minutes before its end; one request is in flight at most. */
export function createIdentity(metadataUrl: string): Identity {
  let kept: AccessToken | null = null;
  let pending: Promise<AccessToken> | null = null;
  return async (exchange, now) => {
    if (kept && kept.expiresAt - EARLY_MS > now) return kept;
    pending ??= fetchIdentity(metadataUrl, exchange, now).finally(() => {
      pending = null;
    });
    kept = await pending;
    return kept;
  };
}

async function fetchIdentity(metadataUrl: string, exchange: Exchange, now: number): Promise<AccessToken> {
  const reply = await exchange(identityCall(metadataUrl)).catch((error: unknown) => {
    throw new MailFailure(
      'google_unavailable',
      `the metadata server did not answer: ${error instanceof NoReply ? error.message : 'error'}`,
    );
  });
  return readIdentity(reply, now);
}

const identityCall = (metadataUrl: string): Call => ({
  method: 'GET',
  url: `${metadataUrl}/computeMetadata/v1/instance/service-accounts/default/token`,
  headers: { 'metadata-flavor': 'Google' },
  timeoutMs: 5_000,
});

/** Throws MailFailure: google_unavailable, identity_refused. */
export function readIdentity(reply: Reply, now: number): AccessToken {
  const body = json(reply) as { access_token?: unknown; expires_in?: unknown } | null;
  if (reply.status === 200 && typeof body?.access_token === 'string')
    return { secret: new SecretString(body.access_token), expiresAt: now + Number(body.expires_in ?? 0) * 1_000 };
  throw new MailFailure(reply.status >= 500 ? 'google_unavailable' : 'identity_refused', `the metadata server answered ${reply.status}`);
}
