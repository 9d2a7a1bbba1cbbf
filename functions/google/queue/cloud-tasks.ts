import type { QueueMessage, TaskQueue } from '../../mail/delivery/ports.ts';
import { json, type Reply } from '../http/exchange.ts';
import { publishBody } from './pubsub-topic.ts';
import { type QueueApi, queueFailure, queueRequest } from './queue-client.ts';

/** Where a task publishes its message, and whose token it carries. */
export interface Target {
  /** Base URL of Pub/Sub. */
  readonly pubsub: string;
  readonly topic: string;
  readonly account: string;
}

/** A queue of Cloud Tasks, as `projects/P/locations/L/queues/Q`, whose tasks publish on a topic: no function needs to be reached. */
export function createTaskQueue(line: QueueApi, queue: string, target: Target): TaskQueue {
  return {
    async schedule(message, at, name) {
      const body = JSON.stringify({ task: taskOf(`${queue}/tasks/${name}`, message, at, target) });
      return readCreated(await queueRequest(line, { method: 'POST', path: `/v2/${queue}/tasks`, body, timeoutMs: 15_000 }));
    },
    get: async (name) =>
      readTask(await queueRequest(line, { method: 'GET', path: `/v2/${queue}/tasks/${name}?responseView=FULL`, timeoutMs: 15_000 })),
    async cancel(name) {
      const reply = await queueRequest(line, { method: 'DELETE', path: `/v2/${queue}/tasks/${name}`, timeoutMs: 15_000 });
      if (reply.status !== 200 && reply.status !== 404) throw queueFailure('Cloud Tasks', reply);
    },
  };
}

const SCOPE = 'https://www.googleapis.com/auth/pubsub';

/** A task that publishes the message at a time. */
const taskOf = (name: string, message: QueueMessage, at: number, { pubsub, topic, account }: Target) => ({
  name,
  scheduleTime: new Date(at).toISOString(),
  httpRequest: {
    url: `${pubsub}/v1/${topic}:publish`,
    httpMethod: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: Buffer.from(publishBody(message)).toString('base64'),
    oauthToken: { serviceAccountEmail: account, scope: SCOPE },
  },
});

/** Reads the answer to a task's creation. A 409 says "existing, or deleted or executed recently": not which of them. Throws MailFailure. */
function readCreated(reply: Reply): 'created' | 'taken' {
  if (reply.status !== 200 && reply.status !== 409) throw queueFailure('Cloud Tasks', reply);
  return reply.status === 200 ? 'created' : 'taken';
}

/** Reads the message out of a task; null where the task is gone. Throws MailFailure. */
function readTask(reply: Reply): QueueMessage | null {
  if (reply.status === 404) return null;
  const task = json(reply) as { httpRequest?: { body?: unknown } } | null;
  if (reply.status !== 200 || typeof task?.httpRequest?.body !== 'string') throw queueFailure('Cloud Tasks', reply);
  const { messages } = JSON.parse(Buffer.from(task.httpRequest.body, 'base64').toString('utf8')) as {
    messages: { data?: string; attributes: Record<string, string> }[];
  };
  const [{ data = '', attributes } = { attributes: {} }] = messages;
  return { data: Buffer.from(data, 'base64').toString('utf8'), attributes };
}
