import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';

interface Asked {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
}

/** The names by which a server may be asked, beside those of loopback. */
export interface HostRule {
  /** Names that a person listed. */
  readonly names?: readonly string[];
  /**
   * Whether any IP address and any name without a dot is allowed, such as a container's. A foreign page cannot use those for
   * DNS rebinding: it needs a name of its own that it can point to this machine.
   */
  readonly network?: boolean;
}

/**
 * Why a request is refused that some other web page made, or null. Loopback keeps out machines, not pages: any page that
 * the browser has open may post here, and a name that was pointed to 127.0.0.1 makes it "same origin" (DNS rebinding).
 */
export function crossOriginProblem({ method, headers }: Asked, rule: HostRule = {}): string | null {
  const { host = '', origin, 'sec-fetch-site': site, 'sec-fetch-mode': mode, 'sec-fetch-dest': destination = 'document' } = headers;
  if (!isOurs(host, rule)) return 'Host: expected 127.0.0.1 or localhost; --allow-host NAME allows another name';
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) return 'Origin: another page may not ask this';
  // A browser says where a request comes from; who says nothing is no browser, and runs as this machine's user.
  const own = site === undefined || site === 'same-origin' || site === 'none';
  const link = mode === 'navigate' && destination === 'document' && (method === 'GET' || method === 'HEAD');
  return own || link ? null : 'Sec-Fetch-Site: another page may not ask this';
}

function isOurs(host: string, { names = [], network = false }: HostRule): boolean {
  const name = /^(\[[0-9a-f:.]+\]|[^:[\]/@]+)(:\d{1,5})?$/i.exec(host)?.[1]?.toLowerCase();
  if (name === undefined) return false;
  if (name === '127.0.0.1' || name === 'localhost' || name === '[::1]') return true;
  if (names.some((one) => one.toLowerCase() === name)) return true;
  return network && (isIP(name.replace(/^\[|\]$/g, '')) !== 0 || !name.includes('.'));
}
