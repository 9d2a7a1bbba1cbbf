/** Programs that a text shows by their own words; the first that fits counts. A banner of a foreign server is not the program. */
const PROGRAMS = {
  cloudBuild: /cloudbuild|gcloud\.builds|Cloud Build|\bBUILD FAILURE\b|build step \d|_cloudbuild/i,
  exim: /\bR=\w+ T=\w+|\bexim4?\b(?!\S* #\d)(?<!ESMTP exim)|passwd\.client|update-exim4|SMTP error from remote mail server after/i,
  postfix: /postfix|status=(?:deferred|bounced)|sasl_passwd|relay=\S+\[[\d.:a-f]+\]:\d+, delay/i,
  sendmail: /sendmail\.m[cf]|sm-mta|stat=(?:Deferred|Service unavailable)|mailer=relay|dsn=\d\.\d\.\d, (?:stat|relay)/i,
  msmtp: /\bmsmtp\b/i,
  ssmtp: /\bssmtp\b/i,
  git: /git[ -]send-email|sendemail\.smtp|\[PATCH\b|Send this email\?/i,
  mutt: /\b(?:neo)?mutt\b|smtp_authenticators|SMTP session failed/i,
  snail: /\bs-nail\b|\bmailx\b|smtp-auth-password|dead\.let{2}er/i,
  swaks: /\bswaks\b|^=== (?:Trying|Connected)|<~\*|=== Trying \S+:\d+/i,
  curl: /\bcurl: \(\d+\)|\bcurl\b.{0,80}smtps?:\/\/|\* Closing connection/i,
  jenkins: /jenkins|hudson\.|Failed to send out e-?mail/i,
  keycloak: /keycloak/i,
  gitlab: /gitlab(?!\.com)|gitlab_rails|ActionMailer::MailDeliveryJob.{0,80}severity/i,
  grafana: /grafana|alerting\.notifier|GF_SMTP/i,
  nas: /synology|\bqnap\b|ssmailutils|ssnotifyd|\bDSM\b|truenas|unraid|proxmox|\bNAS\b/i,
  printer:
    /scan[ -]to[ -]e?-?mail|\b(?:canon|ricoh|konica|kyocera|xerox|lexmark|brother|epson|sharp mx|hp laserjet|imagerunner)\b|multifunction/i,
  wordpress: /wordpress|wp[-_ ]mail|wp-content|wp-includes|WPMS_|easy-wp-smtp/i,
  laravel: /laravel|MAIL_MAILER|Illuminate\\|artisan/i,
  symfony: /symfony|MAILER_DSN|swift_?(?:transport|mailer|smtp)|EsmtpTransport/i,
  phpmailer: /phpmailer|SERVER -> CLIENT|SMTP connect\(\) failed|Mailer Error/i,
  spring: /springframework|spring\.mail|spring-boot/i,
  java: /javax\.|jakarta\.|sun\.security|java\.(?:net|lang|io)\.|\.java:\d+/i,
  mailkit: /MailKit|MimeKit/i,
  dotnet: /System\.Net|\bat [\w.]+\([\w ,]*\) in .*\.cs:|Send-MailMessage/i,
  lettre: /lettre|\brustls\b|\.rs:\d+/i,
  go: /x509:|gomail|goroutine \d|dial tcp|\.go:\d+|smtp\.PlainAuth/i,
  rails: /action_?mailer|rails|smtp_settings/i,
  ruby: /Net::SMTP|\.rb:\d+|OpenSSL::SSL::SSLError/i,
  django: /django|EMAIL_HOST/i,
  python: /Traceback|smtplib|\.py", line|\(_ssl\.c:\d+\)/i,
  php: /\.php\b|stream_socket|cURL error/i,
  nodemailer: /nodemailer|command: 'CONN'|SMTPConnection|Missing credentials for/i,
  node: /node:|node_modules|\.js:\d+|code: 'E/i,
} as const satisfies Record<string, RegExp>;
export type Program = keyof typeof PROGRAMS;

/** A program is also one of a wider kind: what is known of the kind holds for it. */
const KIND: Readonly<Partial<Record<Program, Program>>> = {
  jenkins: 'java', keycloak: 'java', spring: 'java', gitlab: 'rails', rails: 'ruby', grafana: 'go', wordpress: 'phpmailer', laravel: 'symfony',
  symfony: 'php', phpmailer: 'php', mailkit: 'dotnet', django: 'python', nodemailer: 'node',
}; // biome-ignore format: one line a handful

/** The program that the text shows, and the kinds it is of, the narrowest first; empty where none is shown. */
export function programsIn(flat: string): Program[] {
  const found: Program[] = [];
  let next = (Object.keys(PROGRAMS) as Program[]).find((program) => PROGRAMS[program].test(flat));
  while (next) {
    found.push(next);
    next = KIND[next];
  }
  return found;
}
