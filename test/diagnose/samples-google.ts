const api = (code: number, reason: string, message: string): string =>
  JSON.stringify({ error: { code, message, errors: [{ message, domain: 'global', reason }] } });
const token = (error: string, error_description?: string): string => JSON.stringify({ error, error_description });

/** Short texts of OAuth, the Gmail API and Google Cloud that each row must recognise first. */
export const GOOGLE_SAMPLES = {
  'grant-expired-testing': [token('invalid_grant', 'Token has been expired or revoked.')],
  'grant-revoked': [`I changed the password yesterday. ${token('invalid_grant', 'Token has been expired or revoked.')}`],
  'grant-bad-request-revoked': [`refreshAccessToken: ${token('invalid_grant', 'Bad Request')}`, token('invalid_grant')],
  'grant-bad-request-testing': [`works for 7 days, then refreshToken fails: ${token('invalid_grant', 'Bad Request')}`],
  'grant-bad-request-code': [`oauth2Client.getToken(code): ${token('invalid_grant', 'Bad Request')}`],
  'auth-code-malformed': [token('invalid_grant', 'Malformed auth code.')],
  'auth-code-encoded': ['invalid_grant /callback?code=4%2F0AbCdEf&scope=openid'],
  'refresh-token-missing': [
    'No access, refresh token, API key or refresh handler callback is set.',
    "Can't create new access token for user",
    'No refresh token is set.',
    "KeyError: 'refresh_token'",
    'oauth2: token expired and refresh token is not set',
  ],
  'client-unknown': [token('invalid_client', 'The OAuth client was not found.')],
  'client-invalid': [token('invalid_client')],
  'client-secret-invalid': [token('invalid_client', 'The provided client secret is invalid.')],
  'client-unauthorized': [token('invalid_client', 'Unauthorized')],
  'client-mismatch': [token('unauthorized_client', 'Unauthorized'), token('unauthorized_client')],
  'client-deleted': [token('deleted_client', 'The OAuth client was deleted.')],
  'client-disabled': [token('disabled_client', 'The OAuth client was disabled.')],
  'reauth-required': [
    '{"error":"invalid_grant","error_description":"reauth related error (invalid_rapt)","error_subtype":"invalid_rapt"}',
    'Reauthentication is needed. Please run `gcloud auth application-default login`',
  ],
  'account-deleted': [token('invalid_grant', 'Account has been deleted')],
  'oauth-request-invalid': [
    token('unsupported_grant_type', 'Invalid grant_type: '),
    token('invalid_grant', 'Invalid JWT: Failed audience check.'),
  ],
  'oauth-temporary': [token('internal_failure', 'Backend Error')],
  'consent-not-tester': [
    'Access blocked: X has not completed the Google verification process. The app is currently being tested, and can only be accessed by developer-approved testers. Error 403: access_denied',
    'The developer hasn’t given you access to this app.',
  ],
  'consent-denied': ['Error 403: access_denied'],
  'consent-declined': ['GET /oauth2callback?error=access_denied'],
  'consent-admin-policy': ['Error 400: admin_policy_enforced', token('access_denied', 'Account restricted')],
  'consent-not-open': ['Error 403: org_internal', token('restricted_client')],
  'consent-oob': ['Error 400: invalid_request The out-of-band (OOB) flow has been blocked', 'redirect_uri=urn:ietf:wg:oauth:2.0:oob'],
  'consent-redirect-uri': ['Error 400: redirect_uri_mismatch', 'device_id and device_name are required for private IP: http://192.168.1.5'],
  'consent-policy': ["You can't sign in to this app because it doesn't comply with Google's OAuth 2.0 policy for keeping apps secure."],
  'consent-policy-oob': [],
  'consent-invalid-scope': [
    token('invalid_scope', 'Invalid OAuth scope or ID token audience provided.'),
    'Error: invalid_scope Some requested scopes were invalid.',
  ],
  'delegation-refused': [
    token(
      'unauthorized_client',
      'Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.',
    ),
    token('access_denied', 'Requested client not authorized.'),
  ],
  'delegation-consumer': [
    `subject: someone@gmail.com ${token('unauthorized_client', 'Client is unauthorized to retrieve access tokens using this method')}`,
  ],
  'delegation-bare': ['google.auth.JWT with subject: unauthorized_client'],
  'delegation-no-subject': [],
  'jwt-time': [
    token(
      'invalid_grant',
      'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.',
    ),
  ],
  'certificate-not-yet-valid': ['certificate is not yet valid'],
  'jwt-bare-clock': ['gtoken JWT: Error: invalid_grant'],
  'jwt-bare-key': [],
  'jwt-signature': [token('invalid_grant', 'Invalid JWT Signature.')],
  'jwt-issuer': [token('invalid_grant', 'Invalid JWT: No valid verifier found for issuer.')],
  'robot-disabled': [token('invalid_grant', 'Robot is disabled.'), token('invalid_grant', 'Invalid grant: account not found')],
  'client-or-robot-disabled': [`robot@p.iam.gserviceaccount.com ${token('disabled_client', 'The OAuth client was disabled.')}`],
  'subject-invalid': [token('invalid_grant', 'Invalid email or User ID')],
  'private-key-unreadable': [
    'error:1E08010C:DECODER routines::unsupported',
    'error:0909006C:PEM routines:get_name:no start line',
    "Can't generate token. Check your auth options",
    'Could not deserialize key data.',
  ],
  'gmail-mail-service-off': [api(400, 'failedPrecondition', 'Mail service not enabled')],
  'gmail-precondition-service-account': [api(400, 'failedPrecondition', 'Precondition check failed.')],
  'gmail-precondition-no-mailbox': [],
  'gmail-address-invalid': [api(400, 'invalidArgument', 'Invalid To header'), api(400, 'invalidArgument', 'Invalid Cc header')],
  'gmail-no-recipient': [api(400, 'invalidArgument', 'Recipient address required')],
  'gmail-recipient-empty': ['Error: No recipients defined'],
  'gmail-raw-missing': [api(400, 'invalidArgument', "'raw' RFC822 payload message string or uploading message via /upload/* URL required")],
  'gmail-raw-not-base64url': [
    api(400, 'invalidArgument', 'Invalid value for ByteString: abc+/'),
    "Invalid value at 'message.raw' (TYPE_BYTES), Base64 decoding failed",
  ],
  'gmail-insufficient-scope': [
    api(403, 'insufficientPermissions', 'Request had insufficient authentication scopes.'),
    'returned "Insufficient Permission"',
  ],
  'gmail-other-mailbox': [api(403, 'forbidden', 'Delegation denied for user@example.com')],
  'gmail-token-refused': [
    api(401, 'authError', 'Invalid Credentials'),
    'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.',
  ],
  'gmail-domain-policy': [api(403, 'domainPolicy', 'The domain administrators have disabled Gmail apps.')],
  'gmail-sending-limit': [
    api(429, 'rateLimitExceeded', 'User-rate limit exceeded.  Retry after 2026-03-11T08:00:00.000Z (Mail sending)'),
    api(403, 'dailyLimitExceeded', 'Daily Limit Exceeded'),
  ],
  'gmail-rate-limit': [
    api(403, 'userRateLimitExceeded', 'User Rate Limit Exceeded'),
    api(429, 'rateLimitExceeded', 'Too many concurrent requests for user'),
    api(429, 'rateLimitExceeded', 'User-rate limit exceeded.  Retry after 2026-03-10T17:41:45.544Z'),
    "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user' of service 'gmail.googleapis.com'",
  ],
  'gmail-too-large': [api(413, 'uploadTooLarge', 'Request Entity Too Large')],
  'gmail-backend': [api(500, 'backendError', 'Backend Error'), api(503, 'backendError', 'The service is currently unavailable.')],
  'gmail-not-found': ['The requested URL /gmail/v1/users//messages/send was not found on this server.'],
  'api-disabled': [
    'Gmail API has not been used in project 123456789 before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/gmail.googleapis.com/overview?project=123456789 then retry.',
    'Secret Manager API has not been used in project 123 before or it is disabled.',
    'Access Not Configured.',
  ],
  'secret-access-denied': [
    "PERMISSION_DENIED: Permission 'secretmanager.versions.access' denied for resource 'projects/P/secrets/NAME/versions/latest' (or it may not exist).",
  ],
  'secret-version-unusable': [
    'NOT_FOUND: Secret [projects/123456789/secrets/NAME] not found or has no versions.',
    'FAILED_PRECONDITION: Secret Version [projects/123/secrets/NAME/versions/3] is in DISABLED state.',
  ],
  'secret-quota': ["RESOURCE_EXHAUSTED: Quota exceeded for quota metric 'Access requests' of service 'secretmanager.googleapis.com'"],
  'sign-jwt-denied': ["Permission 'iam.serviceAccounts.signJwt' denied on resource (or it may not exist)."],
  'service-account-unknown': ['Not found; Gaia id not found for email name@project.iam.gserviceaccount.com'],
  'sign-jwt-payload': ['signJwt: INVALID_ARGUMENT: payload exp'],
  'key-creation-blocked': ['FAILED_PRECONDITION: Key creation is not allowed on this service account.'],
  'default-credentials-missing': [
    'Could not load the default credentials. Browse to https://cloud.google.com/docs/authentication/getting-started for more information.',
  ],
  'quota-project-denied': [
    'Caller does not have required permission to use project P. Grant the caller the roles/serviceusage.serviceUsageConsumer role',
  ],
} as const;
