import type { IsUniqueMessageId, Transport, UploadStatus } from '../../mail/delivery/ports.ts';
import type { MimeMessage } from '../../mail/message/mime-message.ts';
import type { Mailbox } from '../../mail/model/config.ts';
import { MailFailure, toFailure } from '../../mail/model/failure.ts';
import type { AccessToken } from '../../mail/model/secret.ts';
import type { SmtpServer } from '../../runtime/smtp-url.ts';
import type { Search } from '../gmail/message-search.ts';
import { openSession, type SmtpSession } from './smtp-session.ts';

/** SMTP for one invocation: one connection per mailbox, on which its emails follow one another. */
export interface Smtp {
  transport(mailbox: Mailbox): Transport;
  /** Closes the connections; those of mailboxes with `tokens: reuse` are kept for the next invocation. */
  close(): void;
}

interface World {
  readonly server: SmtpServer;
  readonly search: Search;
  /** Where the search finds nothing: among the newest sent messages. */
  readonly searchSent: Search;
  readonly warm: WarmSessions;
  readonly deadline: AbortSignal;
  now(): number;
  pause(ms: number): Promise<void>;
}

const URI_SCHEME = 'smtp:';
// A raw message has its caller's Message-ID. A search is used only for a Message-ID without special characters that no earlier
// email has.
const OURS = /^<[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}@[a-z0-9.-]+>$/;
const PLAIN = /^<[^\s<>"(){}:]{1,200}@[^\s<>"(){}:]{1,200}>$/;
const RECIPIENTS_MAX = 100; // support.google.com/a/answer/166852: recipients of one message over SMTP
// Google does not document how soon the search finds an email that was sent by SMTP. The transport searches four times in 7 s,
// which fits the local stack's deadline of 10 s. Only then the email counts as not sent, and is sent again. See
// docs/decisions/010.
const SEARCH_PAUSES_MS = [0, 1_000, 2_000, 4_000];
// On an idle connection these replies mean that the connection has ended, not that the email is refused: no byte of the email has
// left.
const STALE = new Set(['google_unavailable', 'token_refused']);

/**
 * Gmail's SMTP as a transport that can be queried: the session URI is `smtp:` and the message's Message-ID. Gmail's search answers the
 * query, and then the headers of the newest sent messages, in case Gmail has replaced the Message-ID. The scope is https://mail.google.com/.
 */
export function createSmtp({ server, search, searchSent, warm, deadline, now, pause }: World): Smtp {
  const lines = new Map<string, { readonly mailbox: Mailbox; session: SmtpSession | null; turn: Promise<unknown> }>();
  let closed = false;

  const sendOn = async (session: SmtpSession, sessionUri: string, message: MimeMessage): Promise<UploadStatus> => {
    try {
      return await session.send(sessionUri, message, deadline);
    } catch (error) {
      session.close();
      throw error;
    }
  };
  const transfer = async (mailbox: Mailbox, sessionUri: string, message: MimeMessage, token: AccessToken): Promise<UploadStatus> => {
    const line = lines.get(mailbox.address) ?? { mailbox, session: warm.take(mailbox.address, now()), turn: Promise.resolve() };
    lines.set(mailbox.address, line);
    const send = async (): Promise<UploadStatus> => {
      const kept = line.session;
      line.session = null;
      if (kept?.isOpen()) {
        const progress = await sendOn(kept, sessionUri, message).catch((error: unknown) => {
          if (!STALE.has(toFailure(error).code)) throw error;
        });
        if (progress) return keep(kept, progress);
      }
      const session = await openSession(server, mailbox.address, token, deadline);
      return keep(session, await sendOn(session, sessionUri, message));
    };
    const keep = (session: SmtpSession, progress: UploadStatus): UploadStatus => {
      if (closed) session.close();
      else line.session = session;
      return progress;
    };
    const sending = line.turn.then(send);
    line.turn = sending.catch(() => {});
    return sending;
  };

  /**
   * Whether an email with this Message-ID can only be the one that is about to be sent: no earlier email had it, and none has it
   * now.
   */
  const tells = async (messageId: string, token: AccessToken, alone: IsUniqueMessageId): Promise<boolean> => {
    if (OURS.test(messageId)) return true;
    if (!PLAIN.test(messageId)) return false;
    const [found, mine] = await Promise.all([search(messageId, token).catch(() => 'unknown'), alone(messageId)]);
    return found === null && mine;
  };

  const ask = async (sessionUri: string, token: AccessToken, alone: IsUniqueMessageId): Promise<UploadStatus> => {
    if (!sessionUri.startsWith(URI_SCHEME)) throw new MailFailure('unexpected', 'the email was begun over the API, SMTP cannot ask for it');
    if (sessionUri === URI_SCHEME) return { state: 'gone' }; // a search for an empty Message-ID would find another email
    const messageId = sessionUri.slice(URI_SCHEME.length);
    let gmailId: string | null = null;
    for (const ms of SEARCH_PAUSES_MS) {
      if (ms > 0) await pause(ms);
      gmailId = await search(messageId, token);
      if (gmailId !== null) break;
    }
    // Gmail may have replaced the Message-ID, or its index may be late.
    gmailId ??= await searchSent(messageId, token);
    if (gmailId === null) return { state: 'partial', received: 0 };
    // Reserved after the search: another email with this Message-ID reserves it before it is sent, so that email did not exist
    // at the time of the search.
    return OURS.test(messageId) || (await alone(messageId)) ? { state: 'accepted', gmailId } : { state: 'gone' };
  };

  return {
    transport: (mailbox) => ({
      resumable: false,
      refusalIsProof: true, // RFC 5321, 4.2.1: after a 4yz or 5yz the server has not accepted the message
      async openSession({ messageId, envelope }, token, alone) {
        if (envelope.to.length > RECIPIENTS_MAX)
          throw new MailFailure(
            'mail_refused',
            `Over SMTP an email has at most ${RECIPIENTS_MAX} recipients, this one ${envelope.to.length}.`,
          );
        return (await tells(messageId, token, alone)) ? URI_SCHEME + messageId : URI_SCHEME;
      },
      upload: (sessionUri, message, _from, token) => transfer(mailbox, sessionUri, message, token),
      querySession: (sessionUri, _bytes, token, alone) => ask(sessionUri, token, alone),
    }),
    close() {
      closed = true;
      for (const { mailbox, session } of lines.values()) {
        if (session && mailbox.tokens === 'reuse') warm.put(mailbox.address, session, now());
        else session?.close();
      }
      lines.clear();
    },
  };
}

/** Connections that outlive their invocation, at most one per mailbox. */
export interface WarmSessions {
  take(mailbox: string, now: number): SmtpSession | null;
  put(mailbox: string, session: SmtpSession, now: number): void;
}

const IDLE_MS = 60_000; // an idle instance has no processor time to answer the server

export function createWarmSessions(): WarmSessions {
  const kept = new Map<string, { readonly session: SmtpSession; readonly since: number }>();
  const take: WarmSessions['take'] = (mailbox, now) => {
    const found = kept.get(mailbox);
    kept.delete(mailbox);
    if (found && found.since + IDLE_MS > now && found.session.isOpen()) return found.session;
    found?.session.close();
    return null;
  };
  return {
    take,
    put(mailbox, session, now) {
      take(mailbox, now)?.close(); // of two invocations that end, the later one keeps its own connection
      session.rest();
      kept.set(mailbox, { session, since: now });
    },
  };
}
