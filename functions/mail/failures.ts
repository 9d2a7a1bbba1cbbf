/**
 * What a failure means for the mail: `never`: the same call gives the same answer; `soon`: it was provably not sent,
 * try again; `later`: not for hours, park it; `ask`: bytes left and no answer came, so ask before anything is sent.
 */
export type Retry = 'never' | 'soon' | 'later' | 'ask';

export interface Row {
  readonly http: number;
  readonly retry: Retry;
  /** `caller`: the request is wrong, and its detail may be told; else the caller hears only `summary` and `fix`. */
  readonly blame: 'caller' | 'operator' | 'google';
  readonly summary: string;
  readonly fix: string;
}

/** Every way to go wrong: what it means for the mail, who can mend it, and how. Codes are never renamed. */
export const FAILURES = {
  request_invalid: {
    http: 422,
    retry: 'never',
    blame: 'caller',
    summary: 'The request is not valid.',
    fix: 'Correct the field that the message names.',
  },
  field_missing: {
    http: 422,
    retry: 'never',
    blame: 'caller',
    summary: 'A required field is missing.',
    fix: 'Add the field that the message names.',
  },
  attachment_invalid: {
    http: 422,
    retry: 'never',
    blame: 'caller',
    summary: 'An attachment cannot be read.',
    fix: 'Send the content as base64, with a filename.',
  },
  too_large: {
    http: 422,
    retry: 'never',
    blame: 'caller',
    summary: 'The mail is larger than Gmail takes.',
    fix: 'Send less than 25 MB of attachments, or a link.',
  },
  key_missing: {
    http: 401,
    retry: 'never',
    blame: 'caller',
    summary: 'Missing API key in the authorization header.',
    fix: 'Send `Authorization: Bearer mg_…`.',
  },
  key_invalid: {
    http: 403,
    retry: 'never',
    blame: 'caller',
    summary: 'API key is invalid',
    fix: 'Use a key whose hash is in config/mailgrant.yaml.',
  },
  key_restricted: {
    http: 401,
    retry: 'never',
    blame: 'caller',
    summary: 'This API key is restricted to only send emails.',
    fix: 'A key may send (POST /emails, /emails/batch, /v1/raw) and read what it sent (GET /emails/ID).',
  },
  sender_not_allowed: {
    http: 403,
    retry: 'never',
    blame: 'caller',
    summary: 'This key may not send from that address.',
    fix: 'Use an address of a configured mailbox that `from` of the key allows.',
  },
  recipient_not_allowed: {
    http: 403,
    retry: 'never',
    blame: 'caller',
    summary: 'This key may not send to that address.',
    fix: 'Widen `to` of the key in config/mailgrant.yaml.',
  },
  idempotency_key_invalid: {
    http: 400,
    retry: 'never',
    blame: 'caller',
    summary: 'The idempotency key must have 1 to 256 characters.',
    fix: 'Shorten the Idempotency-Key.',
  },
  idempotency_mismatch: {
    http: 409,
    retry: 'never',
    blame: 'caller',
    summary: 'This idempotency key was used with another payload.',
    fix: 'Use a new Idempotency-Key for a new mail.',
  },
  in_flight: {
    http: 409,
    retry: 'soon',
    blame: 'caller',
    summary: 'A mail with this idempotency key is being sent.',
    fix: 'Ask again in a moment with the same key.',
  },
  mail_unknown: {
    http: 404,
    retry: 'never',
    blame: 'caller',
    summary: 'Email not found',
    fix: 'Ask with the key that sent it; the ledger keeps a mail for 30 days.',
  },
  path_unknown: {
    http: 404,
    retry: 'never',
    blame: 'caller',
    summary: 'The requested endpoint does not exist.',
    fix: 'POST /emails sends a mail.',
  },
  method_unknown: {
    http: 405,
    retry: 'never',
    blame: 'caller',
    summary: 'This endpoint does not take that method.',
    fix: 'POST /emails sends a mail.',
  },

  grant_missing: {
    http: 500,
    retry: 'never',
    blame: 'operator',
    summary: 'The mailbox has no grant yet.',
    fix: 'Run `npm run mailgrant -- authorize ADDRESS`, which stores the grant as a version of its secret in Secret Manager.',
  },
  grant_unreadable: {
    http: 500,
    retry: 'never',
    blame: 'operator',
    summary: 'The function may not read the grant of the mailbox.',
    fix: "Give the function's service account roles/secretmanager.secretAccessor on the secret, and enable its latest version.",
  },
  grant_malformed: {
    http: 500,
    retry: 'never',
    blame: 'operator',
    summary: 'The stored grant of the mailbox is not in the expected form.',
    fix: 'Store JSON with client_id, client_secret and refresh_token as a new version of the secret.',
  },
  grant_revoked: {
    http: 500,
    retry: 'never',
    blame: 'operator',
    summary: 'Google no longer accepts the grant of the mailbox: it was revoked or has expired.',
    fix: 'Consent again: `npm run mailgrant -- rotate ADDRESS`. A consent screen in Testing ends every grant after 7 days: publish it.',
  },
  client_refused: {
    http: 500,
    retry: 'never',
    blame: 'operator',
    summary: 'Google does not accept the OAuth client of the mailbox.',
    fix: 'Compare client_id and client_secret in the secret with the OAuth client in the Google Cloud console.',
  },
  scope_missing: {
    http: 500,
    retry: 'never',
    blame: 'operator',
    summary: 'The grant of the mailbox does not cover sending.',
    fix: 'Consent again with the scope of its transport: https://www.googleapis.com/auth/gmail.send for via: api, https://mail.google.com/ for via: smtp.',
  },
  account_mismatch: {
    http: 500,
    retry: 'never',
    blame: 'operator',
    summary: 'The grant belongs to another account than the mailbox.',
    fix: 'Consent again, signed in as the mailbox itself.',
  },
  alias_unverified: {
    http: 500,
    retry: 'never',
    blame: 'operator',
    summary: 'An alias of the mailbox is not a verified send-as address: Gmail would rewrite From.',
    fix: 'Gmail settings of the mailbox, Accounts, Send mail as: add and verify the address, or take it out of `aliases`.',
  },
  delegation_missing: {
    http: 500,
    retry: 'never',
    blame: 'operator',
    summary: 'The service account may not act for mailboxes of this domain with that scope.',
    fix: "Admin console, Security, API controls, Domain-wide delegation: add the service account's client id with the mailbox's scope, then wait up to 24 hours.",
  },
  delegate_refused: {
    http: 500,
    retry: 'never',
    blame: 'operator',
    summary: 'The service account of the delegation cannot sign.',
    fix: "Give the function's service account iam.serviceAccounts.signJwt on the delegate; with a key, check that it still exists in the console.",
  },
  api_disabled: {
    http: 500,
    retry: 'never',
    blame: 'operator',
    summary: 'The Google API that is needed is not enabled in the project.',
    fix: 'Enable gmail.googleapis.com (and secretmanager, firestore) in the project of the OAuth client, then wait five minutes.',
  },
  mailbox_refused: {
    http: 500,
    retry: 'never',
    blame: 'operator',
    summary: 'Google refuses to send as this mailbox.',
    fix: 'Check that the account exists, has Gmail, and that the Workspace policy allows the app.',
  },
  identity_refused: {
    http: 500,
    retry: 'never',
    blame: 'operator',
    summary: 'Google does not accept the identity of the function.',
    fix: 'Check the service account of the function and its roles.',
  },
  token_refused: {
    http: 500,
    retry: 'never',
    blame: 'operator',
    summary: 'Gmail refuses a freshly minted access token.',
    fix: 'Consent again for the mailbox; check that the account is not suspended.',
  },
  mail_refused: {
    http: 422,
    retry: 'never',
    blame: 'caller',
    summary: 'Gmail refused the mail.',
    fix: 'Correct the addresses and headers of the mail.',
  },

  limit_minute: {
    http: 429,
    retry: 'soon',
    blame: 'caller',
    summary: 'The limit per minute that mailgrant is configured with is reached.',
    fix: 'Wait for `retry-after` seconds, or raise `limits.perMinute` in config/mailgrant.yaml.',
  },
  limit_day: {
    http: 429,
    retry: 'later',
    blame: 'caller',
    summary: 'The limit per day that mailgrant is configured with is reached.',
    fix: 'Wait until midnight UTC, or raise `limits.perDay` in config/mailgrant.yaml.',
  },
  rate_limited: {
    http: 429,
    retry: 'soon',
    blame: 'google',
    summary: 'Gmail takes no more mails from this mailbox this minute.',
    fix: 'Wait and send again with the same Idempotency-Key.',
  },
  quota_daily: {
    http: 429,
    retry: 'later',
    blame: 'google',
    summary: 'The daily sending limit of the mailbox is used up.',
    fix: 'Wait until the window reopens, or send from another mailbox.',
  },
  google_unavailable: {
    http: 500,
    retry: 'soon',
    blame: 'google',
    summary: 'Google could not be reached; nothing was sent.',
    fix: 'Send again with the same Idempotency-Key.',
  },
  ledger_unavailable: {
    http: 500,
    retry: 'soon',
    blame: 'google',
    summary: 'The ledger could not be reached; nothing was sent.',
    fix: 'Send again with the same Idempotency-Key; check Firestore if it stays.',
  },
  delivery_unknown: {
    http: 500,
    retry: 'ask',
    blame: 'google',
    summary: 'Gmail did not say whether it took the mail.',
    fix: 'Send again with the same Idempotency-Key: Gmail is asked, the mail is not sent twice.',
  },
  session_gone: {
    http: 500,
    retry: 'ask',
    blame: 'google',
    summary: 'Gmail did not say whether it took the mail, and can no longer be asked.',
    fix: 'Look into the Sent folder of the mailbox; if the mail is not there, send it with a new Idempotency-Key.',
  },
  unexpected: {
    http: 500,
    retry: 'never',
    blame: 'operator',
    summary: 'Something happened that mailgrant does not know.',
    fix: 'Look at the log line with this id.',
  },
} as const satisfies Record<string, Row>;
