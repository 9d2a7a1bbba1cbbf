import { failureInfo, MailFailure, toFailure } from '../../mail/model/failure.ts';
import { publishDeadLetter } from '../../mail/queue/dead-letter.ts';
import { DIGEST_ATTRIBUTE } from '../../mail/queue/queue-message.ts';
import { settleEvent } from '../../mail/queue/settle-message.ts';
import { readDigest, routeThatWas, sendDigest } from '../../notify/digest.ts';
import type { FunctionContext } from '../../runtime/function-context.ts';
import type { Log } from '../../runtime/log.ts';
import { compiledRoutes } from '../common/compiled-routes.ts';
import { pushStatus } from '../common/push-status.ts';
import { reportOutcome, reportRefusal } from '../common/report.ts';
import type { QueueDelivery } from './push-envelope.ts';

const NAME = /^[a-z0-9-]{1,40}$/;

type Facts = Readonly<Record<string, string | number | null>>;

/** Sends the digest that a queue message names. Returns the status: 204 acknowledges. */
export async function digestDelivery(
  { message, attempt }: QueueDelivery,
  context: FunctionContext,
  log: Log,
  facts: () => Facts,
): Promise<number> {
  const route = String(message.attributes[DIGEST_ATTRIBUTE]);
  const ports = context.startInvocation();
  try {
    const compiled = await compiledRoutes(context);
    const { window, sample } = readDigest(message);
    const now = Object.hasOwn(compiled.routes, route) ? compiled.routes[route] : undefined;
    const known = now ?? routeThatWas(route, sample);
    if (!known) throw new MailFailure('path_unknown', 'the deployed config has no such route, and the digest names no recipients');
    // A removed route is no longer a known caller, so the worker would refuse its queue message: its last digest is sent directly.
    const [config, used] = now
      ? [context.config, ports]
      : [
          { ...context.config, delivery: 'direct' as const },
          { ...ports, queue: null },
        ];
    const outcome = await sendDigest(window, sample, known, compiled, config, used);
    if (!outcome) {
      log('INFO', 'event', { outcome: 'no_digest', ...facts(), route });
      return 204;
    }
    const acknowledged = await settleEvent(outcome, message, attempt, ports);
    reportOutcome(log, outcome, { ...facts(), caller: `route:${route}`, route, digest: true, acknowledged });
    return pushStatus(acknowledged, outcome);
  } catch (error) {
    const failure = toFailure(error);
    reportRefusal(log, failure, { ...facts(), ...(NAME.test(route) && { route }) }); // any other value comes from a publisher and is not logged
    if (failureInfo(failure.code).retry !== 'never') return 503;
    return await publishDeadLetter(message, failure.code, ports, failure.message).then(
      () => (ports.deadLetters ? 204 : 400),
      () => 503,
    );
  } finally {
    ports.close();
  }
}
