import type { Mailbox } from '../../mail/model/config.ts';
import { toFailure } from '../../mail/model/failure.ts';
import type { SecretString } from '../../mail/model/secret.ts';
import { CommandError, PartlyDone } from '../common/refusal.ts';
import type { SecretStore } from '../common/secret-store.ts';

/** What was found after adding a version failed or its answer was lost. */
export type StoredState = { readonly version: number } | 'not stored' | 'not known';

/** Whether the newest version has this payload. */
export async function lookForPayload(store: SecretStore, secret: string, payload: SecretString): Promise<StoredState> {
  try {
    const [newest] = await store.enabled(secret);
    if (newest === undefined) return 'not stored';
    return (await store.read(secret, newest)).reveal() === payload.reveal() ? { version: newest } : 'not stored';
  } catch {
    return 'not known';
  }
}

/**
 * Adds a version, and first the secret if there is none. It reports the state that is found, not how the call failed: after a lost
 * reply the version may be stored. Throws the store's error where it is not, and deletes a secret that it made for it;
 * not_known_stored where nobody can tell.
 */
export async function storeVersion(
  store: SecretStore,
  { secret }: Mailbox,
  payload: SecretString,
  existed: boolean,
): Promise<{ readonly version: number; readonly created: boolean }> {
  const made =
    !existed &&
    (await store.create(secret).catch((error: unknown) => {
      throw error instanceof CommandError ? error : new PartlyDone(error, `It is not known whether the secret ${secret} was made.`);
    }));
  try {
    return { version: await store.add(secret, payload), created: !existed };
  } catch (error) {
    const refused = error instanceof CommandError; // Secret Manager answered
    const kept = refused ? 'not stored' : await lookForPayload(store, secret, payload);
    if (typeof kept === 'object') return { version: kept.version, created: !existed };
    if (kept === 'not known')
      throw new CommandError('not_known_stored', `it is not known whether the grant is in the secret ${secret}`, KEPT);
    const left =
      made &&
      !(await store.removeEmpty(secret).then(
        () => true, // gone, or another operator's version is in it
        () => false,
      ));
    throw left ? new PartlyDone(error, `The secret ${secret} was made, and has no version.`) : error;
  }
}

const KEPT = 'The grant that was given was not revoked at Google: it may be the one that is stored.';

/** Whose grant a payload holds, in lower case; null where it does not say. */
export function ownerOf(text: SecretString): string | null {
  try {
    const { address } = JSON.parse(text.reveal()) as { address?: unknown };
    return typeof address === 'string' ? address.toLowerCase() : null;
  } catch {
    return null;
  }
}

/** Throws CommandError secret_shared where an enabled version holds another mailbox's grant: it would be replaced or ended. */
export async function refuseForeignGrants(store: SecretStore, { secret, address }: Mailbox): Promise<void> {
  for (const version of await store.enabled(secret)) {
    const owner = ownerOf(await store.read(secret, version));
    if (owner !== null && owner !== address)
      throw new CommandError('secret_shared', `version ${version} of the secret ${secret} holds the grant of ${owner}, not of ${address}`);
  }
}

/** Disables a version; where the answer was lost, what is found decides. Throws what the store threw. */
export async function disableVersion(store: SecretStore, secret: string, version: number): Promise<void> {
  await store.disable(secret, version).catch(async (error: unknown) => {
    const enabled = await store.enabled(secret).catch(() => null);
    if (enabled === null) throw new PartlyDone(error, `Whether version ${version} of ${secret} is disabled is not known.`);
    if (enabled.includes(version)) throw error;
  });
}

/** Why it failed, in a few words, and what it changed all the same. */
export function reasonOf(error: unknown): string {
  if (error instanceof PartlyDone) return `${reasonOf(error.error)}. ${error.changed}`;
  return error instanceof CommandError ? error.message : toFailure(error).message;
}
