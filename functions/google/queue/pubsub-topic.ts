import type { pubsub_v1 } from 'googleapis/build/src/apis/pubsub/v1.js';
import type { Queue, QueueMessage } from '../../mail/delivery/ports.ts';
import { json } from '../http/exchange.ts';
import { type QueueApi, queueService } from './queue-client.ts';

/** A Pub/Sub topic, as `projects/P/topics/T`. Resolves once Pub/Sub returns the message's id: then the message is durable. */
export function createTopic(api: QueueApi, topic: string): Queue {
  const pubsub = queueService('Pub/Sub', api);
  return {
    async publish(message) {
      const body = publishRequest(message);
      const reply = await pubsub.request({ method: 'POST', path: `/v1/${topic}:publish`, body, timeoutMs: 15_000 });
      const { messageIds } = json<pubsub_v1.Schema$PublishResponse>(reply) ?? {};
      if (reply.status !== 200 || messageIds?.length !== 1) throw pubsub.failure(reply);
    },
  };
}

/** The body of `topics.publish` for one message; an empty `data` is left out. */
export const publishRequest = ({ data, attributes }: QueueMessage): pubsub_v1.Schema$PublishRequest => ({
  messages: [{ ...(data !== '' && { data: Buffer.from(data).toString('base64') }), attributes: { ...attributes } }],
});
