import { MailFailure } from '../mail/failure.ts';
import { Hidden } from '../mail/hidden.ts';
import type { AccessToken } from '../mail/ports.ts';
import { type Call, type Exchange, json, NoReply, type Reply } from './call.ts';
import { readGoogleError } from './error-body.ts';

/** Reads the latest version of a secret; `stale` names a text that no longer works and must not come from the cache. */
export type ReadSecret = (name: string, exchange: Exchange, identity: AccessToken, now: number, stale?: Hidden) => Promise<Hidden>;

const KEEP_MS = 5 * 60_000; // a rotated secret is picked up this late at most; sooner when Google refuses the old one
const KEEP_COUNT = 100;

/** Secret Manager over REST, with a small cache in memory that lives as long as the instance. */
export function createSecrets(baseUrl: string, project: string): ReadSecret {
  const kept = new Map<string, { text: Hidden; until: number }>();
  return async (name, exchange, identity, now, stale) => {
    const known = kept.get(name);
    if (known && known.until > now && known.text !== stale) return known.text;
    const reply = await exchange(accessCall(baseUrl, project, name, identity)).catch((error: unknown) => {
      throw new MailFailure('google_unavailable', `Secret Manager did not answer: ${error instanceof NoReply ? error.message : 'error'}`);
    });
    const text = readSecretReply(reply);
    if (kept.size >= KEEP_COUNT) kept.clear();
    kept.set(name, { text, until: now + KEEP_MS });
    return text;
  };
}

const accessCall = (baseUrl: string, project: string, name: string, identity: AccessToken): Call => ({
  method: 'GET',
  url: `${baseUrl}/v1/projects/${encodeURIComponent(project)}/secrets/${encodeURIComponent(name)}/versions/latest:access`,
  headers: { authorization: `Bearer ${identity.secret.reveal()}` },
  timeoutMs: 10_000,
});

/**
 * Reads the answer of `versions.access`; the payload is base64.
 * Throws MailFailure: grant_missing, grant_unreadable, api_disabled, identity_refused, google_unavailable, unexpected.
 */
export function readSecretReply(reply: Reply): Hidden {
  const body = json(reply);
  const data = (body as { payload?: { data?: unknown } } | null)?.payload?.data;
  if (reply.status === 200 && typeof data === 'string') return new Hidden(Buffer.from(data, 'base64').toString('utf8'));
  const { status, reasons, message } = readGoogleError(body);
  const detail = `Secret Manager answered ${reply.status} ${status}`;
  if (reasons.includes('SERVICE_DISABLED') || /has not been used in project/.test(message)) throw new MailFailure('api_disabled', detail);
  if (reply.status === 404) throw new MailFailure('grant_missing', detail);
  if (reply.status === 403 || status === 'FAILED_PRECONDITION') throw new MailFailure('grant_unreadable', detail); // the latest version is disabled or destroyed
  if (reply.status === 401) throw new MailFailure('identity_refused', detail);
  if (reply.status === 429 || reply.status >= 500) throw new MailFailure('google_unavailable', detail);
  throw new MailFailure('unexpected', detail);
}
