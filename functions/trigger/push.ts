import type { ServerResponse } from 'node:http';
import { type Log, traceOf } from '../log.ts';
import type { Caller } from '../mail/config.ts';
import { asFailure, consequence, MailFailure } from '../mail/failure.ts';
import type { Outcome } from '../mail/outcome.ts';
import type { Edge } from '../mail/ports.ts';
import { refuse, send } from '../mail/send.ts';
import type { Handler } from '../serve.ts';
import { contentTypeOf, parseJson, readBody } from './body.ts';
import { isForUs, readDelivery } from './envelope.ts';
import { reportOutcome, reportRefusal } from './report.ts';

/** Whoever may publish on the topic may send from every configured mailbox: that is what the topic's IAM policy decides. */
const PUBLISHER: Caller = { id: 'pubsub', from: null, to: null };

/** Takes Pub/Sub pushes and CloudEvents. The status is the verdict: 204 acknowledges, anything else is delivered again. */
export function pubsubWorker(edge: Edge, log: Log): Handler {
  return async (req, res) => {
    const started = edge.now();
    let attempt: number | null = null;
    const facts = (): Record<string, string | number | null> => ({
      caller: PUBLISHER.id,
      attempt,
      ms: edge.now() - started,
      ...(traceOf(req, edge.project) as Record<string, string>),
    });
    try {
      if (req.method !== 'POST') return end(res, req.method === 'GET' ? 200 : 405);
      if (edge.pushAudience !== null && !isForUs(req.headers.authorization, edge.pushAudience))
        throw new MailFailure('key_invalid', 'the identity token is for another audience');
      const delivery = readDelivery(req.headers, contentTypeOf(req), parseJson(await readBody(req)));
      attempt = delivery.attempt;
      const order = { body: delivery.mail, caller: PUBLISHER, key: delivery.key, retryFailed: false };
      const ports = edge.begin();
      const outcome = await send(order, edge.config, ports)
        .catch((error: unknown) => refuse(order, asFailure(error), ports))
        .finally(ports.close);
      reportOutcome(log, outcome, facts());
      end(res, verdict(outcome));
    } catch (error) {
      const failure = asFailure(error);
      reportRefusal(log, failure, facts());
      end(res, consequence(failure.code).retry === 'never' ? 400 : 503);
    }
  };
}

/** An unknown mail is delivered again as long as Gmail can be asked about it: a redelivery asks, it never sends twice. */
export function verdict(outcome: Outcome): 204 | 429 | 503 {
  if (outcome.unrecorded) return 503; // what happened is not written down: the redelivery asks, and writes it
  switch (outcome.state) {
    case 'sent':
    case 'queued':
    case 'canceled':
    case 'failed':
      return 204;
    case 'unknown':
      return outcome.askable ? 503 : 204;
    case 'retry':
      return 503;
    case 'parked':
      return 429;
  }
}

function end(res: ServerResponse, status: number): void {
  res.writeHead(status).end();
}
