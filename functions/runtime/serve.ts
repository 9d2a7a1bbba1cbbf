import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Answers one HTTP request; it resolves when the answer is written, and never rejects. */
export type Handler = (req: IncomingMessage, res: ServerResponse) => Promise<void>;

const GRACE_MS = 9_000; // Cloud Run kills ten seconds after SIGTERM

/**
 * Makes a handler fit for the functions-framework. Three of its habits would break our promises, and it has no option
 * for any of them (docs/decisions/073):
 * - it parses bodies before a function sees them (malformed JSON is an HTML page, a limit is 1 GB, and four copies of
 *   the body stay in memory); so the body is left unread and the trigger reads it. See docs/decisions/005.
 * - its router answers a path that cannot be decoded by an HTML page, and prints it; so it is given one that can.
 * - it ends the process at once on SIGTERM; so requests in hand are finished first.
 */
export function serve(handler: Handler): (req: IncomingMessage, res: ServerResponse) => Promise<void> {
  comeBeforeTheFramework();
  return draining(handler);
}

function comeBeforeTheFramework(): void {
  subscribe('http.server.request.start', (event) => {
    const { request } = event as { request: IncomingMessage };
    // The framework's body parsers use only the parsed content-type header; the raw header list still has it, see
    // `trigger/common/body.ts`.
    delete request.headers['content-type'];
    request.url = decodable(request.url ?? '/');
  });
}

/**
 * The URL with every percent sign of its path escaped, where the path is not valid percent-encoding: no endpoint has such a path.
 */
function decodable(url: string): string {
  const [path = ''] = url.split('?', 1);
  try {
    decodeURIComponent(path);
    return url;
  } catch {
    return path.replaceAll('%', '%25') + url.slice(path.length);
  }
}

function draining(handler: Handler): Handler {
  let inFlight = 0;
  let stopping = false;
  const leave = (): void => {
    if (stopping && inFlight === 0) process.exit(0);
  };
  const stop = (): void => {
    stopping = true;
    setTimeout(() => process.exit(0), GRACE_MS).unref();
    leave();
  };
  process.on('SIGTERM', stop);
  // The framework adds its own listener when its server starts: every listener but ours is removed.
  process.on('newListener', (event, listener) => {
    if (event === 'SIGTERM' && listener !== stop) queueMicrotask(() => process.removeListener('SIGTERM', listener as () => void));
  });
  return async (req, res) => {
    inFlight++;
    res.once('close', () => {
      inFlight--;
      leave();
    });
    await handler(req, res);
  };
}
