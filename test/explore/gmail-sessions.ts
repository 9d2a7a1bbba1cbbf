import type { UploadStatus } from '../../functions/mail/delivery/ports.ts';
import type { MimeMessage } from '../../functions/mail/message/mime-message.ts';

interface Session {
  readonly email: string;
  readonly bytes: number;
  received: number;
  gmailId: string | null;
  forgotten: boolean;
}

/** A message that Gmail took; over SMTP it is found by the search once it is in the index. */
interface Taken {
  /** The id of ours that it carries in a header of its own: Gmail may have replaced its Message-ID. */
  readonly email: string;
  readonly gmailId: string;
  indexed: boolean;
}

/**
 * Gmail as its guide documents it, and as others report it. A session makes at most one message, also where two transfers reach it at
 * once; it says 308 with what it has, 200 with the message once it made it, and 404 when it is forgotten, before or after. It may hold
 * every byte and make the message later. Over SMTP each transfer is a message, and the search finds it some time later.
 */
export function gmailSessions() {
  const sessions = new Map<string, Session>();
  const taken: Taken[] = [];
  const statusOf = ({ gmailId, forgotten, received }: Session): UploadStatus => {
    if (forgotten) return { state: 'gone' };
    return gmailId === null ? { state: 'partial', received } : { state: 'accepted', gmailId, threadId: `thread-${gmailId}` };
  };
  const find = (uri: string): Session => {
    const session = sessions.get(uri);
    if (!session) throw new Error(`no such session: ${uri}`);
    return session;
  };
  const take = (email: string, indexed: boolean): Taken => {
    const one = { email, gmailId: `gmail-${taken.length + 1}`, indexed };
    taken.push(one);
    return one;
  };
  const receive = (uri: string, { bytes }: MimeMessage, from: number, to: number): Session => {
    const session = find(uri);
    if (bytes.length !== session.bytes) throw new Error('another message than the one that was announced');
    // Bytes that do not follow on what it has are not taken.
    if (!session.forgotten && session.gmailId === null && from === session.received) session.received = to;
    return session;
  };
  const complete = (session: Session): void => {
    if (session.received === session.bytes) session.gmailId ??= take(session.email, true).gmailId;
  };
  return {
    /** Every message that it took, in order. */
    taken,
    forget(uri: string): void {
      find(uri).forgotten = true;
    },
    open({ messageId, bytes }: MimeMessage): string {
      const uri = `session-${sessions.size + 1}`;
      sessions.set(uri, { email: messageId.slice(1, 37), bytes: bytes.length, received: 0, gmailId: null, forgotten: false });
      return uri;
    },
    /** Takes bytes up to `to`, and makes the message at once when it has all of them. */
    transfer(uri: string, message: MimeMessage, from: number, to: number): UploadStatus {
      const session = receive(uri, message, from, to);
      complete(session);
      return statusOf(session);
    },
    /** Takes bytes up to `to`; what is answered makes the message later. */
    hold(uri: string, message: MimeMessage, from: number, to: number): { readonly status: UploadStatus; complete(): void } {
      const session = receive(uri, message, from, to);
      return { status: statusOf(session), complete: () => complete(session) };
    },
    ask: (uri: string): UploadStatus => statusOf(find(uri)),
    /** Over SMTP: takes a whole message; what is answered puts it into the index of the search. */
    submit({ messageId }: MimeMessage): { readonly gmailId: string; index(): void } {
      const one = take(messageId.slice(1, 37), false);
      return { gmailId: one.gmailId, index: () => Object.assign(one, { indexed: true }) };
    },
    search(email: string): string | null {
      return taken.find((one) => one.email === email && one.indexed)?.gmailId ?? null;
    },
  };
}

export type GmailSessions = ReturnType<typeof gmailSessions>;
