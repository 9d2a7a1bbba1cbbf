import { toFailure } from '../../mail/model/failure.ts';
import { SecretString } from '../../mail/model/secret.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Secrets } from './secret-manager.ts';

/**
 * Stores the refresh token that Google issued in place of the one in `text`. For null (no new token), stores an earlier one whose
 * storing failed. Never throws.
 */
export type WriteBack = (
  secret: string,
  text: SecretString,
  refreshToken: SecretString | null,
  exchange: Exchange,
  now: number,
) => Promise<void>;

/** `base` is the version that the new text was minted from. */
interface Unstored {
  readonly base: SecretString;
  readonly text: SecretString;
}

/**
 * The new token is used from memory at once. It becomes a version of the secret only if the latest version is still the one that
 * it was minted from: if an operator has rotated the grant meanwhile, the operator's version stays. `notice` reports what could
 * not be stored.
 */
export function createWriteBack(secrets: Secrets, notice: (event: 'grant_not_written_back', code: string) => void): WriteBack {
  const unstored = new Map<string, Unstored>();

  const store = async (secret: string, { base, text }: Unstored, exchange: Exchange, now: number): Promise<void> => {
    const latest = await secrets.latest(secret, exchange);
    if (latest.reveal() === base.reveal()) await secrets.add(secret, text, exchange);
    else if (latest.reveal() !== text.reveal()) {
      secrets.keep(secret, latest, now);
      notice('grant_not_written_back', 'grant_rotated');
    }
    unstored.delete(secret);
  };

  return async (secret, text, refreshToken, exchange, now) => {
    const before = unstored.get(secret);
    if (refreshToken) {
      const payload = { ...(JSON.parse(text.reveal()) as object), refresh_token: refreshToken.reveal() };
      const base = before?.text.reveal() === text.reveal() ? before.base : text;
      unstored.set(secret, { base, text: new SecretString(JSON.stringify(payload)) });
    }
    const pending = unstored.get(secret);
    if (!pending) return;
    secrets.keep(secret, pending.text, now);
    await store(secret, pending, exchange, now).catch((error: unknown) => notice('grant_not_written_back', toFailure(error).code));
  };
}
