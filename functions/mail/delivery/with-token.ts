import type { Sender } from '../message/sender.ts';
import { toFailure } from '../model/failure.ts';
import type { AccessToken } from '../model/secret.ts';
import type { Ports } from './ports.ts';

export type WithToken = <T>(use: (token: AccessToken) => Promise<T>) => Promise<T>;

/** Runs a call with the mailbox's access token; when Gmail refuses the token, runs the call once more with a new one. */
export function createWithToken(sender: Pick<Sender, 'mailbox'>, ports: Pick<Ports, 'token'>): WithToken {
  return async (use) => {
    const token = await ports.token(sender);
    try {
      return await use(token);
    } catch (error) {
      if (toFailure(error).code !== 'token_refused') throw error;
      return use(await ports.token(sender, token));
    }
  };
}
