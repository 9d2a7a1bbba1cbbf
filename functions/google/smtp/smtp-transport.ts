import type { Alone, Transport, UploadStatus } from '../../mail/delivery/ports.ts';
import type { MimeMessage } from '../../mail/message/mime-message.ts';
import type { Mailbox } from '../../mail/model/config.ts';
import { MailFailure, toFailure } from '../../mail/model/failure.ts';
import type { AccessToken } from '../../mail/model/secret.ts';
import type { SmtpServer } from '../../runtime/smtp-url.ts';
import type { Search } from '../gmail/message-search.ts';
import { openSession, type SmtpSession } from './smtp-session.ts';

/** SMTP for one invocation: a connection per mailbox, shared by all its emails, one after the other. */
export interface Smtp {
  transport(mailbox: Mailbox): Transport;
  /** Ends the connections; those of mailboxes with `tokens: reuse` are kept for the next invocation. */
  close(): void;
}

interface World {
  readonly server: SmtpServer;
  readonly search: Search;
  readonly warm: WarmSessions;
  readonly deadline: AbortSignal;
  now(): number;
  pause(ms: number): Promise<void>;
}

const HANDLE = 'smtp:';
// A raw message has its caller's Message-ID: Gmail is searched only for a plain one that was not used before.
const OURS = /^<[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}@[a-z0-9.-]+>$/;
const PLAIN = /^<[^\s<>"(){}:]{1,200}@[^\s<>"(){}:]{1,200}>$/;
const RECIPIENTS_MAX = 100; // support.google.com/a/answer/166852: recipients of one message over SMTP
// How soon the search knows an email that came by SMTP is documented nowhere. It is looked for four times in 7 s, which fits
// the laptop's deadline of 10 s; only then it counts as not sent, and goes again. See docs/decisions/010.
const SEARCH_PAUSES_MS = [0, 1_000, 2_000, 4_000];
// On a connection that lay open these say that it is no longer good, not that the email is: nothing of it has left.
const STALE = new Set(['google_unavailable', 'token_refused']);

/**
 * Gmail's SMTP as a way that can be asked afterwards: the handle is the message's Message-ID, which SMTP leaves as it is,
 * and it is asked by Gmail's search. The scope is https://mail.google.com/.
 */
export function createSmtp({ server, search, warm, deadline, now, pause }: World): Smtp {
  const lines = new Map<string, { readonly mailbox: Mailbox; session: SmtpSession | null; turn: Promise<unknown> }>();
  let closed = false;

  const sendOn = async (session: SmtpSession, handle: string, message: MimeMessage): Promise<UploadStatus> => {
    try {
      return await session.send(handle, message, deadline);
    } catch (error) {
      session.close();
      throw error;
    }
  };
  const transfer = async (mailbox: Mailbox, handle: string, message: MimeMessage, token: AccessToken): Promise<UploadStatus> => {
    const line = lines.get(mailbox.address) ?? { mailbox, session: warm.take(mailbox.address, now()), turn: Promise.resolve() };
    lines.set(mailbox.address, line);
    const send = async (): Promise<UploadStatus> => {
      const kept = line.session;
      line.session = null;
      if (kept?.isOpen()) {
        const progress = await sendOn(kept, handle, message).catch((error: unknown) => {
          if (!STALE.has(toFailure(error).code)) throw error;
        });
        if (progress) return keep(kept, progress);
      }
      const session = await openSession(server, mailbox.address, token, deadline);
      return keep(session, await sendOn(session, handle, message));
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

  /** Whether an email found by this Message-ID can only be the one that is about to be sent: none was before, and none is now. */
  const tells = async (messageId: string, token: AccessToken, alone: Alone): Promise<boolean> => {
    if (OURS.test(messageId)) return true;
    if (!PLAIN.test(messageId)) return false;
    const [found, mine] = await Promise.all([search(messageId, token).catch(() => 'unknown'), alone(messageId)]);
    return found === null && mine;
  };

  const ask = async (handle: string, token: AccessToken, alone: Alone): Promise<UploadStatus> => {
    if (!handle.startsWith(HANDLE)) throw new MailFailure('unexpected', 'the email was begun over the API, SMTP cannot ask for it');
    if (handle === HANDLE) return { state: 'gone' }; // by its Message-ID another email would be found
    const messageId = handle.slice(HANDLE.length);
    for (const ms of SEARCH_PAUSES_MS) {
      if (ms > 0) await pause(ms);
      const gmailId = await search(messageId, token);
      // Asked after the search: another email with this Message-ID says so before it is sent, so none was there when this was found.
      if (gmailId !== null) return OURS.test(messageId) || (await alone(messageId)) ? { state: 'accepted', gmailId } : { state: 'gone' };
    }
    return { state: 'partial', received: 0 };
  };

  return {
    transport: (mailbox) => ({
      resumable: false,
      refusalIsProof: true, // RFC 5321, 4.2.1: after a 4yz or 5yz the server has not taken the message
      async openSession({ messageId, envelope }, token, alone) {
        if (envelope.to.length > RECIPIENTS_MAX)
          throw new MailFailure(
            'mail_refused',
            `Over SMTP an email has at most ${RECIPIENTS_MAX} recipients, this one ${envelope.to.length}.`,
          );
        return (await tells(messageId, token, alone)) ? HANDLE + messageId : HANDLE;
      },
      upload: (handle, message, _from, token) => transfer(mailbox, handle, message, token),
      querySession: (handle, _bytes, token, alone) => ask(handle, token, alone),
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

/** Connections that outlive their invocation, one per mailbox at most. */
export interface WarmSessions {
  take(mailbox: string, now: number): SmtpSession | null;
  put(mailbox: string, session: SmtpSession, now: number): void;
}

const IDLE_MS = 60_000; // an instance without requests has no processor to answer the server with

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
      take(mailbox, now)?.close(); // of two invocations that end, the later keeps its own
      session.rest();
      kept.set(mailbox, { session, since: now });
    },
  };
}
