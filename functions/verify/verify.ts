import { MailFailure } from '../mail/model/failure.ts';
import type { Hook } from '../mail/model/route.ts';
import type { SecretString } from '../mail/model/secret.ts';
import { readBasic, readBearer } from './bearer.ts';
import { readGitHub, readHmac, readSlack, readStripe } from './hmac.ts';
import type { Proof, ReadProof, Signed } from './scheme.ts';
import { readStandard } from './standard-webhooks.ts';

const SCHEMES: Readonly<Record<Exclude<Hook['verify'], 'google-oidc'>, ReadProof>> = {
  'standard-webhooks': readStandard,
  github: readGitHub,
  slack: readSlack,
  stripe: readStripe,
  hmac: readHmac,
  bearer: readBearer,
  basic: readBasic,
};

/** What a request offers as proof of its origin; null where nothing is offered that could ever be right. Needs no secret. */
export function proofOf(signed: Signed, hook: Hook): Proof | null {
  return hook.verify === 'google-oidc' ? null : SCHEMES[hook.verify](signed, hook);
}

/** True if one of the secrets fits; all of them are tried, whatever the first one says. Throws MailFailure: hook_secret_unusable. */
export async function isProven(proof: Proof, secrets: readonly string[]): Promise<boolean> {
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
