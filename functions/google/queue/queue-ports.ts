import type { Ports, Queue } from '../../mail/delivery/ports.ts';
import type { AccessToken } from '../../mail/model/secret.ts';
import type { Settings } from '../../runtime/settings.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Line } from './queue-client.ts';

type QueuePorts = Pick<Ports, 'queue' | 'graveyard' | 'timetable' | 'store'>;

/** The ports of the queue, each null where it is not configured; a client is loaded when it is used first. */
export function queuePorts(
  { topic, deadTopic, bucket, tasks, urls }: Settings,
  exchange: Exchange,
  identity: () => Promise<AccessToken>,
): QueuePorts {
  const line = (baseUrl: string): Line => ({ baseUrl, exchange, identity });
  const topicPort = (name: string | null): Queue | null =>
    name === null
      ? null
      : { publish: async (message) => (await import('./pubsub-topic.ts')).createTopic(line(urls.pubsub), name).publish(message) };
  const timetable = async (queue: string, account: string) =>
    (await import('./cloud-tasks.ts')).createTimetable(line(urls.tasks), queue, { pubsub: urls.pubsub, topic: topic ?? '', account });
  const store = async (name: string) => (await import('./content-bucket.ts')).createStore(line(urls.storage), name);
  return {
    queue: topicPort(topic),
    graveyard: topicPort(deadTopic),
    timetable: tasks && {
      publishAt: async (...call) => (await timetable(tasks.queue, tasks.account)).publishAt(...call),
      peek: async (name) => (await timetable(tasks.queue, tasks.account)).peek(name),
      withdraw: async (name) => (await timetable(tasks.queue, tasks.account)).withdraw(name),
    },
    store:
      bucket === null
        ? null
        : {
            put: async (...call) => (await store(bucket)).put(...call),
            get: async (name) => (await store(bucket)).get(name),
            remove: async (name) => (await store(bucket)).remove(name),
          },
  };
}
