import type { Hook } from '../mail/model/route.ts';
import { schemeOf } from './verify.ts';

/**
 * The headers by which a vendor would prove this body, for trying a route out. `now` is milliseconds since the epoch.
 * Throws MailFailure: hook_secret_unusable.
 */
export const signAs = (hook: Hook, secret: string, body: Buffer, now: number, eventId: string): Promise<Record<string, string>> =>
  schemeOf(hook).sign(secret, { body, at: Math.floor(now / 1_000), eventId }, hook);
