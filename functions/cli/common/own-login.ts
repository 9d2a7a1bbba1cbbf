import type { TokenSource } from '../../google/http/google-client.ts';
import { MailFailure } from '../../mail/model/failure.ts';
import { SecretString } from '../../mail/model/secret.ts';

const LIFE_MS = 10 * 60_000;

/**
 * Application Default Credentials as a client of Google's own library. A person's credentials name no project for quota, and
 * Google refuses some calls without one: such calls are charged to `project`, unless the credentials name one. Throws
 * MailFailure: identity_refused.
 */
export async function ownLogin(project: string) {
  const { GoogleAuth, UserRefreshClient } = await import('google-auth-library');
  const refused = (): never => {
    throw new MailFailure('identity_refused', 'no Application Default Credentials: run `gcloud auth login --update-adc`');
  };
  // Requested here: without credentials the REST client of Secret Manager ends the process by an unhandled rejection.
  const client = await new GoogleAuth({ scopes: ['https://www.googleapis.com/auth/cloud-platform'] }).getClient().catch(refused);
  if (client instanceof UserRefreshClient) client.quotaProjectId ??= project;
  return client;
}

/** The same as a token source; each token names the project that its calls are charged to, where a person makes them. */
export const ownTokens =
  (project: string): TokenSource =>
  async () => {
    const client = await ownLogin(project);
    const { token } = await client.getAccessToken().catch(() => ({ token: null }));
    if (!token) throw new MailFailure('identity_refused', 'no Application Default Credentials: run `gcloud auth login --update-adc`');
    const { quotaProjectId } = client;
    return { secret: new SecretString(token), expiresAt: Date.now() + LIFE_MS, ...(quotaProjectId && { quotaProject: quotaProjectId }) };
  };
