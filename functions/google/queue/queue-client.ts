import { MailFailure } from '../../mail/model/failure.ts';

import type { AccessToken } from '../../mail/model/secret.ts';
import { readGoogleError } from '../http/error-body.ts';
import { type Call, type Exchange, json, NoReply, type Reply } from '../http/exchange.ts';

/** What the clients of Pub/Sub, Cloud Tasks and Cloud Storage are made of. */
export interface QueueApi {
  readonly baseUrl: string;
  /** Tries again by itself: all that is said here may reach Google twice. */
  readonly exchange: Exchange;
  identity(): Promise<AccessToken>;
}

/** Makes a call with the function's own identity. Throws MailFailure: queue_unavailable. */
export async function queueRequest(
  { baseUrl, exchange, identity }: QueueApi,
  call: Omit<Call, 'url'> & { readonly path: string },
): Promise<Reply> {
  const { path, headers, ...rest } = call;
  const token = await identity();
  const authorised = { authorization: `Bearer ${token.secret.reveal()}`, 'content-type': 'application/json', ...headers };
  return exchange({ ...rest, url: `${baseUrl}${path}`, headers: authorised }).catch((error: unknown) => {
    throw new MailFailure('queue_unavailable', `the queue did not answer: ${error instanceof NoReply ? error.message : 'error'}`);
  });
}

/** A refusal as a failure: what the set-up is to blame for is never tried again. */
export function queueFailure(service: string, reply: Reply): MailFailure {
  const passing = reply.status === 408 || reply.status === 429 || reply.status >= 500;
  const { status } = readGoogleError(json(reply));
  return new MailFailure(passing ? 'queue_unavailable' : 'queue_refused', `${service} answered ${reply.status} ${status}`.trim());
}
