import { ROUND_1 } from './threads/round-1.ts';
import { ROUND_2 } from './threads/round-2.ts';
import { ROUND_3 } from './threads/round-3.ts';
import { ROUND_4 } from './threads/round-4.ts';

/** The cause that the thread confirmed, the program, the text. */
export type ThreadText = readonly [cause: string, program: string, text: string];

/**
 * Errors as public threads show them, in our own wording: ids, addresses and paths are made up, the shape is the program's. Each round
 * was written and measured before a row was changed for it; `first` is what that measurement said.
 */
export const ROUNDS: readonly {
  readonly texts: readonly ThreadText[];
  readonly first: { readonly top1: number; readonly top3: number };
}[] = [
  { texts: ROUND_1, first: { top1: 76, top3: 80 } },
  { texts: ROUND_2, first: { top1: 46, top3: 48 } },
  { texts: ROUND_3, first: { top1: 37, top3: 39 } },
  { texts: ROUND_4, first: { top1: 55, top3: 55 } },
];

export const THREADS: readonly ThreadText[] = ROUNDS.flatMap(({ texts }) => texts);

/** Threads that speak of something else, or say too little. */
export const SILENT_THREADS: readonly string[] = [
  'Failed to send alert notification email: dial tcp: lookup grafana-db on 127.0.0.11:53: server misbehaving',
  'smtp configuration saved successfully',
  'Error: Cannot find module nodemailer\nRequire stack:\n- /app/server.js',
  'psql: error: connection to server on socket "/run/postgresql/.s.PGSQL.5432" failed: No such file or directory',
  'The email was sent but I do not see it in my inbox or spam folder. What should I do?',
  'docker: Error response from daemon: Conflict. The container name "/mailpit" is already in use',
  'TypeError: transporter.sendMail is not a function',
  'celery.exceptions.MaxRetriesExceededError: Can not retry send_welcome_email',
  "undefined local variable or method 'mail_to' for UserMailer",
  'org.thymeleaf.exceptions.TemplateInputException: Error resolving template [welcome]',
  'OpenAI API error 429: You exceeded your current quota, please check your plan and billing details.',
  'git: fatal: unable to access repository: The requested URL returned error: 403',
  'AWS SES: MessageRejected: Email address is not verified. The following identities failed the check in region EU-WEST-1',
  'kubectl: error: You must be logged in to the server (Unauthorized)',
  'ERROR 1045 (28000): Access denied for user root@localhost (using password: YES)',
  '250 2.0.0 OK 1716543210 - gsmtp\n221 2.0.0 closing connection - gsmtp',
  'TimeoutError: Navigation timeout of 30000 ms exceeded',
  'connect ECONNREFUSED 127.0.0.1:5432',
  'Die Datei wurde nicht gefunden.',
  'Error: listen EADDRINUSE: address already in use :::3000',
  'HTTP 401 from https://api.github.com/user: Bad credentials',
  'rpc error: code = Unavailable desc = connection error: dial tcp 10.0.0.5:2379: connect: connection refused',
  'gpg: decryption failed: No secret key',
  'Failed password for root from 203.0.113.9 port 55012 ssh2',
  'x509: certificate has expired for registry.internal.example',
  'S3 AccessDenied: User is not authorized to perform: s3:PutObject',
  'npm ERR! 401 Unauthorized - GET https://registry.example.org/left-pad',
  'Please enter a valid email address.',
  'java.sql.SQLException: Access denied for user app',
  'kafka: client has run out of available brokers to talk to: EOF',
  'unauthorized: authentication required (docker pull)',
];
