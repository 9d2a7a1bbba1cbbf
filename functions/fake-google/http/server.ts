import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Certificate } from './certificate.ts';

/** A request, read to its end. */
export interface Request {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** An answer; a `body` that is neither text nor bytes goes out as JSON. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** In place of a body: writes as long as it likes, and ends the answer itself. */
  readonly stream?: (res: ServerResponse) => void;
}

export interface Running extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly server: Server;
}

/** What cuts the connection in place of an answer. */
export const CUT = Symbol('cut');

/** Starts a server on loopback, with a certificate over TLS; port 0 takes a free one. */
export async function listen(
  port: number,
  answer: (request: Request) => Promise<Reply | typeof CUT> | Reply | typeof CUT,
  certificate: Certificate | null = null,
): Promise<Running> {
  const serve = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    try {
      const url = new URL(req.url ?? '/', 'http://loopback');
      const body = Buffer.concat(await req.toArray());
      const reply = await answer({
        method: req.method ?? 'GET',
        path: decodeURIComponent(url.pathname),
        query: url.searchParams,
        headers: req.headers,
        body,
      });
      if (reply === CUT) req.socket.destroy();
      else write(res, reply);
    } catch {
      if (req.socket.destroyed) return; // the client went away
      write(res, { status: 500, body: { error: { code: 500, message: 'Internal error', status: 'INTERNAL' } } });
    }
  };
  const server = certificate ? createTlsServer(certificate, serve) : createServer(serve);
  await new Promise<void>((done, fail) => server.once('error', fail).listen(port, '127.0.0.1', done));
  const bound = (server.address() as AddressInfo).port;
  return {
    url: `${certificate ? 'https' : 'http'}://127.0.0.1:${bound}`,
    port: bound,
    server,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((done) => server.close(done));
      server.closeAllConnections();
      await closed;
    },
  };
}

function write(res: ServerResponse, { status, headers = {}, body, stream }: Reply): void {
  if (stream) {
    res.writeHead(status, headers).flushHeaders();
    stream(res);
    return;
  }
  const plain = body === undefined || typeof body === 'string' || body instanceof Uint8Array;
  const payload = plain ? ((body as string | Uint8Array | undefined) ?? '') : JSON.stringify(body); // a text leaves with the head, at once
  res
    .writeHead(status, {
      ...(plain ? {} : { 'content-type': 'application/json; charset=UTF-8' }),
      'content-length': Buffer.byteLength(payload),
      ...headers,
    })
    .end(payload);
}

/** The token of an `Authorization: Bearer` header, or ''. */
export const bearerOf = ({ headers }: Request): string => /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '';

/** The body as JSON; null when it is none. */
export function jsonOf({ body }: Request): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return null;
  }
}
