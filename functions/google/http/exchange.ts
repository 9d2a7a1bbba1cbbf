import { Agent, type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request as requestPlain } from 'node:http';
import { request as requestSecure, Agent as SecureAgent } from 'node:https';
import type { Socket } from 'node:net';

/** One complete HTTPS exchange: no more than Google's REST APIs need. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly body?: string | Uint8Array;
  /** Milliseconds until the whole answer must have arrived. */
  readonly timeoutMs: number;
  /** The body must not reach Google twice: after a broken connection the call is not repeated. */
  readonly once?: boolean;
  /** The longest answer that is read, 4 MB by default; a longer one counts as no answer. */
  readonly maxBytes?: number;
}

/** A complete answer; header names are in lower case. */
export interface HttpReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** No answer came. `bytesSent` is false if provably no byte of the request reached Google. */
export class NoReply extends Error {
  readonly bytesSent: boolean;

  constructor(code: string, left: boolean) {
    super(code); // only the system's code, because an error object may hold the request
    this.name = 'NoReply';
    this.bytesSent = left;
  }
}

/** Makes calls. Connections are kept for later calls, because each TLS handshake costs more than the call. */
export type Exchange = (call: Call) => Promise<HttpReply>;

/**
 * Calls over `node:https` with kept agents. `deadline` aborts every call of the invocation. The exchange throws NoReply.
 *
 * @example
 * const exchange = createExchange()(AbortSignal.timeout(50_000));
 * const { status, body } = await exchange({ method: 'GET', url: 'https://gmail.googleapis.com/', timeoutMs: 10_000 });
 */
export function createExchange(now: () => number = () => performance.now()): (deadline: AbortSignal) => Exchange {
  const connections = createConnections(now);
  return (deadline) => {
    const attempt = createAttempt(connections, deadline);
    return async (call) => {
      if (call.once) return attempt(call, FRESH_MS);
      // The server may have closed a kept connection in the meantime: that says nothing about the request.
      return attempt(call, Number.POSITIVE_INFINITY).catch((error: unknown) => {
        if (!(error instanceof Stale)) throw error;
        return attempt(call, 0).catch(({ message }: NoReply) => {
          throw new NoReply(message, true); // whatever happened to the second try, the first may have arrived
        });
      });
    };
  };
}

const FRESH_MS = 10_000; // a request that must not be repeated uses a connection that worked in the last ten seconds, or a new one
const IDLE_MAX_MS = 5 * 60_000; // only an agent with a limit of its own also obeys the server's `keep-alive: timeout=5`
const REPLY_MAX_BYTES = 4_000_000;
const HEAD_MAX_BYTES = 64 * 1024;

class Stale extends NoReply {}

interface Address {
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  readonly path: string;
}

/** One agent for each origin, and the time of the last use of each connection. */
function createConnections(now: () => number) {
  const agents = new Map<string, Agent>();
  const usedAt = new WeakMap<Socket, number>();
  return {
    agentOf({ secure, host, port }: Address): Agent {
      const origin = `${secure}:${host}:${port}`;
      const agent = agents.get(origin) ?? new (secure ? SecureAgent : Agent)({ keepAlive: true, scheduling: 'lifo', timeout: IDLE_MAX_MS });
      agents.set(origin, agent);
      return agent;
    },
    used: (socket: Socket | null): void => void (socket && usedAt.set(socket, now())),
    /**
     * Closes the connections that were idle for longer than that; null if there are none, else resolves when the agent has dropped
     * them.
     */
    endIdle(agent: Agent, maxIdleMs: number): Promise<unknown> | null {
      const idle = Object.values(agent.freeSockets).flatMap((sockets) => sockets ?? []);
      const old = idle.filter((socket) => now() - (usedAt.get(socket) ?? 0) >= maxIdleMs);
      return old.length === 0 ? null : Promise.all(old.map((socket) => new Promise((gone) => socket.once('close', gone).destroy())));
    },
  };
}

/**
 * Plain timers, and one listener for all calls: composed and timed signals cost as much as the call, and fire long after the
 * reply.
 */
function createAttempt(connections: ReturnType<typeof createConnections>, deadline: AbortSignal) {
  const running = new Set<() => void>();
  deadline.addEventListener('abort', () => {
    for (const giveUp of running) giveUp();
  });
  return async (call: Call, maxIdleMs: number): Promise<HttpReply> => {
    const address = readAddress(call.url);
    if (!address) throw new NoReply('ERR_INVALID_URL', false);
    for (const value of Object.values(call.headers ?? {})) if (!VALUE.test(String(value))) throw new NoReply('ERR_INVALID_CHAR', false); // a line break would begin another header, or another request
    const agent = connections.agentOf(address);
    const ending = deadline.aborted ? null : connections.endIdle(agent, maxIdleMs);
    if (ending) await ending;
    if (deadline.aborted) throw new NoReply('ETIMEDOUT', false);
    return new Promise((resolve, reject) => {
      const request = startRequest(call, address, agent);
      const maxBytes = call.maxBytes ?? REPLY_MAX_BYTES;
      let open = false; // whether the connection was ever open, TLS included: before that no byte of the request has left
      let answered = false;
      let settled = false;
      const over = (keep: boolean): void => {
        settled = true;
        clearTimeout(timer);
        running.delete(giveUp);
        if (!keep) request.destroy();
      };
      const fail = (code: string, stale = request.reusedSocket && !answered && (code === 'ECONNRESET' || code === 'EPIPE')): void => {
        if (settled) return;
        over(false);
        // The state of the connection decides: a code such as EHOSTUNREACH can also end a connection that was open.
        reject(stale ? new Stale(code, open) : new NoReply(code, open));
      };
      const failBy = (error: NodeJS.ErrnoException): void => fail(error.code?.startsWith('HPE_') ? 'EPROTO' : (error.code ?? error.name));
      // After a pause of the process, timers run before sockets are read: data that has arrived by then is read first.
      const giveUp = (): void => void setImmediate(fail, 'ETIMEDOUT');
      const done = (reply: HttpReply): void => {
        // A server closes an idle connection like this, perhaps before this request came: it sends no answer.
        if (reply.status === 408) return void fail('ETIMEDOUT', request.reusedSocket);
        connections.used(request.socket);
        over(request.writableFinished); // an answer before the end of the request leaves the connection in the middle of the request
        resolve(reply);
      };
      request.on('socket', (socket) => {
        if (request.reusedSocket) open = true;
        else
          socket.once(address.secure ? 'secureConnect' : 'connect', () => {
            open = true;
          });
      });
      request.on('error', failBy);
      request.on('close', () => fail('ECONNRESET')); // only this event reports a switch of protocols (101)
      request.on('response', (response) => {
        answered = true;
        readBody(response.on('error', failBy), maxBytes, done, () => fail('EMSGSIZE'));
      });
      const timer = setTimeout(giveUp, call.timeoutMs);
      running.add(giveUp);
      writeBody(request, call.body ?? '');
    });
  };
}

// Every URL is ours, or was compared with ours. Without a host, node:https would connect to this machine and send it the token.
const ADDRESS = /^(https?):\/\/(?:\[([\da-f:.]+)\]|([\w.-]+))(?::(\d{1,5}))?(\/[!-"$-~]*)$/;
const VALUE = /^[\t -~]*$/;

function readAddress(url: string): Address | null {
  const [, scheme, ipv6, name, port, path] = ADDRESS.exec(url) ?? [];
  if (path === undefined || Number(port ?? 0) > 65_535) return null;
  const secure = scheme === 'https';
  return { secure, host: ipv6 ?? name ?? '', port: Number(port ?? (secure ? 443 : 80)), path };
}

function startRequest({ method, headers, body = '' }: Call, { secure, host, port, path }: Address, agent: Agent): ClientRequest {
  const length = Buffer.byteLength(body);
  const framing = length > 0 || method === 'POST' || method === 'PUT' ? { 'content-length': length } : {};
  const options = { agent, method, host, port, path, headers: { ...framing, ...headers }, maxHeaderSize: HEAD_MAX_BYTES };
  return secure ? requestSecure(options) : requestPlain(options);
}

const SLICE_BYTES = 256 * 1024;

/** Writes a large body in slices. Written at once, it would be in memory three times: as it is, copied, and encrypted. */
function writeBody(request: ClientRequest, body: string | Uint8Array): void {
  if (body.length <= SLICE_BYTES) return void request.end(body);
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

function readBody(response: IncomingMessage, maxBytes: number, done: (reply: HttpReply) => void, tooLarge: () => void): void {
  if (Number(response.headers['content-length'] ?? 0) > maxBytes) return void tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  response.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > maxBytes) tooLarge();
    else chunks.push(chunk);
  });
  response.on('end', () => {
    const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
    if (size <= maxBytes) done({ status: response.statusCode ?? 0, headers: response.headers, body });
  });
}

/**
 * The reply's body as the JSON of Google's schema; null when it is not JSON, for example an HTML page of a proxy. Fields may be
 * missing, so every used field is checked first.
 */
export function json<T extends object>(reply: HttpReply): T | null {
  try {
    const value: unknown = JSON.parse(reply.body.toString('utf8'));
    return typeof value === 'object' ? (value as T | null) : null;
  } catch {
    return null;
  }
}
