import { randomUUID } from 'node:crypto';
import type { Google } from '../../../functions/fake-google/google.ts';
import type { MimeMessage } from '../../../functions/mail/message/mime-message.ts';
import { SCOPE_MAIL } from '../../../functions/mail/model/scopes.ts';
import type { AccessToken } from '../../../functions/mail/model/secret.ts';
import { SecretString } from '../../../functions/mail/model/secret.ts';
import type { SmtpServer } from '../../../functions/runtime/smtp-url.ts';
import { MAILBOX } from './laptop.ts';

/** The fake's SMTP, as a function is told of it. */
export function smtpOf(google: Google, secure = false): SmtpServer {
  if (!google.smtp) throw new Error('startGoogle was not asked for SMTP');
  return { host: '127.0.0.1', port: secure ? google.smtp.tls : google.smtp.startTls, secure, ca: google.smtp.certificate };
}

/** A token that the fake's token endpoint issued for a grant of that scope. */
export function tokenFrom(google: Google, scope = SCOPE_MAIL, address = MAILBOX): AccessToken {
  const { client_id, client_secret, refresh_token } = google.oauth.enrol(address, [scope]);
  const form = new URLSearchParams({ grant_type: 'refresh_token', client_id, client_secret, refresh_token });
  const request = { method: 'POST', path: '/token', query: new URLSearchParams(), headers: {}, body: Buffer.from(form.toString()) };
  const { access_token } = google.oauth.token(request).body as { access_token: string };
  return { secret: new SecretString(access_token), expiresAt: Number.MAX_SAFE_INTEGER };
}

export function letterTo(to: readonly string[] = ['you@example.net'], size = 0): MimeMessage {
  const messageId = `<${randomUUID()}@example.com>`;
  const head = `From: ${MAILBOX}\r\nTo: you@example.net\r\nMessage-ID: ${messageId}\r\nSubject: canary-subject\r\n\r\n`;
  return { bytes: Buffer.from(`${head}canary-body\r\n.dot\r\n${'b'.repeat(size)}\r\n`), messageId, envelope: { from: MAILBOX, to } };
}
