import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PYTHON } from '../support/programs/django.ts';
import { hasDaemon, versionOf } from '../support/programs/mail-servers.ts';
import { MAILBOX } from '../support/stack/laptop.ts';

const APPS = join(import.meta.dirname);
/** A program, how it is told to send one email, and what it cannot send. All it needs stands in the environment. */
export interface Client {
  readonly name: string;
  readonly way: 'POST /emails' | 'POST /v1/raw' | 'SMTP';
  readonly command: readonly string[];
  /** Prints the version, somewhere. */
  readonly version: readonly string[];
  readonly installed?: () => boolean;
  readonly input?: string;
  /** What it cannot send by itself. */
  readonly without?: readonly ('file' | 'bcc' | 'umlauts')[];
}

const own = (file: string, ...args: string[]): string[] => [join(APPS, file), ...args];
const node = process.execPath;
const packageOf = (name: string): string[] => [
  node,
  '-p',
  `JSON.parse(require('fs').readFileSync('node_modules/${name}/package.json')).version`,
];
const debian = (name: string): string[] => ['dpkg-query', '-W', '-f=$' + '{Version}', name];
const python = (module: string) => (): boolean => succeeds(PYTHON, ['-c', `import ${module}`]);
const HIDDEN = 'Bcc: hidden@example.net';
/** Programs that take a letter as it stands take one whose headers are encoded; nothing of a letter is mended on its way. */
const LETTER = `From: =?utf-8?q?Gr=C3=BCn?= <${MAILBOX}>\nTo: you@example.net\n${HIDDEN}\nSubject: $ENCODED\nContent-Type: text/plain; charset=utf-8\n\nGrüße\n`;
const CURL = 'curl -sSf "$API/emails" -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" --data-binary @-';
const MSMTP = 'printf "%s" "$MSMTPRC" > "$HOME/msmtp" && chmod 600 "$HOME/msmtp" && msmtp -C "$HOME/msmtp"';
const URL = 'smtp://any:$KEY@127.0.0.1:$SMTP_PORT';

export const CLIENTS: readonly Client[] = [
  ...['resend', 'resend-4', 'resend-2', 'resend-1'].map(
    (name): Client => ({
      name: 'resend (Node)',
      way: 'POST /emails',
      command: [node, ...own('app_resend.mjs', name)],
      version: packageOf(name),
    }),
  ),
  {
    name: 'resend-cli',
    way: 'POST /emails',
    command: [
      'bash',
      '-c',
      `RESEND_API_KEY="$KEY" "${node}" node_modules/resend-cli/dist/cli.cjs emails send --from "Grün <$FROM>" --to you@example.net --bcc hidden@example.net --subject "$SUBJECT" --text Grüße --attachment "$FILE" --json`,
    ],
    version: packageOf('resend-cli'),
  },
  { name: 'resend-mcp', way: 'POST /emails', command: [node, ...own('app_resend_mcp.mjs')], version: packageOf('resend-mcp') },
  {
    name: 'curl',
    way: 'POST /emails',
    command: ['bash', '-c', CURL],
    version: ['curl', '--version'],
    input: `{"from":"Grün <${MAILBOX}>","to":"you@example.net","bcc":"hidden@example.net","subject":"$SUBJECT","text":"Grüße"}`,
    without: ['file'],
  },
  {
    name: 'mailgrant send',
    way: 'POST /emails',
    command: [
      'bash',
      '-c',
      `"${node}" functions/cli/main.ts send --from "Grün <$FROM>" --to you@example.net --bcc hidden@example.net --subject "$SUBJECT" --text Grüße --attach "$FILE"`,
    ],
    version: [node, '-p', "JSON.parse(require('fs').readFileSync('package.json')).version"],
  },
  {
    name: 'Django, mailgrant_django',
    way: 'POST /v1/raw',
    command: [PYTHON, ...own('app_django.py', 'mailgrant')],
    version: [PYTHON, ...own('app_django.py', 'version')],
    installed: python('django'),
  },
  {
    name: 'Django, its own backend',
    way: 'SMTP',
    command: [PYTHON, ...own('app_django.py', 'smtp')],
    version: [PYTHON, ...own('app_django.py', 'version')],
    installed: python('django'),
  },
  {
    name: 'Python smtplib',
    way: 'SMTP',
    command: [PYTHON, ...own('app_smtplib.py')],
    version: [PYTHON, '--version'],
    installed: python('smtplib'),
  },
  { name: 'nodemailer', way: 'SMTP', command: [node, ...own('app_nodemailer.mjs')], version: packageOf('nodemailer') },
  {
    name: 'Rails Action Mailer',
    way: 'SMTP',
    command: ['ruby', ...own('app_rails.rb')],
    version: ['ruby', ...own('app_rails.rb', 'version')],
    installed: () => succeeds('ruby', own('app_rails.rb', 'version')),
  },
  {
    name: 'PHPMailer (WordPress)',
    way: 'SMTP',
    command: ['php', ...own('app_phpmailer.php')],
    version: ['php', ...own('app_phpmailer.php', 'version')],
    installed: () => existsSync('/usr/share/php/libphp-phpmailer/autoload.php'),
  },
  {
    name: 'Symfony Mailer (Laravel)',
    way: 'SMTP',
    command: ['php', ...own('app_symfony.php')],
    version: debian('php-symfony-mailer'),
    installed: () => existsSync('/usr/share/php/Symfony/Component/Mailer/autoload.php'),
  },
  {
    name: 'git send-email',
    way: 'SMTP',
    command: [
      'bash',
      '-c',
      `cat > "$HOME/letter" && git send-email --quiet --confirm=never --no-thread --suppress-cc=all --from "Grün <$FROM>" --to you@example.net --bcc hidden@example.net \
      --smtp-server 127.0.0.1 --smtp-server-port "$SMTP_PORT" --smtp-user any --smtp-pass "$KEY" --smtp-auth PLAIN --8bit-encoding=utf-8 "$HOME/letter"`,
    ],
    version: ['git', '--version'],
    installed: () =>
      existsSync(`${execFileSync('git', ['--exec-path'], { encoding: 'utf8' }).trim()}/git-send-email`) &&
      succeeds('perl', ['-MMail::Address', '-MAuthen::SASL', '-e', '1']), // Debian's git-email works only with what it recommends
    input: LETTER.replace(`${HIDDEN}\n`, ''),
    without: ['file'],
  },
  {
    name: 'swaks',
    way: 'SMTP',
    command: [
      'bash',
      '-c',
      `swaks --silent 2 --server 127.0.0.1 --port "$SMTP_PORT" --auth PLAIN --auth-user any --auth-password "$KEY" --helo localhost --from "$FROM" \
      --to you@example.net,hidden@example.net --header "To: you@example.net" --h-Subject "$ENCODED" --body Grüße --attach-name=u.bin --attach "@$FILE"`,
    ],
    version: ['swaks', '--version'],
  },
  {
    name: 'msmtp (sendmail -t)',
    way: 'SMTP',
    command: ['bash', '-c', `${MSMTP} -t`],
    version: ['msmtp', '--version'],
    input: LETTER,
    without: ['file'],
  },
  {
    name: 'cron, by msmtp',
    way: 'SMTP',
    command: ['bash', '-c', `${MSMTP} -FCronDaemon -i -B8BITMIME -oem you@example.net hidden@example.net`],
    version: ['msmtp', '--version'],
    input:
      'From: root (Cron Daemon)\nTo: you@example.net\nSubject: $ENCODED\nMIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\nX-Cron-Env: <HOME=/root>\n\nGrüße\n',
    without: ['file'],
  },
  {
    name: 'mutt',
    way: 'SMTP',
    command: [
      'bash',
      '-c',
      `mutt -n -F /dev/null -e 'set charset=utf-8 send_charset=utf-8 copy=no ssl_starttls=no ssl_force_tls=no hostname=localhost smtp_authenticators=plain' \
      -e "set from='$FROM' smtp_url='${URL}'" -s "$SUBJECT" -b hidden@example.net -a "$FILE" -- you@example.net`,
    ],
    version: ['mutt', '-v'],
    input: 'Grüße\n',
  },
  {
    name: 's-nail (mailx)',
    way: 'SMTP',
    command: [
      'bash',
      '-c',
      `s-nail -n -S v15-compat -S "mta=smtp://any:$KEY@127.0.0.1:$SMTP_PORT" -S smtp-auth=plain -S ttycharset=utf-8 -S sendcharsets=utf-8 -S hostname=localhost \
      -r "$FROM" -s "$SUBJECT" -b hidden@example.net -a "$FILE" you@example.net`,
    ],
    version: ['s-nail', '--version'],
    input: 'Grüße\n',
  },
  {
    name: 'curl',
    way: 'SMTP',
    command: [
      'bash',
      '-c',
      `curl -sSf --crlf "smtp://127.0.0.1:$SMTP_PORT/localhost" --user "any:$KEY" --mail-from "$FROM" --mail-rcpt you@example.net --mail-rcpt hidden@example.net -T -`,
    ],
    version: ['curl', '--version'],
    input: LETTER.replace(`${HIDDEN}\n`, ''),
    without: ['file'],
  },
  ...(['Exim', 'Postfix'] as const).map(
    (name): Client => ({
      name,
      way: 'SMTP',
      command: [node, ...own('app_mail_server.ts', name)],
      version: versionOf(name),
      installed: () => hasDaemon(name),
    }),
  ),
];

function succeeds(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
