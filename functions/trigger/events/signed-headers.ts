import { MailFailure } from '../../mail/model/failure.ts';
import type { Hook } from '../../mail/model/route.ts';
import type { SecretString } from '../../mail/model/secret.ts';
import { standardWebhooks } from '../../verify/schemes/standard-webhooks.ts'; // not the table: the other schemes are not needed here

const STANDARD: Hook = { verify: 'standard-webhooks', secret: '', toleranceSeconds: 300 };

/** A secret's payload: one secret a line; two lines during a rotation. Throws MailFailure: hook_secret_unusable. */
export function signingSecrets(payload: SecretString): string[] {
  const lines = payload
    .reveal()
    .split(/\r?\n/)
    .filter((line) => line !== '');
  if (lines.length === 1 || lines.length === 2) return lines;
  throw new MailFailure(
    'hook_secret_unusable',
    `the payload has ${lines.length} lines; expected one secret, or two, each on a line of its own`,
  );
}

/**
 * The headers of an event, by Standard Webhooks, under its own names and under Svix's, which Resend's clients read. During a
 * rotation there are two secrets, and a signature by each. `now` is milliseconds since the epoch: each try is signed again,
 * because receivers refuse a timestamp that is older than five minutes. Throws MailFailure: hook_secret_unusable.
 */
export async function signedHeaders(secrets: readonly string[], id: string, body: Buffer, now: number): Promise<Record<string, string>> {
  const signed = await Promise.all(
    secrets.map((secret) => standardWebhooks.sign(secret, { body, at: Math.floor(now / 1_000), eventId: id }, STANDARD)),
  );
  const headers = { ...signed[0], 'webhook-signature': signed.map((one) => one['webhook-signature']).join(' ') };
  const svix = Object.entries(headers).map(([name, value]) => [name.replace('webhook-', 'svix-'), value]);
  return { 'content-type': 'application/json', ...headers, ...(Object.fromEntries(svix) as Record<string, string>) };
}
