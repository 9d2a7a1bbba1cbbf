import { Readable } from 'node:stream';
import type { UploadStatus } from '../../mail/delivery/ports.ts';
import type { MimeMessage } from '../../mail/message/mime-message.ts';
import type { AccessToken } from '../../mail/model/secret.ts';
import type { SmtpServer } from '../../runtime/smtp-url.ts';
import { type Challenge, type Phase, readChallenge, readReply, readSmtpFailure } from './smtp-failure.ts';

type Accepted = Extract<UploadStatus, { state: 'accepted' }>;

/** A connection that is signed in as a mailbox. After any failure it cannot be used again and must be closed. */
export interface SmtpSession {
  /**
   * Throws MailFailure by the table of `smtp-failure.ts`; `gmailId` is the session URI (`smtp:<Message-ID>`), because SMTP returns
   * no id.
   */
  send(sessionUri: string, message: MimeMessage, deadline: AbortSignal): Promise<Accepted>;
  isOpen(): boolean;
  /** Lets the process end although the connection is open; the next `send` needs no further step. */
  rest(): void;
  close(): void;
}

const CONNECT_MS = 10_000;
const SILENCE_MS = 40_000; // Gmail replies slowly to a large message
// nodemailer prefers PLAIN over XOAUTH2 where the server offers both, unless XOAUTH2 is its own. Under a name that nodemailer does
// not know it uses our handler, which can read the 334; nodemailer's own handler discards the 334.
const METHOD = 'MINTED-TOKEN';

interface Trouble {
  readonly code?: string | undefined;
  readonly originalCode?: string | undefined;
  readonly response?: string | undefined;
}

/** Connects and signs in with the access token. The server's certificate is always checked. Throws MailFailure. */
export async function openSession(server: SmtpServer, mailbox: string, token: AccessToken, deadline: AbortSignal): Promise<SmtpSession> {
  const { default: SMTPConnection } = await import('nodemailer/lib/smtp-connection'); // loaded only for mailboxes with `via: smtp`
  let phase: Phase = 'connect';
  let challenge: Challenge | null = null;
  let open = true;
  let fail = (_: Trouble): void => {};

  const signIn = async (say: (line: string) => Promise<{ response: string }>): Promise<string> => {
    const first = (await say(`AUTH XOAUTH2 ${xoauth2(mailbox, token)}`)).response;
    if (readReply(first).code !== 334) return first;
    challenge = readChallenge(readReply(first).text);
    return (await say('')).response; // the server answers the empty line with the 535
  };
  const line = new SMTPConnection({
    host: server.host,
    port: server.port,
    secure: server.secure,
    requireTLS: !server.secure,
    name: mailbox.slice(mailbox.lastIndexOf('@') + 1), // Gmail refuses a name that is no domain; our host name is not sent
    tls: { minVersion: 'TLSv1.2', rejectUnauthorized: true, ...(server.ca && { ca: server.ca }) },
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    dnsTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
    customAuth: {
      [METHOD]: async ({ sendCommand, resolve, reject }) => {
        const answer = await signIn(sendCommand);
        if (readReply(answer).code === 235) return resolve();
        fail({ response: answer });
        reject('refused');
      },
    },
  });
  line.on('error', (error: Trouble) => fail(error));
  line.on('end', () => {
    open = false;
    setImmediate(() => fail({ code: 'ECONNRESET' })); // nodemailer reports a 421 after the close
  });

  /** Runs one step of the dialogue: an end of the connection, or the deadline, ends the step. */
  const step = <T>(signal: AbortSignal, start: (done: (error?: Trouble | null, value?: T) => void) => void): Promise<T> =>
    new Promise((resolve, reject) => {
      const late = (): void => fail({ code: 'ETIMEDOUT' });
      fail = ({ response = '', originalCode, code = '' }) => {
        signal.removeEventListener('abort', late);
        const cause = /^[A-Z][A-Z0-9_]+$/.exec(originalCode ?? code)?.[0] ?? 'error'; // messages may quote the email
        reject(readSmtpFailure({ phase, reply: response, cause, challenge }));
      };
      if (signal.aborted) return late();
      signal.addEventListener('abort', late, { once: true });
      start((error, value) => {
        signal.removeEventListener('abort', late);
        if (error) fail(error);
        else resolve(value as T);
      });
    });
  const close = (): void => {
    if (phase === 'envelope' && open) line.quit();
    else line.close();
    open = false;
  };

  try {
    await step<void>(deadline, (done) => line.connect(done));
    phase = 'auth';
    await step<unknown>(deadline, (done) => line.login({ method: METHOD, user: mailbox }, done));
    phase = 'envelope';
  } catch (error) {
    line.close();
    throw error;
  }
  return {
    isOpen: () => open,
    rest: () => (line._socket || null)?.unref(),
    close,
    async send(sessionUri, { bytes, envelope }, until) {
      if (line._socket) line._socket.ref();
      const source = new Readable({
        read() {
          phase = 'data'; // runs only after the server replied 354: from here on Gmail may have the message
          this.push(bytes);
          this.push(null);
        },
      });
      const parts = { from: envelope.from, to: [...envelope.to], size: bytes.length, use8BitMime: true };
      const { rejected } = await step<{ rejected: string[] }>(until, (done) => line.send(parts, source, done));
      phase = 'envelope';
      return { state: 'accepted', gmailId: sessionUri, ...(rejected.length > 0 && { rejected: rejected.length }) };
    },
  };
}

// developers.google.com/workspace/gmail/imap/xoauth2-protocol
const xoauth2 = (user: string, token: AccessToken): string =>
  Buffer.from(`user=${user}\x01auth=Bearer ${token.secret.reveal()}\x01\x01`).toString('base64');
