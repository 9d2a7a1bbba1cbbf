import { IAM_DENIED } from '../common/iam-token.ts';

/** An SMTP reply: the code decides, and its text begins with an enhanced status code (RFC 3463). */
export interface SmtpReply {
  readonly code: number;
  readonly text: string;
  /** The function's failure code, for the log. */
  readonly failure?: string;
}

/** The function's answer: the status and, if it was JSON, the body. */
export interface FunctionAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>> | null;
}

/**
 * What the replies say about another try, and no more: a program that composes a new message for its retry is not recognised,
 * because a second, different email could have the same equal parts.
 */
export const SAME_MESSAGE =
  'The same message (same Message-ID, or same bytes without one) is sent once, however often you try; a message composed anew is another email';

/**
 * The function's answer as an SMTP reply. A 4xx code lets the client try again, a 5xx code tells it not to. An answer that is not
 * the function's own (a proxy's page) is never final. An email that waits for an operator is final, whatever the status: no
 * repetition changes it, and a later message would be a second email.
 */
export function smtpReply({ status, body }: FunctionAnswer): SmtpReply {
  const { id, name, code, message, fix } = body ?? {};
  if (status === 200 && typeof id === 'string') return { code: 250, text: `2.0.0 OK id=${id}` };
  if (typeof code === 'string' && Object.hasOwn(OF_CODE, code)) {
    const [smtp, text] = OF_CODE[code as keyof typeof OF_CODE];
    return { code: smtp, text: oneLine(`${text}${typeof id === 'string' ? ` id=${id}` : ''}`), failure: code };
  }
  const why = [message, fix].filter((one, index, all) => typeof one === 'string' && !String(all[index - 1]).includes(one));
  const [smtp, enhanced] = codesFor(status, typeof name === 'string' ? name : null, code);
  const foreign = smtp === 535 ? IAM_DENIED : `The function answered HTTP ${status} in words that are not its own`;
  const text = why.length > 0 ? why.join(' Fix: ') : foreign;
  return { code: smtp, text: oneLine(`${enhanced} ${text}`), ...(typeof code === 'string' && { failure: code }) };
}

/** Replacements for the function's sentences that only apply to HTTP: they mention an Idempotency-Key, or a retry. */
const OF_CODE = {
  delivery_unknown: [451, `4.3.0 Gmail did not say whether it took the message. Trying again asks Gmail first. ${SAME_MESSAGE}.`],
  session_gone: [
    550,
    '5.3.0 Do not try again: Gmail may have sent the message, and can no longer be asked. An operator must look into the Sent folder and decide (mailgrant ledger).',
  ],
} as const;

const KEY_NAMES = new Set(['missing_api_key', 'invalid_api_key', 'restricted_api_key']);

function codesFor(status: number, name: string | null, code: unknown): [number, string] {
  const refused = status === 401 || status === 403;
  if (refused && (name === null || KEY_NAMES.has(name))) return [535, '5.7.8'];
  if (status === 413 || code === 'too_large') return [552, '5.3.4'];
  if (status === 429) return [451, '4.7.1'];
  if (name === null || status < 400 || status >= 500 || status === 408) return [451, '4.3.0'];
  if (name === 'concurrent_idempotent_requests') return [451, '4.3.0'];
  return refused ? [550, '5.7.1'] : [550, '5.6.0'];
}

// RFC 5321 4.5.3.1.5: 512 bytes with code and CRLF, and only ASCII for a client that did not announce SMTPUTF8.
const LINE_MAX = 500;
const oneLine = (text: string): string =>
  text
    .replaceAll('…', '...')
    .replace(/[^ -~]+/g, ' ')
    .slice(0, LINE_MAX);
