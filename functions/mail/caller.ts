import type { Caller, Config } from './config.ts';

/**
 * Who asked for a mail that is taken up again later, with what it may do now. Keys count as the config has them today;
 * a platform identity (`pubsub`, or a name with a colon, which no key has) may send from every mailbox. Null for a key
 * that is gone, disabled or expired.
 */
export function callerOf(id: string, { keys }: Pick<Config, 'keys'>, now: number): Caller | null {
  const key = keys.find((one) => one.id === id);
  if (key) return key.disabled === true || (key.expires !== undefined && now >= key.expires) ? null : key;
  return id === PUBSUB || id.includes(':') ? { id, from: null, to: null } : null;
}

/** Whoever may publish on the topic may send from every configured mailbox: that is what the topic's IAM policy decides. */
export const PUBSUB = 'pubsub';

/** True for an API key: its own limits count when it asks, not when the mail goes out. */
export const isKey = (id: string, { keys }: Pick<Config, 'keys'>): boolean => keys.some((one) => one.id === id);
