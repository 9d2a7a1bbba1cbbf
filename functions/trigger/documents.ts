import type { ServerResponse } from 'node:http';
import { type Log, traceOf } from '../log.ts';
import { documentsCaller } from '../mail/caller.ts';
import type { Caller, DocumentsConfig } from '../mail/config.ts';
import { draftRequest } from '../mail/draft.ts';
import { asFailure, consequence, MailFailure } from '../mail/failure.ts';
import type { Outcome } from '../mail/outcome.ts';
import type { Documents, Edge, Ports } from '../mail/ports.ts';
import { parseRequest, type SendRequest } from '../mail/request.ts';
import { type Asking, dispatch, refuse } from '../mail/send.ts';
import type { Handler } from '../serve.ts';
import { claimed, type Delivery, endedAs, expired, refusedAs, stepOf, verdict } from './document-delivery.ts';
import { documentIn } from './document-event.ts';
import { mailInDocument, type RenderNamed } from './document-mail.ts';
import { withUsers } from './document-users.ts';
import { isForUs } from './envelope.ts';
import { reportOutcome, reportRefusal } from './report.ts';

/**
 * `POST /documents`: Firestore's events of documents in the schema of Firebase's Trigger Email. An event only says which
 * document was written; what counts is the document as it is now. The status is the verdict, as for every push.
 */
export function documentEvents(edge: Edge & { documents(): Documents }, log: Log): Handler {
  const { documents: config } = edge.config;
  if (!config)
    return async (req, res) => {
      req.resume();
      end(res, 404); // a trigger whose collection is not in the config
    };
  const render: RenderNamed = async (name, data) => {
    const [{ compiledRoutes }, { documentWords }] = await Promise.all([import('./compiled-routes.ts'), import('./document-words.ts')]);
    return documentWords(() => compiledRoutes(edge))(name, data);
  };
  const caller = documentsCaller(config);
  return async (req, res) => {
    const started = edge.now();
    const facts = (): Record<string, string | number> => ({
      caller: caller.id,
      ms: edge.now() - started,
      ...(traceOf(req, edge.project) as Record<string, string>),
    });
    req.resume(); // its data is of yesterday, and in an encoding that need not be known
    try {
      if (req.method !== 'POST') return end(res, 405);
      if (edge.pushAudience !== null && !isForUs(req.headers.authorization, edge.pushAudience))
        throw new MailFailure('key_invalid', 'the identity token is for another audience');
      const { name, eventId } = documentIn(req.headers, edge.project, config);
      const outcome = await serveDocument({ name, eventId, caller, config, render }, edge);
      if (typeof outcome === 'string') log('INFO', 'document', { outcome, ...facts() });
      else reportOutcome(log, outcome, facts());
      end(res, typeof outcome === 'string' ? (outcome === 'raced' ? 503 : 204) : verdict(outcome));
    } catch (error) {
      const failure = asFailure(error);
      reportRefusal(log, failure, facts());
      end(res, consequence(failure.code).retry === 'never' ? 400 : 503);
    }
  };
}

interface Errand {
  readonly name: string;
  readonly eventId: string;
  readonly caller: Caller;
  readonly config: DocumentsConfig;
  readonly render: RenderNamed;
}

/** How the mail ended, or why there was none to send: gone, ignored, expired; raced is to be delivered again. */
async function serveDocument(
  errand: Errand,
  edge: Edge & { documents(): Documents },
): Promise<Outcome | 'gone' | 'ignored' | 'expired' | 'raced'> {
  const { name, eventId, config } = errand;
  const documents = edge.documents();
  const found = await documents.read(name);
  if (!found) return 'gone';
  const delivery = deliveryIn(found.fields);
  const ports = edge.begin();
  try {
    const step = stepOf(delivery, eventId, edge.now());
    if (step === 'leave') return 'ignored';
    if (step === 'expire') return (await documents.write(name, expired(), found.version)) ? 'expired' : 'raced';
    const claim = claimed(delivery, eventId, edge.now(), ports.leaseMs, config.expireDays ?? null);
    if (step === 'begin' && !(await documents.write(name, claim, found.version))) return 'raced';
    const { outcome, request, missing } = await deliver(errand, found.fields, documents, edge, ports);
    const change =
      request === null && outcome.state === 'failed'
        ? refusedAs(delivery, outcome.failure, edge.now())
        : endedAs(delivery, outcome, request ?? NOBODY, missing, edge.now());
    // Whatever the app wrote in the meantime, this is what became of the mail. A parked one is only told once.
    if (outcome.state !== 'parked' || delivery?.error !== change['delivery.error']) await documents.write(name, change, null);
    return outcome;
  } finally {
    ports.close();
  }
}

/** The document as a mail through the ledger, under the event's name: however often it comes, it is one mail. */
async function deliver(
  { name, eventId, caller, config, render }: Errand,
  fields: Readonly<Record<string, unknown>>,
  documents: Documents,
  edge: Edge,
  ports: Ports,
): Promise<{ readonly outcome: Outcome; readonly request: SendRequest | null; readonly missing: readonly string[] }> {
  const key = `document:${name}:${eventId}`;
  const asking: Asking = { caller, key, retryFailed: false, payload: edge.digest(key) };
  let request: SendRequest | null = null;
  let missing: readonly string[] = [];
  try {
    const [database = ''] = name.split('/documents/', 1);
    const resolved = await withUsers(fields, database, config.users, documents);
    missing = resolved.missing;
    const mail = await mailInDocument(resolved.fields, config, render);
    request = parseRequest(mail, edge.config.attachments?.fetchFrom, false, ['from', 'subject']); // cc or bcc alone is enough here
    return {
      outcome: await dispatch(draftRequest(request, mail, caller, edge.config, ports), asking, edge.config, ports),
      request,
      missing,
    };
  } catch (error) {
    return { outcome: await refuse({ ...asking, body: null }, asFailure(error), ports), request, missing };
  }
}

/** Recipients are named in the document only where there was a request. */
const NOBODY: SendRequest = {
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

function deliveryIn({ delivery }: Readonly<Record<string, unknown>>): Delivery | null {
  return typeof delivery === 'object' && delivery !== null && !Array.isArray(delivery) ? (delivery as Delivery) : null;
}

function end(res: ServerResponse, status: number): void {
  res.writeHead(status).end();
}
