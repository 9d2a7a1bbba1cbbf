import { setTimeout as sleep } from 'node:timers/promises';
import { FAILURE_CODES, type FailureCode, failureInfo } from '../../functions/mail/model/failure.ts';

/** The API's last word on a request: `id` where it said that it has the mail. */
export interface Answered {
  readonly status: number;
  readonly id: string | null;
}

/** Posts a mail until the API gives an answer that asking again does not change, as a careful client does; answers that. */
export async function postUntilAnswered(
  url: string,
  key: string,
  idempotencyKey: string,
  mail: unknown,
  signal: AbortSignal,
): Promise<Answered> {
  for (let tries = 0; ; tries++) {
    signal.throwIfAborted();
    const reply = await fetch(`${url}/emails`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
      body: JSON.stringify(mail),
      signal,
    })
      .then(async (one) => ({ status: one.status, body: (await one.json()) as { code?: string; id?: string } }))
      .catch(() => null); // the process behind it was killed
    if (reply && isFinal(reply.status, reply.body.code ?? '')) return { status: reply.status, id: reply.body.id ?? null };
    await sleep(Math.min(2_000, 100 * 2 ** tries), undefined, { signal });
  }
}

function isFinal(status: number, code: string): boolean {
  if (status === 200 || code === 'session_gone') return true;
  const { retry } = failureInfo(FAILURE_CODES.includes(code as FailureCode) ? (code as FailureCode) : 'google_unavailable');
  return retry === 'never' || retry === 'later';
}
