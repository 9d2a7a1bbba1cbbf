import { createHash } from 'node:crypto';
import { createExchange, json, NoReply } from '../../google/http/exchange.ts';
import type { SecretString } from '../../mail/model/secret.ts';
import { type IamHeader, noIamHeader } from '../common/iam-token.ts';
import { createGuesses } from './smtp-guesses.ts';
import { idempotencyKeyOf, type SmtpEnvelope } from './smtp-idempotency.ts';
import { type FunctionAnswer, SAME_MESSAGE, type SmtpReply, smtpReply } from './smtp-reply.ts';

/**
 * What is known of a key: `good` and `wrong` by the function; `barred`: Google IAM refused the question; `unknown`: the function
 * could not be asked; `throttled`: the address has guessed too often.
 */
export type RelayVerdict = 'good' | 'wrong' | 'barred' | 'unknown' | 'throttled';

/** Sends to the function. A key is the password of the SMTP client. */
export interface Relay {
  judge(key: SecretString, address: string): Promise<RelayVerdict>;
  /** `contentKey` replaces the Message-ID, where the message names no idempotency key of its own. */
  send(message: Buffer, envelope: SmtpEnvelope, key: SecretString, contentKey?: string | null): Promise<SmtpReply>;
}

export const WRONG_KEY = '5.7.8 The password must be an API key of mailgrant; the user name does not matter';
const CHECKED_MS = 5 * 60_000;
/** How long a wrong key is refused without asking again: enough for a program that tries it in a loop. */
const WRONG_MS = 30_000;
/** How long the function is not asked again about a key that it could not judge. */
const UNKNOWN_MS = 5_000;
const CHECK_TIMEOUT_MS = 15_000;
/** Longer than the function's own deadline: a shorter timeout would leave outcomes unknown. */
export const SEND_TIMEOUT_MS = 100_000;
const KEYS_MAX = 1_000;

/** Calls the function at `url`, over kept connections; `pass` is for a function that IAM protects. */
export function createRelay(url: string, pass: IamHeader = noIamHeader, now: () => number = Date.now): Relay {
  const exchanges = createExchange();
  const good = new Map<string, number>(); // hash of a key → until when the function is not asked again
  const wrong = new Map<string, number>(); // hash of a key → until when it is refused without asking
  const unknown = new Map<string, number>(); // hash of a key → until when it is accepted without asking
  const guesses = createGuesses(now);
  const asking = new Map<string, Promise<RelayVerdict>>();

  const call = async (method: 'GET' | 'POST', path: string, key: SecretString, timeoutMs: number, message?: Buffer, headers = {}) => {
    const exchange = exchanges(AbortSignal.timeout(timeoutMs));
    const body = message && { body: message };
    const authorised = { authorization: `Bearer ${key.reveal()}`, accept: 'application/json', ...headers, ...(await pass()) };
    const reply = await exchange({ method, url: `${url}${path}`, timeoutMs, headers: authorised, ...body });
    const parsed = json(reply);
    const answer: FunctionAnswer = { status: reply.status, body: typeof parsed === 'object' ? (parsed as FunctionAnswer['body']) : null };
    return answer;
  };

  const ask = async (key: SecretString): Promise<RelayVerdict> => {
    const answer = await call('GET', '/emails', key, CHECK_TIMEOUT_MS).catch(() => null);
    if (!answer) return 'unknown';
    // The function answers a key that may only send with a code of its own: so a good key is known without sending.
    if (answer.status === 200 || answer.body?.['name'] === 'restricted_api_key') return 'good';
    if (answer.status !== 401 && answer.status !== 403) return 'unknown';
    return answer.body?.['name'] === undefined ? 'barred' : 'wrong';
  };

  const refuse = (hash: string): void => {
    good.delete(hash);
    keep(wrong, hash, now() + WRONG_MS);
  };

  return {
    async judge(key, address) {
      const hash = sha256(key.reveal());
      if ((good.get(hash) ?? 0) > now()) return 'good';
      if ((wrong.get(hash) ?? 0) > now()) return 'wrong';
      if ((unknown.get(hash) ?? 0) > now()) return 'unknown';
      const joined = asking.get(hash);
      if (joined) return joined;
      const guess = !good.has(hash); // a key that was right before is checked, whatever other clients at its address guess
      if (guess && !guesses.take(address)) return 'throttled';
      const pending = ask(key).finally(() => asking.delete(hash));
      asking.set(hash, pending);
      const verdict = await pending;
      if (guess && verdict === 'good') guesses.refund(address);
      if (verdict === 'good') keep(good, hash, now() + CHECKED_MS);
      if (verdict === 'unknown') keep(unknown, hash, now() + UNKNOWN_MS);
      if (verdict === 'wrong') refuse(hash);
      return verdict;
    },
    async send(message, envelope, key, contentKey = null) {
      if ((wrong.get(sha256(key.reveal())) ?? 0) > now()) return { code: 535, text: WRONG_KEY, failure: 'key_invalid' };
      const own = idempotencyKeyOf(message, envelope, contentKey);
      const headers = {
        'content-type': 'message/rfc822',
        'x-envelope-to': envelope.to.join(','),
        ...(envelope.from && { 'x-envelope-from': envelope.from }),
        ...(own && { 'idempotency-key': own }),
      };
      try {
        const reply = smtpReply(await call('POST', '/v1/raw', key, SEND_TIMEOUT_MS, message, headers));
        if (reply.code === 535 && reply.failure) refuse(sha256(key.reveal()));
        return reply;
      } catch (error) {
        if (!(error instanceof NoReply))
          return { code: 451, text: `4.7.0 Not sent: ${(error as Error).message}`, failure: 'no_identity_token' };
        const fate = error.bytesSent ? `did not answer, and the email may have been sent. ${SAME_MESSAGE}` : 'cannot be reached; try again';
        return { code: 451, text: `4.4.1 The function ${fate}`, failure: error.message };
      }
    },
  };
}

/** Keeps the newest entries, so that invented keys can neither fill the memory nor displace more than the oldest. */
function keep(keys: Map<string, number>, hash: string, until: number): void {
  keys.delete(hash);
  keys.set(hash, until);
  const [oldest] = keys.keys();
  if (keys.size > KEYS_MAX && oldest !== undefined) keys.delete(oldest);
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
