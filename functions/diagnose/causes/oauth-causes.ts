import type { CauseRow } from './cause-row.ts';

const AUTHORIZE =
  '`npx mailgrant authorize` opens the consent page, checks account and scope, and stores the permission (the grant) in Secret Manager.';
const KEYLESS = 'With `grant: delegation` mailgrant signs through the IAM API of Google Cloud, and no key exists.';
const WATCHED = 'mailgrant tests every stored permission on a schedule, and alerts before an email is lost.';
const CONSENT_AGAIN =
  'Consent again: `npx mailgrant authorize ADDRESS` (elsewhere: delete the stored token and run the consent once more).';

/** Causes in OAuth: consent, clients, refresh tokens, service accounts. */
export const OAUTH_CAUSES = {
  'refresh-token-expired-testing-7-days': {
    summary: 'The consent screen is External and in Testing, so every refresh token stops working after seven days.',
    fix: [
      'Publish the app: https://console.cloud.google.com/auth/audience > Publish app (or make it Internal in Workspace).',
      CONSENT_AGAIN,
    ],
    avoided: WATCHED,
  },
  'refresh-token-revoked-password-change': {
    summary:
      'The permission was ended: the account password changed, the owner removed the app, the token was not used for six months, or 100 newer ones were issued.',
    fix: [
      'See whether the app is still listed for the account: https://myaccount.google.com/connections',
      CONSENT_AGAIN,
      'In Workspace an administrator can let a service account send as the mailbox (domain-wide delegation); no refresh token is used. gmail.com accounts cannot use this.',
    ],
    avoided: WATCHED,
  },
  'refresh-token-missing': {
    summary: 'There is no refresh token: none was issued (no offline access), or none reaches the client.',
    fix: [
      'Ask for it: `access_type=offline` and `prompt=consent` in the consent URL; Google sends it only at a fresh consent.',
      'Already consented? Remove the app at https://myaccount.google.com/connections and consent again.',
      'Store it, and hand it to the client under the name that its library expects.',
    ],
    avoided: AUTHORIZE,
  },
  'access-token-expired': {
    summary: 'The access token is more than an hour old, or what was sent is not an access token, and the client did not get a new one.',
    fix: [
      'Give the client the refresh token, client id and secret, not only an access token, so that it can get a new access token itself.',
      'After this 535 (401 in the Gmail API) get one new access token and try once. If the refresh fails with invalid_grant, the grant is gone: consent again. If the new token is refused too, check the scope and the user.',
    ],
    avoided: 'mailgrant gets an access token at each call of its function, and a new one once after a 401.',
  },
  'auth-code-malformed': {
    summary: 'The authorisation code was handed over wrongly: still URL-encoded, cut off, the whole URL, or used twice.',
    fix: [
      'Take only the `code` parameter of the redirect URL and decode it: `4%2F0…` must become `4/0…`.',
      'A code works once and for minutes: start the consent again for a new one.',
    ],
    avoided: '`npx mailgrant authorize` receives the code itself on a loopback address.',
  },
  'client-mismatch': {
    summary: 'The refresh token was issued to another OAuth client than the one whose id and secret are sent.',
    fix: [
      'Use the client id and secret with which the consent was made (OAuth Playground: tick "Use your own OAuth credentials").',
      'Or consent again with the client in use, and store the new refresh token.',
    ],
    avoided: 'Client and refresh token are stored together in one secret.',
  },
  'invalid-client-id': {
    summary: 'The client id sent is not that of an existing OAuth client: misspelt, with a blank, a placeholder, or empty.',
    fix: [
      'Copy the client id again from https://console.cloud.google.com/auth/clients; it ends in .apps.googleusercontent.com, with nothing after it.',
      'Check that the variable is loaded: a blank shows as %20 or + in the consent URL.',
    ],
    avoided: AUTHORIZE,
  },
  'client-secret-invalid': {
    summary: 'The client secret does not belong to this OAuth client, or was rotated.',
    fix: ['Copy the secret again, or add a new one, at https://console.cloud.google.com/auth/clients, and store it without a line end.'],
    avoided: 'A rotated secret is read again without a redeploy.',
  },
  'oauth-client-deleted': {
    summary: 'The OAuth client was deleted (or switched off), by a person or for lack of use.',
    fix: [
      'Restore it within 30 days at https://console.cloud.google.com/auth/clients, or create a new client (Desktop app for a script).',
      'With a new client every mailbox must consent again.',
      "A built-in client of someone else's program: put your own id and secret into it.",
    ],
    avoided: WATCHED,
  },
  'oob-flow-blocked': {
    summary: 'The program asks for the copy-and-paste flow (urn:ietf:wg:oauth:2.0:oob), which Google has shut off.',
    fix: [
      'Update the program; or change its redirect to a loopback address (http://127.0.0.1:PORT) with a client of type Desktop app.',
      'In google-auth-oauthlib: `run_local_server()` instead of `run_console()`.',
    ],
    avoided: '`npx mailgrant authorize` uses a loopback redirect with PKCE.',
  },
  'redirect-uri-mismatch': {
    summary: 'The redirect URI of the request is not registered for the OAuth client, or not allowed for its type.',
    fix: [
      'Add the URI of the request, exactly as it is (scheme, port, path, final slash), under Authorised redirect URIs: https://console.cloud.google.com/auth/clients',
      'For a script use a client of type Desktop app and the redirect http://127.0.0.1:PORT. A Web client needs https and a public domain name, except for http://localhost and http://127.0.0.1, which must be registered with port and path.',
      'A change takes five minutes to a few hours.',
    ],
    avoided: '`npx mailgrant authorize` uses a loopback redirect, which needs no registration.',
  },
  'invalid-scope': {
    summary: 'The request asks for a scope that does not exist.',
    fix: [
      'Use exactly https://www.googleapis.com/auth/gmail.send (no slash at the end) or https://mail.google.com/ (with one); several are separated by blanks.',
    ],
    avoided: 'mailgrant knows the scopes; nobody types them.',
  },
  'access-denied-not-test-user': {
    summary: 'The app is in Testing and the account is not on its list of test users.',
    fix: [
      'Add the address under Test users, or publish the app: https://console.cloud.google.com/auth/audience',
      'Then consent again. In Testing each permission ends after seven days; for a server publish the app.',
    ],
    avoided: '`npx mailgrant authorize` names this case; docs/authorize.md says how to publish the app before the first consent.',
  },
  'consent-declined': {
    summary: 'The person at the consent page declined, or closed it.',
    fix: ['Consent again and leave every permission ticked.'],
    avoided: AUTHORIZE,
  },
  'app-not-available-to-account': {
    summary: 'The app is not open to this account: it is Internal to another organisation, or not verified.',
    fix: [
      'Consent with an account of the organisation, or set the audience to External: https://console.cloud.google.com/auth/audience',
      'Unverified and beyond 100 users, or restricted: ask for verification at https://console.cloud.google.com/auth/verification',
    ],
    avoided: AUTHORIZE,
  },
  'admin-policy': {
    summary: 'The Workspace administrator has not allowed the app, the API or this email.',
    fix: [
      'Administrator: https://admin.google.com/ac/owl/list?tab=configuredApps > configure new app > the OAuth client id > Trusted.',
      'Check that Gmail is on for the unit of the user, and that no content or delivery rule stops the email (Reporting > Email log search).',
    ],
    avoided: '`npx mailgrant doctor` prints the client id and scopes to paste into the Admin console.',
  },
  'reauth-required-rapt': {
    summary: 'A Workspace session-control policy wants the user to sign in again, which a server cannot do.',
    fix: [
      'Administrator: Security > Access and data control > Google Cloud session control: exempt trusted apps and mark the app as Trusted, or lift the policy for this unit.',
      CONSENT_AGAIN,
      'Or let a service account send as the mailbox (domain-wide delegation), which has no session. For gcloud itself: `gcloud auth login --update-adc`.',
    ],
    avoided: KEYLESS,
  },
  'delegation-not-authorized': {
    summary: 'The service account has not been granted these scopes in domain-wide delegation.',
    fix: [
      'Super administrator: https://admin.google.com/ac/owl/domainwidedelegation > Add new: the numeric client id of the service account, and exactly the scopes that are requested, comma-separated.',
      'Each requested scope must be among the granted ones, with exactly the same text; a change takes minutes, at most a day.',
    ],
    avoided: '`npx mailgrant doctor` prints client id and scopes to paste, and tries them.',
  },
  'service-account-on-consumer-gmail': {
    summary: 'A service account is used for a gmail.com mailbox, where domain-wide delegation does not exist.',
    fix: ['Use a refresh token of that mailbox: `npx mailgrant authorize ADDRESS`.', 'Or send from a Workspace mailbox.'],
    avoided: 'mailgrant takes `grant: refresh-token` for consumer mailboxes and `delegation` for Workspace.',
  },
  'service-account-without-subject': {
    summary: 'The service account acts as itself; it has no mailbox, and no user to act for is named.',
    fix: [
      'Name the mailbox as subject: Node `new google.auth.JWT({…, subject})`, Python `credentials.with_subject(address)`, Go `config.Subject`, Java `createDelegated(address)`; in a proxy, log in as the mailbox.',
      'The service account needs domain-wide delegation for the scopes: https://admin.google.com/ac/owl/domainwidedelegation',
      'A gmail.com mailbox cannot be delegated: use a refresh token.',
    ],
    avoided: 'mailgrant always names the mailbox that it sends for.',
  },
  'subject-invalid': {
    summary: 'The user to act for does not exist in the domain, or is not an address.',
    fix: ['Use the primary address of an active Workspace user as subject, not an alias or a group.'],
    avoided: 'The subject is the address of the mailbox in config/mailgrant.yaml.',
  },
  'account-deleted': {
    summary: 'The Google account behind the grant was deleted or suspended.',
    fix: ['Restore the account (Admin console > Directory > Users > Recently deleted), or send from another mailbox.'],
    avoided: WATCHED,
  },
  'service-account-disabled': {
    summary: 'The service account, or the account or project that owns it, is disabled or deleted.',
    fix: [
      'Look at its state: `gcloud iam service-accounts describe EMAIL`, https://console.cloud.google.com/iam-admin/serviceaccounts',
      '`gcloud iam service-accounts enable EMAIL`, or make a new one and authorise it for delegation.',
    ],
    avoided: WATCHED,
  },
  'service-account-key-invalid': {
    summary: 'The key that signs is not (or no longer) a key of this service account.',
    fix: [
      'Compare private_key_id with `gcloud iam service-accounts keys list --iam-account=EMAIL`; if it is missing, the key was deleted.',
      'Create and store a new key, or better none.',
    ],
    avoided: KEYLESS,
  },
  'private-key-malformed': {
    summary: 'The private key is not readable PEM as loaded; no request was sent.',
    fix: [
      "Turn the two characters \\n into line ends: `key.replace(/\\\\n/g, '\\n')`, and drop outer quotes; or store the whole JSON file and parse it.",
      'Use the field private_key, not private_key_id and not an API key. `openssl pkey -in key.pem -noout` must succeed.',
    ],
    avoided: KEYLESS,
  },
  'clock-skew': {
    summary: 'The clock of the machine is wrong, so what it signs or checks is out of time.',
    fix: [
      'Compare: `date -u; curl -sI https://oauth2.googleapis.com | grep -i ^date`',
      'Synchronise: `sudo timedatectl set-ntp true` or `sudo chronyc makestep`; WSL: `sudo hwclock -s`; restart a VM that was suspended.',
      "Clock right? Then the code's iat and exp are: seconds, not milliseconds, and at most an hour apart.",
    ],
    avoided: "Cloud functions run on Google's clock; `doctor` measures the skew on a laptop.",
  },
  'token-request-invalid': {
    summary: 'The request to the token endpoint is malformed: wrong grant type, audience or parameter.',
    fix: [
      "POST form fields to https://oauth2.googleapis.com/token; let Google's library build the request.",
      'The JWT audience is exactly https://oauth2.googleapis.com/token.',
    ],
    avoided: 'mailgrant builds the request, and tests check its form.',
  },
} as const satisfies Record<string, CauseRow>;
