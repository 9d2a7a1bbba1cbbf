import { MailFailure, toFailure } from '../../mail/model/failure.ts';
import { publishDeadLetter } from '../../mail/queue/dead-letter.ts';
import { EVENT_ATTRIBUTE } from '../../mail/queue/queue-message.ts';
import type { EventDelivery, EventTask, FunctionContext } from '../../runtime/function-context.ts';
import { type Log, traceOf } from '../../runtime/log.ts';
import type { Handler } from '../../runtime/serve.ts';
import { readBody } from '../common/body.ts';
import { parseJson } from '../common/json.ts';
import { pathOf } from '../common/paths.ts';
import { reportRefusal } from '../common/report.ts';
import { checkAudience } from '../pubsub/push-envelope.ts';
import { signedHeaders, signingSecrets } from './signed-headers.ts';

/** How long an event is offered to its target, with the backoff of the task queue; then it is a dead letter. */
const OFFERED_MS = 24 * 60 * 60_000;

type Worker = FunctionContext & { emailEvents(): Promise<EventDelivery> };

/**
 * `POST /events`: a Cloud Tasks task, whose event is posted to its target. 204 ends the task; after 500 Cloud Tasks repeats it
 * (429 and 503 would slow down the whole queue, for every target). `POST /events/sweep`: hands over events that a crash left in
 * outboxes.
 */
export function eventHandler(context: Worker, log: Log): Handler {
  return async (req, res) => {
    const facts = traceOf(req, context.project);
    try {
      if (req.method !== 'POST') return void res.writeHead(405, { allow: 'POST' }).end();
      checkAudience(req.headers.authorization, context.pushAudience);
      const delivery = await context.emailEvents();
      try {
        if (pathOf(req.url) === '/events/sweep') {
          const swept = await delivery.sweep();
          log(swept.left > 0 ? 'ERROR' : 'INFO', 'event_sweep', { ...swept, ...facts });
          return void res.writeHead(204).end();
        }
        const task = readTask(parseJson(await readBody(req)));
        res.writeHead(await deliver(task, delivery, context, (severity, event, more) => log(severity, event, { ...more, ...facts }))).end();
      } finally {
        delivery.close();
      }
    } catch (error) {
      const failure = toFailure(error);
      reportRefusal(log, failure, facts as Record<string, string>);
      res.writeHead(failure.code === 'event_unreadable' ? 400 : 500).end();
    }
  };
}

/** Posts the event to its target once. */
async function deliver(task: EventTask, delivery: EventDelivery, context: Worker, log: Log): Promise<204 | 500> {
  const { target: name, id, type, email, since } = task;
  const target = context.config.events?.find((one) => one.name === name);
  const said = { id: email, event_id: id, type, target: name };
  if (target?.url === undefined || target.secret === undefined) {
    log('WARNING', 'email_event', { ...said, outcome: 'dropped', status: 'the config has no such URL any more' });
    return 204;
  }
  const body = Buffer.from(task.payload);
  const status = await delivery
    .secret(target.secret)
    .then(async (secret) => delivery.post(target.url as string, await signedHeaders(signingSecrets(secret), id, body, context.now()), body))
    .catch((error: unknown) => toFailure(error).code);
  if (typeof status === 'number' && status >= 200 && status < 300) {
    log('INFO', 'email_event', { ...said, outcome: 'delivered', status });
    return 204;
  }
  if (context.now() - since < OFFERED_MS) {
    log('WARNING', 'email_event', { ...said, outcome: 'retry', status });
    return 500;
  }
  const ports = context.startInvocation();
  try {
    await publishDeadLetter({ data: JSON.stringify(task), attributes: { [EVENT_ATTRIBUTE]: name } }, 'event_undelivered', ports);
  } finally {
    ports.close();
  }
  log('ERROR', 'email_event', { ...said, outcome: 'given_up', status, code: 'event_undelivered' });
  return 204;
}

/** The event in a task's body. Throws MailFailure: event_unreadable. */
export function readTask(value: unknown): EventTask {
  const { target, id, type, email, since, payload } = (value ?? {}) as Partial<Record<keyof EventTask, unknown>>;
  const texts = [target, id, type, email, payload].every((one) => typeof one === 'string' && one !== '');
  if (!texts || typeof since !== 'number') throw new MailFailure('event_unreadable', 'the body is no event of an email');
  return { target, id, type, email, since, payload } as EventTask;
}
