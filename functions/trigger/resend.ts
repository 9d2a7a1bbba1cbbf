import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Log, traceOf } from '../log.ts';
import { asFailure, MailFailure } from '../mail/failure.ts';
import type { Edge } from '../mail/ports.ts';
import { send } from '../mail/send.ts';
import type { Handler } from '../serve.ts';
import { parseJson, readBody } from './body.ts';
import { authenticate } from './keys.ts';
import { reportOutcome, reportRefusal } from './report.ts';
import { type Answer, errorAnswer } from './resend-error.ts';

const KEY_MAX = 256;
// Resend's other resources: a key that may only send is told so, an unknown path is not found.
const RESOURCES = /^\/(emails|domains|api-keys|audiences|broadcasts|contacts|segments|templates|topics|webhooks|logs)(\/|$)/;

/** The HTTP API: the core of Resend's `POST /emails`, and `GET /health`. */
export function resendApi(edge: Edge, log: Log): Handler {
  return async (req, res) => {
    const started = edge.now();
    const facts = (): Record<string, string | number> => ({
      ms: edge.now() - started,
      ...(traceOf(req, edge.project) as Record<string, string>),
    });
    try {
      write(req, res, await route(req, edge, log, facts));
    } catch (error) {
      const failure = asFailure(error);
      reportRefusal(log, failure, facts());
      write(req, res, errorAnswer(failure, edge.now()));
    }
  };
}

async function route(req: IncomingMessage, edge: Edge, log: Log, facts: () => Record<string, string | number>): Promise<Answer> {
  const path = (req.url ?? '/').split('?', 1)[0]?.replace(/\/{2,}/g, '/') ?? '/';
  if (path === '/health') return { status: 200, body: { status: 'ok' } };
  if (path !== '/emails') {
    if (!RESOURCES.test(path)) throw new MailFailure('path_unknown', 'The requested endpoint does not exist.');
    authenticate(req.headers.authorization, edge.config.keys, edge.digest);
    throw new MailFailure('key_restricted', 'This API key is restricted to only send emails.');
  }
  if (req.method !== 'POST' && req.method !== 'GET') throw new MailFailure('method_unknown', `This endpoint does not take ${req.method}.`);
  const caller = authenticate(req.headers.authorization, edge.config.keys, edge.digest);
  if (req.method === 'GET') throw new MailFailure('key_restricted', 'This API key is restricted to only send emails.');
  const key = idempotencyKey(req);
  const order = { body: parseJson(await readBody(req)), caller, key, retryFailed: true };
  const ports = edge.begin();
  const outcome = await send(order, edge.config, ports).finally(ports.close);
  reportOutcome(log, outcome, { caller: caller.id, ...facts() });
  if (outcome.state === 'sent') return { status: 200, body: { id: outcome.id } };
  return errorAnswer(outcome.failure, edge.now(), outcome.id, 'notBefore' in outcome ? outcome.notBefore : undefined);
}

function idempotencyKey({ headers }: IncomingMessage): string | null {
  const key = headers['idempotency-key'];
  if (key === undefined) return null;
  if (typeof key === 'string' && key.length > 0 && key.length <= KEY_MAX) return key;
  throw new MailFailure('idempotency_key_invalid', 'The idempotency key must have 1 to 256 characters.');
}

function write(req: IncomingMessage, res: ServerResponse, { status, body, headers }: Answer): void {
  // A body that nobody will read keeps the connection busy: a refused upload is cut off instead.
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
