import type { pubsub_v1 } from 'googleapis/build/src/apis/pubsub/v1.js';
import type { QueueMessage } from '../../mail/delivery/ports.ts';
import { MailFailure } from '../../mail/model/failure.ts';
import { dataOf } from '../../mail/model/message-data.ts';
import { type Answered, answered, callOptions } from '../common/google-clients.ts';
import type { Operator } from '../common/operator.ts';

/** A pulled message: the subscription keeps it until it is acknowledged. */
export interface PulledMessage {
  /** Pub/Sub's message id, the same on every pull. */
  readonly id: string;
  readonly ackId: string;
  readonly published: string;
  readonly message: QueueMessage;
}

/** A pull subscription. All methods throw MailFailure: queue_unavailable, queue_refused. */
export interface DeadLetterSubscription {
  /** Pulls at most `max` messages and holds them until the ack deadline. */
  pull(max: number): Promise<PulledMessage[]>;
  /** Deletes them. */
  acknowledge(held: readonly PulledMessage[]): Promise<void>;
  /** Returns them, so that the next pull gets them. */
  nack(held: readonly PulledMessage[]): Promise<void>;
}

/** The subscription of that name, `projects/P/subscriptions/S`, with the operator's credentials. */
export function createSubscription(operator: Operator, subscription: string): DeadLetterSubscription {
  const open = async () => {
    const { pubsub_v1 } = await import('googleapis/build/src/apis/pubsub/v1.js');
    return new pubsub_v1.Pubsub({}).projects.subscriptions;
  };
  let opened: ReturnType<typeof open> | null = null;
  const subscriptions = (): ReturnType<typeof open> => {
    opened ??= open();
    return opened;
  };
  // Never retried: a second pull would hold other messages than the first, whose reply was lost.
  const options = (timeout: number) => callOptions(operator, operator.settings.urls.pubsub, false, timeout);
  const dataIn = <T>(reply: Answered<T> | null): T => {
    if (!reply) throw new MailFailure('queue_unavailable', 'Pub/Sub did not answer');
    if (reply.data) return reply.data;
    const passes = reply.status === 408 || reply.status === 429 || reply.status >= 500;
    throw new MailFailure(passes ? 'queue_unavailable' : 'queue_refused', `Pub/Sub answered ${reply.status}`);
  };
  const ackIds = (held: readonly PulledMessage[]): string[] => held.map(({ ackId }) => ackId);
  return {
    async pull(max) {
      // Without returnImmediately, an aborted pull holds messages that arrive later for a whole ack deadline.
      const requestBody = { maxMessages: Math.min(max, AT_ONCE), returnImmediately: true };
      const { receivedMessages = [] } = dataIn(
        await answered((await subscriptions()).pull({ subscription, requestBody }, await options(30_000))),
      );
      return receivedMessages.map(({ ackId, message = {} }) => ({
        id: message.messageId ?? '',
        ackId: ackId ?? '',
        published: message.publishTime ?? '',
        message: readMessage(message),
      }));
    },
    async acknowledge(held) {
      if (held.length === 0) return;
      dataIn(
        await answered((await subscriptions()).acknowledge({ subscription, requestBody: { ackIds: ackIds(held) } }, await options(15_000))),
      );
    },
    async nack(held) {
      if (held.length === 0) return;
      const requestBody = { ackIds: ackIds(held), ackDeadlineSeconds: 0 };
      dataIn(await answered((await subscriptions()).modifyAckDeadline({ subscription, requestBody }, await options(15_000))));
    },
  };
}

/** Data that is not text stays base64; an attribute says so. */
function readMessage({ data, attributes }: pubsub_v1.Schema$PubsubMessage): QueueMessage {
  const kept = dataOf(Buffer.from(data ?? '', 'base64'));
  return { data: kept.data, attributes: { ...attributes, ...kept.attributes } };
}

const AT_ONCE = 10; // each may have ten megabytes
