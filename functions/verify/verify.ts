import { MailFailure } from '../mail/model/failure.ts';
import type { Hook } from '../mail/model/route.ts';
import type { SecretString } from '../mail/model/secret.ts';
import type { Scheme, Signed, WebhookProof } from './proof/scheme.ts';
import { SCHEMES } from './schemes/table.ts';

/** The scheme that a hook is proven by. */
export function schemeOf({ verify }: Pick<Hook, 'verify'>): Scheme {
  const scheme = Object.hasOwn(SCHEMES, verify) ? SCHEMES[verify] : undefined;
  if (scheme) return scheme;
  throw new MailFailure('unexpected', `there is no webhook scheme "${verify.slice(0, 40)}"`);
}

/** What a request offers as proof of its origin; null where nothing is offered that could ever be right. Needs no secret. */
export const proofOf = (signed: Signed, hook: Hook): WebhookProof | null => schemeOf(hook).read(signed, hook);

/** True if one of the secrets fits; all of them are tried, whatever the first one says. Throws MailFailure: hook_secret_unusable. */
export async function isProven(proof: WebhookProof, secrets: readonly string[]): Promise<boolean> {
  return (await Promise.all(secrets.map((secret) => proof.matches(secret)))).includes(true);
}

const SECRETS_MAX = 2;

/** A secret's payload: one secret a line, two while one is being replaced by the next. Throws MailFailure: hook_secret_unusable. */
export function secretsIn(payload: SecretString): string[] {
  const lines = payload
    .reveal()
    .split(/\r?\n/)
    .filter((line) => line !== '');
  if (lines.length > 0 && lines.length <= SECRETS_MAX) return lines;
  throw new MailFailure(
    'hook_secret_unusable',
    `the payload has ${lines.length} lines; expected one secret, or two, each on a line of its own`,
  );
}

const SECRET_MIN_BYTES = 16;
// What documentation and generators leave where a secret belongs.
const PLACEHOLDER =
  /^<.*>$|change.?me|replace.?(me|this)|placeholder|^(my|your|the)?[-_ ]*(webhook|signing|shared|super)?[-_ ]*(secret|token|password|key)([-_ ]*(here|goes here|value|\d+))?$/i;

/**
 * The secrets that a hook may be proven by. One that can be guessed proves nothing: it is refused as if there were none.
 * Throws MailFailure: hook_secret_unusable.
 */
export function usableSecrets(payload: SecretString, hook: Pick<Hook, 'verify'>): string[] {
  const secrets = secretsIn(payload);
  const core = schemeOf(hook).secret?.core ?? ((secret: string) => secret);
  for (const secret of secrets) {
    const guarded = core(secret);
    if (Buffer.byteLength(guarded) < SECRET_MIN_BYTES)
      throw new MailFailure('hook_secret_unusable', `a secret has fewer than ${SECRET_MIN_BYTES} bytes, and can be guessed`);
    if (PLACEHOLDER.test(guarded.trim()) || new Set(guarded).size < 5)
      throw new MailFailure('hook_secret_unusable', 'a secret is a placeholder, and can be guessed');
  }
  return secrets;
}
