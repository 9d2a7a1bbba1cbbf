const GREETED = 'Connection: opening to smtp.gmail.com:587\n220-web7.hosting.example ESMTP Exim 4.96 #2\n';

/** Short texts of SMTP, network and TLS that each row must recognise first. */
export const SMTP_SAMPLES = {
  'smtp-534-app-password': [
    '534-5.7.9 Application-specific password required. For more information, go to\n534 5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor h6-20 - gsmtp',
    "(534, b'5.7.9 Application-specific\\n5.7.9 password required. Learn more at\\n5.7.9 https://support.google.com/mail')",
    '* NO [ALERT] Application-specific password required: https://support.google.com/accounts/answer/185833 (Failure)',
  ],
  'smtp-535-password': [
    '535-5.7.8 Username and Password not accepted. For more information, go to\n535 5.7.8  https://support.google.com/mail/?p=BadCredentials x17 - gsmtp',
    'S: 535-5.7.8 Username and Password not accepted. Learn more at\nS: 535 5.7.8 https://support.google.com/mail/?p=BadCredentials b11sm - gsmtp',
    "smtplib.SMTPAuthenticationError: (535, b'5.7.8 Username and\\n5.7.8 Password not accepted.')",
    '{"error":"Invalid login: 535-5.7.8 Username and Password not accepted.\\n535 5.7.8 x - gsmtp","code":"EAUTH"}',
    'a1 NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)',
  ],
  'less-secure-apps': ['Please turn on "Allow less secure apps" at https://myaccount.google.com/lesssecureapps'],
  'smtp-535-credentials-empty': [
    'auth: { user: undefined, pass: undefined }\nInvalid login: 535-5.7.8 Username and Password not accepted',
    `AUTH PLAIN ${btoa('\0undefined\0undefined')}\n535-5.7.8 Username and Password not accepted`,
  ],
  'smtp-535-password-mangled': [`AUTH PLAIN ${btoa('\0me@example.com\0"p%40ss word"')}\n535-5.7.8 Username and Password not accepted`],
  'smtp-535-relay': ['smtp-relay.gmail.com:587 me@gmail.com 535-5.7.8 Username and Password not accepted'],
  'smtp-xoauth2-wrong-scope': [
    `AUTH XOAUTH2\n334 ${btoa('{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}')}`,
    'AUTH XOAUTH2 [redacted]\n535-5.7.8 Username and Password not accepted. scope: https://www.googleapis.com/auth/gmail.send',
  ],
  'smtp-xoauth2-token-expired': [
    `334 ${btoa('{"status":"401","schemes":"bearer mac","scope":"https://mail.google.com/"}\n')}`,
    'AUTH XOAUTH2 failed, the access token has expired\n535-5.7.8 Username and Password not accepted',
  ],
  'smtp-xoauth2-service-account-itself': [
    'AUTH XOAUTH2 user=robot@project.iam.gserviceaccount.com\n535-5.7.8 Username and Password not accepted. scope https://mail.google.com/ expires_in: 3599',
  ],
  'smtp-534-web-login': [
    '534-5.7.9 Please log in with your web browser and then try again. Learn more at 534 5.7.9 https://support.google.com/mail/?p=WebLoginRequired - gsmtp',
    '534-5.7.14 <https://accounts.google.com/signin/continue?sarp=1&scc=1&plt=AKgn\n534-5.7.14 UF7mumz> Please log in via your web browser and\n534-5.7.14 then try again.\n534 5.7.14  https://support.google.com/mail/answer/78754 100sm - gsmtp',
  ],
  'smtp-530-not-signed-in': [
    '530-5.7.0 Authentication Required. Learn more at\n530 5.7.0  https://support.google.com/mail/?p=WantAuthError y18-20 - gsmtp',
    '530-5.5.1 Authentication Required. Learn more at\n530 5.5.1  https://support.google.com/mail/?p=WantAuthError a1 - gsmtp',
  ],
  'smtp-530-credentials-empty': [
    'django/core/mail/backends/smtp.py\nSMTPSenderRefused: (530, b"5.7.0 Authentication Required. Learn more at")',
  ],
  'smtp-530-password': ['System.Net.Mail.SmtpException: The server response was: 5.7.0 Authentication Required. Learn more at'],
  'client-credentials-missing': [
    'Error: Missing credentials for "PLAIN"',
    'AuthenticationFailedException: failed to connect, no password specified?',
    '{"error":"invalid_request","error_description":"Could not determine client ID from request."}',
    'ArgumentError: SMTP-AUTH requested but missing secret phrase',
  ],
  'api-no-token-sent': [
    'Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or other valid authentication credential.',
    '{"error":{"code":401,"message":"Login Required","errors":[{"reason":"required"}]}}',
  ],
  'password-not-ascii': ["UnicodeEncodeError: 'ascii' codec can't encode character '\\xa0' in position 4: ordinal not in range(128)"],
  'credential-url-broken': [
    'TypeError: Invalid URL smtps://me@example.com:p#ss@smtp.gmail.com',
    "ValueError: Port could not be cast to integer value as 'a'",
    'The mailer DSN is invalid.',
  ],
  'smtp-454-too-many-logins': [
    '454 4.7.0 Too many login attempts, please try again later. 4-2002 - gsmtp',
    '454-4.7.0 Too many login attempts, please try\n454-4.7.0 again later. Learn more at\n454 4.7.0  https://support.google.com/mail/answer/7126229 h6 - gsmtp',
  ],
  'smtp-xoauth2-line-too-long': ['555-5.5.2 Syntax error, command line too long', '500 5.5.6 Line too long'],
  'smtp-501-cannot-decode': ['501 5.5.2 Cannot Decode response x - gsmtp'],
  'smtp-504-mechanism': ['504 5.7.4 Unrecognized Authentication Type. x - gsmtp'],
  'smtp-454-auth-temporary': ['454 4.7.0 Cannot authenticate due to temporary system problem. Try again later. x - gsmtp'],
  'smtp-530-starttls-first': ['530 5.7.0 Must issue a STARTTLS command first. x - gsmtp'],
  'client-auth-not-offered': [
    'SMTPNotSupportedError: SMTP AUTH extension not supported by server.',
    "smtp: server doesn't support AUTH",
    'The SMTP server does not support authentication.',
    'panic: unencrypted connection',
  ],
  'smtp-421-ehlo': [
    '421-4.7.0 Try again later, closing connection. (EHLO) x - gsmtp',
    '501-5.5.4 HELO/EHLO argument "a_b" invalid, closing connection.',
  ],
  'relay-dropped': ['dial smtp-relay.gmail.com:587\nEOF'],
  'smtp-relay-refused': [
    '550-5.7.0 Mail relay denied [192.0.2.1]. Invalid credentials for relay for one of the\n550-5.7.0 domains in: example.com',
    "550-5.7.1 Invalid credentials for relay [192.0.2.1]. The IP address you've\n550-5.7.1 registered",
    '550 5.7.0 Mail Sending denied.',
  ],
  'smtp-421-try-again': [
    '421 4.3.0 Temporary System Problem. Try again later. x - gsmtp',
    '421 4.4.5 Server busy, try again later. x - gsmtp',
  ],
  'smtp-550-daily-limit': [
    '550-5.4.5 Daily user sending limit exceeded. For more information on Gmail\n550-5.4.5 sending limits go to\n550 5.4.5  https://support.google.com/a/answer/166852 d2 - gsmtp',
    '550 5.4.5 Daily SMTP relay limit exceeded for user. a - gsmtp',
  ],
  'smtp-552-too-large': [
    "552-5.2.3 Your message exceeded Google's message size limits. For more information, visit\n552 5.2.3  https://support.google.com/mail/?p=MaxSizeError a - gsmtp",
  ],
  'smtp-552-blocked-content': [
    '552-5.7.0 This message was blocked because its content presents a potential\n552-5.7.0 security issue. To review our message content and attachment\n552 5.7.0  https://support.google.com/mail/?p=BlockedMessage a - gsmtp',
  ],
  'smtp-550-unauthenticated': ['550-5.7.26 Your email has been blocked because the sender is unauthenticated.\n550 5.7.26 a - gsmtp'],
  'smtp-550-spam': ['550-5.7.1 Gmail has detected that this message is likely unsolicited mail. To\n550 5.7.1 blocked. - gsmtp'],
  'smtp-550-policy': [
    '550-5.7.1 The user or domain that you are sending to (or from) has a policy that\n550-5.7.1 prohibited the mail that you sent.',
  ],
  'smtp-550-recipient': [
    '550-5.1.1 The email account that you tried to reach does not exist. https://support.google.com/mail/?p=NoSuchUser',
  ],
  'smtp-553-address': ['553-5.1.3 The recipient address <john> is not a valid RFC 5321 address. For more\n553-5.1.3 information'],
  'smtp-too-many-recipients': ['452 4.5.3 Your message has too many recipients. x - gsmtp'],
  'smtp-550-not-rfc5322': ['550-5.7.1 Messages missing a valid address in From: header, or having no From: header, are not accepted.'],
  'smtp-555-syntax': ['555-5.5.2 Syntax error, goodbye. x - gsmtp', '503 5.5.1 EHLO/HELO first. x - gsmtp'],
  'smtp-555-long-token': ['AUTH XOAUTH2 [redacted]\n501 5.5.2 Syntax error in parameters x - gsmtp'],
  'dns-unresolved': [
    'Error: getaddrinfo ENOTFOUND smtp.gmail.com',
    'socket.gaierror: [Errno -3] Temporary failure in name resolution',
    'dial tcp: lookup smtp.gmail.com: no such host',
  ],
  'host-misspelt': [
    'Error: getaddrinfo ENOTFOUND smtp.gmial.com',
    'getaddrinfo ENOTFOUND smtp://smtp.gmail.com',
    'Error: getaddrinfo ENOTFOUND "smtp.gmail.com"',
    'java.net.UnknownHostException: smtp.google.con',
  ],
  'host-is-local': [
    'Error: connect ECONNREFUSED 127.0.0.1:587',
    'connect ECONNREFUSED ::1:465',
    "Couldn't connect to host, port: localhost, 25; timeout -1",
  ],
  'refused-somewhere': ['django/core/mail/backends/smtp.py ConnectionRefusedError: [Errno 111] Connection refused'],
  'host-is-user': ['Email failed: getaddrinfo ENOTFOUND jane jane:587'],
  'host-unknown-word': [],
  'host-is-address': ["Hostname/IP does not match certificate's altnames: IP: 142.250.1.108 is not in the cert's list: DNS:smtp.gmail.com"],
  'smtp-timeout': [
    'connect ETIMEDOUT 74.125.24.108:465',
    'TimeoutError: [Errno 110] Connection timed out smtplib.py',
    'dial tcp 74.125.130.108:587: i/o timeout',
  ],
  'smtp-refused': ['connect ECONNREFUSED 142.250.1.108:587', 'SMTP -> ERROR: Failed to connect to server: Permission denied (13)'],
  'phpmailer-connect-failed': ['SMTP connect() failed. https://github.com/PHPMailer/PHPMailer/wiki/Troubleshooting'],
  'ipv6-no-route': [
    'connect EHOSTUNREACH 2607:f8b0:4002:c0f::6d:465 - Local (:::49175)',
    'connect to smtp.gmail.com[2607:f8b0:400e:c06::6c]:587: Network is unreachable',
  ],
  'network-unreachable': ['smtplib OSError: [Errno 101] Network is unreachable'],
  'connection-reset': ['smtp.gmail.com read ECONNRESET'],
  'premature-close': ['Invalid response body while trying to fetch https://oauth2.googleapis.com/token: Premature close'],
  'proxy-refused': ['Invalid response from proxy: 407'],
  'oauth-reply-not-json': ['oauth2 token: Unexpected token \'<\', "<!DOCTYPE "... is not valid JSON'],
  'tls-wrong-port': [
    'SSL routines:ssl3_get_record:wrong version number',
    '[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1123)',
    'tls: first record does not look like a TLS handshake',
  ],
  'tls-both-modes': ['ValueError: EMAIL_USE_TLS/EMAIL_USE_SSL are mutually exclusive, so only set one of those settings to True.'],
  'plain-on-tls-port': [
    'Greeting never received',
    'Could not connect to SMTP host: smtp.gmail.com, port: 465, response: -1',
    'SMTPServerDisconnected: Connection unexpectedly closed: timed out',
  ],
  'starttls-not-offered': ['SMTPNotSupportedError: STARTTLS extension not supported by server. smtp.gmail.com:465'],
  'tls-self-signed': ['self-signed certificate in certificate chain', 'Error: SELF_SIGNED_CERT_IN_CHAIN'],
  'tls-chain-unknown': [
    'Error: unable to verify the first certificate',
    'PKIX path building failed: unable to find valid certification path. Issuer: Avast Web/Mail Shield Root',
  ],
  'tls-no-roots': [
    'certificate verify failed: unable to get local issuer certificate (_ssl.c:1056)',
    'cURL error 60: SSL certificate problem',
    'x509: certificate signed by unknown authority',
  ],
  'tls-old-version': [
    'SSLHandshakeException: No appropriate protocol',
    'tlsv1 alert protocol version',
    'do not possess a common algorithm',
  ],
  'smtp-redirected': [
    `${GREETED}EHLO example.com\n250-web7.hosting.example Hello`,
    "Peer certificate CN=`*.hosting.example' did not match expected CN=`smtp.gmail.com'",
    'x509: certificate is valid for *.hosting.example, not smtp.gmail.com',
  ],
} as const;
