import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type BoundAddress, bind } from './bind.ts';
import type { Certificate } from './certificate.ts';
import { crossOriginProblem, type HostRule } from './origin-check.ts';

/** A complete request. */
export interface FakeRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Aborted when the client has disconnected. */
  readonly closed?: AbortSignal;
}

/** An answer; a `body` that is neither text nor bytes is sent as JSON. */
export interface FakeReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Instead of a body: writes for as long as it needs, and ends the answer itself. */
  readonly stream?: (res: ServerResponse) => void;
}

export interface Running extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly server: Server;
}

/** Cuts the connection instead of an answer. */
export const CUT = Symbol('cut');

export interface ServerOptions extends BoundAddress {
  /** The certificate of the TLS server. */
  readonly certificate?: Certificate | undefined;
  readonly hosts?: HostRule | undefined;
}

/**
 * Starts a server, on loopback by default; a number is its port, and 0 a free one. A request that another web page may have caused
 * is refused unread.
 */
export async function listen(
  options: number | ServerOptions,
  answer: (request: FakeRequest) => Promise<FakeReply | typeof CUT> | FakeReply | typeof CUT,
): Promise<Running> {
  const { certificate, hosts, ...address } = typeof options === 'number' ? { port: options } : options;
  const serve = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    try {
      const stranger = crossOriginProblem({ method: req.method ?? 'GET', headers: req.headers }, hosts);
      if (stranger) return write(res, refused(stranger));
      const url = new URL(req.url ?? '/', 'http://loopback');
      const path = decoded(url.pathname);
      if (path === null) return write(res, { status: 400, headers: TEXT, body: 'The path is not valid percent-encoding.\n' });
      const body = Buffer.concat(await req.toArray());
      const gone = new AbortController();
      res.once('close', () => gone.abort());
      const request = { method: req.method ?? 'GET', path, query: url.searchParams, headers: req.headers, body, closed: gone.signal };
      const reply = await answer(request);
      if (reply === CUT) req.socket.destroy();
      else write(res, reply);
    } catch {
      if (req.socket.destroyed) return; // the client has disconnected
      write(res, { status: 500, body: { error: { code: 500, message: 'Internal error', status: 'INTERNAL' } } });
    }
  };
  const server = certificate ? createTlsServer(certificate, serve) : createServer(serve);
  const port = await bind(server, address);
  return {
    url: `${certificate ? 'https' : 'http'}://127.0.0.1:${port}`,
    port,
    server,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((done) => server.close(done));
      server.closeAllConnections();
      await closed;
    },
  };
}

const TEXT = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' };

/** The answer to another web page. */
export const refused = (why: string): FakeReply => ({ status: 403, headers: TEXT, body: `${why}\n` });

function decoded(path: string): string | null {
  try {
    return decodeURIComponent(path);
  } catch {
    return null;
  }
}

function write(res: ServerResponse, { status, headers = {}, body, stream }: FakeReply): void {
  if (stream) {
    res.writeHead(status, headers).flushHeaders();
    stream(res);
    return;
  }
  const plain = body === undefined || typeof body === 'string' || body instanceof Uint8Array;
  const payload = plain ? ((body as string | Uint8Array | undefined) ?? '') : JSON.stringify(body); // a text is sent together with the headers
  res
    .writeHead(status, {
      ...(plain ? {} : { 'content-type': 'application/json; charset=UTF-8' }),
      'content-length': Buffer.byteLength(payload),
      ...headers,
    })
    .end(payload);
}

/** The token of an `Authorization: Bearer` header, or ''. */
export const bearerIn = ({ headers }: FakeRequest): string => /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '';

/** The body as JSON; null when it is none. */
export function jsonOf({ body }: FakeRequest): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return null;
  }
}
