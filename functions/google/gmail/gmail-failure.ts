import { type FailureCode, MailFailure } from '../../mail/model/failure.ts';
import { type GoogleError, readGoogleError } from '../http/error-body.ts';
import { type HttpReply, json } from '../http/exchange.ts';

type Rule = readonly [code: FailureCode, found: (error: GoogleError) => boolean];

const reason =
  (...names: string[]) =>
  ({ reasons }: GoogleError): boolean =>
    reasons.some((one) => names.includes(one));
const says =
  (pattern: RegExp) =>
  ({ message }: GoogleError): boolean =>
    pattern.test(message);

// The status alone does not decide: a 403 can be a quota, a scope, a disabled API or a policy. The first matching row decides.
const RULES: readonly Rule[] = [
  ['scope_missing', reason('insufficientPermissions', 'ACCESS_TOKEN_SCOPE_INSUFFICIENT')],
  ['api_disabled', reason('accessNotConfigured', 'SERVICE_DISABLED')],
  ['api_disabled', says(/has not been used in project \S+ before or it is disabled/i)],
  ['mailbox_refused', reason('domainPolicy')],
  ['mailbox_refused', says(/delegation denied|mail service not enabled|precondition check failed/i)],
  ['quota_daily', says(/\(mail sending\)/i)],
  ['quota_daily', reason('dailyLimitExceeded', 'quotaExceeded')],
  ['rate_limited', reason('rateLimitExceeded', 'userRateLimitExceeded', 'RATE_LIMIT_EXCEEDED')],
  ['too_large', reason('uploadTooLarge')],
  ['mail_refused', says(/invalid (to|cc|bcc|from|reply-to) header|recipient address required/i)],
];

const BY_STATUS: Readonly<Record<number, FailureCode>> = { 401: 'token_refused', 413: 'too_large', 429: 'rate_limited' };

/**
 * Translates a refusal of Gmail. A 5xx while a session is opened means that nothing was sent; once bytes have left, a 5xx says
 * nothing about the email. The detail keeps status and reasons, and leaves out the message, which may quote the email.
 */
export function readGmailFailure(reply: HttpReply, phase: 'open' | 'transfer', now: number): MailFailure {
  const error = readGoogleError(json(reply));
  const known = RULES.find(([, found]) => found(error))?.[0] ?? BY_STATUS[reply.status];
  const detail = `Gmail answered ${reply.status} ${error.status || error.reasons.join(',')}`.trim();
  if (known && reply.status < 500) return new MailFailure(known, detail, retryAt(reply, error, now));
  if (reply.status >= 500) return new MailFailure(phase === 'open' ? 'google_unavailable' : 'delivery_unknown', detail);
  return new MailFailure('unexpected', detail);
}

/** When Gmail allows another try, in milliseconds since the epoch: from the header (seconds), or from the error's sentence. */
function retryAt(reply: HttpReply, { message }: GoogleError, now: number): number | null {
  const seconds = Number(reply.headers['retry-after'] ?? Number.NaN);
  if (Number.isFinite(seconds)) return now + seconds * 1_000;
  const time = Date.parse(/retry after\s+(\d{4}-\d\d-\d\dT[\d:.]+Z)/i.exec(message)?.[1] ?? '');
  return Number.isNaN(time) ? null : Math.max(time, now);
}
