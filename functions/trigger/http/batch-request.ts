import type { IncomingMessage } from 'node:http';
import type { Batch, Ended } from '../../mail/batch.ts';
import { isAccepted } from '../../mail/delivery/outcome.ts';
import type { Caller } from '../../mail/model/config.ts';
import { callerMessage, MailFailure } from '../../mail/model/failure.ts';
import { readBody } from '../common/body.ts';
import { parseJson } from '../common/json.ts';
import { idempotencyKey } from './idempotency-key.ts';
import { errorAnswer, type HttpAnswer, quotaHeaders } from './resend-answer.ts';

/** Reads `POST /emails/batch`. Throws MailFailure. */
export async function readBatch(req: IncomingMessage, caller: Caller, timeoutMs: number): Promise<Batch> {
  const mode = String(req.headers['x-batch-validation'] ?? 'strict').toLowerCase();
  if (mode !== 'strict' && mode !== 'permissive')
    throw new MailFailure('request_invalid', 'The header x-batch-validation must be `strict` or `permissive`.');
  const key = idempotencyKey(req);
  return { body: parseJson(await readBody(req, { timeoutMs })), caller, key, permissive: mode === 'permissive' };
}

/**
 * 200 with the ids in the order of the request; permissive answers always have `errors`. If a valid email was not sent, a strict
 * answer is the error of the first such email, with every email's result in `data`. A retry with the same key sends only the
 * missing emails.
 */
export function answerBatch(ended: readonly Ended[], permissive: boolean, now: number): HttpAnswer {
  const sent = ended.flatMap(({ outcome }) => (outcome && isAccepted(outcome) ? [{ id: outcome.id }] : []));
  const stopped = ended.find(({ outcome, failure }) => failure && (outcome || !permissive));
  const least = ended.flatMap(({ outcome }) => outcome?.quota ?? []).sort((a, b) => a.remaining - b.remaining)[0];
  const headers = quotaHeaders(least, now);
  if (stopped?.failure && (!permissive || sent.length === 0)) {
    const { outcome, failure } = stopped;
    const answer = errorAnswer(failure, now, outcome?.id, outcome && 'notBefore' in outcome ? outcome.notBefore : undefined);
    const data = ended.map((one) => ({ id: one.outcome?.id ?? null, outcome: one.outcome?.state ?? 'refused' }));
    return { ...answer, headers: { ...headers, ...answer.headers }, body: { ...answer.body, data } };
  }
  const errors = ended.flatMap(({ index, failure }) => (failure ? [{ index, message: callerMessage(failure) }] : []));
  return { status: 200, headers, body: permissive ? { data: sent, errors } : { data: sent } };
}
