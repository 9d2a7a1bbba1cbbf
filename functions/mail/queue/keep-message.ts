import type { Ports, QueueMessage } from '../delivery/ports.ts';
import { publishDeadLetter } from './dead-letter.ts';
import { publishLater } from './publish-later.ts';
import { emailIdOf, KEY_ATTRIBUTE, withAttributes } from './queue-message.ts';
import { BACKOFF_MIN_MS, DELIVERIES_MAX, IMMEDIATE_RETRIES, JITTER_MAX_MS } from './retry-policy.ts';
import { postponeUnread } from './settle-message.ts';

// Cloud Tasks documents 100 KB a task in its reference, and base64 grows by a third.
const TASK_MAX_BYTES = 50_000;

/**
 * Keeps a message that no worker may process while sending is stopped. True: the message is durable elsewhere, and is
 * acknowledged. At first the subscription delivers it again; before its deliveries are used up the message is postponed, and
 * comes back as the same email, event, digest or document. A message that is too large for a task becomes a dead letter with the
 * reason `stopped`, at its last delivery.
 */
export async function keepMessage(
  { message: given, key, attempt }: { readonly message: QueueMessage; readonly key: string; readonly attempt: number | null },
  ports: Ports,
): Promise<boolean> {
  if (attempt === null || attempt <= IMMEDIATE_RETRIES) return false;
  const id = emailIdOf(given);
  const message = withAttributes(given, { [KEY_ATTRIBUTE]: key });
  const postponed = await (id === null ? postponeAsItIs(message, key, ports) : postponeUnread(id, message, ports)).catch(() => false);
  if (postponed) return true;
  if (attempt < DELIVERIES_MAX || !ports.deadLetters) return false;
  return publishDeadLetter(message, 'stopped', ports);
}

async function postponeAsItIs(message: QueueMessage, key: string, { taskQueue, now, digest }: Ports): Promise<boolean> {
  if (!taskQueue || Buffer.byteLength(JSON.stringify(message)) > TASK_MAX_BYTES) return false;
  const hash = digest(key).slice(0, 40);
  const spread = (Number.parseInt(hash.slice(0, 8), 16) / 2 ** 32) * JITTER_MAX_MS;
  const at = Math.trunc(now() + BACKOFF_MIN_MS + spread);
  await publishLater(message, at, `kept-${hash}-${at}`, taskQueue);
  return true;
}
