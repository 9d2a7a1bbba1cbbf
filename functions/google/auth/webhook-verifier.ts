import { setTimeout as sleep } from 'node:timers/promises';
import { MailFailure, toFailure } from '../../mail/model/failure.ts';
import type { SecretString } from '../../mail/model/secret.ts';

import type { WebhookVerifier } from '../../runtime/function-context.ts';
import type { Settings } from '../../runtime/settings.ts';
import { createExchange, type Exchange } from '../http/exchange.ts';
import type { TokenSource } from '../http/google-client.ts';
import { withRetry } from '../http/retry.ts';
import { createIdTokens } from './id-token.ts';
import { createSecrets } from './secret-manager.ts';

// Anybody can send a wrong signature; not every wrong signature may cause a call of Secret Manager.
const AGAIN_MS = 10_000;

/** What the verification of webhooks needs: their secrets, from Secret Manager, and verified identity tokens of Google. */
export function createWebhookVerifier(
  { urls, project, deadlineMs }: Pick<Settings, 'urls' | 'project' | 'deadlineMs'>,
  token: TokenSource,
  now: () => number = Date.now,
): WebhookVerifier {
  const exchanges = createExchange();
  const exchange = (): Exchange => {
    const deadline = AbortSignal.timeout(deadlineMs);
    return withRetry(exchanges(deadline), (ms) => sleep(ms, undefined, { signal: deadline }), Math.random);
  };
  const secrets = createSecrets(urls.secrets, project, token);
  const idTokens = createIdTokens(urls.certs);
  const reread = new Map<string, number>();
  const read = async (name: string, stale?: SecretString): Promise<SecretString> => {
    return secrets.read(name, exchange(), now(), stale).catch((error: unknown) => {
      const { code, message } = toFailure(error);
      throw code.startsWith('grant_') ? new MailFailure('hook_secret_unusable', `secret ${name}: ${message}`) : error;
    });
  };
  return {
    async secret(name, stale) {
      if (!stale) return read(name);
      if ((reread.get(name) ?? Number.NEGATIVE_INFINITY) + AGAIN_MS > now()) return stale;
      reread.set(name, now());
      return read(name, stale);
    },
    emailIn: (idToken, audience) => idTokens(idToken, audience, exchange(), now()),
  };
}
