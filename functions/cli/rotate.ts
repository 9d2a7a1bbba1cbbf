import { readCredential } from '../google/credential.ts';
import { refresh } from '../google/token.ts';
import { asFailure } from '../mail/failure.ts';
import { type Authorized, authorize, type Way } from './authorize.ts';
import type { Setup } from './grant-setup.ts';
import type { OAuthClient } from './oauth-client.ts';
import { type Refusal, Refused, refusalOf } from './refused.ts';

/** A new grant in place of the old one. */
export interface Rotated extends Authorized {
  /** Versions that were enabled before and are disabled now. */
  readonly disabled: readonly number[];
}

/**
 * Consents again, stores the new grant, proves it from the store, and only then disables the older versions. The older
 * refresh tokens are not revoked at Google: that would end the new one with them (docs/decisions/015).
 */
export async function rotate(setup: Setup, client: OAuthClient, way: Way): Promise<Rotated | Refusal> {
  const { mailbox, store } = setup;
  const stored = await authorize(setup, client, way);
  if (!stored.ok) return stored;
  const changed = `The new grant is version ${stored.version} of the secret ${stored.secret}.`;
  const fault = await proveLatest(setup, changed);
  if (fault) return refusalOf(fault);
  try {
    const older = (await store.enabled(mailbox.secret)).filter((version) => version < stored.version);
    for (const version of older) await store.disable(mailbox.secret, version);
    return { ...stored, disabled: older };
  } catch (error) {
    return refusalOf(new Refused('versions_left', reasonOf(error), changed));
  }
}

const reasonOf = (error: unknown): string => (error instanceof Refused ? error.message : asFailure(error).code);

/** Mints from the version that functions read. */
async function proveLatest({ mailbox, operator, store, exchange, now }: Setup, changed: string): Promise<Refused | null> {
  try {
    const text = await store.read(mailbox.secret, 'latest');
    await refresh(operator.settings.urls.token, readCredential(text, mailbox.address), exchange, now);
    return null;
  } catch (error) {
    return new Refused('proof_failed', `the stored version gives no access token: ${reasonOf(error)}`, changed);
  }
}

export const rotatedText = (disabled: readonly number[]): string =>
  disabled.length === 0
    ? 'No older version was enabled.'
    : `Disabled: ${disabled.map((version) => `version ${version}`).join(', ')}. Their refresh tokens stay valid at Google, where revoking one would end the new one too.`;
