import type { ServerResponse } from 'node:http';
import type { Outcome } from '../../mail/delivery/outcome.ts';
import type { Ports, QueueMessage } from '../../mail/delivery/ports.ts';
import { failureInfo, MailFailure, toFailure } from '../../mail/model/failure.ts';
import { deadLetterEmail, detailOf } from '../../mail/queue/dead-letter.ts';
import { KEY_ATTRIBUTE, ROUTE_ATTRIBUTE, withAttributes } from '../../mail/queue/queue-message.ts';
import { nextStep } from '../../mail/queue/retry-policy.ts';
import { handleEvent, routeNamed } from '../../notify/handle-event.ts';
import type { FunctionContext } from '../../runtime/function-context.ts';
import { type Log, traceOf } from '../../runtime/log.ts';
import type { Handler } from '../../runtime/serve.ts';
import { contentTypeOf, readBody } from '../common/body.ts';
import { compiledRoutes } from '../common/compiled-routes.ts';
import { parseJson } from '../common/json.ts';
import { pathOf } from '../common/paths.ts';
import { reportOutcome, reportRefusal } from '../common/report.ts';
import { type EventDelivery, isForUs, readEventDelivery, unreadable } from './push-envelope.ts';

/**
 * `POST /routes/<route>`: handles the messages of the route's subscription. Status 204 acknowledges, also an event that the
 * route ignores; after any other status Pub/Sub redelivers.
 */
export function routeEvents(edge: FunctionContext, log: Log): Handler {
  return async (req, res) => {
    const started = edge.now();
    const name = /^\/routes\/([a-z0-9-]{1,40})$/.exec(pathOf(req.url))?.[1] ?? '';
    let attempt: number | null = null;
    const facts = (): Record<string, string | number | null> => ({
      route: name,
      attempt,
      ms: edge.now() - started,
      ...(traceOf(req, edge.project) as Record<string, string>),
    });
    try {
      if (req.method !== 'POST') return end(res, 405);
      if (edge.pushAudience !== null && !isForUs(req.headers.authorization, edge.pushAudience))
        throw new MailFailure('key_invalid', 'the identity token is for another audience');
      routeNamed(name, await compiledRoutes(edge)); // an unknown route is refused before the body is read
      const delivery = readEventDelivery(req.headers, contentTypeOf(req), parseJson(await readBody(req)));
      attempt = delivery.attempt;
      if (edge.stopped) {
        const { keepWhileStopped } = await import('./keep-while-stopped.ts');
        const message = withAttributes(delivery.message, { [ROUTE_ATTRIBUTE]: name });
        return end(res, await keepWhileStopped({ ...delivery, message }, edge, log, facts));
      }
      end(res, await eventDelivery(name, delivery, edge, log, facts));
    } catch (error) {
      const failure = unreadable(req.headers, toFailure(error));
      // The detail of an invalid envelope is our own text.
      reportRefusal(log, failure, { ...(failure.code === 'request_invalid' && { detail: failure.message }), ...facts() });
      end(res, failure.code === 'path_unknown' ? 404 : failureInfo(failure.code).retry === 'never' ? 400 : 503);
    }
  };
}

type Facts = Readonly<Record<string, string | number | null>>;

/** Handles an event of a route. Returns the status: 204 acknowledges. Throws MailFailure. */
export async function eventDelivery(
  name: string,
  delivery: EventDelivery,
  edge: FunctionContext,
  log: Log,
  facts: () => Facts,
): Promise<number> {
  const compiled = await compiledRoutes(edge);
  const route = routeNamed(name, compiled);
  const { data, attributes, failure, key, message, attempt } = delivery;
  const ports = edge.startInvocation();
  try {
    const happened = { event: { data, attributes }, key, retryFailed: false, ...(failure && { failure }) };
    const taken = await handleEvent(happened, route, compiled, edge.config, ports);
    if (typeof taken === 'string') {
      log('INFO', 'event', { outcome: taken, ...facts() });
      return 204;
    }
    const known = withAttributes(message, { [ROUTE_ATTRIBUTE]: name, [KEY_ATTRIBUTE]: key });
    const status = await concluded(taken, known, attempt, ports);
    reportOutcome(log, taken, { ...facts(), caller: `route:${name}`, acknowledged: status === 204 });
    return status;
  } finally {
    ports.close();
  }
}

/**
 * The status for an event. A failed event becomes a dead letter whatever the reason, because an event has no caller who could fix
 * and repeat it. A waiting email is in the queue, if there is one.
 */
export async function concluded(outcome: Outcome, message: QueueMessage, delivery: number | null, ports: Ports): Promise<204 | 429 | 503> {
  const next = nextStep(outcome, { delivery, attempts: 0, dueForMs: 0, canPostpone: false, jitter: 0 }, ports.now());
  const failed = next.verb === 'ack' && outcome.state === 'failed' ? outcome.failure.code : null;
  const reason = next.verb === 'dead-letter' ? next.reason : failed === 'dropped' ? null : failed; // an operator dropped it on purpose
  if (reason)
    return (await deadLetterEmail(outcome.id, message, reason, ports, outcome.state === 'failed' ? detailOf(outcome.failure) : '').catch(
      () => false,
    ))
      ? 204
      : 503;
  if (next.verb === 'ack') return 204;
  return outcome.state === 'parked' ? 429 : 503;
}

function end(res: ServerResponse, status: number): void {
  res.writeHead(status).end();
}
