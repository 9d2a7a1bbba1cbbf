import type { Hook } from '../mail/model/route.ts';
import { schemeOf } from './verify.ts';

/**
 * The headers that a vendor would send with this body, for trying a route. `now` is milliseconds since the epoch. Throws
 * MailFailure: hook_secret_unusable.
 */
export const signAs = (hook: Hook, secret: string, body: Buffer, now: number, eventId: string): Promise<Record<string, string>> =>
  schemeOf(hook).sign(secret, { body, at: Math.floor(now / 1_000), eventId }, hook);
