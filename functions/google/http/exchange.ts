import { type Connections, createConnections } from './connections.ts';
import { createReplyReader, NoHttp, type Reply } from './reply.ts';
import { type Call, readRequest, writeRequest } from './request.ts';

export type { Reply } from './reply.ts';
export type { Call } from './request.ts';

/** No answer. `left` is false if provably no byte of the request reached Google. */
export class NoReply extends Error {
  readonly left: boolean;

  constructor(code: string, left: boolean) {
    super(code); // only the system's code: an error object may hold the request
    this.name = 'NoReply';
    this.left = left;
  }
}

/** Makes calls; connections are kept for the next ones, since each TLS handshake costs more than the call. */
export type Exchange = (call: Call) => Promise<Reply>;

const REPLY_MAX_BYTES = 4_000_000;

/** `deadline` aborts every call of the invocation. Throws NoReply. */
export function createExchange(connections: Connections = createConnections()): (deadline: AbortSignal) => Exchange {
  return (deadline) => {
    const attempt = createAttempt(connections, deadline);
    return async (call) => {
      if (call.once) return attempt(call, FRESH_MS);
      // A kept connection may have been closed by the other side in the meantime: that says nothing about Google.
      return attempt(call, Number.POSITIVE_INFINITY).catch((error: unknown) => {
        if (!(error instanceof Stale)) throw error;
        return attempt(call, 0).catch(({ message }: NoReply) => {
          throw new NoReply(message, true); // whatever became of the second try, the first may have arrived
        });
      });
    };
  };
}

const FRESH_MS = 10_000; // what cannot be tried again goes over a connection that was seen alive just now

class Stale extends NoReply {}

/** Plain timers, and one listener for all calls: composed and timed signals cost as much as the call, and fire long after the reply. */
function createAttempt(connections: Connections, deadline: AbortSignal): (call: Call, maxIdleMs: number) => Promise<Reply> {
  const running = new Set<() => void>();
  deadline.addEventListener('abort', () => {
    for (const giveUp of running) giveUp();
  });
  return (call, maxIdleMs) => {
    if (deadline.aborted) return Promise.reject(new NoReply('ETIMEDOUT', false));
    const request = readRequest(call);
    if (typeof request === 'string') return Promise.reject(new NoReply(request, false));
    return new Promise((resolve, reject) => {
      const reader = createReplyReader(call.maxBytes ?? REPLY_MAX_BYTES);
      let answered = false;
      const over = (keepMs: number): void => {
        clearTimeout(timer);
        running.delete(giveUp);
        connection.release(keepMs);
      };
      const fail = (code: string, stale = connection.reused && !answered && (code === 'ECONNRESET' || code === 'EPIPE')): void => {
        over(0);
        // By no code: what says that there is no way can also end a connection that stood, after it took the letter along.
        const left = connection.isOpen();
        reject(stale ? new Stale(code, left) : new NoReply(code, left));
      };
      // A process that stood still comes to its timers before its sockets: what has arrived by then is read first.
      const giveUp = (): void => void setImmediate(fail, 'ETIMEDOUT');
      const done = (): void => {
        const reply = reader.reply();
        // So a server ends a connection that is silent for too long, perhaps before this request came: it answers nothing.
        if (reply.status === 408) return void fail('ETIMEDOUT', connection.reused);
        // An answer that came before the whole request was taken leaves the connection in the middle of it.
        over(connection.socket.writableLength === 0 ? reader.keepMs() : 0);
        resolve(reply);
      };
      const connection = connections.take(request.origin, maxIdleMs, {
        data: (bytes) => {
          answered = true;
          try {
            if (reader.take(bytes)) done();
          } catch (error) {
            fail(error instanceof NoHttp ? error.code : 'EPROTO');
          }
        },
        end: () => (reader.end() ? done() : fail('ECONNRESET')),
        fail,
      });
      const timer = setTimeout(giveUp, call.timeoutMs);
      running.add(giveUp);
      writeRequest(connection.socket, request);
    });
  };
}

/** The reply's body as JSON; null when it is none, for example an HTML page of a proxy. */
export function json(reply: Reply): unknown {
  try {
    return JSON.parse(reply.body.toString('utf8'));
  } catch {
    return null;
  }
}
