import type { QueueMessage } from '../../mail/delivery/ports.ts';
import { json, NoReply } from '../http/exchange.ts';
import { type QueueApi, queueFailure, queueRequest } from './queue-client.ts';

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

interface Received {
  readonly ackId: string;
  readonly message?: {
    readonly data?: string;
    readonly attributes?: Record<string, string>;
    readonly messageId?: string;
    readonly publishTime?: string;
  };
}

export function createSubscription({ exchange, ...line }: QueueApi, subscription: string): Subscription {
  const call = async (verb: string, body: object, timeoutMs: number, on: QueueApi['exchange'] = exchange) => {
    const reply = await queueRequest(
      { ...line, exchange: on },
      { method: 'POST', path: `/v1/${subscription}:${verb}`, body: JSON.stringify(body), timeoutMs, maxBytes: REPLY_MAX_BYTES },
    );
    if (reply.status !== 200) throw queueFailure('Pub/Sub', reply);
    return json(reply);
  };
  const ids = (held: readonly PulledMessage[]): string[] => held.map(({ ackId }) => ackId);
  return {
    async pull(max) {
      // An empty subscription answers after a minute or two: who waits for less has no answer, and that is the answer.
      const patient: QueueApi['exchange'] = (one) =>
        exchange(one).catch((error: unknown) => {
          if (error instanceof NoReply && error.left && error.message === 'ETIMEDOUT')
            return { status: 200, headers: {}, body: Buffer.from('{}') };
          throw error;
        });
      const found = (await call('pull', { maxMessages: Math.min(max, AT_ONCE) }, PATIENCE_MS, patient)) as {
        receivedMessages?: Received[];
      } | null;
      return (found?.receivedMessages ?? []).map(({ ackId, message = {} }) => ({
        id: message.messageId ?? '',
        ackId,
        published: message.publishTime ?? '',
        message: { data: Buffer.from(message.data ?? '', 'base64').toString('utf8'), attributes: message.attributes ?? {} },
      }));
    },
    acknowledge: async (held) => void (held.length > 0 && (await call('acknowledge', { ackIds: ids(held) }, 15_000))),
    nack: async (held) => void (held.length > 0 && (await call('modifyAckDeadline', { ackIds: ids(held), ackDeadlineSeconds: 0 }, 15_000))),
  };
}

const AT_ONCE = 10; // each may have ten megabytes
const REPLY_MAX_BYTES = 150_000_000;
const PATIENCE_MS = 5_000;
