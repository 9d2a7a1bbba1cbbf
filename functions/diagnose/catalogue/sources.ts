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
  nodemailer: 'https://github.com/nodemailer/nodemailer',
  phpmailer: 'https://github.com/PHPMailer/PHPMailer/wiki/Troubleshooting',
  clients: 'the error texts of the common mail and OAuth libraries',
} as const satisfies Record<string, string>;

export type Source = keyof typeof SOURCES;
