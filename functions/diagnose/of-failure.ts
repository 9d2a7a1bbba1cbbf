import type { FailureCode } from '../mail/failure.ts';
import type { RowId } from './catalogue.ts';

/** Which row of the catalogue explains a failure of the functions; null where no text of Google's is behind it. */
const ROW_OF: Readonly<Record<FailureCode, RowId | null>> = {
  request_invalid: null,
  field_missing: null,
  attachment_invalid: null,
  too_large: 'gmail-too-large',
  key_missing: null,
  key_invalid: null,
  key_restricted: null,
  sender_not_allowed: null,
  recipient_not_allowed: null,
  idempotency_key_invalid: null,
  idempotency_mismatch: null,
  in_flight: null,
  path_unknown: null,
  method_unknown: null,
  grant_missing: 'secret-version-unusable',
  grant_unreadable: 'secret-access-denied',
  grant_malformed: null,
  grant_revoked: 'grant-expired-testing',
  client_refused: 'client-invalid',
  scope_missing: 'gmail-insufficient-scope',
  account_mismatch: null,
  alias_unverified: null,
  delegation_missing: 'delegation-refused',
  delegate_refused: 'jwt-signature',
  api_disabled: 'api-disabled',
  mailbox_refused: 'gmail-mail-service-off',
  identity_refused: 'default-credentials-missing',
  token_refused: 'gmail-token-refused',
  mail_refused: 'gmail-address-invalid',
  rate_limited: 'gmail-rate-limit',
  quota_daily: 'gmail-sending-limit',
  google_unavailable: 'gmail-backend',
  ledger_unavailable: null,
  delivery_unknown: 'connection-reset',
  session_gone: null,
  unexpected: null,
};

/** The id of the catalogue's row for a failure code. */
export const rowOfFailure = (code: FailureCode): RowId | null => ROW_OF[code];
