import type { CauseRow } from './cause-row.ts';

export const HTTPS_ONLY =
  'mailgrant talks to Google over HTTPS (port 443) and uses no SMTP port; only a mailbox configured with `via: smtp` uses smtp.gmail.com, always with TLS.';
const GENUINE = 'mailgrant runs on Google Cloud, where the root certificates are current, and always verifies the certificate of Google.';

/** Steps that several programs share. */
export const WHO_ANSWERS =
  'See who answers: `openssl s_client -connect smtp.gmail.com:465 -servername smtp.gmail.com </dev/null | openssl x509 -noout -issuer` must name Google Trust Services. On Windows run it in Git Bash.';
export const COMPANY_ROOT = "For a company network get the company's root certificate from your IT department";
export const NODE_ROOT = `Switch off the scanning of email in the antivirus program (Avast: Mail Shield). ${COMPANY_ROOT} and start Node with it: \`NODE_EXTRA_CA_CERTS=/path/root.pem node app.js\` (not in .env: Node reads it at start).`;
export const NEVER_OFF = 'Never switch verification off: whoever intercepts the connection then reads the password.';

/** Causes between the machine and Google: names, ports, TLS. */
export const NETWORK_CAUSES = {
  'dns-failure': {
    summary: 'The machine cannot resolve the (correct) name of the Google host.',
    fix: [
      'Test on that machine: `getent hosts smtp.gmail.com`, `nslookup smtp.gmail.com`.',
      'Fix the resolver: /etc/resolv.conf, `--dns 8.8.8.8` in Docker, the network policy; a short outage passes with a retry.',
    ],
    avoided: HTTPS_ONLY,
  },
  'port-blocked': {
    summary: 'The hosting company, the Internet provider or a firewall blocks the outgoing SMTP port.',
    fix: [
      'Test on that machine: `nc -vz -w 5 smtp.gmail.com 587; nc -vz -w 5 smtp.gmail.com 465; nc -vz -w 5 smtp.gmail.com 25`; use the port that opens.',
      'Ask the hosting company to open 587 or 465 (many block SMTP on free or new plans; nearly all block 25).',
      'Where SMTP stays closed, send through the Gmail API on 443.',
    ],
    avoided: HTTPS_ONLY,
  },
  'ipv6-unreachable': {
    summary: 'The program tries IPv6 on a machine or container where IPv6 does not work.',
    fix: [
      'Prefer IPv4: `NODE_OPTIONS=--dns-result-order=ipv4first`, Java `-Djava.net.preferIPv4Stack=true`, Postfix `inet_protocols = ipv4`, glibc `precedence ::ffff:0:0/96 100` in /etc/gai.conf.',
      'Or give the machine a working IPv6 route.',
    ],
    avoided: HTTPS_ONLY,
  },
  'tls-intercepted': {
    summary: 'An antivirus program or proxy intercepts the TLS connection, so the certificate does not lead to a public root.',
    fix: [WHO_ANSWERS, NODE_ROOT, NEVER_OFF],
    avoided: GENUINE,
  },
  'ca-bundle-missing': {
    summary: 'The machine has no root certificates, or too old ones, so a genuine Google certificate cannot be verified.',
    fix: [
      'Debian or Ubuntu: `sudo apt install --reinstall ca-certificates`; Alpine: `apk add ca-certificates`; macOS Python: run "Install Certificates.command"; `pip install --upgrade certifi`.',
      'PHP on Windows: download https://curl.se/ca/cacert.pem, set `openssl.cafile` and `curl.cainfo` in php.ini to its full path, and restart PHP. Java: update the JDK.',
      `If the root certificates are installed, an antivirus program or proxy may answer. ${WHO_ANSWERS}`,
    ],
    avoided: GENUINE,
  },
  'tls-version-too-old': {
    summary: 'The client and Google share no TLS version: one offers only TLS 1.0 or 1.1.',
    fix: [
      'Use TLS 1.2 or newer: JavaMail `mail.smtp.ssl.protocols=TLSv1.2`, .NET `SecurityProtocolType.Tls12` (4.7 or newer), or update runtime and OpenSSL.',
    ],
    avoided: GENUINE,
  },
  'smtp-redirected-by-host': {
    summary: 'The hosting provider redirects outgoing SMTP to a mail server of its own; Gmail never sees the connection.',
    fix: [
      'The greeting or certificate names another machine than Google: ask the hosting company to allow SMTP to the outside (cPanel: WHM > SMTP Restrictions).',
      "Or use the hosting company's own server as smart host, or send through the Gmail API on 443.",
    ],
    avoided: HTTPS_ONLY,
  },
  'connection-lost': {
    summary: 'The connection was closed in the middle; whether the email was taken may be unknown.',
    fix: [
      'Before or during sign-in: try again on a new connection. After the email was handed over: look into the Sent folder before sending again.',
      'Every time at the same point: a firewall, or port and TLS mode do not fit.',
    ],
    avoided: 'mailgrant sends in a resumable session and asks Gmail whether it took the email.',
  },
  'google-temporary': {
    summary: 'A passing fault or overload at Google.',
    fix: ['Try again with growing pauses; see https://www.google.com/appsstatus if it lasts an hour.'],
    avoided: 'The email stays queued and is tried again without sending twice.',
  },
  'proxy-refused': {
    summary: 'A proxy refuses or garbles the connection.',
    fix: [
      'Allow oauth2.googleapis.com, gmail.googleapis.com (443) and, for SMTP, smtp.gmail.com (465, 587); or unset HTTPS_PROXY. NO_PROXY needs metadata.google.internal.',
    ],
    avoided: HTTPS_ONLY,
  },
  'runtime-defect': {
    summary: 'A known defect of the Node release or library in use, not a matter of credentials.',
    fix: ['Move to Node 22.23.1, 24.18.0 or newer, and to google-auth-library 10.2 or newer.'],
    avoided: 'mailgrant uses its own small HTTPS client.',
  },
} as const satisfies Record<string, CauseRow>;
