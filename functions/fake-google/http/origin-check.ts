import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';

interface Asked {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
}

/** Host names that a server accepts, beside those of loopback. */
export interface HostRule {
  /** Names that the user listed. */
  readonly names?: readonly string[];
  /**
   * Whether any IP address and any name without a dot is allowed, such as a container's. A foreign page cannot use those for DNS
   * rebinding, which needs a domain name that the page's owner can point to this machine.
   */
  readonly network?: boolean;
}

/**
 * Why a request that another web page caused is refused, or null. Loopback excludes other machines, not web pages: any page in
 * the browser can post here, and a domain name that points to 127.0.0.1 makes it "same origin" (DNS rebinding).
 */
export function crossOriginProblem({ method, headers }: Asked, rule: HostRule = {}): string | null {
  const { host = '', origin, 'sec-fetch-site': site, 'sec-fetch-mode': mode, 'sec-fetch-dest': destination = 'document' } = headers;
  if (!isOurs(host, rule)) return 'Host: expected 127.0.0.1 or localhost; --allow-host NAME allows another name';
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) return 'Origin: another page may not ask this';
  // A browser sends the origin of a request; a client that sends none is no browser, and runs as this machine's user.
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
