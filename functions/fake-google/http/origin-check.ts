import type { IncomingHttpHeaders } from 'node:http';

interface Asked {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
}

/**
 * Why a request is refused that some other web page made, or null. Loopback keeps out machines, not pages: any page that
 * the browser has open may post here, and a name that was pointed to 127.0.0.1 makes it "same origin" (DNS rebinding).
 */
export function crossOriginProblem({ method, headers }: Asked): string | null {
  const { host = '', origin, 'sec-fetch-site': site, 'sec-fetch-mode': mode } = headers;
  if (!/^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/i.test(host)) return 'Host: expected 127.0.0.1 or localhost';
  if (origin !== undefined && origin !== `http://${host}`) return 'Origin: another page may not ask this';
  // A browser says where a request comes from; who says nothing is no browser, and runs as this machine's user.
  const own = site === undefined || site === 'same-origin' || site === 'none';
  const link = mode === 'navigate' && (method === 'GET' || method === 'HEAD');
  return own || link ? null : 'Sec-Fetch-Site: another page may not ask this';
}
