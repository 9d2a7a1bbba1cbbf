import { MailFailure } from '../../mail/model/failure.ts';
import type { HttpReply } from '../http/exchange.ts';
import { callGoogle, type GoogleApi, type GoogleCall, isTransient, refusalDetail } from '../http/google-client.ts';

/** What the clients of Pub/Sub, Cloud Tasks and Cloud Storage need. The exchange retries, so each call may reach Google twice. */
export type QueueApi = Pick<GoogleApi, 'baseUrl' | 'exchange' | 'token'>;

/** One of the three services. Both methods give MailFailure: queue_unavailable, queue_refused. */
export interface QueueService {
  request(call: GoogleCall): Promise<HttpReply>;
  /** A refusal as a failure. A refusal that the set-up causes is not retried. */
  failure(reply: HttpReply): MailFailure;
}

export const queueService = (service: 'Pub/Sub' | 'Cloud Tasks' | 'Cloud Storage', api: QueueApi): QueueService => ({
  request: (call) => callGoogle({ ...api, service, unavailable: 'queue_unavailable' }, call),
  failure: (reply) => new MailFailure(isTransient(reply) ? 'queue_unavailable' : 'queue_refused', refusalDetail(service, reply)),
});
