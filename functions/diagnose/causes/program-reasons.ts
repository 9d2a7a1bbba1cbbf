import { type Program, programsIn } from './programs.ts';

/** How a failure comes about in one program, by the row of the catalogue, where it differs from the usual. */
const REASONS: Readonly<Record<string, Readonly<Partial<Record<Program, readonly string[]>>>>> = {
  'smtp-535-credentials-empty': {
    django: [
      'A placeholder or the value of another environment is loaded instead of the real password (an empty value would give 530: Django then does not sign in).',
    ],
    postfix: ['The entry of /etc/postfix/sasl_passwd holds a placeholder, or `postmap` was not run after it changed.'],
    exim: ['The line of /etc/exim4/passwd.client holds a placeholder or an old password.'],
    sendmail: ['The line of /etc/mail/authinfo holds a placeholder, or `makemap` was not run after it changed.'],
  },
  'smtp-530-credentials-empty': {
    postfix: ['No entry of /etc/postfix/sasl_passwd has the same key as relayhost, so that Postfix does not sign in.'],
    exim: ['No line of /etc/exim4/passwd.client fits the host name, so that Exim does not sign in.'],
    sendmail: ['No line of /etc/mail/authinfo fits the host name, so that Sendmail does not sign in.'],
    laravel: ['`MAIL_USERNAME` is empty or not loaded, and Laravel then does not sign in.'],
  },
  'smtp-530-password': {
    dotnet: ['System.Net.Mail continues after a refused password, and reports only the answer to the next command.'],
  },
};

/** Where a program documents what a row about clients says. */
const PAGES: Readonly<Partial<Record<Program, string>>> = {
  exim: 'https://www.exim.org/exim-html-current/doc/html/spec_html/',
  postfix: 'https://www.postfix.org/SASL_README.html',
  msmtp: 'https://marlam.de/msmtp/msmtp.html',
  git: 'https://git-scm.com/docs/git-send-email',
  laravel: 'https://laravel.com/docs/mail',
  symfony: 'https://symfony.com/doc/current/mailer.html',
  php: 'https://github.com/PHPMailer/PHPMailer/wiki/Troubleshooting',
  spring: 'https://docs.spring.io/spring-boot/reference/io/email.html',
  java: 'https://eclipse-ee4j.github.io/angus-mail/',
  dotnet: 'https://learn.microsoft.com/dotnet/api/system.net.mail.smtpclient',
  go: 'https://pkg.go.dev/net/smtp',
  rails: 'https://guides.rubyonrails.org/action_mailer_basics.html',
  django: 'https://docs.djangoproject.com/en/stable/topics/email/',
  python: 'https://docs.python.org/3/library/smtplib.html',
  node: 'https://github.com/nodemailer/nodemailer',
};

/** How the failure of a row comes about in the program that the text shows. */
export const reasonsFor = (id: string, flat: string, usual: readonly string[]): readonly string[] =>
  programsIn(flat)
    .map((program) => REASONS[id]?.[program])
    .find(Boolean) ?? usual;

/** The page of the program that the text shows; null where none is shown. */
export const pageFor = (flat: string): string | null =>
  programsIn(flat)
    .map((program) => PAGES[program])
    .find((page) => page !== undefined) ?? null;
