import { readCredential } from '../../google/auth/refresh-token-secret.ts';
import { refresh } from '../../google/auth/token-endpoint.ts';
import { CommandError, type CommandErrorReport, commandErrorReport } from '../common/refusal.ts';
import { agrees } from '../common/terminal.ts';
import { type Authorized, authorize, type ConsentOptions } from './authorize.ts';
import type { GrantContext } from './grant-setup.ts';
import type { OAuthClient } from './oauth-client.ts';
import { NOT_ENDED, type Revoked, refreshTokenOf, revokeToken } from './revoke-token.ts';
import { disableVersion, reasonOf, refuseForeignGrants } from './stored-grants.ts';

/** A new grant in place of the old one. */
export interface Rotated extends Authorized {
  /** Versions that were enabled before and are disabled now. */
  readonly disabled: readonly number[];
  /** Google's answer to the revocation of each grant of another client; empty where that was not requested. */
  readonly ended: readonly Revoked[];
}

/**
 * Consents again, stores the new grant, proves it from the store, and only then disables the older versions. The older refresh
 * tokens are not revoked at Google: that would revoke the new one too (docs/decisions/015). With `endOthers`, the grants of
 * another client are revoked: that revokes nothing that is stored here. null asks the person.
 */
export async function rotate(
  setup: GrantContext,
  client: OAuthClient,
  way: ConsentOptions,
  endOthers: boolean | null = null,
): Promise<Rotated | CommandErrorReport> {
  const { mailbox, store } = setup;
  await refuseForeignGrants(store, mailbox);
  const end = endOthers ?? (await askAboutOthers(setup, client));
  const stored = await authorize(setup, client, way);
  if (!stored.ok) return stored;
  const changed = `The new grant is version ${stored.version} of the secret ${stored.secret}.`;
  const fault = await proveLatest(setup, changed);
  if (fault) return commandErrorReport(fault);
  const changes = [changed];
  try {
    const older = (await store.enabled(mailbox.secret)).filter((version) => version < stored.version);
    const ended: Revoked[] = [];
    for (const version of older) {
      // Ended before it is disabled: what goes wrong in between leaves it where the next command finds it.
      if (end) ended.push(...(await endOther(setup, client, version, changes)));
      await disableVersion(store, mailbox.secret, version);
      changes.push(`Disabled: version ${version}.`);
    }
    return { ...stored, disabled: older, ended };
  } catch (error) {
    return commandErrorReport(new CommandError('versions_left', reasonOf(error), changes.join(' ')));
  }
}

/** Ends the grant in a version at Google where it is another client's. Throws CommandError: revoke_failed. */
async function endOther({ mailbox, operator, store, exchange }: GrantContext, client: OAuthClient, version: number, changes: string[]) {
  const ended: Revoked[] = [];
  const others = refreshTokenOf(await store.read(mailbox.secret, version)).filter(({ clientId }) => clientId !== client.id);
  for (const { token } of others) {
    const said = await revokeToken(operator.settings.urls.revoke, token, exchange);
    if (said === 'failed' || said === 'unknown')
      throw new CommandError('revoke_failed', `${NOT_ENDED[said]} version ${version}, which stays enabled`);
    ended.push(said);
    changes.push(`The grant in version ${version} is ended at Google.`);
  }
  return ended;
}

/**
 * A grant of another client stays valid at Google when its version is disabled, and no later `revoke` finds it: so the person is
 * asked before.
 */
async function askAboutOthers({ mailbox, store, terminal }: GrantContext, client: OAuthClient): Promise<boolean> {
  const texts = await Promise.all((await store.enabled(mailbox.secret)).map((version) => store.read(mailbox.secret, version)));
  const others = new Set(texts.flatMap(refreshTokenOf).flatMap(({ clientId }) => (clientId === client.id ? [] : [clientId])));
  if (others.size === 0) return false;
  const consequence = `The stored grant is of another OAuth client (${[...others].join(', ')}) and stays alive at Google when its version is disabled.`;
  if (!terminal.interactive)
    throw new CommandError('option_invalid', `${consequence} Say --end-others to end it, or --keep-others to leave it.`);
  return agrees(`${consequence}\nEnd it at Google once the new one works?`, terminal);
}

/** Mints from the version that functions read. */
async function proveLatest({ mailbox, operator, store, exchange, now }: GrantContext, changed: string): Promise<CommandError | null> {
  try {
    const text = await store.read(mailbox.secret, 'latest');
    await refresh(operator.settings.urls.token, readCredential(text, mailbox.address), exchange, now);
    return null;
  } catch (error) {
    return new CommandError('proof_failed', `the stored version was not proved by an access token: ${reasonOf(error)}`, changed);
  }
}

export function rotatedText({ disabled, ended }: Rotated): string {
  if (disabled.length === 0) return 'No older version was enabled.';
  const list = `Disabled: ${disabled.map((version) => `version ${version}`).join(', ')}.`;
  if (ended.length > 0) return `${list} The grants of other OAuth clients among them are ended at Google.`;
  return `${list} Their refresh tokens stay valid at Google, where revoking one would end the new one too, unless it is of another client (--end-others).`;
}
