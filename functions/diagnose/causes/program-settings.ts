import type { Cause } from './causes.ts';
import type { Program } from './programs.ts';

/** Where a program keeps what a fix changes. */
export interface ProgramSettings {
  /** The name that a reader knows. */
  readonly name: string;
  /** User and password. */
  readonly login: string;
  /** That it signs in at all. */
  readonly auth: string;
  /** Port and TLS, both ways where it has both. */
  readonly tls: string;
  readonly host: string;
  /** What makes a change take effect. */
  readonly reload?: string;
}

export const PROGRAM_SETTINGS: Readonly<Partial<Record<Program, ProgramSettings>>> = {
  exim: { name: 'Exim', login: 'Debian: a line `*.google.com:USER:PASSWORD` in /etc/exim4/passwd.client; elsewhere `client_send = : USER : PASSWORD` of the plaintext authenticator.', auth: 'An authenticator with `driver = plaintext` and `client_send`, and `hosts_require_auth = smtp.gmail.com` in the transport.', tls: 'Port 587 with `hosts_require_tls = *`; 465 with `protocol = smtps`.', host: 'Debian: `dc_smarthost=\'smtp.gmail.com::587\'` in /etc/exim4/update-exim4.conf.conf.', reload: '`update-exim4.conf && systemctl restart exim4`' },
  postfix: { name: 'Postfix', login: '`[smtp.gmail.com]:587 USER:PASSWORD` in /etc/postfix/sasl_passwd.', auth: '`smtp_sasl_auth_enable = yes`, `smtp_sasl_security_options = noanonymous`, and libsasl2-modules installed.', tls: '`relayhost = [smtp.gmail.com]:587` with `smtp_tls_security_level = encrypt`; 465 also needs `smtp_tls_wrappermode = yes`.', host: '`relayhost = [smtp.gmail.com]:587` in main.cf, with the brackets.', reload: '`postmap /etc/postfix/sasl_passwd && systemctl reload postfix`' },
  sendmail: { name: 'Sendmail', login: '`AuthInfo:[smtp.gmail.com] "U:USER" "P:PASSWORD" "M:PLAIN"` in /etc/mail/authinfo.', auth: "`FEATURE(`authinfo', `hash -o /etc/mail/authinfo.db')` in sendmail.mc.", tls: "`define(`RELAY_MAILER_ARGS', `TCP $h 587')`; Sendmail starts TLS where the server offers it.", host: "`define(`SMART_HOST', `[smtp.gmail.com]')` in sendmail.mc.", reload: '`makemap hash /etc/mail/authinfo < /etc/mail/authinfo && make -C /etc/mail && systemctl restart sendmail`' },
  msmtp: { name: 'msmtp', login: '`user` and `password` (or `passwordeval`) of the account in ~/.msmtprc.', auth: '`auth on` in the account that `-a` or `account default` names.', tls: '`tls on`, `port 587`, `tls_starttls on`; for 465 `tls_starttls off`.', host: '`host smtp.gmail.com` in ~/.msmtprc.' },
  ssmtp: { name: 'sSMTP', login: '`AuthUser` and `AuthPass` in /etc/ssmtp/ssmtp.conf.', auth: '`AuthUser`, `AuthPass` and `AuthMethod=LOGIN` in /etc/ssmtp/ssmtp.conf. sSMTP is no longer maintained; msmtp takes its place.', tls: '`mailhub=smtp.gmail.com:587` with `UseSTARTTLS=YES`; 465 with `UseTLS=YES` alone.', host: '`mailhub=smtp.gmail.com:587` in /etc/ssmtp/ssmtp.conf.' },
  git: { name: 'git send-email', login: '`git config --global sendemail.smtpUser USER`; the password is asked for, or kept by a credential helper.', auth: '`git config --global sendemail.smtpUser USER`: without a user it does not sign in.', tls: '`sendemail.smtpEncryption = tls` with `smtpServerPort = 587`, or `ssl` with 465.', host: '`git config --global sendemail.smtpServer smtp.gmail.com`', reload: '`git credential reject` with protocol=smtp and host=smtp.gmail.com:587 forgets an old password' },
  mutt: { name: 'Mutt', login: '`set smtp_pass="PASSWORD"`, and the user in `set smtp_url="smtp://USER@smtp.gmail.com:587/"` (write @ in the user as it is).', auth: '`set smtp_authenticators="plain:login"`, and a user in smtp_url.', tls: '`smtp://…:587/` with `set ssl_starttls=yes`, or `smtps://…:465/`.', host: '`set smtp_url="smtp://USER@smtp.gmail.com:587/"`' },
  snail: { name: 's-nail (mailx)', login: '`set mta=smtp://USER:PASSWORD@smtp.gmail.com:587` with both percent-encoded; older: `smtp-auth-user`, `smtp-auth-password`.', auth: '`set smtp-auth=login` (older mailx also `smtp-auth-user`).', tls: '`set smtp-use-starttls` with `smtp://…:587`, or `smtps://…:465`.', host: '`set mta=smtp://smtp.gmail.com:587` (older: `set smtp=smtp://smtp.gmail.com:587`).' },
  swaks: { name: 'swaks', login: '`--auth-user USER --auth-password PASSWORD`', auth: '`--auth PLAIN --auth-user USER`', tls: '`--port 587 --tls`, or `--port 465 --tls-on-connect`.', host: '`--server smtp.gmail.com`' },
  curl: { name: 'curl', login: "`--user 'USER:PASSWORD'` in single quotes.", auth: "`--user 'USER:PASSWORD'`", tls: '`--ssl-reqd smtp://smtp.gmail.com:587`, or `smtps://smtp.gmail.com:465`.', host: '`smtps://smtp.gmail.com:465`' },
  jenkins: { name: 'Jenkins', login: 'Manage Jenkins > System > E-mail Notification > Advanced: user and password; the Email Extension plugin has fields of its own.', auth: 'Manage Jenkins > System > E-mail Notification > Advanced: tick "Use SMTP Authentication".', tls: 'Port 465 with "Use SSL", or 587 with "Use TLS".', host: 'Manage Jenkins > System > E-mail Notification > SMTP server: smtp.gmail.com' },
  keycloak: { name: 'Keycloak', login: 'Realm settings > Email > Authentication: username and password; save, then "Test connection".', auth: 'Realm settings > Email: switch "Authentication" on.', tls: '"Enable StartTLS" with port 587, or "Enable SSL" with 465, not both.', host: 'Realm settings > Email > Host: smtp.gmail.com' },
  gitlab: { name: 'GitLab', login: "`gitlab_rails['smtp_user_name']` and `gitlab_rails['smtp_password']` in /etc/gitlab/gitlab.rb.", auth: "`gitlab_rails['smtp_authentication'] = \"login\"` and `smtp_enable = true`.", tls: "587: `smtp_enable_starttls_auto = true`, `smtp_tls = false`; 465: the other way round.", host: "`gitlab_rails['smtp_address'] = \"smtp.gmail.com\"`", reload: '`gitlab-ctl reconfigure`' },
  grafana: { name: 'Grafana', login: '`user` and `password` under [smtp] in grafana.ini (a password with # or ; in triple quotes), or GF_SMTP_USER and GF_SMTP_PASSWORD.', auth: '`enabled = true`, `user` and `password` under [smtp] in grafana.ini.', tls: '`host = smtp.gmail.com:587` with `startTLS_policy = MandatoryStartTLS`; `:465` is TLS from the start.', host: '`host = smtp.gmail.com:587` under [smtp], with the port.', reload: '`systemctl restart grafana-server`' },
  nas: { name: 'the NAS', login: 'Control panel > Notification > Email: choose Gmail or "custom SMTP server", with the full address as user.', auth: 'Control panel > Notification > Email: tick "Authentication required".', tls: 'Port 587 with STARTTLS, or 465 with SSL/TLS.', host: 'Control panel > Notification > Email > SMTP server: smtp.gmail.com' },
  printer: { name: 'the printer', login: "The device's web page > Network or Scan > SMTP (E-mail) settings: user is the full address. Many devices cut a password that is longer than they take; an app password has 16 letters.", auth: "The device's web page > SMTP settings: authentication LOGIN or \"SMTP-AUTH\".", tls: '587 with STARTTLS, or 465 with SSL. An old device that knows only TLS 1.0 cannot speak to Gmail: update its firmware, or let it send to a relay in your network such as `npx mailgrant smtp`.', host: "The device's web page > SMTP server: smtp.gmail.com" },
  wordpress: { name: 'WordPress', login: 'WP Mail SMTP > Settings > Other SMTP: username and password, or `define(\'WPMS_SMTP_PASS\', …)` in wp-config.php. Its mailer "Google / Gmail" signs in by OAuth instead.', auth: 'WP Mail SMTP > Settings: switch "Authentication" on.', tls: 'Encryption TLS with port 587, or SSL with 465.', host: 'WP Mail SMTP > Settings > SMTP host: smtp.gmail.com' },
  laravel: { name: 'Laravel', login: '`MAIL_USERNAME` and `MAIL_PASSWORD` in .env, in quotes where they hold # or blanks.', auth: '`MAIL_USERNAME` and `MAIL_PASSWORD` in .env: with one empty it does not sign in.', tls: '`MAIL_PORT=587` with `MAIL_SCHEME=smtp` (up to Laravel 11: `MAIL_ENCRYPTION=tls`), or 465 with `smtps` (`ssl`).', host: '`MAIL_HOST=smtp.gmail.com` in .env; "mailpit" and "127.0.0.1" are those of development.', reload: '`php artisan config:clear`, and restart queue workers' },
  symfony: { name: 'Symfony', login: '`MAILER_DSN=smtp://USER:PASSWORD@smtp.gmail.com:587` with user and password percent-encoded.', auth: 'User and password in MAILER_DSN.', tls: '`smtp://…:587` starts TLS by itself; `smtps://…:465`.', host: '`MAILER_DSN=smtp://…@smtp.gmail.com:587`', reload: '`php bin/console cache:clear`' },
  phpmailer: { name: 'PHPMailer', login: '`$mail->Username` and `$mail->Password`.', auth: '`$mail->isSMTP(); $mail->SMTPAuth = true;`: on the object that sends.', tls: '`SMTPSecure = PHPMailer::ENCRYPTION_STARTTLS` with `Port = 587`, or `ENCRYPTION_SMTPS` with 465.', host: "`$mail->Host = 'smtp.gmail.com'`" },
  spring: { name: 'Spring', login: '`spring.mail.username` and `spring.mail.password`.', auth: '`spring.mail.properties.mail.smtp.auth=true`', tls: '`spring.mail.port=587` with `spring.mail.properties.mail.smtp.starttls.enable=true`, or 465 with `…mail.smtp.ssl.enable=true`.', host: '`spring.mail.host=smtp.gmail.com`' },
  java: { name: 'JavaMail', login: 'The Authenticator that is handed to `Session.getInstance(props, authenticator)`.', auth: '`mail.smtp.auth=true`, and an Authenticator in the Session.', tls: '`mail.smtp.port=587` with `mail.smtp.starttls.enable=true`, or 465 with `mail.smtp.ssl.enable=true`.', host: '`mail.smtp.host=smtp.gmail.com`' },
  mailkit: { name: 'MailKit', login: '`client.Authenticate(user, password)`', auth: '`client.Authenticate(user, password)` between Connect and Send.', tls: '`Connect(host, 587, SecureSocketOptions.StartTls)`, or `(host, 465, SecureSocketOptions.SslOnConnect)`.', host: '`Connect("smtp.gmail.com", …)`' },
  dotnet: { name: '.NET', login: '`Credentials = new NetworkCredential(user, password)`; PowerShell: `-Credential`.', auth: '`UseDefaultCredentials = false` before `Credentials`.', tls: '`Port = 587; EnableSsl = true;`: System.Net.Mail cannot do 465. PowerShell: `-UseSsl -Port 587`.', host: '`new SmtpClient("smtp.gmail.com", 587)`' },
  lettre: { name: 'lettre', login: '`.credentials(Credentials::new(user, password))`', auth: '`.credentials(…)` on the builder of the transport.', tls: '`SmtpTransport::starttls_relay(host)` for 587, `SmtpTransport::relay(host)` for 465.', host: '`SmtpTransport::starttls_relay("smtp.gmail.com")`' },
  go: { name: 'Go', login: '`smtp.PlainAuth("", user, password, "smtp.gmail.com")`', auth: 'Hand `smtp.PlainAuth(…)` to `smtp.SendMail`; its host must be the one that is dialled.', tls: '`smtp.SendMail("smtp.gmail.com:587", …)` starts TLS by itself; for 465 `tls.Dial` and `smtp.NewClient` (gomail: `SSL = true`).', host: '`"smtp.gmail.com:587"`' },
  rails: { name: 'Rails', login: '`user_name` and `password` in `config.action_mailer.smtp_settings`.', auth: '`authentication: :plain` with `user_name` and `password` in smtp_settings.', tls: '`port: 587, enable_starttls: true`, or `port: 465, tls: true`.', host: "`address: 'smtp.gmail.com'` in smtp_settings.", reload: 'restart the server and the job workers' },
  ruby: { name: 'Net::SMTP', login: '`smtp.start(helo, user, password, :plain)`', auth: '`smtp.start(helo, user, password, :plain)`', tls: '`Net::SMTP.new(host, 587)` with `enable_starttls`, or `(host, 465)` with `enable_tls`.', host: '`Net::SMTP.new("smtp.gmail.com", 587)`' },
  django: { name: 'Django', login: '`EMAIL_HOST_USER` and `EMAIL_HOST_PASSWORD` in the settings. `npx mailgrant doctor --smtp --settings settings.py` shows what they come to.', auth: '`EMAIL_HOST_USER` and `EMAIL_HOST_PASSWORD`: with one empty Django does not sign in.', tls: '`EMAIL_PORT = 587` with `EMAIL_USE_TLS = True`, or 465 with `EMAIL_USE_SSL = True`; never both.', host: '`EMAIL_HOST = "smtp.gmail.com"`; unset it is localhost.', reload: 'restart the web and worker processes' },
  python: { name: 'smtplib', login: '`server.login(user, password)`', auth: '`server.login(user, password)` before `send_message`.', tls: '`smtplib.SMTP(host, 587)` then `starttls()`, or `smtplib.SMTP_SSL(host, 465)`.', host: '`smtplib.SMTP("smtp.gmail.com", 587)`' },
  nodemailer: { name: 'nodemailer', login: '`auth: { user, pass }`', auth: '`auth: { user, pass }` at the top level of the options of createTransport.', tls: '`port: 587, secure: false, requireTLS: true`, or `port: 465, secure: true`.', host: "`host: 'smtp.gmail.com'`" },
}; // biome-ignore format: one program a line

type Aspect = 'login' | 'auth' | 'tls' | 'host';
const SAID: Readonly<Record<Aspect, string>> = {
  login: 'user and password are set here',
  auth: 'this switches the sign-in on',
  tls: 'this sets port and TLS',
  host: 'the host is set here',
};

/** What of a program's settings a cause is about. */
const ASPECTS: Readonly<Partial<Record<Cause, Aspect>>> = {
  'app-password-required': 'login',
  'credentials-not-loaded': 'login',
  'password-mangled': 'login',
  'auth-not-attempted': 'auth',
  'starttls-missing': 'tls',
  'wrong-port-tls-mode': 'tls',
  'bad-host-value': 'host',
};

/** The step of a cause in the words of one program; null where the cause is not about its settings. */
export function settingsStep(cause: Cause, { name, reload, ...settings }: ProgramSettings): string | null {
  const aspect = ASPECTS[cause];
  const step = aspect && settings[aspect];
  return step ? `In ${name} ${SAID[aspect]}: ${step}${reload ? ` Then ${reload.replace(/[.]$/, '')}.` : ''}` : null;
}
