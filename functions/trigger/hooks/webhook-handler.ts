import type { IncomingMessage, ServerResponse } from 'node:http';
import { isAccepted } from '../../mail/delivery/outcome.ts';
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
import { attributesOf, checkEventType, eventFieldsOf, readEvent } from './webhook-event.ts';

// Events are small. A larger body is refused before its signature is checked.
const BODY_MAX_BYTES = 2 * 1024 * 1024;

/**
 * `POST /hooks/<route>`: turns signed webhooks into emails. 2xx: the email is sent or durably queued, or the route does not want
 * the event. 4xx: refused, without the reason. 5xx: the vendor must redeliver.
 */
export function webhooks(context: FunctionContext, verifier: WebhookVerifier, log: Log, { timeoutMs = BODY_TIMEOUT_MS } = {}): Handler {
  const hooks = new Map((context.config.routes ?? []).flatMap(({ name, hook }) => (hook ? [[name, hook]] : [])));
  return async (req, res) => {
    const started = context.now();
    const name = /^\/hooks\/([a-z0-9-]{1,40})$/.exec(pathOf(req.url))?.[1];
    const hook = name === undefined ? undefined : hooks.get(name);
    const facts = (): Record<string, string | number> => ({
      ...(hook && { route: String(name) }),
      ms: context.now() - started,
      ...(traceOf(req, context.project) as Record<string, string>),
    });
    try {
      if (name === undefined) throw new MailFailure('path_unknown', 'Send webhooks to /hooks/<route>.');
      if (req.method !== 'POST') throw new MailFailure('method_unknown', 'Webhooks are POSTed.');
      if (context.stopped) throw new MailFailure('stopped', '');
      const type = contentTypeOf(req);
      checkEventType(type);
      const signed = {
        headers: req.headersDistinct,
        body: await readBody(req, { maxBytes: BODY_MAX_BYTES, timeoutMs }),
        now: context.now(),
      };
      const { scheme, ...known } = await prove(signed, hook, verifier);
      const event = readEvent(type, signed.body);
      const greeting = scheme.handshake?.(eventFieldsOf(event), signed.headers) ?? null;
      if (greeting) {
        log('INFO', 'handshake', facts());
        return answer(req, res, 200, greeting);
      }
      const happened = {
        event: { data: event, attributes: attributesOf(signed.headers) },
        key: keyOf(signed, known.eventId, context),
        keyMs: known.keyMs,
        retryFailed: true, // the cause may be fixed when the vendor redelivers
      };
      // Loaded after the signature check: an unsigned request must not cost this.
      const [{ compiledRoutes }, { routeNamed, handleEvent: takeEvent }] = await Promise.all([
        import('../common/compiled-routes.ts'),
        import('../../notify/handle-event.ts'),
      ]);
      const compiled = await compiledRoutes(context);
      const ports = context.startInvocation();
      const taken = await takeEvent(happened, routeNamed(name, compiled), compiled, context.config, ports).finally(ports.close);
      if (typeof taken === 'string') {
        log('INFO', 'event', { outcome: taken, ...facts() });
        return answer(req, res, 200, { outcome: taken });
      }
      reportOutcome(log, taken, { caller: `route:${name}`, ...facts() });
      answer(req, res, isAccepted(taken) ? 200 : statusOf(taken.failure.code), isAccepted(taken) ? { id: taken.id } : REFUSAL);
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
    const email = token && hook.google?.audience ? await verifier.emailIn(token, hook.google.audience) : null;
    if (email === null)
      throw refused(token === null ? 'there is no identity token' : 'the identity token is not from Google, or is for another audience');
    if (email !== hook.google?.email) throw refused('the token names another identity');
    return provenAs(hook, undefined);
  }
  const proof = proofOf(signed, hook);
  if (!proof)
    throw refused(
      proofOf(signed, { ...hook, toleranceSeconds: Number.POSITIVE_INFINITY }) ? 'the timestamp is out of tolerance' : NO_PROOF,
    );
  const payload = await verifier.secret(hook.secret);
  if (await isProven(proof, usableSecrets(payload, hook))) return provenAs(hook, proof.eventId);
  const newer = await verifier.secret(hook.secret, payload); // the secret may have been rotated since it was cached
  if (newer.reveal() === payload.reveal() || !(await isProven(proof, usableSecrets(newer, hook))))
    throw refused('the signature is from another secret or over other bytes');
  return provenAs(hook, proof.eventId);
}

const provenAs = (hook: Hook, eventId: string | undefined): Proven => ({ scheme: schemeOf(hook), eventId, keyMs: keyLife(hook, eventId) });

const NO_PROOF = 'a header that the scheme needs is missing, repeated or malformed';

/** The reason goes to the log only: every refused request gets the same answer. */
const refused = (why: string): MailFailure => new MailFailure('signature_invalid', why);

/** Failures whose detail is our own text and holds nothing from the request. */
const OWN_WORDS: ReadonlySet<FailureCode> = new Set(['signature_invalid', 'path_unknown', 'method_unknown']);

/** The key that identifies redeliveries of this event. It uses only signed data; otherwise a replay could pass for a new event. */
function keyOf({ body }: Signed, eventId: string | undefined, { digest }: FunctionContext): string {
  return eventId === undefined ? `body:${digest(body)}` : `event:${eventId}`;
}

const REPLAY_MS = 32 * 24 * 60 * 60_000;

/** How long an event's key is remembered. A signature over the body alone never expires, so its key is kept longest. */
const keyLife = (hook: Hook, eventId: string | undefined): number =>
  eventId === undefined ? (schemeOf(hook).replayMs?.(hook) ?? REPLAY_MS) : REPLAY_MS;

const REFUSAL = { message: 'The request was not accepted.' };

/** 4xx if the request itself is wrong; otherwise 5xx, so that the vendor redelivers. */
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
