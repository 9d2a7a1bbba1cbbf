import type { QueueMessage, TaskQueue } from '../delivery/ports.ts';
import { MailFailure } from '../model/failure.ts';

// Cloud Tasks keeps a name for hours or days after its task ran. A repeated name means that our clock is behind.
const AGAIN_MS = 10_000;
const NAMES_MAX = 12;

/**
 * Has a message published at a time (milliseconds since the epoch); resolves only when it is kept. The same name is the same message:
 * one that still waits is enough. One that has run published a message that came before its time by the clock here, or one that is
 * gone: then it is published once more, a little later each time. Throws MailFailure.
 */
export async function publishLater(message: QueueMessage, at: number, name: string, taskQueue: TaskQueue): Promise<void> {
  let taken = name;
  if ((await taskQueue.schedule(message, at, name)) !== 'taken') return;
  for (let again = 0; again < NAMES_MAX; again++) {
    if (await taskQueue.get(taken)) return;
    taken = `${name}-${again + 1}`;
    if ((await taskQueue.schedule(message, at + AGAIN_MS * 2 ** again, taken)) !== 'taken') return;
  }
  throw new MailFailure('queue_unavailable', 'every name of the message is taken, and none of them waits for its time');
}
