import type { FailureCode } from '../mail/model/failure.ts';
import type { RowId } from './catalogue/catalogue.ts';
import type { Cause } from './causes/causes.ts';

/** What the catalogue knows of a failure: its row, and the likeliest cause; null where no text of Google's is behind it. */
export interface Known {
  readonly catalogue: RowId | null;
  readonly cause: Cause | null;
}

const KNOWN: Readonly<Record<FailureCode, Known>> = {
  request_invalid: { catalogue: null, cause: null },
  field_missing: { catalogue: null, cause: null },
  envelope_incomplete: { catalogue: null, cause: null },
  attachment_invalid: { catalogue: null, cause: null },
  too_large: { catalogue: 'gmail-too-large', cause: 'message-too-large' },
  key_missing: { catalogue: null, cause: null },
  key_invalid: { catalogue: null, cause: null },
  key_restricted: { catalogue: null, cause: null },
  sender_not_allowed: { catalogue: null, cause: null },
  recipient_not_allowed: { catalogue: null, cause: null },
  recipient_suppressed: { catalogue: null, cause: null },
  bounces_unreadable: { catalogue: null, cause: 'insufficient-scope' },
  bounces_unwatched: { catalogue: null, cause: null },
  idempotency_key_invalid: { catalogue: null, cause: null },
  idempotency_mismatch: { catalogue: null, cause: null },
  limit_day: { catalogue: null, cause: null },
  limit_minute: { catalogue: null, cause: null },
  mail_unknown: { catalogue: null, cause: null },
  in_flight: { catalogue: null, cause: null },
  path_unknown: { catalogue: null, cause: null },
  method_unknown: { catalogue: null, cause: null },
  grant_missing: { catalogue: 'secret-version-unusable', cause: 'refresh-token-missing' },
  grant_unreadable: { catalogue: 'secret-access-denied', cause: 'secret-access-denied' },
  grant_malformed: { catalogue: null, cause: 'credentials-not-loaded' },
  grant_revoked: { catalogue: 'grant-expired-testing', cause: 'refresh-token-expired-testing-7-days' },
  client_refused: { catalogue: 'client-invalid', cause: 'invalid-client-id' },
  scope_missing: { catalogue: 'gmail-insufficient-scope', cause: 'insufficient-scope' },
  account_mismatch: { catalogue: null, cause: 'user-id-mismatch' },
  alias_unverified: { catalogue: null, cause: null },
  delegation_missing: { catalogue: 'delegation-refused', cause: 'delegation-not-authorized' },
  delegate_refused: { catalogue: 'jwt-signature', cause: 'service-account-key-invalid' },
  api_disabled: { catalogue: 'api-disabled', cause: 'api-not-enabled' },
  mailbox_refused: { catalogue: 'gmail-mail-service-off', cause: 'mail-service-not-enabled' },
  identity_refused: { catalogue: 'default-credentials-missing', cause: null },
  token_refused: { catalogue: 'gmail-token-refused', cause: 'access-token-expired' },
  signature_invalid: { catalogue: null, cause: null },
  hook_secret_unusable: { catalogue: null, cause: 'secret-access-denied' },
  event_undelivered: { catalogue: null, cause: null },
  event_unreadable: { catalogue: null, cause: null },
  route_condition: { catalogue: null, cause: null },
  route_template: { catalogue: null, cause: null },
  mail_refused: { catalogue: 'gmail-address-invalid', cause: 'invalid-recipient' },
  rate_limited: { catalogue: 'gmail-rate-limit', cause: 'rate-limit-user' },
  quota_daily: { catalogue: 'gmail-sending-limit', cause: 'daily-limit' },
  google_unavailable: { catalogue: 'gmail-backend', cause: null },
  ledger_unavailable: { catalogue: null, cause: null },
  delivery_unknown: { catalogue: 'connection-reset', cause: null },
  session_gone: { catalogue: null, cause: null },
  queue_missing: { catalogue: null, cause: null },
  queue_refused: { catalogue: null, cause: null },
  queue_too_small: { catalogue: null, cause: null },
  queue_unavailable: { catalogue: null, cause: null },
  content_gone: { catalogue: null, cause: null },
  message_foreign: { catalogue: null, cause: null },
  stopped: { catalogue: null, cause: null },
  deliveries_exhausted: { catalogue: null, cause: null },
  dropped: { catalogue: null, cause: null },
  not_scheduled: { catalogue: null, cause: null },
  attachment_unavailable: { catalogue: null, cause: null },
  unexpected: { catalogue: null, cause: null },
};

/** The catalogue's row and cause for a failure code; types only reach into the catalogue, so a function does not carry it. */
export const knownOf = (code: FailureCode): Known => KNOWN[code];
