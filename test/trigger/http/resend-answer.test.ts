import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callerMessage, FAILURE_CODES, failureInfo, MailFailure } from '../../../functions/mail/model/failure.ts';
import { errorAnswer } from '../../../functions/trigger/http/resend-answer.ts';

const NOW = Date.UTC(2026, 10, 24, 8);
/** The names that PHP 1.10 and .NET 0.11 share: another one passes for success in one and crashes the other. */
const NAMES =
  'application_error concurrent_idempotent_requests daily_quota_exceeded internal_server_error invalid_access invalid_api_key invalid_attachment invalid_from_address invalid_idempotency_key invalid_idempotent_request invalid_parameter invalid_region method_not_allowed missing_api_key missing_required_field monthly_quota_exceeded not_found rate_limit_exceeded restricted_api_key security_error validation_error'.split(
    ' ',
  );
const STATUS: Readonly<Record<string, readonly number[]>> = {
  invalid_idempotency_key: [400],
  missing_api_key: [401],
  restricted_api_key: [401],
  invalid_api_key: [403],
  validation_error: [403, 422],
  not_found: [404],
  method_not_allowed: [405],
  invalid_idempotent_request: [409],
  concurrent_idempotent_requests: [409],
  missing_required_field: [422],
  invalid_attachment: [422],
  rate_limit_exceeded: [429],
  daily_quota_exceeded: [429],
  application_error: [500, 503],
};

for (const code of FAILURE_CODES)
  test(`${code} is answered in the form that every client understands`, () => {
    const { status, headers, body } = errorAnswer(new MailFailure(code, 'detail'), NOW);
    assert.equal(body['statusCode'], status);
    assert.ok(NAMES.includes(String(body['name'])));
    assert.ok(STATUS[String(body['name'])]?.includes(status), `${status} ${body['name']}`);
    assert.deepEqual(
      [body['message'], body['code'], body['fix']],
      [callerMessage(new MailFailure(code, 'detail')), code, failureInfo(code).fix],
    );
    if (status === 429) assert.match(headers?.['retry-after'] ?? '', /^[1-9]\d*$/);
    else if (headers?.['retry-after']) assert.match(headers['retry-after'], /^[1-9]\d*$/);
  });

const waits: { code: 'rate_limited' | 'quota_daily' | 'limit_day'; retryAt: number | null; seconds: string }[] = [
  { code: 'rate_limited', retryAt: NOW + 1, seconds: '1' },
  { code: 'rate_limited', retryAt: NOW - 5_000, seconds: '1' },
  { code: 'rate_limited', retryAt: null, seconds: '10' },
  { code: 'quota_daily', retryAt: NOW + 3_600_500, seconds: '3601' },
  { code: 'limit_day', retryAt: NOW + 60_000, seconds: '60' },
];
for (const { code, retryAt, seconds } of waits)
  test(`${code} until ${retryAt === null ? 'nobody knows' : retryAt - NOW} waits ${seconds} whole seconds`, () =>
    assert.equal(errorAnswer(new MailFailure(code, 'x', retryAt), NOW).headers?.['retry-after'], seconds));
