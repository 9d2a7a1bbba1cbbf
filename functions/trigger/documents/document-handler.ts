import type { Outcome } from '../../mail/delivery/outcome.ts';
import type { Ports, QueueMessage } from '../../mail/delivery/ports.ts';
import { recordRefusal, sendNow } from '../../mail/delivery/send.ts';
import type { SubmissionContext } from '../../mail/delivery/submission.ts';
import { type EmailFields, parseRequest } from '../../mail/message/email.ts';
import { GMAIL_RECIPIENTS_MAX } from '../../mail/message/permissions.ts';
import { prepareFields } from '../../mail/message/prepared-email.ts';
import { documentsCaller } from '../../mail/model/caller.ts';
import type { Caller, DocumentsConfig } from '../../mail/model/config.ts';
import { MailFailure, toFailure } from '../../mail/model/failure.ts';
import { DOCUMENT_ATTRIBUTE, DOCUMENT_EVENT_ATTRIBUTE } from '../../mail/queue/queue-message.ts';
import { redeliveredStep } from '../../mail/queue/retry-policy.ts';
import type { DocumentStore, FunctionContext } from '../../runtime/function-context.ts';
import { type Log, traceOf } from '../../runtime/log.ts';
import type { Handler } from '../../runtime/serve.ts';
import { end, pushStatus, refusalStatus } from '../common/push-status.ts';
import { reportOutcome, reportRefusal } from '../common/report.ts';
import { type Change, claimed, type DeliveryField, endedAs, expired, refusedAs, stepOf } from './delivery-field.ts';
import { isIncomplete, mailInDocument, type RenderNamed } from './document-email.ts';
import { documentIn, isConfigured } from './document-event.ts';
import { scheduleDocument } from './schedule-document.ts';
import { withUsers } from './user-recipients.ts';

/**
 * `POST /documents`: Firestore events of documents in the schema of Firebase's Trigger Email. The event only names the
 * document; the handler reads the document's current state. Status 204 acknowledges; after any other status the event is redelivered.
 */
export function documentEvents(context: FunctionContext & { documents(): DocumentStore }, log: Log): Handler {
  const { documents: config } = context.config;
  if (!config)
    return async (req, res) => {
      req.resume();
      // The deployed trigger has no collection in the config: Eventarc redelivers for a day, and the log must name the cause.
      reportRefusal(log, new MailFailure('path_unknown', ''), { detail: 'the config that was deployed has no documents' });
      end(res, 404);
    };
  const caller = documentsCaller(config);
  return async (req, res) => {
    const started = context.now();
    const facts = (): Record<string, string | number> => ({
      caller: caller.id,
      ms: context.now() - started,
      ...(traceOf(req, context.project) as Record<string, string>),
    });
    req.resume(); // the event's data is not used: it may be stale, and it is protobuf
    try {
      if (req.method !== 'POST') return end(res, 405);
      // The audience is not checked here: Eventarc chooses it, and IAM has verified the token.
      const { name, eventId } = documentIn(req.headers, context.project, config);
      if (context.stopped) return end(res, await keepWhileStopped({ name, eventId, caller, config, later: true }, context, log, facts));
      end(res, await serveDocument({ name, eventId, caller, config }, context, log, facts));
    } catch (error) {
      const failure = toFailure(error);
      reportRefusal(log, failure, facts());
      end(res, refusalStatus(failure));
    }
  };
}

type DocumentContext = FunctionContext & { documents(): DocumentStore };
type Facts = () => Readonly<Record<string, string | number | null>>;

/** Processes the document that a queue message names. Returns the status: 204 acknowledges. */
export async function documentDelivery({ attributes }: QueueMessage, context: DocumentContext, log: Log, facts: Facts): Promise<number> {
  const { documents: config } = context.config;
  const [name = '', eventId = ''] = [attributes[DOCUMENT_ATTRIBUTE], attributes[DOCUMENT_EVENT_ATTRIBUTE]];
  if (!config || eventId === '' || !isConfigured(name, context.project, config))
    throw new MailFailure('request_invalid', 'the message names no document of the configured collection');
  const caller = documentsCaller(config);
  return serveDocument({ name, eventId, caller, config, later: true }, context, log, () => ({ ...facts(), caller: caller.id }));
}

/**
 * While sending is stopped: Eventarc redelivers an event for a day, the task queue for as long as it takes. Returns the status:
 * 204 acknowledges.
 */
async function keepWhileStopped({ name, eventId }: DocumentTask, context: DocumentContext, log: Log, facts: Facts): Promise<204 | 503> {
  const ports = context.startInvocation();
  const failure = new MailFailure('stopped', '');
  const retry: Outcome = { state: 'retry', id: '', failure, notBefore: context.now() };
  const acknowledged = await scheduleDocument(retry, name, eventId, true, ports).finally(ports.close);
  reportRefusal(log, failure, { ...facts(), acknowledged });
  return acknowledged ? 204 : 503;
}

interface DocumentTask {
  readonly name: string;
  readonly eventId: string;
  readonly caller: Caller;
  readonly config: DocumentsConfig;
  /** True if a Cloud Tasks task delivered it instead of Eventarc, which redelivers for one day only. */
  readonly later?: boolean;
}

async function serveDocument(task: DocumentTask, context: DocumentContext, log: Log, facts: Facts): Promise<number> {
  const done = await sendDocument(task, context);
  if (typeof done === 'string') {
    log('INFO', 'document', { outcome: done, ...facts() });
    return done === 'raced' ? 503 : 204;
  }
  reportOutcome(log, done.outcome, facts());
  return pushStatus(done.planned || redeliveredStep(done.outcome, 'document', null, context.now()).verb === 'ack', done.outcome);
}

/** The email's outcome, and whether a task will process the document later; or why no email was sent. `raced`: redeliver. */
async function sendDocument(
  task: DocumentTask,
  context: DocumentContext,
): Promise<{ readonly outcome: Outcome; readonly planned: boolean } | 'gone' | 'ignored' | 'incomplete' | 'expired' | 'raced'> {
  const { name, config } = task;
  const documents = context.documents();
  const found = await documents.read(name);
  if (!found) return 'gone';
  const delivery = deliveryIn(found.fields);
  const ports = context.startInvocation();
  try {
    const step = stepOf(delivery, task.eventId, context.now());
    if (step === 'leave') return 'ignored';
    if (delivery === null && isIncomplete(found.fields)) return 'incomplete';
    if (step === 'expire') return (await documents.write(name, expired(), found.version)) ? 'expired' : 'raced';
    const eventId = step === 'resume' ? String(delivery?.eventId) : task.eventId;
    const claim = claimed(delivery, eventId, context.now(), ports.leaseMs, config.expireDays ?? null);
    if (step === 'begin' && !(await documents.write(name, claim, found.version))) return 'raced';
    const { outcome, request, missing } = await deliver({ ...task, eventId }, found.fields, documents, context, ports);
    const change =
      request === null && outcome.state === 'failed'
        ? refusedAs(delivery, outcome.failure, context.now())
        : endedAs(delivery, outcome, request ?? NOBODY, missing, context.now());
    const planned = await scheduleDocument(outcome, name, eventId, task.later ?? false, ports);
    // Eventarc redelivers a parked document often: only the first time is logged.
    if (planned || outcome.state !== 'parked' || delivery?.error !== change['delivery.error']) await tell(name, eventId, change, documents);
    return { outcome, planned };
  } finally {
    ports.close();
  }
}

/**
 * Writes the outcome into the document if the document still has this delivery. If the app has meanwhile rewritten the
 * document under the same id, it holds another email, which must not be marked as sent.
 */
async function tell(name: string, eventId: string, change: Change, documents: DocumentStore): Promise<void> {
  for (let tries = 0; tries < TELL_TRIES; tries++) {
    const found = await documents.read(name);
    const delivery = found && deliveryIn(found.fields);
    if (!found || delivery?.eventId !== eventId || delivery.state !== 'PROCESSING') return;
    if (await documents.write(name, change, found.version)) return;
  }
  throw new MailFailure('ledger_unavailable', 'the document changes faster than its delivery can be written');
}

const TELL_TRIES = 5;

/** Sends the document's email through the ledger, with the event's id as its key: redeliveries make no second email. */
async function deliver(
  { name, eventId, caller, config }: DocumentTask,
  fields: Readonly<Record<string, unknown>>,
  documents: DocumentStore,
  context: FunctionContext,
  ports: Ports,
): Promise<{ readonly outcome: Outcome; readonly request: EmailFields | null; readonly missing: readonly string[] }> {
  const key = `document:${name}:${eventId}`;
  const asking: SubmissionContext = { caller, key, retryFailed: false, requestHash: context.digest(key) };
  let request: EmailFields | null = null;
  let missing: readonly string[] = [];
  try {
    const [database = ''] = name.split('/documents/', 1);
    const resolved = await withUsers(fields, database, config.users, documents);
    missing = resolved.missing;
    const mail = await mailInDocument(resolved.fields, config, renderedBy(context));
    request = parseRequest(mail, context.config.attachments?.fetchFrom, false, ['from', 'subject'], GMAIL_RECIPIENTS_MAX); // the extension accepts cc or bcc alone
    return {
      outcome: await sendNow(prepareFields(request, mail, caller, context.config, ports), asking, context.config, ports),
      request,
      missing,
    };
  } catch (error) {
    return { outcome: await recordRefusal({ ...asking, body: null }, toFailure(error), ports), request, missing };
  }
}

/** Templates are loaded only if a document names one. */
const renderedBy =
  (context: FunctionContext): RenderNamed =>
  async (name, data) => {
    const [{ compiledRoutes }, { renderTemplate }] = await Promise.all([
      import('../common/compiled-routes.ts'),
      import('../common/render-template.ts'),
    ]);
    return renderTemplate(name, data, await compiledRoutes(context), 'documents', { name: 'template.name', data: 'template.data' });
  };

/** The document's recipients are reported only if the request could be read. */
const NOBODY: EmailFields = {
  from: { name: '', address: '' },
  to: [],
  cc: [],
  bcc: [],
  replyTo: [],
  subject: '',
  html: null,
  text: null,
  headers: [],
  attachments: [],
};

function deliveryIn({ delivery }: Readonly<Record<string, unknown>>): DeliveryField | null {
  return typeof delivery === 'object' && delivery !== null && !Array.isArray(delivery) ? (delivery as DeliveryField) : null;
}
