import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CommandError } from '../common/refusal.ts';

/** The server that the browser is redirected to: one address of the loopback interface. */
export interface RedirectListener extends AsyncDisposable {
  readonly redirect: string;
  /**
   * Waits for the redirect, and returns its URL; the browser waits for `answer`. Rejects with CommandError consent_timeout when
   * the signal aborts.
   */
  arrival(signal: AbortSignal): Promise<string>;
  /** Shows the result in the browser. */
  answer(ok: boolean, title: string, lines: readonly string[]): Promise<void>;
}

/**
 * Listens on a free port of 127.0.0.1, or on the port that a client requires. Any page in the browser can send a request here;
 * only a request with this `state` ends the wait. Throws CommandError: port_taken.
 */
export async function listenForRedirect(wanted: string | null, state: string): Promise<RedirectListener> {
  const { port, pathname } = new URL(wanted ?? 'http://127.0.0.1:0/');
  let waiting: ServerResponse | null = null;
  let arrived: (url: string) => void = () => {};
  const arrivals = new Promise<string>((done) => {
    arrived = done;
  });
  const server = createServer((req, res) => {
    // Any page may send any request here: an invalid URL must not throw, which would end the run and print the URL.
    const url = URL.parse(req.url ?? '/', 'http://127.0.0.1');
    const back = url?.pathname === pathname && (url.searchParams.has('code') || url.searchParams.has('error'));
    if (!back || waiting || req.method !== 'GET') return void res.writeHead(back ? 409 : 404).end(); // a favicon, or the same page again
    if (!sameText(url.searchParams.get('state') ?? '', state))
      return void res
        .writeHead(400, HEADERS)
        .end(page(false, 'This answer belongs to another consent page', ['Finish the page that was opened last.']));
    waiting = res;
    arrived(url.href);
  });
  await new Promise<void>((done, fail) => {
    server.once('error', () => fail(new CommandError('port_taken', `127.0.0.1:${port} cannot be listened on`)));
    server.listen(Number(port), '127.0.0.1', done);
  });
  return {
    redirect: wanted ?? `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    arrival: (signal) =>
      new Promise((done, fail) => {
        const late = (): void =>
          fail(signal.reason instanceof CommandError ? signal.reason : new CommandError('consent_timeout', 'nobody consented in time'));
        if (signal.aborted) late();
        signal.addEventListener('abort', late, { once: true });
        arrivals.then(done, fail);
      }),
    answer: (ok, title, lines) =>
      new Promise((done) => {
        const res = waiting;
        if (!res || res.destroyed) return done();
        res.once('close', done);
        res.writeHead(ok ? 200 : 400, HEADERS).end(page(ok, title, lines));
      }),
    async [Symbol.asyncDispose]() {
      const closed = new Promise((done) => server.close(done));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** In constant time, so that a page cannot find out the state by measuring. */
const sameText = (one: string, other: string): boolean => {
  const [a, b] = [one, other].map((text) => createHash('sha256').update(text).digest());
  return timingSafeEqual(a as Buffer, b as Buffer);
};

const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer', // the URL contains the code
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
  connection: 'close',
};

const page = (ok: boolean, title: string, lines: readonly string[]): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${text(title)} · mailgrant</title><link rel="icon" href="data:,">
<style>:root{color-scheme:light dark}body{font:17px/1.5 system-ui,sans-serif;max-width:36rem;margin:3rem auto;padding:0 1rem;overflow-wrap:anywhere}h1{font-size:1.4rem;border-left:.4rem solid ${ok ? '#188038' : '#c5221f'};padding-left:.7rem}</style></head>
<body><main><h1>${text(title)}</h1>${lines.map((line) => `<p>${text(line)}</p>`).join('')}<p>You can close this window.</p></main></body></html>`;

const text = (value: string): string => value.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
