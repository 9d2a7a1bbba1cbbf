import type { IncomingMessage, ServerResponse } from 'node:http';
import { isTaken } from '../../mail/delivery/outcome.ts';
import { type FailureCode, failureInfo, MailFailure, toFailure } from '../../mail/model/failure.ts';
import type { Hook } from '../../mail/model/route.ts';

import type { FunctionContext, WebhookVerifier } from '../../runtime/function-context.ts';
import { type Log, traceOf } from '../../runtime/log.ts';
import type { Handler } from '../../runtime/serve.ts';
import { bearerOf } from '../../verify/proof/bearer-token.ts';
import type { Scheme, Signed } from '../../verify/proof/scheme.ts';
import { isProven, proofOf, schemeOf, usableSecrets } from '../../verify/verify.ts';
import { BODY_TIMEOUT_MS, contentTypeOf, readBody } from '../common/body.ts';
import { pathOf } from '../common/paths.ts';
import { reportOutcome, reportRefusal } from '../common/report.ts';
import { attributesOf, checkEventType, fieldsOf, readEvent } from './webhook-event.ts';

// An event is facts and links. What is larger is refused before anybody is asked who sent it.
const BODY_MAX_BYTES = 2 * 1024 * 1024;

/**
 * `POST /hooks/<route>`: signed webhooks become mails. 2xx only when the mail is out or durably queued, or the event is none
 * of the route's; 4xx without a word on why; 5xx where the vendor shall deliver again.
 */
export function webhooks(edge: FunctionContext, verifier: WebhookVerifier, log: Log, { timeoutMs = BODY_TIMEOUT_MS } = {}): Handler {
  const hooks = new Map((edge.config.routes ?? []).flatMap(({ name, hook }) => (hook ? [[name, hook]] : [])));
  return async (req, res) => {
    const started = edge.now();
    const name = /^\/hooks\/([a-z0-9-]{1,40})$/.exec(pathOf(req.url))?.[1];
    const hook = name === undefined ? undefined : hooks.get(name);
    const facts = (): Record<string, string | number> => ({
      ...(hook && { route: String(name) }),
      ms: edge.now() - started,
      ...(traceOf(req, edge.project) as Record<string, string>),
    });
    try {
      if (name === undefined) throw new MailFailure('path_unknown', 'Webhooks come to /hooks/<route>.');
      if (req.method !== 'POST') throw new MailFailure('method_unknown', 'Webhooks are POSTed.');
      const type = contentTypeOf(req);
      checkEventType(type);
      const signed = { headers: req.headersDistinct, body: await readBody(req, { maxBytes: BODY_MAX_BYTES, timeoutMs }), now: edge.now() };
      const { scheme, ...known } = await prove(signed, hook, verifier);
      const event = readEvent(type, signed.body);
      const greeting = scheme.handshake?.(fieldsOf(event), signed.headers) ?? null;
      if (greeting) {
        log('INFO', 'handshake', facts());
        return answer(req, res, 200, greeting);
      }
      const happened = {
        event: { data: event, attributes: attributesOf(signed.headers) },
        key: keyOf(signed, known.eventId, edge),
        keyMs: known.keyMs,
        retryFailed: true, // what was wrong may have been mended when it comes again
      };
      // A stranger's request pays for none of it.
      const [{ compiledRoutes }, { routeNamed, handleEvent: takeEvent }] = await Promise.all([
        import('../common/compiled-routes.ts'),
        import('../../notify/handle-event.ts'),
      ]);
      const compiled = await compiledRoutes(edge);
      const ports = edge.startInvocation();
      const taken = await takeEvent(happened, routeNamed(name, compiled), compiled, edge.config, ports).finally(ports.close);
      if (typeof taken === 'string') {
        log('INFO', 'event', { outcome: taken, ...facts() });
        return answer(req, res, 200, { outcome: taken });
      }
      reportOutcome(log, taken, { caller: `route:${name}`, ...facts() });
      answer(req, res, isTaken(taken) ? 200 : statusOf(taken.failure.code), isTaken(taken) ? { id: taken.id } : REFUSAL);
    } catch (error) {
      const failure = toFailure(error);
      reportRefusal(log, failure, { ...(OWN_WORDS.has(failure.code) && { detail: failure.message }), ...facts() });
      answer(req, res, statusOf(failure.code), REFUSAL);
    }
  };
}

interface Proven {
  readonly scheme: Scheme;
  readonly eventId: string | undefined;
  readonly keyMs: number;
}

/** Throws MailFailure: signature_invalid, for an unknown route too; hook_secret_unusable, google_unavailable, identity_refused. */
async function prove(signed: Signed, hook: Hook | undefined, verifier: WebhookVerifier): Promise<Proven> {
  if (!hook) throw refused('no route of that name has a hook');
  if (schemeOf(hook).identity) {
    const token = bearerOf(signed.headers);
    const email = token && hook.google ? await verifier.emailIn(token, hook.google.audience) : null;
    if (email === null)
      throw refused(token === null ? 'there is no identity token' : 'the identity token is not of Google, or for another audience');
    if (email !== hook.google?.email) throw refused('the identity is another one');
    return provenAs(hook, undefined);
  }
  const proof = proofOf(signed, hook);
  if (!proof)
    throw refused(
      proofOf(signed, { ...hook, toleranceSeconds: Number.POSITIVE_INFINITY }) ? 'the timestamp is out of tolerance' : NO_PROOF,
    );
  const payload = await verifier.secret(hook.secret);
  if (await isProven(proof, usableSecrets(payload, hook))) return provenAs(hook, proof.eventId);
  const newer = await verifier.secret(hook.secret, payload); // it may have been rotated after it was kept
  if (newer.reveal() === payload.reveal() || !(await isProven(proof, usableSecrets(newer, hook))))
    throw refused('another secret, or other bytes than were signed');
  return provenAs(hook, proof.eventId);
}

const provenAs = (hook: Hook, eventId: string | undefined): Proven => ({ scheme: schemeOf(hook), eventId, keyMs: keyLife(hook, eventId) });

const NO_PROOF = 'a header that the scheme wants is missing, given twice or malformed';

/** Why is for the log alone: whoever asks hears one sentence, whatever it was. */
const refused = (why: string): MailFailure => new MailFailure('signature_invalid', why);

/** Failures whose detail is in our own words, and holds nothing of the request. */
const OWN_WORDS: ReadonlySet<FailureCode> = new Set(['signature_invalid', 'path_unknown', 'method_unknown']);

/** What this event is known by when it comes again: only what the signature covers, else a replay would pass for a new event. */
function keyOf({ body }: Signed, eventId: string | undefined, { digest }: FunctionContext): string {
  return eventId === undefined ? `body:${digest(body)}` : `event:${eventId}`;
}

const REPLAY_MS = 32 * 24 * 60 * 60_000;

/** How long an event stays known. A signature over a body alone never grows old, so its body does not either. */
const keyLife = (hook: Hook, eventId: string | undefined): number =>
  eventId === undefined ? (schemeOf(hook).replayMs?.(hook) ?? REPLAY_MS) : REPLAY_MS;

const REFUSAL = { message: 'The request was not accepted.' };

/** 4xx where the request itself is wrong; else 5xx, so that the vendor delivers again. */
function statusOf(code: FailureCode): number {
  const known: Partial<Record<FailureCode, number>> = { too_large: 413, request_invalid: 400, in_flight: 503 };
  const { http, retry, blame } = failureInfo(code);
  if (known[code]) return known[code];
  if (blame === 'caller' && retry === 'never') return http;
  return retry === 'never' ? 500 : 503;
}

function answer(req: IncomingMessage, res: ServerResponse, status: number, body: Readonly<Record<string, unknown>>): void {
  const payload = JSON.stringify(body);
  res.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(payload),
    ...(status === 405 && { allow: 'POST' }),
    ...(status === 503 && { 'retry-after': '30' }),
    ...(!req.complete && { connection: 'close' }),
  });
  res.end(payload);
}
