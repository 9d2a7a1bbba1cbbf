import type { Queue, QueueMessage } from '../../mail/delivery/ports.ts';
import { json, type Reply } from '../http/exchange.ts';
import { type QueueApi, queueFailure, queueRequest } from './queue-client.ts';

/** A topic of Pub/Sub, as `projects/P/topics/T`. Resolves once Pub/Sub answers with the message's id: then it is durable. */
export function createTopic(line: QueueApi, topic: string): Queue {
  return {
    async publish(message) {
      const body = publishBody(message);
      readPublished(await queueRequest(line, { method: 'POST', path: `/v1/${topic}:publish`, body, timeoutMs: 15_000 }));
    },
  };
}

/** The body of `topics.publish` for one message; an empty `data` is left out. */
export const publishBody = ({ data, attributes }: QueueMessage): string =>
  JSON.stringify({ messages: [{ ...(data !== '' && { data: Buffer.from(data).toString('base64') }), attributes }] });

/** Reads a `PublishResponse`. Throws MailFailure: queue_unavailable, queue_refused. */
function readPublished(reply: Reply): void {
  const { messageIds } = (json(reply) ?? {}) as { messageIds?: unknown };
  if (reply.status !== 200 || !Array.isArray(messageIds) || messageIds.length !== 1) throw queueFailure('Pub/Sub', reply);
}
