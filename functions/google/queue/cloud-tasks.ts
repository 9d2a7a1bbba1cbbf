import type { cloudtasks_v2 } from 'googleapis/build/src/apis/cloudtasks/v2.js';
import type { pubsub_v1 } from 'googleapis/build/src/apis/pubsub/v1.js';
import type { QueueMessage, TaskQueue } from '../../mail/delivery/ports.ts';
import { json } from '../http/exchange.ts';
import { publishRequest } from './pubsub-topic.ts';
import { type QueueApi, queueService } from './queue-client.ts';

/** Where a task publishes its message, and the account whose token it carries. */
export interface TaskTarget {
  /** Base URL of Pub/Sub. */
  readonly pubsub: string;
  readonly topic: string;
  readonly account: string;
}

/**
 * A queue of Cloud Tasks, as `projects/P/locations/L/queues/Q`. Its tasks publish on a topic, so they need to reach no function.
 */
export function createTaskQueue(api: QueueApi, queue: string, target: TaskTarget): TaskQueue {
  const tasks = queueService('Cloud Tasks', api);
  const pathOf = (name: string): string => `/v2/${queue}/tasks/${name}`;
  return {
    async schedule(message, at, name) {
      const body: cloudtasks_v2.Schema$CreateTaskRequest = { task: taskOf(`${queue}/tasks/${name}`, message, at, target) };
      const reply = await tasks.request({ method: 'POST', path: `/v2/${queue}/tasks`, body, timeoutMs: 15_000 });
      if (reply.status === 409) return 'taken'; // "existing, or deleted or executed recently": Google does not say which
      if (reply.status !== 200) throw tasks.failure(reply);
      return 'created';
    },
    async get(name) {
      const reply = await tasks.request({ method: 'GET', path: `${pathOf(name)}?responseView=FULL`, timeoutMs: 15_000 });
      if (reply.status === 404) return null;
      const content = json<cloudtasks_v2.Schema$Task>(reply)?.httpRequest?.body;
      if (reply.status !== 200 || typeof content !== 'string') throw tasks.failure(reply);
      return messageIn(content);
    },
    async cancel(name) {
      const reply = await tasks.request({ method: 'DELETE', path: pathOf(name), timeoutMs: 15_000 });
      if (reply.status !== 200 && reply.status !== 404) throw tasks.failure(reply);
    },
  };
}

const SCOPE = 'https://www.googleapis.com/auth/pubsub';

/** A task that publishes the message at a time. */
const taskOf = (name: string, message: QueueMessage, at: number, { pubsub, topic, account }: TaskTarget): cloudtasks_v2.Schema$Task => ({
  name,
  scheduleTime: new Date(at).toISOString(),
  httpRequest: {
    url: `${pubsub}/v1/${topic}:publish`,
    httpMethod: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: Buffer.from(JSON.stringify(publishRequest(message))).toString('base64'),
    oauthToken: { serviceAccountEmail: account, scope: SCOPE },
  },
});

/** Reads the message from a task's body, which is `publishRequest` in base64. */
function messageIn(content: string): QueueMessage {
  const { messages } = JSON.parse(Buffer.from(content, 'base64').toString('utf8')) as pubsub_v1.Schema$PublishRequest;
  const { data, attributes } = messages?.[0] ?? {};
  return { data: Buffer.from(data ?? '', 'base64').toString('utf8'), attributes: attributes ?? {} };
}
