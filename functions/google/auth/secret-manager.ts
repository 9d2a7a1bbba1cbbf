import { MailFailure } from '../../mail/model/failure.ts';
import type { AccessToken } from '../../mail/model/secret.ts';
import { SecretString } from '../../mail/model/secret.ts';
import { readGoogleError } from '../http/error-body.ts';
import { type Call, type Exchange, json, NoReply, type Reply } from '../http/exchange.ts';

/** Secret Manager over REST, with a small cache in memory that lives as long as the instance. */
export interface Secrets {
  /** Reads the latest version; `stale` names a text that no longer works and must not come from the cache. */
  read(name: string, exchange: Exchange, identity: AccessToken, now: number, stale?: SecretString): Promise<SecretString>;
  /** Adds a version, which is the latest from then on. */
  add(name: string, text: SecretString, exchange: Exchange, identity: AccessToken, now: number): Promise<void>;
}

const KEEP_MS = 5 * 60_000; // a rotated secret is picked up this late at most; sooner when Google refuses the old one
const KEEP_COUNT = 100;

export function createSecrets(baseUrl: string, project: string): Secrets {
  const kept = new Map<string, { text: SecretString; until: number }>();
  const keep = (name: string, text: SecretString, now: number): void => {
    if (kept.size >= KEEP_COUNT) kept.clear();
    kept.set(name, { text, until: now + KEEP_MS });
  };
  const url = (name: string, verb: string): string =>
    `${baseUrl}/v1/projects/${encodeURIComponent(project)}/secrets/${encodeURIComponent(name)}${verb}`;
  const ask = (call: Call, exchange: Exchange): Promise<Reply> =>
    exchange(call).catch((error: unknown) => {
      throw new MailFailure('google_unavailable', `Secret Manager did not answer: ${error instanceof NoReply ? error.message : 'error'}`);
    });
  return {
    async read(name, exchange, identity, now, stale) {
      const known = kept.get(name);
      if (known && known.until > now && known.text !== stale) return known.text;
      const text = readSecretReply(
        await ask({ method: 'GET', url: url(name, '/versions/latest:access'), headers: bearer(identity), timeoutMs: 10_000 }, exchange),
      );
      keep(name, text, now);
      return text;
    },
    async add(name, text, exchange, identity, now) {
      const body = JSON.stringify({ payload: { data: Buffer.from(text.reveal()).toString('base64') } });
      const reply = await ask(
        {
          method: 'POST',
          url: url(name, ':addVersion'),
          headers: { ...bearer(identity), 'content-type': 'application/json' },
          body,
          timeoutMs: 10_000,
          once: true,
        },
        exchange,
      );
      if (reply.status !== 200) throw secretFailure(reply);
      keep(name, text, now);
    },
  };
}

const bearer = (identity: AccessToken): Record<string, string> => ({ authorization: `Bearer ${identity.secret.reveal()}` });

/**
 * Reads the answer of `versions.access`; the payload is base64.
 * Throws MailFailure: grant_missing, grant_unreadable, api_disabled, identity_refused, google_unavailable, unexpected.
 */
export function readSecretReply(reply: Reply): SecretString {
  const data = (json(reply) as { payload?: { data?: unknown } } | null)?.payload?.data;
  if (reply.status === 200 && typeof data === 'string') return new SecretString(Buffer.from(data, 'base64').toString('utf8'));
  throw secretFailure(reply);
}

function secretFailure(reply: Reply): MailFailure {
  const { status, reasons, message } = readGoogleError(json(reply));
  const detail = `Secret Manager answered ${reply.status} ${status}`;
  if (reasons.includes('SERVICE_DISABLED') || /has not been used in project/.test(message)) return new MailFailure('api_disabled', detail);
  if (reply.status === 404) return new MailFailure('grant_missing', detail);
  if (reply.status === 403 || status === 'FAILED_PRECONDITION') return new MailFailure('grant_unreadable', detail); // the latest version is disabled or destroyed
  if (reply.status === 401) return new MailFailure('identity_refused', detail);
  return new MailFailure(reply.status === 429 || reply.status >= 500 ? 'google_unavailable' : 'unexpected', detail);
}
