/** The steps of a fix are those of the program that the text shows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PROGRAM_SETTINGS } from '../../functions/diagnose/causes/program-settings.ts';
import { explain } from '../../functions/diagnose/explain.ts';

const V6 = '[2a00:1450:4025:c03::6d]';
const rows: readonly (readonly [program: string, text: string, has: RegExp, not: RegExp])[] = [
  ['Exim', '** you@example.net R=gmail T=gmail_smtp H=smtp.gmail.com: SMTP error from remote mail server after MAIL FROM: 530-5.7.0 Authentication Required. - gsmtp', /passwd\.client/, /Postfix|sasl_passwd|PHPMailer/],
  ['Postfix', 'postfix/smtp[1]: relay=smtp.gmail.com[142.250.102.108]:587, delay=1, status=bounced (530-5.7.0 Authentication Required. - gsmtp)', /sasl_passwd/, /exim|PHPMailer/i],
  ['Sendmail', 'sm-mta[9]: stat=Service unavailable, 530-5.7.0 Authentication Required. - gsmtp smtp.gmail.com', /authinfo/, /exim|postfix/i],
  ['Exim over IPv6', `R=gmail T=gmail_smtp H=smtp.gmail.com ${V6}: Network is unreachable`, /disable_ipv6/, /NODE_OPTIONS|inet_protocols/],
  ['Postfix over IPv6', `postfix/smtp[1]: connect to smtp.gmail.com${V6}:587: Network is unreachable`, /inet_protocols/, /NODE_OPTIONS/],
  ['Java behind a proxy', 'sun.security.validator.ValidatorException: PKIX path building failed at com.sun.mail.smtp.SMTPTransport', /keytool|trustStore/, /NODE_EXTRA_CA_CERTS/],
  ['Node behind a proxy', "Error: self-signed certificate in certificate chain at node:_tls_wrap:1674 { code: 'SELF_SIGNED_CERT_IN_CHAIN' } smtp.gmail.com:465", /NODE_EXTRA_CA_CERTS/, /keytool/],
  ['Python behind a proxy', 'smtplib: ssl.SSLCertVerificationError: certificate verify failed: self signed certificate in certificate chain, smtp.gmail.com, Zscaler', /SSL_CERT_FILE/, /NODE_EXTRA|keytool/],
  ['Go in a scratch image', 'dial tcp smtp.gmail.com:465: x509: certificate signed by unknown authority', /scratch|SSL_CERT_FILE/, /NODE_EXTRA|keytool|php\.ini/],
  ['Cloud Build', "Cloud Build: build step 0 failed: PERMISSION_DENIED: Permission 'secretmanager.versions.access' denied for resource 'projects/shop/secrets/npm/versions/latest'", /gcloud builds describe/, /gcloud run services/],
  ['Cloud Run', "PERMISSION_DENIED: Permission 'secretmanager.versions.access' denied for resource 'projects/shop/secrets/mail/versions/latest' in service mail", /gcloud run services/, /gcloud builds/],
]; // biome-ignore format: one program a line

for (const [program, text, has, not] of rows)
  test(`the fix is for ${program}`, () => {
    const steps = explain(text).matches[0]?.fix.join('\n') ?? '';
    assert.match(steps, has);
    assert.doesNotMatch(steps, not);
  });

test('where app passwords are missing, the four reasons are named, and the way without passwords stands first', () => {
  const [best] = explain('535-5.7.8 Username and Password not accepted. p=BadCredentials - gsmtp').matches;
  assert.match(best?.fix[0] ?? '', /mailgrant authorize/);
  const steps = best?.fix.join('\n') ?? '';
  for (const reason of [/2-Step Verification is off/, /security keys/, /administrator/, /Advanced Protection/]) assert.match(steps, reason);
});

/** How each program's log begins, and the name that its step has. */
const SHOWN: readonly (readonly [text: string, name: string])[] = [
  ['ssmtp: ', 'sSMTP'],
  ['git send-email: ', 'git send-email'],
  ['SMTP session failed: mutt ', 'Mutt'],
  ['s-nail: ', 's-nail (mailx)'],
  ['=== Trying smtp.gmail.com:587...\n', 'swaks'],
  ['curl: (67) Login denied\n', 'curl'],
  ['Jenkins: Failed to send out e-mail ', 'Jenkins'],
  ['KC-SERVICES0029 org.keycloak ', 'Keycloak'],
  ["gitlab_rails['smtp_address'] ", 'GitLab'],
  ['logger=alerting.notifier.email ', 'Grafana'],
  ['NAS ssnotifyd: notification/ssmailutils.cpp ', 'the NAS'],
  ['imageRUNNER scan to e-mail: ', 'the printer'],
  ['wp-content/plugins/wp-mail-smtp: ', 'WordPress'],
  ['Illuminate\\Mail\\Mailer: laravel ', 'Laravel'],
  ['Symfony\\Component\\Mailer ', 'Symfony'],
  ['Mailer Error: PHPMailer ', 'PHPMailer'],
  ['org.springframework.mail ', 'Spring'],
  ['jakarta.mail.MessagingException ', 'JavaMail'],
  ['MailKit.Net.Smtp ', 'MailKit'],
  ['System.Net.Mail.SmtpException ', '.NET'],
  ['lettre::transport::smtp ', 'lettre'],
  ['gomail: ', 'Go'],
  ['config.action_mailer rails ', 'Rails'],
  ['net/protocol.rb:237 Net::SMTP ', 'Net::SMTP'],
  ['django/core/mail/backends/smtp.py ', 'Django'],
  ['Traceback smtplib ', 'smtplib'],
  ['nodemailer SMTPConnection ', 'nodemailer'],
  ['postfix/smtp[1]: ', 'Postfix'],
  ['R=smarthost T=remote_smtp_smarthost: ', 'Exim'],
  ['sm-mta[1]: ', 'Sendmail'],
  ['msmtp: ', 'msmtp'],
];
const ERRORS: readonly (readonly [cause: string, error: string])[] = [
  ['app-password-required', '534-5.7.9 Application-specific password required - gsmtp'],
  ['starttls-missing', '530 5.7.0 Must issue a STARTTLS command first. - gsmtp'],
  ['wrong-port-tls-mode', 'SSL routines::wrong version number smtp.gmail.com:587'],
];

for (const [text, name] of SHOWN)
  test(`the settings are those of ${name}, and of no other program`, () => {
    for (const [cause, error] of ERRORS) {
      const found = explain(`${text}${error}`).matches.find((match) => match.cause === cause);
      const steps = found?.fix.filter((step) => /^In .+ (?:user and password are set here|this sets port and TLS): /.test(step)) ?? [];
      assert.equal(steps.length, 1, `${cause}: ${found?.fix.join(' / ')}`);
      assert.ok(steps[0]?.startsWith(`In ${name} `), steps[0]);
    }
  });

test('every program with settings is shown by some text', () =>
  assert.deepEqual(
    Object.values(PROGRAM_SETTINGS)
      .map(({ name }) => name)
      .filter((name) => !SHOWN.some(([, shown]) => shown === name)),
    [],
  ));

const stepsOf = (text: string, cause: string): string =>
  explain(text)
    .matches.find((match) => match.cause === cause)
    ?.fix.join('\n') ?? assert.fail(`${cause} is not among the causes of: ${text}`);
const REFUSED = '535-5.7.8 Username and Password not accepted. - gsmtp';

/** Programs that a person configures, and writes no code for. */
const CONFIGURED = new Set(['sSMTP', 'git send-email', 'Mutt', 's-nail (mailx)', 'Jenkins', 'Keycloak', 'GitLab', 'Grafana', 'the NAS', 'the printer', 'WordPress', 'Postfix', 'Exim', 'Sendmail', 'msmtp', 'swaks', 'curl']); // biome-ignore format: one list

for (const [text, name] of SHOWN)
  test(`how a setting of ${name} is checked speaks of code only where there is code`, () =>
    assert.equal(
      /In the code|undefined/.test(stepsOf(`${text}${REFUSED}`, 'credentials-not-loaded')),
      !CONFIGURED.has(name) && !['Django', 'Laravel'].includes(name),
    ));

test('the answer to a refused token asks for the settings of OAuth, and for no password of a program', () => {
  const steps = stepsOf(`django/core/mail/backends/smtp.py AUTH XOAUTH2\n${REFUSED}`, 'credentials-not-loaded');
  assert.match(steps, /refresh token/);
  assert.doesNotMatch(steps, /EMAIL_HOST_PASSWORD/);
});

test('SELinux is named where something is forbidden, and not where nothing answers', () => {
  assert.match(
    stepsOf('stream_socket_client(): Unable to connect to smtp.gmail.com:587 (Permission denied (13))', 'port-blocked'),
    /setsebool/,
  );
  assert.doesNotMatch(stepsOf('connect ETIMEDOUT 142.250.102.108:587 smtp.gmail.com', 'port-blocked'), /setsebool/);
});

test('where the text says that 2-Step Verification is on, no step switches it on', () =>
  assert.doesNotMatch(
    stepsOf('nodemailer 534-5.7.9 Application-specific password required - gsmtp', 'app-password-required'),
    /turn on 2-Step|turn it on/,
  ));
