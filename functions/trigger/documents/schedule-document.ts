import type { Outcome } from '../../mail/delivery/outcome.ts';
import type { Ports } from '../../mail/delivery/ports.ts';
import { publishLater } from '../../mail/queue/publish-later.ts';
import { DOCUMENT_ATTRIBUTE, DOCUMENT_EVENT_ATTRIBUTE } from '../../mail/queue/queue-message.ts';

const AGAIN_MS = 10 * 60_000;
const SPREAD_MS = 60_000;

/**
 * Schedules a task that processes the document again when its email may be sent: Eventarc gives up after a day, and a quota
 * may last longer. False if the platform redelivers the event anyway, or if there is no task queue.
 */
export async function scheduleDocument(
  outcome: Outcome,
  name: string,
  eventId: string,
  later: boolean,
  { taskQueue, digest, now }: Ports,
): Promise<boolean> {
  if (!taskQueue || outcome.unrecorded || !(outcome.state === 'parked' || (outcome.state === 'retry' && later))) return false;
  const hash = digest(`${name}\n${eventId}`).slice(0, 40);
  const spread = Math.trunc((Number.parseInt(hash.slice(0, 8), 16) / 2 ** 32) * SPREAD_MS); // spreads the emails that all wait for the same quota reset
  const at = Math.trunc(outcome.state === 'parked' ? outcome.notBefore : now() + AGAIN_MS) + spread;
  const message = { data: '', attributes: { [DOCUMENT_ATTRIBUTE]: name, [DOCUMENT_EVENT_ATTRIBUTE]: eventId } };
  await publishLater(message, at, `document-${hash}-${at}`, taskQueue);
  return true;
}
