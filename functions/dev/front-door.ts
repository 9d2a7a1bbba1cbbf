import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { bind } from '../fake-google/http/bind.ts';
import { crossOriginProblem } from '../fake-google/http/origin-check.ts';
import type { Running, ServerOptions } from '../fake-google/http/server.ts';

/**
 * The port of a function. It passes each request to the socket file that the function listens on, and refuses requests that
 * another web page may have caused. The port is bound for as long as the stack runs, so a restarted function keeps it.
 */
export async function openDoor(socket: string, { hosts, ...address }: ServerOptions): Promise<Running> {
  const pass = (req: IncomingMessage, res: ServerResponse): void => {
    const { method = 'GET', url = '/', headers, rawHeaders } = req;
    const stranger = crossOriginProblem({ method, headers }, hosts);
    if (stranger) return void res.writeHead(403, { 'content-type': 'text/plain; charset=utf-8' }).end(`${stranger}\n`);
    const passed = request({ socketPath: socket, method, path: url, headers: rawHeaders, setHost: false }, (reply) => {
      res.writeHead(reply.statusCode ?? 502, reply.statusMessage, reply.rawHeaders);
      reply.pipe(res);
      reply.once('error', () => res.destroy());
    });
    passed.once('error', () => {
      if (res.headersSent) res.destroy();
      else res.writeHead(503, { 'content-type': 'text/plain; charset=utf-8', 'retry-after': '1' }).end('The function does not answer.\n');
    });
    res.once('close', () => passed.destroy());
    req.pipe(passed);
  };
  const server = createServer(pass).setTimeout(0);
  const port = await bind(server, address);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    server,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((done) => server.close(done));
      server.closeAllConnections();
      await closed;
    },
  };
}
