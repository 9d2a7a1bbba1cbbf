import type { AuthClient } from 'google-auth-library';
import { MailFailure } from '../../mail/model/failure.ts';
import { googleUrls } from '../../runtime/google-urls.ts';
import type { Operator } from './operator.ts';
import { ownLogin } from './own-login.ts';

/** Options of each call of Google's generated clients. */
export interface CallOptions {
  readonly auth: AuthClient;
  readonly rootUrl: string;
  readonly retry: boolean;
  readonly timeout: number;
  readonly redirect: 'manual';
}

/**
 * Options for one call as the operator. Only reads are retried: by default Google's clients retry GET, PUT and DELETE, and follow
 * a 308, which is then a second upload.
 */
export const callOptions = async (operator: Operator, baseUrl: string, retry: boolean, timeout = 15_000): Promise<CallOptions> => ({
  auth: await loginOf(operator),
  rootUrl: `${baseUrl}/`,
  retry,
  timeout,
  redirect: 'manual',
});

export interface Answered<T> {
  readonly status: number;
  /** Null for a refusal. */
  readonly data: T | null;
}

/**
 * Google's answer, which may be a refusal; null where there is no answer. Of an error only the status is kept, because the error
 * may hold a token.
 */
export const answered = <T>(call: Promise<{ readonly status: number; readonly data: T }>): Promise<Answered<T> | null> =>
  call.then(
    ({ status, data }) => ({ status, data }),
    (error: unknown) => {
      const { status, response } = error as { readonly status?: unknown; readonly response?: { readonly status?: unknown } };
      const known = Number(response?.status ?? status);
      if (error instanceof MailFailure) throw error;
      return Number.isInteger(known) ? { status: known, data: null } : null;
    },
  );

const logins = new WeakMap<Operator, Promise<AuthClient>>();

/**
 * The operator's identity, as a client of Google's library. Each call carries the quota project of a person's own login
 * (`x-goog-user-project`): most APIs refuse such a login without one. Throws MailFailure: identity_refused.
 */
export function loginOf(operator: Operator): Promise<AuthClient> {
  const known = logins.get(operator) ?? login(operator);
  logins.set(operator, known);
  return known;
}

async function login({ settings, identity }: Operator): Promise<AuthClient> {
  const { OAuth2Client } = await import('google-auth-library');
  if (settings.urls.secrets === googleUrls('').secrets) return ownLogin(settings.project);
  const client = new OAuth2Client();
  const { secret, quotaProject } = await identity();
  client.setCredentials({ access_token: secret.reveal() });
  if (quotaProject !== undefined) client.quotaProjectId = quotaProject;
  return client;
}
