import type { cloudtasks_v2 } from 'googleapis/build/src/apis/cloudtasks/v2.js';
import type { EventTask } from '../../runtime/function-context.ts';
import { type QueueApi, queueService } from '../queue/queue-client.ts';

/** The queue of events for URLs, the account whose token its tasks carry, and the base URL of the worker that they call. */
export interface EventQueue {
  /** As `projects/P/locations/L/queues/Q`. */
  readonly queue: string;
  readonly account: string;
  readonly worker: string;
}

/**
 * Creates a task that calls the worker with an event, again until the worker answers 2xx. The same name is the same task. Throws
 * MailFailure.
 */
export function createEventTasks(api: QueueApi, { queue, account, worker }: EventQueue): (task: EventTask, name: string) => Promise<void> {
  const tasks = queueService('Cloud Tasks', api);
  return async (task, name) => {
    const body: cloudtasks_v2.Schema$CreateTaskRequest = {
      task: {
        name: `${queue}/tasks/${name}`,
        httpRequest: {
          url: `${worker}/events`,
          httpMethod: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: Buffer.from(JSON.stringify(task)).toString('base64'),
          oidcToken: { serviceAccountEmail: account, audience: worker },
        },
      },
    };
    const reply = await tasks.request({ method: 'POST', path: `/v2/${queue}/tasks`, body, timeoutMs: 5_000 });
    if (reply.status !== 200 && reply.status !== 409) throw tasks.failure(reply); // 409: this task exists or existed
  };
}
