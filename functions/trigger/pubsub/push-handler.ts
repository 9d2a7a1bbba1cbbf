import type { IncomingMessage, ServerResponse } from 'node:http';
import { PUBLISHER } from '../../mail/model/caller.ts';
import { failureInfo, MailFailure, toFailure } from '../../mail/model/failure.ts';
import { dataOf } from '../../mail/model/message-data.ts';
import { detailOf, publishDeadLetter } from '../../mail/queue/dead-letter.ts';
import { type ProcessedMessage, processMessage } from '../../mail/queue/process-message.ts';
import { DIGEST_ATTRIBUTE, DOCUMENT_ATTRIBUTE, ROUTE_ATTRIBUTE } from '../../mail/queue/queue-message.ts';

import type { DocumentStore, FunctionContext } from '../../runtime/function-context.ts';
import { type Log, traceOf } from '../../runtime/log.ts';
import type { Handler } from '../../runtime/serve.ts';
import { contentTypeOf, readBody } from '../common/body.ts';
import { parseJson } from '../common/json.ts';
import { reportProcessedMessage, reportRefusal } from '../common/report.ts';
import { type Delivery, eventAgain, isForUs, readDelivery, unreadable } from './push-envelope.ts';

/** Takes Pub/Sub pushes and CloudEvents. The status is the verdict: 204 acknowledges, anything else is delivered again. */
export function pubsubWorker(edge: FunctionContext & { documents(): DocumentStore }, log: Log): Handler {
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
      const read = await readPush(req);
      if ('failure' in read) {
        reportRefusal(log, read.failure, { detail: read.failure.message, ...facts() }); // of the envelope: nothing of its content is in the words
        const whole = read.body.length > 0 || read.failure.code === 'too_large'; // what broke off comes again
        return end(res, whole ? await deadLettered(read.body, read.failure, edge) : 400);
      }
      const { mail, key, message } = read.delivery;
      attempt = read.delivery.attempt;
      if (message.attributes[DIGEST_ATTRIBUTE] !== undefined) {
        const { digestDelivery } = await import('./digest-message.ts');
        return end(res, await digestDelivery(read.delivery, edge, log, facts));
      }
      const route = message.attributes[ROUTE_ATTRIBUTE];
      if (route !== undefined) {
        const { eventDelivery } = await import('./route-events.ts');
        return end(res, await eventDelivery(route, eventAgain(read.delivery), edge, log, () => ({ ...facts(), route })));
      }
      if (message.attributes[DOCUMENT_ATTRIBUTE] !== undefined) {
        const { documentDelivery } = await import('../documents/document-handler.ts');
        return end(res, await documentDelivery(message, edge, log, facts));
      }
      const order = { body: mail, caller: PUBLISHER, key, retryFailed: false };
      const ports = edge.startInvocation();
      const done = await processMessage({ order, message, delivery: attempt }, edge.config, ports).finally(ports.close);
      reportProcessedMessage(log, done, facts());
      end(res, statusOf(done));
    } catch (error) {
      const failure = toFailure(error);
      reportRefusal(log, failure, facts());
      end(res, failureInfo(failure.code).retry === 'never' ? 400 : 503);
    }
  };
}

type Read = { readonly delivery: Delivery } | { readonly body: Buffer; readonly failure: MailFailure };

/** What was delivered; or, where no mail can be read out of it, as much of it as can be buried. */
async function readPush(req: IncomingMessage): Promise<Read> {
  let body: Buffer = Buffer.alloc(0);
  try {
    body = await readBody(req);
    return { delivery: readDelivery(req.headers, contentTypeOf(req), parseJson(body)) };
  } catch (error) {
    return { body, failure: unreadable(req.headers, toFailure(error)) };
  }
}

/** A push that nobody can read never will be: it is acknowledged where there is a place for it. */
async function deadLettered(body: Buffer, failure: MailFailure, edge: FunctionContext): Promise<204 | 400 | 503> {
  const ports = edge.startInvocation();
  try {
    if (!ports.deadLetters) return 400; // the subscription's own dead-letter policy has it after its last delivery
    await publishDeadLetter(dataOf(body.subarray(0, REMAINS_MAX_BYTES)), failure.code, ports, detailOf(failure));
    return 204;
  } catch {
    return 503;
  } finally {
    ports.close();
  }
}

const REMAINS_MAX_BYTES = 5_000_000;

/** The verdict in the words of a push: 204 acknowledges, anything else is delivered again. */
export const statusOf = ({ acknowledged, outcome }: ProcessedMessage): 204 | 429 | 503 =>
  acknowledged ? 204 : outcome?.state === 'parked' ? 429 : 503;

function end(res: ServerResponse, status: number): void {
  res.writeHead(status).end();
}
