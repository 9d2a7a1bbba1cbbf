import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

/** One HTTPS exchange, whole: what Google's REST APIs need and no more. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly body?: string | Uint8Array;
  /** Milliseconds until the whole answer must be there. */
  readonly timeoutMs: number;
  /** The body must not reach Google twice: a connection that breaks is never tried again here. */
  readonly once?: boolean;
  /** A larger answer is no answer; 4 MB where it is left out. */
  readonly maxBytes?: number;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

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
export function createExchange(agents: Agents = createAgents()): (deadline: AbortSignal) => Exchange {
  return (deadline) => {
    const attempt = createAttempt(agents, deadline);
    return async (call) => {
      const first = attempt(call);
      if (call.once) return first;
      // A kept connection may have been closed by the other side in the meantime: that says nothing about Google.
      return first.catch((error: unknown) => (error instanceof Stale ? attempt(call) : Promise.reject(error)));
    };
  };
}

interface Agents {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
}

const createAgents = (): Agents => ({ http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true }) });

class Stale extends NoReply {}

/** Plain timers, and one listener for all calls: composed and timed signals cost as much as the call, and fire long after the reply. */
function createAttempt(agents: Agents, deadline: AbortSignal): Exchange {
  const running = new Set<() => void>();
  deadline.addEventListener('abort', () => {
    for (const giveUp of running) giveUp();
  });
  return ({ method, url, headers, body, timeoutMs, maxBytes = REPLY_MAX_BYTES }) => {
    if (deadline.aborted) return Promise.reject(new NoReply('ETIMEDOUT', false));
    const address = ADDRESS.exec(url);
    // Without a host Node would call this machine, with the token in hand.
    if (!address) return Promise.reject(new NoReply('ERR_INVALID_URL', false));
    return new Promise((resolve, reject) => {
      const [, scheme, ipv6, name, port, path] = address;
      const secure = scheme === 'https';
      const length = body === undefined ? 0 : typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
      const request = (secure ? httpsRequest : httpRequest)({
        method,
        hostname: ipv6 ?? name,
        port,
        path,
        agent: secure ? agents.https : agents.http,
        headers: method === 'GET' || method === 'DELETE' ? { ...headers } : { 'content-length': length, ...headers },
      });
      let late = false;
      const giveUp = (): void => {
        late = true;
        request.destroy(new Error('late'));
      };
      const timer = setTimeout(giveUp, timeoutMs);
      running.add(giveUp);
      const over = (): void => {
        clearTimeout(timer);
        running.delete(giveUp);
      };
      let connected = false;
      request.once('socket', (socket) => {
        if (request.reusedSocket) connected = true;
        else
          socket.once(secure ? 'secureConnect' : 'connect', () => {
            connected = true;
          });
      });
      const fail = (error: Error & { code?: string }): void => {
        over();
        const code = late ? 'ETIMEDOUT' : (error.code ?? error.name);
        const stale = request.reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE');
        // By no code: what says that there is no way can also end a connection that stood, after it took the letter along.
        reject(stale ? new Stale(code, connected) : new NoReply(code, connected));
      };
      request.on('error', fail);
      request.once('response', (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > maxBytes) request.destroy(Object.assign(new Error('reply too large'), { code: 'EMSGSIZE' }));
          chunks.push(chunk);
        });
        response.on('error', fail);
        response.once('aborted', () => fail(Object.assign(new Error('aborted'), { code: 'ECONNRESET' })));
        response.once('end', () => {
          over();
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks),
          });
        });
      });
      if (length > SLICE_BYTES) writeInSlices(request, body ?? '');
      else request.end(body);
    });
  };
}

const SLICE_BYTES = 256 * 1024;

/** A large body written at once is there three times over: as it is, copied for the socket, and encrypted. */
function writeInSlices(request: ClientRequest, body: string | Uint8Array): void {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  let at = 0;
  const next = (): void => {
    while (at < bytes.length && !request.destroyed) {
      const ready = request.write(bytes.subarray(at, at + SLICE_BYTES));
      at += SLICE_BYTES;
      if (!ready) return void request.once('drain', next);
    }
    request.end();
  };
  next();
}

// All addresses are ours, or were compared with ours; taking them apart by a pattern is a tenth of what a URL object costs.
const ADDRESS = /^(https?):\/\/(?:\[([\da-f:.]+)\]|([^/:@[\]\s]+))(?::(\d+))?(\/[^#]*)$/;

/** The reply's body as JSON; null when it is none, for example an HTML page of a proxy. */
export function json(reply: Reply): unknown {
  try {
    return JSON.parse(reply.body.toString('utf8'));
  } catch {
    return null;
  }
}
