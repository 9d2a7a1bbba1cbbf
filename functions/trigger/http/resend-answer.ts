import { isAccepted, type Outcome, type Quota } from '../../mail/delivery/outcome.ts';
import { callerMessage, type FailureCode, failureInfo, type MailFailure } from '../../mail/model/failure.ts';

/** The response to a request: status, body, and headers besides the content type. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

// Only names that every Resend client knows: an unknown name crashes the .NET client and passes for success in the PHP client.
const NAMES: Readonly<Record<FailureCode, string>> = {
  request_invalid: 'validation_error',
  field_missing: 'missing_required_field',
  envelope_incomplete: 'validation_error',
  attachment_invalid: 'invalid_attachment',
  too_large: 'validation_error',
  key_missing: 'missing_api_key',
  key_invalid: 'invalid_api_key',
  key_restricted: 'restricted_api_key',
  sender_not_allowed: 'validation_error',
  recipient_not_allowed: 'validation_error',
  recipient_suppressed: 'validation_error',
  bounces_unreadable: 'application_error',
  bounces_unwatched: 'application_error',
  idempotency_key_invalid: 'invalid_idempotency_key',
  idempotency_mismatch: 'invalid_idempotent_request',
  in_flight: 'concurrent_idempotent_requests',
  mail_unknown: 'not_found',
  path_unknown: 'not_found',
  method_unknown: 'method_not_allowed',
  event_undelivered: 'application_error',
  event_unreadable: 'validation_error',
  route_condition: 'application_error',
  route_template: 'application_error',
  signature_invalid: 'missing_api_key',
  hook_secret_unusable: 'application_error',
  mail_refused: 'validation_error',
  grant_missing: 'application_error',
  grant_unreadable: 'application_error',
  grant_malformed: 'application_error',
  grant_revoked: 'application_error',
  client_refused: 'application_error',
  scope_missing: 'application_error',
  account_mismatch: 'application_error',
  alias_unverified: 'application_error',
  delegation_missing: 'application_error',
  delegate_refused: 'application_error',
  api_disabled: 'application_error',
  mailbox_refused: 'application_error',
  identity_refused: 'application_error',
  token_refused: 'application_error',
  limit_minute: 'rate_limit_exceeded',
  limit_day: 'daily_quota_exceeded',
  rate_limited: 'rate_limit_exceeded',
  quota_daily: 'daily_quota_exceeded',
  google_unavailable: 'application_error',
  ledger_unavailable: 'application_error',
  delivery_unknown: 'application_error',
  session_gone: 'validation_error', // every client knows this name, and no client retries its status
  queue_missing: 'application_error',
  queue_refused: 'application_error',
  queue_too_small: 'validation_error',
  queue_unavailable: 'application_error',
  content_gone: 'application_error',
  message_foreign: 'application_error',
  stopped: 'application_error',
  deliveries_exhausted: 'application_error',
  dropped: 'invalid_idempotent_request',
  not_scheduled: 'validation_error',
  attachment_unavailable: 'application_error',
  unexpected: 'application_error',
};

/** The outcome of an email as a response of Resend's API. */
export function outcomeAnswer(outcome: Outcome, now: number): HttpAnswer {
  const headers = quotaHeaders(outcome.quota, now);
  if (isAccepted(outcome)) return { status: 200, body: { id: outcome.id }, headers };
  const answer = errorAnswer(outcome.failure, now, outcome.id, 'notBefore' in outcome ? outcome.notBefore : undefined);
  return { ...answer, headers: { ...headers, ...answer.headers } };
}

/** Resend's rate-limit headers, all whole numbers, if the caller has a limit. */
export function quotaHeaders(quota: Quota | undefined, now: number): Record<string, string> {
  if (!quota) return {};
  return {
    'ratelimit-policy': `${quota.limit};w=${quota.windowMs / 1_000}`,
    'ratelimit-limit': String(quota.limit),
    'ratelimit-remaining': String(quota.remaining),
    'ratelimit-reset': String(Math.max(1, Math.ceil((quota.until - now) / 1_000))),
  };
}

/**
 * A failure in Resend's form: `{statusCode, message, name}`, with our own `code` and `fix`, and with `id` if the email has one.
 * `retry-after` is in whole seconds: clients convert it to a number without a check.
 */
export function errorAnswer(failure: MailFailure, now: number, id?: string, notBefore?: number): HttpAnswer {
  const { http, retry, fix } = failureInfo(failure.code);
  const at = notBefore ?? failure.retryAt ?? now + 10_000;
  const wait = retry === 'soon' || retry === 'later' ? { 'retry-after': String(Math.max(1, Math.ceil((at - now) / 1_000))) } : {};
  return {
    status: http,
    headers: wait,
    body: {
      statusCode: http,
      message: callerMessage(failure) + (id && (retry === 'ask' || retry === 'person') ? ` The id of the email is ${id}.` : ''),
      name: NAMES[failure.code],
      code: failure.code,
      fix,
      ...(id && { id }),
    },
  };
}
