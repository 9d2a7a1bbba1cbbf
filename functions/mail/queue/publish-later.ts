import type { QueueMessage, TaskQueue } from '../delivery/ports.ts';
import { MailFailure } from '../model/failure.ts';

// Cloud Tasks keeps a name for hours or days after its task ran. A repeated name means that our clock is behind.
const AGAIN_MS = 10_000;
const NAMES_MAX = 12;

/**
 * Publishes a message at a time (milliseconds since the epoch); resolves only when Cloud Tasks has stored it. The same name is
 * the same message: if a task of that name still waits, nothing is created. If that task has run, its message came before its
 * time by this clock, or is lost: then the message is published once more, under another name and a little later each time.
 * Throws MailFailure.
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
