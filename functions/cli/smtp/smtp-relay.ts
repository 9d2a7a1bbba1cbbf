import { createHash } from 'node:crypto';
import { createExchange, json, NoReply } from '../../google/http/exchange.ts';
import type { SecretString } from '../../mail/model/secret.ts';
import { type IamHeader, noIamHeader } from '../common/iam-token.ts';
import { type Envelope, idempotencyKeyOf } from './smtp-idempotency.ts';
import { type FunctionAnswer, type SmtpReply, smtpReply } from './smtp-reply.ts';

/** What is known of a key: the function's word, that Google IAM let nobody ask it, or that it could not be asked. */
export type Verdict = 'good' | 'wrong' | 'barred' | 'unknown';

/** The way to the function. A key is whatever the SMTP client gave as password. */
export interface Relay {
  judge(key: SecretString): Promise<Verdict>;
  send(letter: Buffer, envelope: Envelope, key: SecretString): Promise<SmtpReply>;
}

const CHECKED_MS = 5 * 60_000;
const CHECK_TIMEOUT_MS = 15_000;
/** Longer than the function's own deadline: giving up first would make an outcome unknown that is not. */
export const SEND_TIMEOUT_MS = 100_000;
const KEYS_MAX = 1_000;

/** Speaks to the function at `url`, over kept connections; `pass` is for a function that IAM protects. */
export function createRelay(url: string, pass: IamHeader = noIamHeader, now: () => number = Date.now): Relay {
  const exchanges = createExchange();
  const good = new Map<string, number>(); // hash of a key → until when it need not be asked about again
  const asking = new Map<string, Promise<Verdict>>();

  const call = async (method: 'GET' | 'POST', path: string, key: SecretString, timeoutMs: number, letter?: Buffer, headers = {}) => {
    const exchange = exchanges(AbortSignal.timeout(timeoutMs));
    const body = letter && { body: letter };
    const authorised = { authorization: `Bearer ${key.reveal()}`, accept: 'application/json', ...headers, ...(await pass()) };
    const reply = await exchange({ method, url: `${url}${path}`, timeoutMs, headers: authorised, ...body });
    const parsed = json(reply);
    const answer: FunctionAnswer = { status: reply.status, body: typeof parsed === 'object' ? (parsed as FunctionAnswer['body']) : null };
    return answer;
  };

  const ask = async (key: SecretString): Promise<Verdict> => {
    const answer = await call('GET', '/emails', key, CHECK_TIMEOUT_MS).catch(() => null);
    if (!answer) return 'unknown';
    // A key that may only send is told so: that is how a good one is known without sending.
    if (answer.status === 200 || answer.body?.['name'] === 'restricted_api_key') return 'good';
    if (answer.status !== 401 && answer.status !== 403) return 'unknown';
    return answer.body?.['name'] === undefined ? 'barred' : 'wrong';
  };

  return {
    async judge(key) {
      const hash = sha256(key.reveal());
      if ((good.get(hash) ?? 0) > now()) return 'good';
      const pending = asking.get(hash) ?? ask(key).finally(() => asking.delete(hash));
      asking.set(hash, pending);
      const verdict = await pending;
      if (good.size >= KEYS_MAX) good.clear();
      if (verdict === 'good') good.set(hash, now() + CHECKED_MS);
      return verdict;
    },
    async send(letter, envelope, key) {
      const own = idempotencyKeyOf(letter, envelope);
      const headers = {
        'content-type': 'message/rfc822',
        'x-envelope-to': envelope.to.join(','),
        ...(envelope.from && { 'x-envelope-from': envelope.from }),
        ...(own && { 'idempotency-key': own }),
      };
      try {
        const reply = smtpReply(await call('POST', '/v1/raw', key, SEND_TIMEOUT_MS, letter, headers));
        if (reply.code === 535) good.delete(sha256(key.reveal()));
        return reply;
      } catch (error) {
        if (!(error instanceof NoReply))
          return { code: 451, text: `4.7.0 Not sent: ${(error as Error).message}`, failure: 'no_identity_token' };
        const fate = error.left ? 'did not answer; it may have been sent, and is mailed once if you try' : 'cannot be reached; try';
        return { code: 451, text: `4.4.1 The function ${fate} again`, failure: error.message };
      }
    },
  };
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
