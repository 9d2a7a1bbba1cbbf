import type { CauseRow } from './cause-row.ts';

const NO_PASSWORD = 'mailgrant signs in with a grant; there is no mail password to be wrong.';
const CHECKED_START = 'mailgrant checks config/mailgrant.yaml at build and start, and names every missing field.';

/** Causes in the SMTP sign-in with a password, and in how the client is set up. */
export const SIGN_IN_CAUSES = {
  'app-password-required': {
    summary: 'The ordinary account password was sent (or an app password that no longer exists); Gmail takes neither for SMTP.',
    fix: [
      'Without any password: `npx mailgrant authorize ADDRESS`, and send through mailgrant; a program that speaks SMTP alone sends to `npx mailgrant smtp` on its own machine.',
      'Or with an app password: turn on 2-Step Verification (https://myaccount.google.com/signinoptions/two-step-verification), and create one as exactly the user that signs in: https://myaccount.google.com/apppasswords',
      'That page offers no app password where 2-Step Verification is off or uses security keys only, where the Workspace administrator forbids it, and under Advanced Protection. In these cases OAuth is the only way.',
      'Use its 16 letters, without blanks, as the SMTP password; the user is the full address. An app password stops working when the account password changes.',
    ],
    avoided: NO_PASSWORD,
  },
  'web-login-required': {
    summary: 'Google takes the sign-in for suspicious and wants the owner to sign in with a browser first.',
    fix: [
      'Stop every program that signs in to this account: each refused try prolongs the block.',
      'Sign in with a browser as this account, finish every prompt, and confirm the alert at https://myaccount.google.com/notifications',
      'Workspace: Admin console > Directory > Users > the user > Security > Login challenge > turn off for 10 minutes, then try once.',
      'Then use an app password or, better, OAuth: it meets no such challenge.',
    ],
    avoided: 'An OAuth grant is not subject to the login challenge of a new server or address.',
  },
  'auth-not-attempted': {
    summary: 'The client sent the mail without signing in at all, so Gmail asks for authentication.',
    fix: [
      'Switch SMTP authentication on: PHPMailer `SMTPAuth = true`, JavaMail `mail.smtp.auth=true`, .NET set `UseDefaultCredentials = false` before `Credentials`, nodemailer `auth: {…}` at the top level of the options.',
      'Postfix: `smtp_sasl_auth_enable = yes`, and the key in sasl_passwd must equal relayhost to the letter (`[smtp.gmail.com]:587`); run `postmap` afterwards.',
      'Use STARTTLS on 587 or TLS on 465: Gmail offers AUTH only after TLS.',
    ],
    avoided: 'mailgrant never sends without a token: no grant, no request.',
  },
  'credentials-not-loaded': {
    summary: 'User, password or OAuth settings are empty, undefined or under a wrong name, so nothing real reaches Google.',
    fix: [
      'Print the length, not the value, of each setting where the client is made; 0 or 9 (`undefined`) means that the setting is not loaded.',
      'Check that the .env file or secret is loaded in this program (working directory, service unit, container) and that the names agree to the letter.',
      'Laravel: `php artisan config:clear`; Django: `python manage.py shell -c "from django.conf import settings; print(len(settings.EMAIL_HOST_PASSWORD))"`; restart workers.',
    ],
    avoided: CHECKED_START,
  },
  'password-mangled': {
    summary:
      'The password or user was altered on its way: characters not escaped in a URL, shell or file, or quotes and blanks that came along.',
    fix: [
      'In a URL, percent-encode user and password (@ is %40, : is %3A, # is %23, / is %2F), or use separate settings instead of a URL.',
      'In .env and YAML put the value in single quotes; in a shell avoid `echo` and double quotes ($ and ! are replaced).',
      'Type an app password as 16 letters: copied blanks may be non-breaking ones (\\xa0).',
    ],
    avoided: 'The grant is JSON in Secret Manager, written by `authorize`; nobody types or escapes it.',
  },
  'too-many-logins': {
    summary: 'The account signed in too often in a short time.',
    fix: [
      'Stop all senders of this account and wait: 10 minutes to an hour.',
      'Keep one connection open for many mails (nodemailer `pool: true, maxConnections: 1`; Django: one connection, `send_messages`).',
      'If refused passwords came before, fix those first: the retry loop is the cause.',
      'Or send through the Gmail API, which has no login per mail.',
    ],
    avoided: 'mailgrant sends through the API and mints one token per mailbox and invocation.',
  },
  'starttls-missing': {
    summary: 'The client talks in clear text: it signs in or sends on port 587 before STARTTLS.',
    fix: [
      'Django: `EMAIL_PORT = 587` with `EMAIL_USE_TLS = True`; smtplib: `starttls()` before `login()`; nodemailer: `port: 587, secure: false, requireTLS: true`.',
      'JavaMail `mail.smtp.starttls.enable=true`; .NET `EnableSsl = true`; PHPMailer `SMTPSecure = "tls"`; CakePHP `tls => true`.',
      'Set and still refused: a proxy strips STARTTLS. Try port 465 with implicit TLS.',
    ],
    avoided: 'mailgrant speaks HTTPS only.',
  },
  'wrong-port-tls-mode': {
    summary: 'Port and TLS mode do not belong together: 465 wants TLS from the first byte, 587 starts in clear text.',
    fix: [
      'Port 465: implicit TLS (Django `EMAIL_USE_SSL = True`, nodemailer `secure: true`, PHPMailer `ENCRYPTION_SMTPS`, smtplib `SMTP_SSL`).',
      'Port 587: STARTTLS (Django `EMAIL_USE_TLS = True`, nodemailer `secure: false`, PHPMailer `ENCRYPTION_STARTTLS`, smtplib `SMTP` then `starttls()`).',
      'Never both; .NET System.Net.Mail can do 587 only.',
    ],
    avoided: 'mailgrant speaks HTTPS only; there is no port to choose.',
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
      'Greeting right and still closed: register the sending IP address in the SMTP relay service.',
    ],
    avoided: 'mailgrant speaks HTTPS only; nothing greets.',
  },
  'bad-host-value': {
    summary: 'The host setting is wrong: misspelt, quoted, with a scheme or blank in it, or empty so that localhost is used.',
    fix: [
      'The host is exactly `smtp.gmail.com`: no quotes, no `smtp://`, no port, no trailing blank.',
      'Connecting to 127.0.0.1, ::1 or localhost means that the setting did not arrive: check its name and that the environment is loaded.',
    ],
    avoided: "Google's addresses are built in; no host is configured.",
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
      'Consent again with that scope (`access_type=offline`, `prompt=consent`) and delete the stored token.',
      'Or keep the narrow scope gmail.send and send through the Gmail API.',
    ],
    avoided: '`authorize` asks for the scope that `via` needs and refuses a grant that lacks it.',
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
