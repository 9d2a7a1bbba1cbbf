import { toFailure } from '../../mail/model/failure.ts';
import { KEY_ATTRIBUTE, ROUTE_ATTRIBUTE, withAttributes } from '../../mail/queue/queue-message.ts';
import { settleEvent } from '../../mail/queue/settle-message.ts';
import { handleEvent, routeNamed } from '../../notify/handle-event.ts';
import type { FunctionContext } from '../../runtime/function-context.ts';
import { type Log, traceOf } from '../../runtime/log.ts';
import type { Handler } from '../../runtime/serve.ts';
import { contentTypeOf, readBody } from '../common/body.ts';
import { compiledRoutes } from '../common/compiled-routes.ts';
import { parseJson } from '../common/json.ts';
import { pathOf } from '../common/paths.ts';
import { end, pushStatus, refusalStatus } from '../common/push-status.ts';
import { reportOutcome, reportRefusal } from '../common/report.ts';
import { checkAudience, type PushedEvent, readEventDelivery, unreadable } from './push-envelope.ts';

/**
 * `POST /routes/<route>`: handles the messages of the route's subscription. Status 204 acknowledges, also an event that the
 * route ignores; after any other status Pub/Sub redelivers.
 */
export function routeEvents(context: FunctionContext, log: Log): Handler {
  return async (req, res) => {
    const started = context.now();
    const name = /^\/routes\/([a-z0-9-]{1,40})$/.exec(pathOf(req.url))?.[1] ?? '';
    let attempt: number | null = null;
    const facts = (): Record<string, string | number | null> => ({
      route: name,
      attempt,
      ms: context.now() - started,
      ...(traceOf(req, context.project) as Record<string, string>),
    });
    try {
      if (req.method !== 'POST') return end(res, 405);
      checkAudience(req.headers.authorization, context.pushAudience);
      routeNamed(name, await compiledRoutes(context)); // an unknown route is refused before the body is read
      const delivery = readEventDelivery(req.headers, contentTypeOf(req), parseJson(await readBody(req)));
      attempt = delivery.attempt;
      if (context.stopped) {
        const { keepWhileStopped } = await import('./keep-while-stopped.ts');
        const message = withAttributes(delivery.message, { [ROUTE_ATTRIBUTE]: name });
        return end(res, await keepWhileStopped({ ...delivery, message }, context, log, facts));
      }
      end(res, await eventDelivery(name, delivery, context, log, facts));
    } catch (error) {
      const failure = unreadable(req.headers, toFailure(error));
      // The detail of an invalid envelope is our own text.
      reportRefusal(log, failure, { ...(failure.code === 'request_invalid' && { detail: failure.message }), ...facts() });
      end(res, failure.code === 'path_unknown' ? 404 : refusalStatus(failure));
    }
  };
}

type Facts = Readonly<Record<string, string | number | null>>;

/** Handles an event of a route. Returns the status: 204 acknowledges. Throws MailFailure. */
export async function eventDelivery(
  name: string,
  delivery: PushedEvent,
  context: FunctionContext,
  log: Log,
  facts: () => Facts,
): Promise<number> {
  const compiled = await compiledRoutes(context);
  const route = routeNamed(name, compiled);
  const { data, attributes, failure, key, message, attempt } = delivery;
  const ports = context.startInvocation();
  try {
    const happened = { event: { data, attributes }, key, retryFailed: false, ...(failure && { failure }) };
    const taken = await handleEvent(happened, route, compiled, context.config, ports);
    if (typeof taken === 'string') {
      log('INFO', 'event', { outcome: taken, ...facts() });
      return 204;
    }
    const known = withAttributes(message, { [ROUTE_ATTRIBUTE]: name, [KEY_ATTRIBUTE]: key });
    const acknowledged = await settleEvent(taken, known, attempt, ports);
    reportOutcome(log, taken, { ...facts(), caller: `route:${name}`, acknowledged });
    return pushStatus(acknowledged, taken);
  } finally {
    ports.close();
  }
}
