/** The SMTP server that emails are sent to. */
export interface SmtpServer {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte (465), else STARTTLS (587). */
  readonly secure: boolean;
  /** PEM certificates trusted in place of the system's, on loopback only; null for the system's. */
  readonly ca: string | null;
}

export const GMAIL_SMTP = 'smtp://smtp.gmail.com:587';

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);

/**
 * Reads `smtp://host:port` (STARTTLS) or `smtps://host:port`; null if it is none, or names a server that is neither Gmail's nor
 * on this machine: the server gets the access token.
 */
export function readSmtpUrl(text: string): (Omit<SmtpServer, 'ca'> & { readonly loopback: boolean }) | null {
  const url = URL.parse(text);
  if (!url || !/^smtps?:$/.test(url.protocol) || url.username || url.password || !/^\/?$/.test(url.pathname + url.search + url.hash))
    return null;
  const loopback = LOOPBACK.has(url.hostname);
  if (!loopback && url.hostname !== 'smtp.gmail.com') return null;
  const secure = url.protocol === 'smtps:';
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || (secure ? 465 : 587)), secure, loopback };
}
