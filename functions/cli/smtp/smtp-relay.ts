import { createHash } from 'node:crypto';
import { createExchange, json, NoReply } from '../../google/http/exchange.ts';
import type { SecretString } from '../../mail/model/secret.ts';
import { type IamHeader, noIamHeader } from '../common/iam-token.ts';
import { createGuesses } from './smtp-guesses.ts';
import { idempotencyKeyOf, type SmtpEnvelope } from './smtp-idempotency.ts';
import { type FunctionAnswer, SAME_MESSAGE, type SmtpReply, smtpReply } from './smtp-reply.ts';

/** What is known of a key: the function's word, that Google IAM let nobody ask it, that it could not be asked, or that the address has guessed too often. */
export type RelayVerdict = 'good' | 'wrong' | 'barred' | 'unknown' | 'throttled';

/** The way to the function. A key is whatever the SMTP client gave as password. */
export interface Relay {
  judge(key: SecretString, address: string): Promise<RelayVerdict>;
  /** `contentKey` takes the place of the Message-ID, where the message names no idempotency key of its own. */
  send(message: Buffer, envelope: SmtpEnvelope, key: SecretString, contentKey?: string | null): Promise<SmtpReply>;
}

export const WRONG_KEY = '5.7.8 The password must be an API key of mailgrant; the user name does not matter';
const CHECKED_MS = 5 * 60_000;
/** How long a wrong key is refused without asking again: long enough for a program that tries it in a loop. */
const WRONG_MS = 30_000;
/** How long the function is not asked again about a key that it could not judge. */
const UNKNOWN_MS = 5_000;
const CHECK_TIMEOUT_MS = 15_000;
/** Longer than the function's own deadline: giving up first would make an outcome unknown that is not. */
export const SEND_TIMEOUT_MS = 100_000;
const KEYS_MAX = 1_000;

/** Speaks to the function at `url`, over kept connections; `pass` is for a function that IAM protects. */
export function createRelay(url: string, pass: IamHeader = noIamHeader, now: () => number = Date.now): Relay {
  const exchanges = createExchange();
  const good = new Map<string, number>(); // hash of a key → until when it need not be asked about again
  const wrong = new Map<string, number>(); // hash of a key → until when it is refused without asking
  const unknown = new Map<string, number>(); // hash of a key → until when it is believed without asking
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
    // A key that may only send is told so: that is how a good one is known without sending.
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
      const guess = !good.has(hash); // a key that was right before is asked about whatever others at its address guess
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
        const fate = error.left ? `did not answer, and the email may have been sent. ${SAME_MESSAGE}` : 'cannot be reached; try again';
        return { code: 451, text: `4.4.1 The function ${fate}`, failure: error.message };
      }
    },
  };
}

/** Keeps the newest, so that nobody who makes up keys can use up memory, nor push out more than the oldest. */
function keep(keys: Map<string, number>, hash: string, until: number): void {
  keys.delete(hash);
  keys.set(hash, until);
  const [oldest] = keys.keys();
  if (keys.size > KEYS_MAX && oldest !== undefined) keys.delete(oldest);
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
