import type { secretmanager_v1 } from 'googleapis/build/src/apis/secretmanager/v1.js';
import { MailFailure } from '../../mail/model/failure.ts';
import { SecretString } from '../../mail/model/secret.ts';
import { readGoogleError } from '../http/error-body.ts';
import { type Exchange, type HttpReply, json } from '../http/exchange.ts';
import { callGoogle, type GoogleCall, isApiDisabled, isTransient, refusalDetail, type TokenSource } from '../http/google-client.ts';

/**
 * Secret Manager, with a small cache in memory that lives as long as the instance. Every method throws MailFailure, see
 * `secretFailure`.
 */
export interface Secrets {
  /** The latest version, at most five minutes old; `stale` is a text that no longer works and must not come from the cache. */
  read(name: string, exchange: Exchange, now: number, stale?: SecretString): Promise<SecretString>;
  /** The latest version from Secret Manager; the cache is not changed. */
  latest(name: string, exchange: Exchange): Promise<SecretString>;
  /** Puts a text into the cache. */
  keep(name: string, text: SecretString, now: number): void;
  /** Adds a version, which is the latest from then on. */
  add(name: string, text: SecretString, exchange: Exchange): Promise<void>;
}

const KEEP_MS = 5 * 60_000; // a rotated secret is used at most this much later; sooner when Google refuses the old one
const KEEP_COUNT = 100;

/** The secrets of a project, read with the function's own access token. */
export function createSecrets(baseUrl: string, project: string, token: TokenSource): Secrets {
  const kept = new Map<string, { text: SecretString; until: number }>();
  const keep: Secrets['keep'] = (name, text, now) => {
    if (kept.size >= KEEP_COUNT) kept.clear();
    kept.set(name, { text, until: now + KEEP_MS });
  };
  const pathOf = (name: string): string => `/v1/projects/${encodeURIComponent(project)}/secrets/${encodeURIComponent(name)}`;
  const call = (exchange: Exchange, request: Omit<GoogleCall, 'timeoutMs'>): Promise<HttpReply> =>
    callGoogle(
      { service: 'Secret Manager', baseUrl, exchange, token, unavailable: 'google_unavailable' },
      { ...request, timeoutMs: 10_000 },
    );
  const latest: Secrets['latest'] = async (name, exchange) =>
    readSecretReply(await call(exchange, { method: 'GET', path: `${pathOf(name)}/versions/latest:access` }));
  return {
    latest,
    keep,
    async read(name, exchange, now, stale) {
      const known = kept.get(name);
      if (known && known.until > now && known.text !== stale) return known.text;
      const text = await latest(name, exchange);
      keep(name, text, now);
      return text;
    },
    async add(name, text, exchange) {
      const body: secretmanager_v1.Schema$AddSecretVersionRequest = {
        payload: { data: Buffer.from(text.reveal()).toString('base64') },
      };
      const reply = await call(exchange, { method: 'POST', path: `${pathOf(name)}:addVersion`, body });
      if (reply.status !== 200) throw secretFailure(reply);
    },
  };
}

/** Reads the answer of `versions.access`; the payload is base64. Throws MailFailure, see `secretFailure`. */
export function readSecretReply(reply: HttpReply): SecretString {
  const data = json<secretmanager_v1.Schema$AccessSecretVersionResponse>(reply)?.payload?.data;
  if (reply.status === 200 && typeof data === 'string') return new SecretString(Buffer.from(data, 'base64').toString('utf8'));
  throw secretFailure(reply);
}

/** grant_missing, grant_unreadable, api_disabled, google_unavailable, unexpected. */
function secretFailure(reply: HttpReply): MailFailure {
  const detail = refusalDetail('Secret Manager', reply);
  const { status } = readGoogleError(json(reply));
  if (isApiDisabled(reply)) return new MailFailure('api_disabled', detail);
  if (reply.status === 404) return new MailFailure('grant_missing', detail);
  if (reply.status === 403 || status === 'FAILED_PRECONDITION') return new MailFailure('grant_unreadable', detail); // the latest version is disabled or destroyed
  return new MailFailure(isTransient(reply) ? 'google_unavailable' : 'unexpected', detail);
}
