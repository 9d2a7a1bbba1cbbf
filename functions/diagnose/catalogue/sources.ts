/** Where the facts of a row come from. */
export const SOURCES = {
  smtpErrors: 'https://support.google.com/a/answer/3726730',
  appPasswords: 'https://support.google.com/accounts/answer/185833',
  endOfPasswords: 'https://support.google.com/a/answer/14114704',
  xoauth2: 'https://developers.google.com/workspace/gmail/imap/xoauth2-protocol',
  relay: 'https://support.google.com/a/answer/6140680',
  limits: 'https://support.google.com/a/answer/166852',
  blockedFiles: 'https://support.google.com/mail/answer/6590',
  senders: 'https://support.google.com/mail/answer/81126',
  oauthErrors: 'https://developers.google.com/identity/protocols/oauth2/web-server',
  expiration: 'https://developers.google.com/identity/protocols/oauth2#expiration',
  oob: 'https://developers.google.com/identity/protocols/oauth2/resources/oob-migration',
  serviceAccount: 'https://developers.google.com/identity/protocols/oauth2/service-account#error-codes',
  sessionControl: 'https://support.google.com/a/answer/9368756',
  unusedClients: 'https://support.google.com/cloud/answer/15549257#unused-client-deletion',
  gmailErrors: 'https://developers.google.com/workspace/gmail/api/guides/handle-errors',
  gmailQuota: 'https://developers.google.com/workspace/gmail/api/reference/quota',
  sending: 'https://developers.google.com/workspace/gmail/api/guides/sending',
  secretManager: 'https://cloud.google.com/secret-manager/docs/reference/rest',
  iam: 'https://cloud.google.com/iam/docs/reference/credentials/rest',
  run: 'https://cloud.google.com/run/docs/authenticating/overview',
  pubsubPush: 'https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions',
  firestore: 'https://cloud.google.com/firestore/docs/manage-databases',
  eventarc: 'https://cloud.google.com/eventarc/docs/troubleshooting',
  orgPolicy: 'https://cloud.google.com/resource-manager/docs/organization-policy/restricting-domains',
  cloudBuild: 'https://cloud.google.com/build/docs/cloud-build-service-account-updates',
  adcQuota: 'https://cloud.google.com/docs/authentication/troubleshoot-adc#user-creds-client-based',
  microsoft:
    'https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/deprecation-of-basic-authentication-exchange-online',
  resend: 'https://resend.com/docs/api-reference/errors',
  python312: 'https://docs.python.org/3/whatsnew/3.12.html',
  nodemailer: 'https://github.com/nodemailer/nodemailer',
  phpmailer: 'https://github.com/PHPMailer/PHPMailer/wiki/Troubleshooting',
  clients: 'the error texts of the common mail and OAuth libraries',
} as const satisfies Record<string, string>;

export type Source = keyof typeof SOURCES;

/** Facts about clients: where the text shows a program, its own page stands in their place. */
export const CLIENT_SOURCES: ReadonlySet<Source> = new Set(['clients', 'nodemailer', 'phpmailer'] as const);
