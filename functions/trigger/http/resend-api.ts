import type { IncomingMessage, ServerResponse } from 'node:http';
import { knownOf } from '../../diagnose/known-failures.ts';
import { accept, acceptPrepared } from '../../mail/accept.ts';
import type { Filled } from '../../mail/batch.ts';
import { cancel, ownMail, reschedule } from '../../mail/change.ts';
import type { Outcome } from '../../mail/delivery/outcome.ts';
import type { Ports } from '../../mail/delivery/ports.ts';
import type { Caller } from '../../mail/model/config.ts';
import { type FailureCode, MailFailure, toFailure } from '../../mail/model/failure.ts';

import type { FunctionContext } from '../../runtime/function-context.ts';
import { type Log, traceOf } from '../../runtime/log.ts';
import type { Handler } from '../../runtime/serve.ts';
import { BODY_TIMEOUT_MS, forgetFiles, readJson } from '../common/body.ts';
import { pathOf } from '../common/paths.ts';
import { reportOutcome, reportRefusal } from '../common/report.ts';
import { authenticate } from './authenticate.ts';
import { answerBatch, readBatch } from './batch-request.ts';
import { recordOf } from './email-record.ts';
import { idempotencyKey } from './idempotency-key.ts';
import { readRawOrder } from './raw-request.ts';
import { errorAnswer, type HttpAnswer, outcomeAnswer } from './resend-answer.ts';
import { type ApiOperation, allowed, operationOf } from './router.ts';

/** The id in the paths `/emails/ID` and `/emails/ID/…`. */
const idIn = (path: string): string => path.split('/')[2]?.toLowerCase() ?? '';

/** One request of an authenticated caller. */
interface Request {
  readonly req: IncomingMessage;
  readonly path: string;
  readonly caller: Caller;
  readonly context: FunctionContext;
  readonly timeoutMs: number;
  /** Logs the outcome of an email. */
  report(outcome: Outcome): void;
}

/** The HTTP API: Resend's sending API, raw messages, the record of emails, and `GET /health`. */
export function resendApi(context: FunctionContext, log: Log, { timeoutMs = BODY_TIMEOUT_MS } = {}): Handler {
  return async (req, res) => {
    const started = context.now();
    const path = pathOf(req.url);
    const facts = (): Record<string, string | number> => ({
      ms: context.now() - started,
      ...(traceOf(req, context.project) as Record<string, string>),
    });
    try {
      const route = operationOf(req.method ?? '', path);
      if (route === 'health') return write(req, res, { status: 200, body: { status: 'ok' } });
      const caller = authenticate(req.headers, context);
      if (context.stopped && SENDING.has(route)) throw new MailFailure('stopped', '', context.now() + STOPPED_RETRY_MS);
      const report = (outcome: Outcome): void => reportOutcome(log, outcome, { caller: caller.id, ...facts() });
      write(req, res, await HANDLERS[route]({ req, path, caller, context, timeoutMs, report }));
    } catch (error) {
      const failure = toFailure(error);
      reportRefusal(log, failure, facts());
      const answer = errorAnswer(failure, context.now());
      write(req, res, failure.code === 'method_unknown' ? { ...answer, headers: { allow: allowed(path) } } : answer);
    }
  };
}

/** Operations that are refused while sending is stopped. Emails that were accepted before can still be read, moved and canceled. */
const SENDING: ReadonlySet<ApiOperation> = new Set(['send', 'batch', 'raw']);
const STOPPED_RETRY_MS = 60_000;

const HANDLERS: Readonly<Record<Exclude<ApiOperation, 'health'>, (request: Request) => Promise<HttpAnswer>>> = {
  async send({ req, caller, context, timeoutMs, report }) {
    const key = idempotencyKey(req);
    const body = await readJson(req, { timeoutMs });
    const sending = async (ports: Ports) =>
      accept({ ...(await filledIn(body, context, ports)), caller, key, retryFailed: true }, context.config, ports);
    const outcome = await within(context, sending).finally(() => forgetFiles(body));
    report(outcome);
    return outcomeAnswer(outcome, context.now());
  },

  async batch({ req, caller, context, timeoutMs, report }) {
    const batch = await readBatch(req, caller, timeoutMs);
    const { sendBatch } = await import('../../mail/batch.ts');
    const ended = await within(context, (ports) => sendBatch(batch, context.config, ports, (body) => filledIn(body, context, ports)));
    for (const { outcome } of ended) if (outcome) report(outcome);
    return answerBatch(ended, batch.permissive, context.now());
  },

  async raw({ req, caller, context, timeoutMs, report }) {
    const { draft, key } = await readRawOrder(req, caller, context, timeoutMs);
    const outcome = await within(context, (ports) => acceptPrepared(draft, { caller, key, retryFailed: true }, context.config, ports));
    report(outcome);
    return outcomeAnswer(outcome, context.now());
  },

  async list({ req, caller, context }) {
    const { listAnswer, readListRequest } = await import('./list-request.ts');
    const find = async (id: string) => (await within(context, (ports) => ownMail(id, caller.id, ports))).entry;
    return { status: 200, body: listAnswer(await context.listEmails(await readListRequest(req.url, caller, find))) };
  },

  async read({ path, caller, context }) {
    const { entry } = await within(context, (ports) => ownMail(idIn(path), caller.id, ports));
    const { catalogue, cause } = entry.code === null ? NOTHING_KNOWN : knownOf(entry.code as FailureCode);
    return { status: 200, body: { ...recordOf(entry), catalogue, cause } };
  },

  async move({ req, path, caller, context, timeoutMs }) {
    const id = idIn(path);
    const body = (await readJson(req, { timeoutMs })) as Record<string, unknown> | null;
    const time = body?.['scheduled_at'] ?? body?.['scheduledAt'];
    if (typeof time !== 'string' || time === '') throw new MailFailure('field_missing', 'Missing `scheduled_at` field.');
    await within(context, async (ports) => reschedule(await ownMail(id, caller.id, ports), time, ports));
    return { status: 200, body: { object: 'email', id } };
  },

  async cancel({ path, caller, context }) {
    const id = idIn(path);
    await within(context, async (ports) => cancel(await ownMail(id, caller.id, ports), ports));
    return { status: 200, body: { object: 'email', id } };
  },

  async restricted() {
    throw new MailFailure(
      'key_restricted',
      'This API key is restricted to only send emails: this server is mailgrant, which serves the sending part of Resend’s API, and no key opens more.',
    );
  },
};

/** Templates are loaded only if a request names one. */
async function filledIn(body: unknown, context: FunctionContext, ports: Ports): Promise<Filled> {
  if (typeof body !== 'object' || body === null || !('template' in body)) return { body };
  const { withTemplate } = await import('./email-template.ts');
  return withTemplate(body, context, ports.taskQueue !== null);
}

/** Runs one invocation with its own ports. */
async function within<T>(context: FunctionContext, run: (ports: Ports) => Promise<T>): Promise<T> {
  const ports = context.startInvocation();
  return run(ports).finally(ports.close);
}

function write(req: IncomingMessage, res: ServerResponse, { status, body, headers }: HttpAnswer): void {
  // An unread body keeps the connection busy, so the connection of a refused upload is closed.
  const unread = !req.complete && req.method !== 'GET' && req.method !== 'HEAD';
  const payload = JSON.stringify(body);
  res.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(payload),
    ...(unread && { connection: 'close' }),
    ...headers,
  });
  res.end(req.method === 'HEAD' ? undefined : payload);
}

const NOTHING_KNOWN = { catalogue: null, cause: null };
