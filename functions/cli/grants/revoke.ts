import type { SecretString } from '../../mail/model/secret.ts';
import { CommandError, PartlyDone } from '../common/refusal.ts';
import type { SecretStore } from '../common/secret-store.ts';
import { confirm } from '../common/terminal.ts';
import type { GrantContext } from './grant-setup.ts';
import { NOT_ENDED, type Revoked, refreshTokenOf, revokeToken } from './revoke-token.ts';
import { disableVersion, ownerOf, reasonOf, refuseForeignGrants } from './stored-grants.ts';

/** A mailbox without a grant; `atGoogle` is null where no refresh token was left to revoke. */
export interface RevokeResult {
  readonly ok: true;
  readonly dryRun: boolean;
  readonly address: string;
  readonly secret: string;
  readonly atGoogle: 'revoked' | 'gone' | null;
  /** Versions that were disabled, or would be. */
  readonly disabled: readonly number[];
  /** Versions that were disabled before and were not read: a grant of another OAuth client in them may still be valid. */
  readonly unseen: readonly number[];
}

export interface RevokeOptions {
  readonly yes: boolean;
  readonly dryRun: boolean;
  /** Reads disabled versions too: each is enabled while it is read. */
  readonly all: boolean;
}

/**
 * Ends the mailbox's grant: first at Google, which revokes everything that the account granted to that client, then in Secret
 * Manager. A grant that was ended before is no error. Throws CommandError, MailFailure.
 */
export async function revoke(setup: GrantContext, { yes, dryRun, all }: RevokeOptions): Promise<RevokeResult> {
  const { mailbox, operator, store, exchange, terminal } = setup;
  const { address, secret } = mailbox;
  await refuseForeignGrants(store, mailbox);
  const versions = await store.enabled(secret);
  const off = await store.disabled(secret);
  const answer = { ok: true, dryRun, address, secret, disabled: versions, unseen: all ? [] : off } as const;
  if (dryRun || versions.length + (all ? off.length : 0) === 0) return { ...answer, atGoogle: null };
  if (!yes) await confirm(`${address} will not send any more, here or wherever else this OAuth client is used.`, terminal);

  setup.interrupt?.throwIfAborted(); // from here on it is finished
  const changes: string[] = [];
  try {
    const found: Revoked[] = [];
    const end = async (version: number, text: SecretString): Promise<void> => {
      for (const { token } of refreshTokenOf(text)) {
        const said = await revokeToken(operator.settings.urls.revoke, token, exchange);
        if (said === 'failed') throw new CommandError('revoke_failed', `${NOT_ENDED.failed} version ${version}`);
        if (said === 'unknown')
          throw new CommandError('revoke_failed', `${NOT_ENDED.unknown} version ${version}`, 'No version was disabled.');
        found.push(said);
        changes.push(`The grant in version ${version} is ended at Google.`);
      }
    };
    // All are read before one is ended: who may not read them ends nothing.
    const texts = new Map<number, SecretString>();
    for (const version of versions) texts.set(version, await store.read(secret, version));
    if (all) for (const version of off) await readDisabled(store, secret, version, (text) => texts.set(version, text));
    for (const [version, text] of texts) if ((ownerOf(text) ?? address) === address) await end(version, text);
    for (const version of versions) {
      await disableVersion(store, secret, version).catch((error: unknown) => {
        throw new CommandError('versions_left', reasonOf(error));
      });
      changes.push(`Disabled: version ${version}.`);
    }
    return { ...answer, atGoogle: found.includes('revoked') ? 'revoked' : found.length > 0 ? 'gone' : null };
  } catch (error) {
    throw changes.length === 0 ? error : new PartlyDone(error, changes.join(' '));
  }
}

/**
 * A disabled version cannot be read, so it is enabled for that moment. It may then be `latest`, which the functions read: so this
 * is quick, one version at a time.
 */
async function readDisabled(store: SecretStore, secret: string, version: number, take: (text: SecretString) => void): Promise<void> {
  const failures: unknown[] = [];
  await store
    .enable(secret, version)
    .then(async () => take(await store.read(secret, version)))
    .catch((error: unknown) => failures.push(error));
  await disableVersion(store, secret, version).catch((error: unknown) => {
    const why = failures[0] ?? (error instanceof PartlyDone ? error.error : error);
    throw new PartlyDone(why, `Version ${version} may be enabled: gcloud secrets versions disable ${version} --secret=${secret}.`);
  });
  if (failures.length > 0) throw failures[0];
}

export function revokeText({ dryRun, address, secret, atGoogle, disabled, unseen }: RevokeResult): string {
  const rest =
    unseen.length === 0
      ? ''
      : `\nDisabled before, and not looked into: version${unseen.length === 1 ? '' : 's'} ${unseen.join(', ')}. A grant of another OAuth client in them may still live at Google: npx mailgrant revoke ${address} --all ends it.`;
  const versions = `version${disabled.length === 1 ? '' : 's'} ${disabled.join(', ')} of ${secret}`;
  if (disabled.length === 0 && atGoogle === null) return `${address} has no grant: no version of ${secret} is enabled.${rest}`;
  if (dryRun) return `Would be revoked at Google and disabled: ${versions}. Nothing was changed.${rest}`;
  const google = {
    revoked: 'The grant is revoked at Google',
    gone: 'Google had ended the grant already',
    none: 'There was no refresh token',
  };
  const done = disabled.length === 0 ? '' : ` Disabled: ${versions}.`;
  return `${google[atGoogle ?? 'none']}.${done}${rest}\nNext: npx mailgrant authorize ${address}, with --client, to let it send again.`;
}
