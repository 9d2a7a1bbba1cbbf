import { MailFailure } from '../mail/model/failure.ts';
import type { Hook } from '../mail/model/route.ts';
import type { SecretString } from '../mail/model/secret.ts';
import type { Scheme, Signed, WebhookProof } from './proof/scheme.ts';
import { SCHEMES } from './schemes/table.ts';

/** The verification scheme of a hook. */
export function schemeOf({ verify }: Pick<Hook, 'verify'>): Scheme {
  const scheme = Object.hasOwn(SCHEMES, verify) ? SCHEMES[verify] : undefined;
  if (scheme) return scheme;
  throw new MailFailure('unexpected', `there is no webhook scheme "${verify.slice(0, 40)}"`);
}

/** A request's proof of its origin; null where the request offers nothing that could match. Needs no secret. */
export const proofOf = (signed: Signed, hook: Hook): WebhookProof | null => schemeOf(hook).read(signed, hook);

/** True if one of the secrets matches; all of them are tried. Throws MailFailure: hook_secret_unusable. */
export async function isProven(proof: WebhookProof, secrets: readonly string[]): Promise<boolean> {
  return (await Promise.all(secrets.map((secret) => proof.matches(secret)))).includes(true);
}

const SECRETS_MAX = 2;

/** A secret's payload: one secret a line; two lines during a rotation. Throws MailFailure: hook_secret_unusable. */
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
// Placeholders that documentation and generators leave where a secret belongs.
const PLACEHOLDER =
  /^<.*>$|change.?me|replace.?(me|this)|placeholder|^(my|your|the)?[-_ ]*(webhook|signing|shared|super)?[-_ ]*(secret|token|password|key)([-_ ]*(here|goes here|value|\d+))?$/i;

/**
 * The secrets of a hook. A secret that can be guessed proves nothing, so it is refused. Throws MailFailure: hook_secret_unusable.
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
