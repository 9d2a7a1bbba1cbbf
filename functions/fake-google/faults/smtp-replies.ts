/** Refusals of Gmail's SMTP as Google documents them (support.google.com/a/answer/3726730), by the names for scripting. */
export const SMTP_REFUSALS = {
  bad_credentials: {
    code: 535,
    lines: [
      '5.7.8 Username and Password not accepted. For more information, go to',
      '5.7.8  https://support.google.com/mail/?p=BadCredentials',
    ],
  },
  app_password: {
    code: 534,
    lines: [
      '5.7.9 Application-specific password required. For more information, go to',
      '5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor',
    ],
  },
  web_login: { code: 534, lines: ['5.7.14 Please log in via your web browser and then try again.'] },
  too_many_logins: { code: 454, lines: ['4.7.0 Too many login attempts, please try again later.'] },
  auth_temporary: { code: 454, lines: ['4.7.0 Cannot authenticate due to temporary system problem. Try again later.'] },
  try_later: { code: 421, lines: ['4.7.0 Try again later, closing connection.'] },
  temporary: { code: 421, lines: ['4.3.0 Temporary System Problem. Try again later.'] },
  unusual_rate: { code: 421, lines: ['4.7.28 Gmail has detected an unusual rate of mail originating from your account.'] },
  idle: { code: 451, lines: ['4.4.2 Timeout - closing connection.'] },
  daily_sending_limit: { code: 550, lines: ['5.4.5 Daily user sending limit exceeded.'] },
  too_many_recipients: { code: 452, lines: ['4.5.3 Your message has too many recipients.'] },
  bad_recipient: { code: 553, lines: ['5.1.3 The recipient address is not a valid RFC 5321 address.'] },
  no_such_user: { code: 550, lines: ['5.1.1 The email account that you tried to reach does not exist.'] },
  message_too_big: { code: 552, lines: ["5.3.4 Your message exceeded Google's message size limits."] },
  blocked_content: { code: 552, lines: ['5.7.0 This message was blocked because its content presents a potential security issue.'] },
  unauthenticated_sender: { code: 550, lines: ['5.7.26 Your email has been blocked because the sender is unauthenticated.'] },
} as const satisfies Record<string, { readonly code: number; readonly lines: readonly string[] }>;

export type SmtpRefusalName = keyof typeof SMTP_REFUSALS;
