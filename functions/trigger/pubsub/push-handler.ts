import type { IncomingMessage } from 'node:http';
import { PUBLISHER } from '../../mail/model/caller.ts';
import { type MailFailure, toFailure } from '../../mail/model/failure.ts';
import { dataOf } from '../../mail/model/message-data.ts';
import { detailOf, publishDeadLetter } from '../../mail/queue/dead-letter.ts';
import { processMessage } from '../../mail/queue/process-message.ts';
import { DIGEST_ATTRIBUTE, DOCUMENT_ATTRIBUTE, EVENT_ATTRIBUTE, ROUTE_ATTRIBUTE } from '../../mail/queue/queue-message.ts';

import type { DocumentStore, EventDelivery, FunctionContext } from '../../runtime/function-context.ts';
import { type Log, traceOf } from '../../runtime/log.ts';
import type { Handler } from '../../runtime/serve.ts';
import { contentTypeOf, readBody } from '../common/body.ts';
import { parseJson } from '../common/json.ts';
import { end, pushStatus, refusalStatus } from '../common/push-status.ts';
import { reportProcessedMessage, reportRefusal } from '../common/report.ts';
import { checkAudience, type QueueDelivery, readDelivery, replayedEventDelivery, unreadable } from './push-envelope.ts';

/** Handles Pub/Sub pushes and CloudEvents. Status 204 acknowledges; after any other status the platform redelivers. */
export function pubsubWorker(
  context: FunctionContext & { documents(): DocumentStore; emailEvents(): Promise<EventDelivery> },
  log: Log,
): Handler {
  return async (req, res) => {
    const started = context.now();
    let attempt: number | null = null;
    const facts = (): Record<string, string | number | null> => ({
      caller: PUBLISHER.id,
      attempt,
      ms: context.now() - started,
      ...(traceOf(req, context.project) as Record<string, string>),
    });
    try {
      if (req.method !== 'POST') return end(res, req.method === 'GET' ? 200 : 405);
      checkAudience(req.headers.authorization, context.pushAudience);
      const read = await readPush(req);
      if ('failure' in read) {
        reportRefusal(log, read.failure, { detail: read.failure.message, ...facts() }); // the detail describes the envelope and holds no content
        const whole = read.body.length > 0 || read.failure.code === 'too_large'; // an interrupted request is redelivered
        return end(res, whole ? await deadLettered(read.body, read.failure, context) : 400);
      }
      const { mail, key, message, failure: unreadable } = read.delivery;
      attempt = read.delivery.attempt;
      if (context.stopped) {
        const { keepWhileStopped } = await import('./keep-while-stopped.ts');
        return end(res, await keepWhileStopped({ message, key, attempt }, context, log, facts));
      }
      if (message.attributes[DIGEST_ATTRIBUTE] !== undefined) {
        const { digestDelivery } = await import('./digest-message.ts');
        return end(res, await digestDelivery(read.delivery, context, log, facts));
      }
      const route = message.attributes[ROUTE_ATTRIBUTE];
      if (route !== undefined) {
        const { eventDelivery } = await import('./route-events.ts');
        return end(res, await eventDelivery(route, replayedEventDelivery(read.delivery), context, log, () => ({ ...facts(), route })));
      }
      if (message.attributes[DOCUMENT_ATTRIBUTE] !== undefined) {
        const { documentDelivery } = await import('../documents/document-handler.ts');
        return end(res, await documentDelivery(message, context, log, facts));
      }
      if (message.attributes[EVENT_ATTRIBUTE] !== undefined) {
        const { replayedEvent } = await import('./event-message.ts');
        return end(res, await replayedEvent(message, context, log, facts));
      }
      const order = { body: mail, caller: PUBLISHER, key, retryFailed: false };
      const ports = context.startInvocation();
      const done = await processMessage(
        { order, message, delivery: attempt, ...(unreadable && { unreadable }) },
        context.config,
        ports,
      ).finally(ports.close);
      reportProcessedMessage(log, done, facts());
      end(res, pushStatus(done.acknowledged, done.outcome));
    } catch (error) {
      const failure = toFailure(error);
      reportRefusal(log, failure, facts());
      end(res, refusalStatus(failure));
    }
  };
}

type Read = { readonly delivery: QueueDelivery } | { readonly body: Buffer; readonly failure: MailFailure };

/** The delivery; or, if it cannot be read, the bytes for its dead letter. */
async function readPush(req: IncomingMessage): Promise<Read> {
  let body: Buffer = Buffer.alloc(0);
  try {
    body = await readBody(req);
    return { delivery: readDelivery(req.headers, contentTypeOf(req), parseJson(body)) };
  } catch (error) {
    return { body, failure: unreadable(req.headers, toFailure(error)) };
  }
}

/** An unreadable push stays unreadable: it is acknowledged and published as a dead letter if there is a dead-letter topic. */
async function deadLettered(body: Buffer, failure: MailFailure, context: FunctionContext): Promise<204 | 400 | 503> {
  const ports = context.startInvocation();
  try {
    if (!ports.deadLetters) return 400; // the subscription's dead-letter policy moves it after its last delivery
    await publishDeadLetter(dataOf(body.subarray(0, DEAD_LETTER_MAX_BYTES)), failure.code, ports, detailOf(failure));
    return 204;
  } catch {
    return 503;
  } finally {
    ports.close();
  }
}

const DEAD_LETTER_MAX_BYTES = 5_000_000;
