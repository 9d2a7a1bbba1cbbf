import type { pubsub_v1 } from 'googleapis/build/src/apis/pubsub/v1.js';
import type { QueueMessage } from '../../mail/delivery/ports.ts';
import { dataOf } from '../../mail/model/message-data.ts';
import { json, NoReply } from '../http/exchange.ts';
import { type QueueApi, queueService } from './queue-client.ts';

/** A message that a subscription keeps until it is acknowledged. */
export interface PulledMessage {
  /** Pub/Sub's id of it, the same however often it is looked at. */
  readonly id: string;
  readonly ackId: string;
  readonly published: string;
  readonly message: QueueMessage;
}

/** A subscription that is pulled, as `projects/P/subscriptions/S`. All of it throws MailFailure: queue_unavailable, queue_refused. */
export interface Subscription {
  /** Some of what waits, `max` at most, held for us until the ack deadline; none where nothing waits. */
  pull(max: number): Promise<PulledMessage[]>;
  /** Takes them away for good. */
  acknowledge(held: readonly PulledMessage[]): Promise<void>;
  /** Leaves them to whoever looks next. */
  nack(held: readonly PulledMessage[]): Promise<void>;
}

export function createSubscription({ exchange, ...api }: QueueApi, subscription: string): Subscription {
  const call = async (verb: string, body: object, timeoutMs: number, on: QueueApi['exchange'] = exchange) => {
    const pubsub = queueService('Pub/Sub', { ...api, exchange: on });
    const reply = await pubsub.request({
      method: 'POST',
      path: `/v1/${subscription}:${verb}`,
      body,
      timeoutMs,
      maxBytes: REPLY_MAX_BYTES,
    });
    if (reply.status !== 200) throw pubsub.failure(reply);
    return json<pubsub_v1.Schema$PullResponse>(reply);
  };
  const ids = (held: readonly PulledMessage[]): string[] => held.map(({ ackId }) => ackId);
  return {
    async pull(max) {
      // A subscription that does not answer at once has nothing to give.
      const patient: QueueApi['exchange'] = (one) =>
        exchange(one).catch((error: unknown) => {
          if (error instanceof NoReply && error.left && error.message === 'ETIMEDOUT')
            return { status: 200, headers: {}, body: Buffer.from('{}') };
          throw error;
        });
      // Without returnImmediately a pull that is given up keeps what comes for it later, for a whole lease: nobody would see it.
      const found = await call('pull', { maxMessages: Math.min(max, AT_ONCE), returnImmediately: true }, PATIENCE_MS, patient);
      return (found?.receivedMessages ?? []).map(({ ackId, message = {} }) => ({
        id: message.messageId ?? '',
        ackId: ackId ?? '',
        published: message.publishTime ?? '',
        message: readMessage(message),
      }));
    },
    acknowledge: async (held) => void (held.length > 0 && (await call('acknowledge', { ackIds: ids(held) }, 15_000))),
    nack: async (held) => void (held.length > 0 && (await call('modifyAckDeadline', { ackIds: ids(held), ackDeadlineSeconds: 0 }, 15_000))),
  };
}

/** Data that is no text is kept in base64, which an attribute says. */
function readMessage({ data, attributes }: pubsub_v1.Schema$PubsubMessage): QueueMessage {
  const kept = dataOf(Buffer.from(data ?? '', 'base64'));
  return { data: kept.data, attributes: { ...attributes, ...kept.attributes } };
}

const AT_ONCE = 10; // each may have ten megabytes
const REPLY_MAX_BYTES = 150_000_000;
const PATIENCE_MS = 5_000;
