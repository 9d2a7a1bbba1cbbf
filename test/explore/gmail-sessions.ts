import type { UploadStatus } from '../../functions/mail/delivery/ports.ts';
import type { MimeMessage } from '../../functions/mail/message/mime-message.ts';

interface Session {
  readonly messageId: string;
  readonly bytes: number;
  received: number;
  gmailId: string | null;
  forgotten: boolean;
}

/**
 * Upload sessions as Google's guide documents them: one makes at most one mail, says 308 with what it has, says 200 with the
 * mail once it has all of it, however often it is asked, and 404 when it is forgotten.
 */
export function gmailSessions() {
  const sessions = new Map<string, Session>();
  const taken: { readonly messageId: string; readonly gmailId: string }[] = [];
  const stateOf = ({ gmailId, forgotten, received }: Session): UploadStatus => {
    if (forgotten) return { state: 'gone' };
    return gmailId === null ? { state: 'partial', received } : { state: 'accepted', gmailId };
  };
  const find = (handle: string): Session => {
    const session = sessions.get(handle);
    if (!session) throw new Error(`no such session: ${handle}`);
    return session;
  };
  return {
    /** Every mail that it took, in order. */
    taken,
    forget(handle: string): void {
      find(handle).forgotten = true;
    },
    open({ messageId, bytes }: MimeMessage): string {
      const handle = `session-${sessions.size + 1}`;
      sessions.set(handle, { messageId, bytes: bytes.length, received: 0, gmailId: null, forgotten: false });
      return handle;
    },
    /** Takes bytes up to `to`; those that do not follow on what it has are not taken. */
    transfer(handle: string, { bytes }: MimeMessage, from: number, to: number): UploadStatus {
      const session = find(handle);
      if (session.forgotten || session.gmailId !== null || from !== session.received) return stateOf(session);
      if (bytes.length !== session.bytes) throw new Error('another letter than the one that was announced');
      session.received = to;
      if (to === session.bytes) {
        session.gmailId = `gmail-${taken.length + 1}`;
        taken.push({ messageId: session.messageId, gmailId: session.gmailId });
      }
      return stateOf(session);
    },
    ask: (handle: string): UploadStatus => stateOf(find(handle)),
  };
}

export type GmailSessions = ReturnType<typeof gmailSessions>;
