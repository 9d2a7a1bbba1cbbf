import type { FakeReply } from './server.ts';

const gmail = (code: number, reason: string, message: string, status?: string, detail?: string): FakeReply => ({
  status: code,
  body: {
    error: {
      code,
      message,
      errors: [{ message, domain: 'global', reason }],
      ...(status && { status }),
      ...(detail && { details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: detail, domain: 'googleapis.com' }] }),
    },
  },
});
const cloud = (code: number, status: string, message: string): FakeReply => ({ status: code, body: { error: { code, message, status } } });
const oauth = (code: number, error: string, description: string): FakeReply => ({
  status: code,
  body: { error, error_description: description },
});

const UNAUTHENTICATED =
  'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.';

/**
 * Error replies in Google's own forms, by the names that `npm start` offers for scripting. Texts: Google's documentation and
 * public logs.
 */
export const ERROR_REPLIES = {
  invalid_grant: oauth(400, 'invalid_grant', 'Token has been expired or revoked.'),
  invalid_client: oauth(401, 'invalid_client', 'The OAuth client was not found.'),
  unsupported_grant_type: oauth(400, 'unsupported_grant_type', 'Invalid grant_type'),
  bad_token: gmail(401, 'authError', UNAUTHENTICATED, 'UNAUTHENTICATED'),
  missing_scope: gmail(
    403,
    'insufficientPermissions',
    'Request had insufficient authentication scopes.',
    'PERMISSION_DENIED',
    'ACCESS_TOKEN_SCOPE_INSUFFICIENT',
  ),
  api_disabled: gmail(
    403,
    'accessNotConfigured',
    'Gmail API has not been used in project 123456789 before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/gmail.googleapis.com/overview?project=123456789 then retry.',
    'PERMISSION_DENIED',
    'SERVICE_DISABLED',
  ),
  domain_policy: gmail(403, 'domainPolicy', 'The domain administrators have disabled Gmail apps.'),
  user_rate: gmail(403, 'userRateLimitExceeded', 'User Rate Limit Exceeded'),
  rate: gmail(429, 'rateLimitExceeded', 'Resource has been exhausted (e.g. check quota).', 'RESOURCE_EXHAUSTED'),
  sending_limit: gmail(
    429,
    'rateLimitExceeded',
    'User-rate limit exceeded.  Retry after 2099-01-01T00:00:00.000Z (Mail sending)',
    'RESOURCE_EXHAUSTED',
  ),
  daily_limit: gmail(403, 'dailyLimitExceeded', 'Daily Limit Exceeded'),
  backend: gmail(500, 'backendError', 'Backend Error'),
  unavailable: gmail(503, 'backendError', 'The service is currently unavailable.', 'UNAVAILABLE'),
  session_gone: { status: 404, body: 'Not Found' },
  invalid_to: gmail(400, 'invalidArgument', 'Invalid To header', 'INVALID_ARGUMENT'),
  recipient_required: gmail(400, 'invalidArgument', 'Recipient address required', 'INVALID_ARGUMENT'),
  raw_required: gmail(
    400,
    'invalidArgument',
    "'raw' RFC822 payload message string or uploading message via /upload/* URL required",
    'INVALID_ARGUMENT',
  ),
  bad_upload: gmail(400, 'badRequest', 'Failed to parse Content-Range header.', 'INVALID_ARGUMENT'),
  too_large: gmail(413, 'uploadTooLarge', 'Request Entity Too Large'),
  delegation_denied: gmail(403, 'forbidden', 'Delegation denied for another user', 'PERMISSION_DENIED'),
  not_found: gmail(404, 'notFound', 'Not Found'),
  unauthenticated: cloud(401, 'UNAUTHENTICATED', UNAUTHENTICATED),
  permission_denied: cloud(
    403,
    'PERMISSION_DENIED',
    "Permission 'secretmanager.versions.access' denied for resource (or it may not exist).",
  ),
  cloud_unavailable: cloud(503, 'UNAVAILABLE', 'The service is currently unavailable.'),
  cloud_exhausted: cloud(429, 'RESOURCE_EXHAUSTED', 'Resource has been exhausted (e.g. check quota).'),
} as const satisfies Record<string, FakeReply>;

export type ErrorReplyName = keyof typeof ERROR_REPLIES;

/** Gmail's error body. */
export const gmailError = gmail;
/** Google Cloud's error body for a gRPC status. */
export const cloudError = cloud;
/** The token endpoint's error body (RFC 6749, 5.2). */
export const oauthError = oauth;
