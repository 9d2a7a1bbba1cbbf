import { finished } from 'node:stream/promises';
import type { SMTPServer, SMTPServerSession } from 'smtp-server';

type Session = Pick<SMTPServerSession, 'id'>;

/** The connections whose clients may end their sending half and still read the answer (RFC 9293 3.6). */
export interface HalfClosed {
  /** Call it when a session begins, and again when the session is under TLS. */
  watch(session: Session): void;
  /** Writes a reply that smtp-server leaves out because the client has ended its half. */
  reply(session: Session, code: number, text: string): void;
}

/**
 * Exim sends QUIT with the last byte of a message and shuts down its sending half; smtp-server 3.21.6 writes no reply to such a
 * client. The server must be made with `allowHalfOpen`; this ends our half as soon as all that the client sent was processed.
 */
export function createHalfClosed(server: () => SMTPServer): HalfClosed {
  const connectionOf = ({ id }: Session) => [...server().connections].find((one) => one.id === id);
  return {
    watch(session) {
      const connection = connectionOf(session);
      const socket = connection?._socket;
      socket?.once('end', async () => {
        if (connection?._parser) await finished(connection._parser).catch(() => {});
        socket.end();
      });
    },
    reply(session, code, text) {
      const socket = connectionOf(session)?._socket;
      if (socket?.readyState === 'writeOnly') socket.write(`${code} ${text}\r\n`);
    },
  };
}
