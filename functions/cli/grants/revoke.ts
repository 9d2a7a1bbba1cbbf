import { CommandError } from '../common/refusal.ts';
import { confirm } from '../common/terminal.ts';
import type { GrantContext } from './grant-setup.ts';
import { type Revoked, refreshTokenOf, revokeToken } from './revoke-token.ts';

/** A mailbox without a grant; `atGoogle` is null where no refresh token was left to revoke. */
export interface RevokeResult {
  readonly ok: true;
  readonly dryRun: boolean;
  readonly address: string;
  readonly secret: string;
  readonly atGoogle: 'revoked' | 'gone' | null;
  /** Versions that were disabled, or would be. */
  readonly disabled: readonly number[];
}

export interface RevokeOptions {
  readonly yes: boolean;
  readonly dryRun: boolean;
}

/**
 * Ends the mailbox's grant: first at Google, where it ends everything that the account granted to that client, then in
 * Secret Manager. What was ended before is fine. Throws Refused, MailFailure.
 */
export async function revoke(
  { mailbox, operator, store, exchange, terminal }: GrantContext,
  { yes, dryRun }: RevokeOptions,
): Promise<RevokeResult> {
  const { address, secret } = mailbox;
  const versions = await store.enabled(secret);
  const texts = await Promise.all(versions.map((version) => store.read(secret, version)));
  const answer = { ok: true, dryRun, address, secret, disabled: versions } as const;
  if (dryRun || versions.length === 0) return { ...answer, atGoogle: null };
  if (!yes) await confirm(`${address} will not send any more, here or wherever else this OAuth client is used.`, terminal);

  const found: Revoked[] = [];
  for (const { token } of texts.flatMap(refreshTokenOf)) found.push(await revokeToken(operator.settings.urls.revoke, token, exchange));
  if (found.includes('failed')) throw new CommandError('revoke_failed', 'Google did not take the revocation');
  for (const version of versions)
    await store.disable(secret, version).catch(({ message }: Error) => {
      throw new CommandError('versions_left', message, 'The grant is revoked at Google.');
    });
  return { ...answer, atGoogle: found.includes('revoked') ? 'revoked' : found.length > 0 ? 'gone' : null };
}

export function revokeText({ dryRun, address, secret, atGoogle, disabled }: RevokeResult): string {
  const versions = `version${disabled.length === 1 ? '' : 's'} ${disabled.join(', ')} of ${secret}`;
  if (disabled.length === 0) return `${address} has no grant: no version of ${secret} is enabled.`;
  if (dryRun) return `Would be revoked at Google and disabled: ${versions}. Nothing was changed.`;
  const google = {
    revoked: 'The grant is revoked at Google',
    gone: 'Google had ended the grant already',
    none: 'There was no refresh token',
  };
  return `${google[atGoogle ?? 'none']}. Disabled: ${versions}.\nNext: npx mailgrant authorize ${address}, with --client, if it shall send again.`;
}
