import { MailFailure } from '../../mail/model/failure.ts';
import type { HttpReply } from '../http/exchange.ts';
import { callGoogle, type GoogleApi, type GoogleCall, isTransient, refusalDetail } from '../http/google-client.ts';

/** What the clients of Pub/Sub, Cloud Tasks and Cloud Storage are made of. The exchange tries again: each call may reach Google twice. */
export type QueueApi = Pick<GoogleApi, 'baseUrl' | 'exchange' | 'token'>;

/** One of the three services; both throw or are MailFailure: queue_unavailable, queue_refused. */
export interface QueueService {
  request(call: GoogleCall): Promise<HttpReply>;
  /** A refusal as a failure: what the set-up is to blame for is never tried again. */
  failure(reply: HttpReply): MailFailure;
}

export const queueService = (service: 'Pub/Sub' | 'Cloud Tasks' | 'Cloud Storage', api: QueueApi): QueueService => ({
  request: (call) => callGoogle({ ...api, service, unavailable: 'queue_unavailable' }, call),
  failure: (reply) => new MailFailure(isTransient(reply) ? 'queue_unavailable' : 'queue_refused', refusalDetail(service, reply)),
});
