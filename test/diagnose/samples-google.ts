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
  'run-invoker-denied': [
    'The request was not authenticated. Either allow unauthenticated invocations or set the proper Authorization header. Read more at https://cloud.google.com/run/docs/securing/authenticating',
    '<html><title>403 Forbidden</title><h1>Error: Forbidden</h1><h2>Your client does not have permission to get URL <code>/</code> from this server.</h2></html>',
    "Permission 'run.routes.invoke' denied on resource",
  ],
  'push-identity-refused': [
    'service-123@gcp-sa-pubsub.iam.gserviceaccount.com lacks iam.serviceAccounts.getOpenIdToken',
    'Wrong recipient, payload audience != requiredAudience',
  ],
  'iam-permission-missing': [
    '7 PERMISSION_DENIED: User not authorized to perform this action.',
    'PERMISSION_DENIED: Missing or insufficient permissions.',
    'The principal lacks IAM permission "cloudtasks.tasks.create" for the resource "projects/p/locations/l/queues/q"',
  ],
  'act-as-denied': ["Permission 'iam.serviceaccounts.actAs' denied on service account mailer@p.iam.gserviceaccount.com"],
  'firestore-no-database': [
    '5 NOT_FOUND: The database (default) does not exist for project shop-1 Please visit https://console.cloud.google.com/datastore/setup?project=shop-1 to add a Cloud Datastore or Cloud Firestore database.',
    'The Cloud Firestore API is not available for Firestore in Datastore Mode database projects/shop-1/databases/(default).',
  ],
  'firestore-no-index': [
    '9 FAILED_PRECONDITION: The query requires an index. You can create it here: https://console.firebase.google.com/…',
  ],
  'service-agent-missing': [
    'Error 400: Invalid resource state for "": Permission denied while using the Eventarc Service Agent. If you recently started to use Eventarc, it may take a few minutes before all necessary permissions are propagated',
    'Service account service-12345@gcp-sa-pubsub.iam.gserviceaccount.com does not exist.',
  ],
  'org-policy-refuses': [
    'FAILED_PRECONDITION: One or more users named in the policy do not belong to a permitted customer, perhaps due to an organization policy.',
    'Request violates constraint constraints/iam.allowedPolicyMemberDomains',
  ],
  'build-account-denied': [
    '123-compute@developer.gserviceaccount.com does not have storage.objects.get access to the Google Cloud Storage object. gcf-v2-sources-123',
    'Error: could not build the function due to a missing permission on the build service account',
    "denied: Permission 'artifactregistry.repositories.downloadArtifacts' denied",
  ],
  'quota-project-missing': [
    'Your application is authenticating by using local Application Default Credentials. The gmail.googleapis.com API requires a quota project, which is not set by default.',
    'Your application has authenticated using end user credentials from the Google Cloud SDK or Google Cloud Shell which are not supported by the firestore.googleapis.com.',
  ],
  'other-provider-passwords': [
    '535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. [prod.outlook.com]',
    'smtp.mail.yahoo.com:587 (535, b"5.7.0 (#AUTH005) Too many bad auth attempts.")',
  ],
  'resend-domain': [
    '{"statusCode":403,"message":"The example.com domain is not verified. Please, add and verify your domain on https://resend.com/domains","name":"validation_error"}',
    'You can only send testing emails to your own email address (me@example.com).',
  ],
  'python-312-starttls': ["TypeError: SMTP.starttls() got an unexpected keyword argument 'keyfile'"],
} as const;
