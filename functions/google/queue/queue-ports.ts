import type { Ports, Queue } from '../../mail/delivery/ports.ts';
import type { Settings } from '../../runtime/settings.ts';
import type { Exchange } from '../http/exchange.ts';
import type { TokenSource } from '../http/google-client.ts';
import type { QueueApi } from './queue-client.ts';

type QueuePorts = Pick<Ports, 'queue' | 'deadLetters' | 'taskQueue' | 'contentStore'>;

/** The ports of the queue, each null where it is not configured; each client is loaded at its first use. */
export function queuePorts({ topic, deadTopic, bucket, tasks, urls }: Settings, exchange: Exchange, token: TokenSource): QueuePorts {
  const at = (baseUrl: string): QueueApi => ({ baseUrl, exchange, token });
  const topicPort = (name: string | null): Queue | null =>
    name === null
      ? null
      : { publish: async (message) => (await import('./pubsub-topic.ts')).createTopic(at(urls.pubsub), name).publish(message) };
  const taskQueue = async (queue: string, account: string) =>
    (await import('./cloud-tasks.ts')).createTaskQueue(at(urls.tasks), queue, { pubsub: urls.pubsub, topic: topic ?? '', account });
  const store = async (name: string) => (await import('./content-bucket.ts')).createContentStore(at(urls.storage), name);
  return {
    queue: topicPort(topic),
    deadLetters: topicPort(deadTopic),
    taskQueue: tasks && {
      schedule: async (...call) => (await taskQueue(tasks.queue, tasks.account)).schedule(...call),
      get: async (name) => (await taskQueue(tasks.queue, tasks.account)).get(name),
      cancel: async (name) => (await taskQueue(tasks.queue, tasks.account)).cancel(name),
    },
    contentStore:
      bucket === null
        ? null
        : {
            put: async (...call) => (await store(bucket)).put(...call),
            get: async (name) => (await store(bucket)).get(name),
            remove: async (name) => (await store(bucket)).remove(name),
          },
  };
}
