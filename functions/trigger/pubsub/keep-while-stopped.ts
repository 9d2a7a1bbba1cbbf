import { MailFailure } from '../../mail/model/failure.ts';
import { keepMessage } from '../../mail/queue/keep-message.ts';
import type { FunctionContext } from '../../runtime/function-context.ts';
import type { Log } from '../../runtime/log.ts';
import { reportRefusal } from '../common/report.ts';
import type { QueueDelivery } from './push-envelope.ts';

/** Keeps a delivery while sending is stopped. Returns the status: 204 acknowledges a message that is durable elsewhere. */
export async function keepWhileStopped(
  delivery: Pick<QueueDelivery, 'message' | 'key' | 'attempt'>,
  context: FunctionContext,
  log: Log,
  facts: () => Readonly<Record<string, string | number | null>>,
): Promise<204 | 503> {
  const ports = context.startInvocation();
  try {
    const acknowledged = await keepMessage(delivery, ports).catch(() => false);
    reportRefusal(log, new MailFailure('stopped', ''), { ...facts(), acknowledged });
    return acknowledged ? 204 : 503;
  } finally {
    ports.close();
  }
}
