import { lookup as resolve } from 'node:dns';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { MailFailure } from '../../mail/model/failure.ts';

const TIMEOUT_MS = 15_000;

/** What a fetch may connect to; a test uses its own server in place of the internet. */
export interface Reach {
  readonly lookup: typeof resolve;
  readonly isAllowed: (address: string) => boolean;
  readonly ca?: string;
}

export const INTERNET: Reach = { lookup: resolve, isAllowed: isPublic };

/**
 * Fetches a file for an attachment, from a host that the configuration names: https only, no redirect, no credentials, at most
 * `maxBytes` in fifteen seconds. The name is resolved here, and the socket connects to the address that was checked. Throws
 * MailFailure: attachment_unavailable for a failure that may pass, attachment_invalid for any other.
 */
export function createFetchFile(deadline: AbortSignal, reach: Reach = INTERNET): (url: string, maxBytes: number) => Promise<Uint8Array> {
  return (url, maxBytes) =>
    new Promise((done, fail) => {
      const signal = AbortSignal.any([deadline, AbortSignal.timeout(TIMEOUT_MS)]);
      const refuse = (why: string, passing = false): void => {
        fail(new MailFailure(passing ? 'attachment_unavailable' : 'attachment_invalid', why));
        call.destroy();
      };
      const headers = { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'mailgrant' };
      // No kept connections: a connection that was checked for another name must not be used.
      const options = { signal, headers, agent: false, lookup: checking(reach), ...(reach.ca !== undefined && { ca: reach.ca }) };
      const call = request(url, options, (response) => {
        const problem = problemOf(response, maxBytes);
        if (problem) return refuse(problem, PASSING_STATUS.test(String(response.statusCode)));
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > maxBytes) refuse(`it has more than ${maxBytes} bytes.`);
          chunks.push(chunk);
        });
        response.on('error', () => refuse('the connection broke.', true));
        response.on('end', () => (size > 0 ? done(Buffer.concat(chunks)) : refuse('it is empty.')));
      });
      call.on('error', (error: NodeJS.ErrnoException) =>
        error.name === 'AbortError'
          ? refuse('it took too long.', true)
          : refuse(`no answer (${error.code ?? error.name}).`, PASSING_ERROR.has(error.code ?? '')),
      );
      // A literal address is not resolved, so the lookup function would not check it.
      if (isIP(new URL(url).hostname.replace(/^\[|\]$/g, '')) !== 0) refuse('an IP address is not a host name.');
      else call.end();
    });
}

const PASSING_STATUS = /^(408|425|429|5\d\d)$/;
const PASSING_ERROR = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ETIMEDOUT',
  'EPIPE',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ABORT_ERR',
]);

function problemOf({ statusCode = 0, headers }: IncomingMessage, maxBytes: number): string | null {
  if (statusCode >= 300 && statusCode < 400) return `it answered ${statusCode}, and redirects are not followed.`;
  if (statusCode !== 200) return `it answered ${statusCode}.`;
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') return 'it came compressed.';
  return Number(headers['content-length'] ?? 0) > maxBytes ? `it has more than ${maxBytes} bytes.` : null;
}

/** Resolves the name and refuses it if any of its addresses is not allowed. */
export function checking({ lookup, isAllowed }: Reach): LookupFunction {
  return (hostname, options, done) =>
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error) return done(error, '', 0);
      if (!first || !addresses.every(({ address }) => isAllowed(address)))
        return done(Object.assign(new Error('not a public address'), { code: 'EPRIVATE' }), '', 0);
      return options.all ? done(null, addresses) : done(null, first.address, first.family);
    });
}

// IANA's special-purpose registries for IPv4 and IPv6: everything that is not the public internet.
const SPECIAL = new BlockList();
for (const [net, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  SPECIAL.addSubnet(net, prefix, 'ipv4');
const GLOBAL6 = new BlockList();
GLOBAL6.addSubnet('2000::', 3, 'ipv6');
// Inside it: Teredo and other assignments, documentation, 6to4 (which carries an IPv4 address).
for (const [net, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  SPECIAL.addSubnet(net, prefix, 'ipv6');

/** True for an address of the public internet: not loopback, private, link-local, mapped or reserved. */
export function isPublic(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !SPECIAL.check(address, 'ipv4');
  return family === 6 && GLOBAL6.check(address, 'ipv6') && !SPECIAL.check(address, 'ipv6');
}
