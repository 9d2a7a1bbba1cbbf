import type { pubsub_v1 } from 'googleapis/build/src/apis/pubsub/v1.js';
import type { QueueMessage } from '../../mail/delivery/ports.ts';
import { MailFailure } from '../../mail/model/failure.ts';
import { dataOf } from '../../mail/model/message-data.ts';
import { type Answered, answered, callOptions } from '../common/google-clients.ts';
import type { Operator } from '../common/operator.ts';

/** A message that a subscription keeps until it is acknowledged. */
export interface PulledMessage {
  /** Pub/Sub's id of it, the same however often it is looked at. */
  readonly id: string;
  readonly ackId: string;
  readonly published: string;
  readonly message: QueueMessage;
}

/** A subscription that is pulled. All of it throws MailFailure: queue_unavailable, queue_refused. */
export interface Subscription {
  /** Some of what waits, `max` at most, held for us until the ack deadline; none where nothing waits. */
  pull(max: number): Promise<PulledMessage[]>;
  /** Takes them away for good. */
  acknowledge(held: readonly PulledMessage[]): Promise<void>;
  /** Leaves them to whoever looks next. */
  nack(held: readonly PulledMessage[]): Promise<void>;
}

/** The subscription of that name, `projects/P/subscriptions/S`, as the operator. */
export function createSubscription(operator: Operator, subscription: string): Subscription {
  const open = async () => {
    const { pubsub_v1 } = await import('googleapis/build/src/apis/pubsub/v1.js');
    return new pubsub_v1.Pubsub({}).projects.subscriptions;
  };
  let opened: ReturnType<typeof open> | null = null;
  const subscriptions = (): ReturnType<typeof open> => {
    opened ??= open();
    return opened;
  };
  // Nothing is tried again: a second pull would hold other messages than the first, whose answer was lost.
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
      // Without returnImmediately a pull that is given up keeps what comes for it later, for a whole lease: nobody would see it.
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

/** Data that is no text is kept in base64, which an attribute says. */
function readMessage({ data, attributes }: pubsub_v1.Schema$PubsubMessage): QueueMessage {
  const kept = dataOf(Buffer.from(data ?? '', 'base64'));
  return { data: kept.data, attributes: { ...attributes, ...kept.attributes } };
}

const AT_ONCE = 10; // each may have ten megabytes
