import type { QueueMessage } from '../../mail/delivery/ports.ts';
import { toFailure } from '../../mail/model/failure.ts';
import type { EventDelivery, EventTask } from '../../runtime/function-context.ts';
import type { Log } from '../../runtime/log.ts';
import { reportRefusal } from '../common/report.ts';

/** A replayed dead letter of an event: its delivery begins again. Returns the status, as for an email. */
export async function replayedEvent(
  { data }: QueueMessage,
  context: { emailEvents(): Promise<EventDelivery> },
  log: Log,
  facts: () => Record<string, string | number | null>,
): Promise<204 | 503> {
  const delivery = await context.emailEvents();
  try {
    return (await delivery.again(JSON.parse(data) as EventTask)) ? 204 : 503;
  } catch (error) {
    reportRefusal(log, toFailure(error), facts());
    return 503;
  } finally {
    delivery.close();
  }
}
