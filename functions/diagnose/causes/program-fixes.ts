import type { Cause } from './causes.ts';
import { COMPANY_ROOT, NEVER_OFF, NODE_ROOT, WHO_ANSWERS } from './network-causes.ts';
import { PROGRAM_SETTINGS, settingsStep } from './program-settings.ts';
import { type Program, programsIn } from './programs.ts';

/** Steps instead of the cause's own, for the program that the text shows. */
const FIXES: Readonly<Partial<Record<Cause, Readonly<Partial<Record<Program, readonly string[]>>>>>> = {
  'auth-not-attempted': {
    exim: [
      'Exim signs in only if a client authenticator fits the host: `authenticators` needs one with `driver = plaintext` and `client_send`, and the transport `hosts_require_auth = smtp.gmail.com`.',
      'Debian: a line `*.google.com:USER:PASSWORD` in /etc/exim4/passwd.client (Gmail answers by names of google.com), then `update-exim4.conf && systemctl restart exim4`.',
    ],
    postfix: [
      'Five lines in /etc/postfix/main.cf: `relayhost = [smtp.gmail.com]:587`, `smtp_sasl_auth_enable = yes`, `smtp_sasl_password_maps = hash:/etc/postfix/sasl_passwd` (`lmdb:` where Postfix has no Berkeley DB), `smtp_sasl_security_options = noanonymous`, `smtp_tls_security_level = encrypt`.',
      'The key in /etc/postfix/sasl_passwd must be the same text as relayhost in main.cf (`[smtp.gmail.com]:587`). Then `sudo postmap /etc/postfix/sasl_passwd && sudo systemctl reload postfix`.',
      "If the log says 'no mechanism available', install libsasl2-modules (Debian) or cyrus-sasl-plain (Red Hat) and restart Postfix.",
    ],
    sendmail: [
      "`define(`SMART_HOST', `[smtp.gmail.com]')` and `FEATURE(`authinfo', `hash -o /etc/mail/authinfo.db')` in sendmail.mc; then `makemap hash /etc/mail/authinfo < /etc/mail/authinfo` and `make -C /etc/mail`.",
      'The line of authinfo begins `AuthInfo:[smtp.gmail.com]` with the brackets of SMART_HOST.',
    ],
    msmtp: ['`auth on`, `tls on`, `tls_starttls on` and `port 587` in the account that `-a` or `account default` names.'],
    java: ['`mail.smtp.auth=true` and `mail.smtp.starttls.enable=true`, and hand an Authenticator to the Session (Jenkins, Keycloak: switch authentication on and save the user).'],
    dotnet: ['Set `UseDefaultCredentials = false` before `Credentials`, and `EnableSsl = true`; PowerShell: `-Credential` with `-UseSsl -Port 587`.'],
    ruby: ['`authentication: :plain` with `user_name`, `password` and `enable_starttls: true` in smtp_settings; GitLab: `smtp_authentication` and `smtp_enable_starttls_auto`, then `gitlab-ctl reconfigure`.'],
  },
  'ipv6-unreachable': {
    exim: ["Put `disable_ipv6 = true` in the main section of the configuration, and restart Exim. Debian: in /etc/exim4/exim4.conf.localmacros, or with split configuration (`dc_use_split_config='true'`) in /etc/exim4/conf.d/main/00_local_macros; then `sudo update-exim4.conf && sudo systemctl restart exim4`.", 'Or give the machine a working IPv6 route.'],
    postfix: ['`postconf -e inet_protocols=ipv4 && systemctl restart postfix`.', 'Or give the machine a working IPv6 route.'],
    java: ['`-Djava.net.preferIPv4Stack=true` in the JVM options.', 'Or give the machine a working IPv6 route.'],
    node: ['`NODE_OPTIONS=--dns-result-order=ipv4first`.', 'Or give the machine a working IPv6 route.'],
    go: ['Dial with the network `tcp4`, or `precedence ::ffff:0:0/96 100` in /etc/gai.conf (read with GODEBUG=netdns=cgo).', 'Or give the container a working IPv6 route.'],
  },
  'tls-intercepted': {
    java: [WHO_ANSWERS, `${COMPANY_ROOT}: \`keytool -importcert -cacerts -alias company -file root.pem\` for the JVM that runs the program (or \`-Djavax.net.ssl.trustStore=…\`).`, NEVER_OFF],
    python: [WHO_ANSWERS, `${COMPANY_ROOT} and append it to a copy of the usual roots: \`SSL_CERT_FILE=/path/all-roots.pem\` (smtplib), \`REQUESTS_CA_BUNDLE\` (requests).`, NEVER_OFF],
    php: [WHO_ANSWERS, `${COMPANY_ROOT}, append it to the file that \`openssl.cafile\` in php.ini names, and restart PHP.`, NEVER_OFF],
    dotnet: [WHO_ANSWERS, `${COMPANY_ROOT}. Windows: import it into the store "Trusted Root Certification Authorities". Linux: copy it to /usr/local/share/ca-certificates/company.crt and run \`sudo update-ca-certificates\`.`, NEVER_OFF],
    go: [WHO_ANSWERS, `${COMPANY_ROOT}, copy it to /usr/local/share/ca-certificates/company.crt in the image and run \`update-ca-certificates\` (or append it to a copy of the usual roots: \`SSL_CERT_FILE=/path/all-roots.pem\`).`, NEVER_OFF],
    ruby: [WHO_ANSWERS, `${COMPANY_ROOT}, copy it to /usr/local/share/ca-certificates/company.crt and run \`sudo update-ca-certificates\` (or append it to a copy of the usual roots: \`SSL_CERT_FILE=/path/all-roots.pem\`).`, NEVER_OFF],
    node: [WHO_ANSWERS, NODE_ROOT, NEVER_OFF],
  },
  'ca-bundle-missing': {
    java: ['Update the JDK, or point it to current roots: `-Djavax.net.ssl.trustStore=/etc/ssl/certs/java/cacerts` (Debian: `apt-get install --reinstall ca-certificates-java`).', WHO_ANSWERS],
    go: ['`FROM scratch` has no roots: `COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/`; Alpine: `apk add ca-certificates`.', WHO_ANSWERS],
    msmtp: ['`tls_trust_file system` (or /etc/ssl/certs/ca-certificates.crt), and `sudo apt install ca-certificates`.', WHO_ANSWERS],
    postfix: ['`smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt`, and `sudo apt install ca-certificates`.', WHO_ANSWERS],
    php: ['Windows: download https://curl.se/ca/cacert.pem, set `openssl.cafile` and `curl.cainfo` in php.ini to its full path, and restart PHP. Debian or Ubuntu: `sudo apt install ca-certificates`.', WHO_ANSWERS],
    python: ['macOS: run "Install Certificates.command"; Debian or Ubuntu: `sudo apt install ca-certificates`; `pip install --upgrade certifi`.', WHO_ANSWERS],
  },
  'secret-access-denied': {
    cloudBuild: [
      "Find the account of the build: `gcloud builds describe BUILD --format='value(serviceAccount)'`.",
      '`gcloud secrets add-iam-policy-binding {secret} --project={project} --member=serviceAccount:BUILD_ACCOUNT --role=roles/secretmanager.secretAccessor`',
    ],
  },
}; // biome-ignore format: one program a line reads as a table

/** What `fixFor` looks at. */
export interface Shown {
  readonly flat: string;
  /** A token was sent, not a password. */
  readonly token: boolean;
}

const OAUTH_LENGTHS =
  'In the code that creates the email connection, print the length (not the value) of client id, client secret and refresh token. 0 means empty; 9 in JavaScript is usually the word undefined, 4 in Python the word None.';
const FORBIDDEN = /permission denied|EACCES/i;
const SELINUX = 'Under a web server with SELinux: `sudo setsebool -P httpd_can_sendmail=on httpd_can_network_connect=on`.';

/** Causes whose usual steps name several programs at once: the steps that stay where one program is shown. */
const KEPT: Readonly<Partial<Record<Cause, readonly number[]>>> = {
  'auth-not-attempted': [],
  'starttls-missing': [2],
  'wrong-port-tls-mode': [],
  'credentials-not-loaded': [0, 1],
};

/**
 * The steps of a cause for the program that the text shows: steps of its own, or the usual ones with the place of the setting in that
 * program; the usual ones where no program is shown.
 */
export function fixFor(cause: Cause, { flat, token }: Shown, usual: readonly string[]): readonly string[] {
  if (cause === 'credentials-not-loaded' && token) return [OAUTH_LENGTHS, ...usual.slice(1)];
  if (cause === 'port-blocked' && FORBIDDEN.test(flat)) return [...usual, SELINUX];
  for (const program of programsIn(flat)) {
    const own = FIXES[cause]?.[program];
    if (own) return own;
    const settings = PROGRAM_SETTINGS[program];
    const step = settings && settingsStep(cause, settings);
    const kept = KEPT[cause];
    if (step && cause === 'credentials-not-loaded' && settings?.check !== undefined)
      return settings.check ? [step, settings.check] : [step];
    if (step) return kept ? [step, ...kept.flatMap((at) => usual[at] ?? [])] : [...usual, step];
  }
  return usual;
}
