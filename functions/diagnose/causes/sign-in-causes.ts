import type { CauseRow } from './cause-row.ts';
import { HTTPS_ONLY } from './network-causes.ts';

const NO_PASSWORD = 'mailgrant uses an OAuth permission (a grant) that the owner of the mailbox gave once; it stores no password.';
const CHECKED_START = 'mailgrant checks config/mailgrant.yaml at build and start, and names every missing field.';

/** The ways out where a password is refused: rows that know more of the account combine them in their own way. */
export const PASSWORD_STEPS = {
  mailgrant:
    'Without a password: set mailgrant up (docs/first-deployment.md), run `npx mailgrant authorize you@gmail.com` with the address of the sender, and send through mailgrant. For a program that can only use SMTP, start `npx mailgrant smtp --url URL_OF_YOUR_FUNCTION` on the same machine; in the program set host 127.0.0.1, port 2525, and an API key of mailgrant as the password (docs/sidecar.md).',
  use: 'Use its 16 letters, without blanks, as the SMTP password; the user is the full address. An app password stops working when the account password changes.',
} as const;

/** Causes in the SMTP sign-in with a password, and in how the client is set up. */
export const SIGN_IN_CAUSES = {
  'app-password-required': {
    summary: 'The ordinary account password was sent (or an app password that no longer exists); Gmail takes neither for SMTP.',
    fix: [
      PASSWORD_STEPS.mailgrant,
      'Or with an app password: turn on 2-Step Verification (https://myaccount.google.com/signinoptions/two-step-verification), and create it while signed in as the account that your program uses: https://myaccount.google.com/apppasswords',
      'The page offers no app password while 2-Step Verification is off (turn it on). It also offers none if 2-Step Verification uses security keys only, if the Workspace administrator forbids app passwords, or under Advanced Protection. In these three cases use OAuth or, in Workspace, the SMTP relay.',
      PASSWORD_STEPS.use,
    ],
    avoided: NO_PASSWORD,
  },
  'web-login-required': {
    summary: 'Google considers the sign-in suspicious and wants the owner to sign in with a browser first.',
    fix: [
      'Stop every program that signs in to this account: each refused try prolongs the block.',
      'Sign in with a browser as this account, finish every prompt, and confirm the alert at https://myaccount.google.com/notifications',
      "In Workspace an administrator opens Admin console > Directory > Users > the user > Security > Login challenge and clicks 'Turn off for 10 mins'; then let the program sign in once.",
      'Then use an app password or, better, OAuth, which has no login challenge.',
    ],
    avoided: 'The login challenge of a new server or address does not apply to OAuth, which mailgrant uses.',
  },
  'auth-not-attempted': {
    summary: 'The client sent the email without signing in at all, so Gmail asks for authentication.',
    fix: [
      'Switch SMTP authentication on: PHPMailer `SMTPAuth = true`, JavaMail `mail.smtp.auth=true`, .NET set `UseDefaultCredentials = false` before `Credentials`, nodemailer `auth: {…}` at the top level of the options.',
      'Postfix: `smtp_sasl_auth_enable = yes`, and the key in /etc/postfix/sasl_passwd must be the same text as relayhost in main.cf (`[smtp.gmail.com]:587`). Then `sudo postmap /etc/postfix/sasl_passwd && sudo systemctl reload postfix`.',
    ],
    avoided: 'mailgrant gets an access token before it sends; without one it sends nothing.',
  },
  'credentials-not-loaded': {
    summary: 'The real user, password or OAuth settings do not reach Google: they are empty, a placeholder, or stored under a wrong name.',
    fix: [
      'In the code that creates the email connection, print the length (not the value) of each setting. 0 means empty; 9 in JavaScript is usually the word undefined, 4 in Python the word None.',
      'Check that the .env file or secret is loaded in this program (working directory, service unit, container) and that the names are exactly the same.',
    ],
    avoided: CHECKED_START,
  },
  'password-mangled': {
    summary:
      'The password or user was altered on its way: characters not escaped in a URL, shell or file, or quotes and blanks that came along.',
    fix: [
      'In a URL, percent-encode user and password (@ is %40, : is %3A, # is %23, / is %2F), or use separate settings instead of a URL.',
      '.env and YAML: single quotes (not in a file for `docker run --env-file`: there quotes become part of the value). In a shell use single quotes and `printf %s`: double quotes replace $ and !, and `echo` adds a line end.',
      'Type an app password as 16 letters: copied blanks may be non-breaking ones (\\xa0).',
    ],
    avoided:
      'There is no password: `npx mailgrant authorize` stores the OAuth permission in Secret Manager, and nobody types or escapes it.',
  },
  'too-many-logins': {
    summary: 'The account signed in too often in a short time.',
    fix: [
      'Stop all senders of this account and wait: 10 minutes to an hour.',
      'Keep one connection open for many emails (nodemailer `pool: true, maxConnections: 1`; Django: `connection = get_connection()`, then `connection.send_messages(list_of_messages)`).',
      'If refused passwords came before, fix those first: the retry loop is the cause.',
      'Or send through the Gmail API, which has no sign-in for each email.',
    ],
    avoided: 'By default mailgrant sends through the Gmail API, which has no SMTP sign-in.',
  },
  'starttls-missing': {
    summary: 'The client talks in clear text: it signs in or sends on port 587 before STARTTLS.',
    fix: [
      'Django: `EMAIL_PORT = 587` with `EMAIL_USE_TLS = True`; smtplib: `starttls()` before `login()`; nodemailer: `port: 587, secure: false, requireTLS: true`.',
      'JavaMail `mail.smtp.starttls.enable=true`; .NET `EnableSsl = true`; PHPMailer `SMTPSecure = "tls"`; CakePHP `tls => true`.',
      'If it is set and still refused, a proxy may remove STARTTLS; try port 465 with implicit TLS.',
    ],
    avoided: HTTPS_ONLY,
  },
  'wrong-port-tls-mode': {
    summary: 'Port and TLS mode do not belong together: 465 wants TLS from the first byte, 587 starts in clear text.',
    fix: [
      'Port 465: implicit TLS (Django `EMAIL_USE_SSL = True`, nodemailer `secure: true`, PHPMailer `ENCRYPTION_SMTPS`, smtplib `SMTP_SSL`).',
      'Port 587: STARTTLS (Django `EMAIL_USE_TLS = True`, nodemailer `secure: false`, PHPMailer `ENCRYPTION_STARTTLS`, smtplib `SMTP` then `starttls()`).',
      'Never both; .NET System.Net.Mail can do 587 only.',
    ],
    avoided: HTTPS_ONLY,
  },
  'relay-not-authorized': {
    summary: 'smtp-relay.gmail.com does not know the sender: its domain, IP address or account is not in a Workspace relay setting.',
    fix: [
      'Without Workspace, or to send as one account: use host smtp.gmail.com.',
      'With Workspace: Admin console > Apps > Google Workspace > Gmail > Routing > SMTP relay service: add the public IP address, or require SMTP authentication and sign in.',
      'Send from, and greet (EHLO) with, a domain of that Workspace account. Changes take minutes, at most a day.',
    ],
    avoided: 'mailgrant sends as the mailbox itself; no relay and no fixed IP address is needed.',
  },
  'bad-ehlo-name': {
    summary: 'The client greets Google with `localhost` or another empty name, and the relay hangs up.',
    fix: [
      'Set the EHLO name to a real host name of your domain: nodemailer `name`, Postfix `smtp_helo_name`, Go `client.Hello("app.example.com")`, JavaMail `mail.smtp.localhost`, smtplib `local_hostname`.',
      'If the name is right and the connection is still closed, register the sending IP address in the SMTP relay service.',
    ],
    avoided: HTTPS_ONLY,
  },
  'bad-host-value': {
    summary: 'The host setting is wrong: misspelt, quoted, with a scheme or blank in it, or empty so that localhost is used.',
    fix: [
      'The host is exactly `smtp.gmail.com`: no quotes, no `smtp://`, no port, no trailing blank.',
      'Connecting to 127.0.0.1, ::1 or localhost means that the setting did not arrive: check its name and that the environment is loaded. If `npx mailgrant smtp` should answer there, start it.',
    ],
    avoided: 'mailgrant has the addresses of Google built in; no host is configured.',
  },
  'xoauth2-line-too-long': {
    summary: 'A long access token was sent on the AUTH line itself, which exceeds the length of a command.',
    fix: [
      'Send `AUTH XOAUTH2` alone, wait for 334, then send the token (Angus/JavaMail: `mail.smtp.auth.xoauth2.two.line.authentication.format=true`).',
      'Or send through the Gmail API, where the token is a header.',
    ],
    avoided: 'The token travels in an HTTPS header of the Gmail API.',
  },
  'wrong-scope-for-smtp': {
    summary: 'The OAuth token lacks the scope https://mail.google.com/, the only one that SMTP and IMAP accept.',
    fix: [
      'Look at the token: `curl -s -d access_token="$TOKEN" https://oauth2.googleapis.com/tokeninfo` must list https://mail.google.com/',
      'Delete the stored token. Then consent again with the scope https://mail.google.com/; the authorization URL must carry `access_type=offline` and `prompt=consent`.',
      'Set `user` to the address of the account that gave the consent.',
      'Or keep the narrow scope gmail.send and send through the Gmail API.',
    ],
    avoided:
      '`npx mailgrant authorize` asks for the scope that the configured way of sending needs, and refuses a permission that lacks it.',
  },
  'backend-does-not-send': {
    summary: 'The configured mail backend writes emails to the console, a file or memory; none is sent.',
    fix: [
      'Django: `EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"` where emails must go out; Laravel: `MAIL_MAILER` is not `log` or `array`.',
    ],
    avoided: 'An email that `POST /emails` accepts is in the ledger, with what became of it.',
  },
  'smtp-protocol-misuse': {
    summary: 'The client breaks the SMTP dialogue: an invalid command, address or sequence.',
    fix: ['Log the exact commands; give sender and recipients as bare addresses, one each.', 'Let a maintained library speak SMTP.'],
    avoided: 'mailgrant composes with nodemailer and checks every address before anything is sent.',
  },
} as const satisfies Record<string, CauseRow>;
