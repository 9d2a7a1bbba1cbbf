import { request as requestPlain } from 'node:http';
import { request } from 'node:https';
import { isIP } from 'node:net';
import { checking, INTERNET, type Reach } from './fetch-file.ts';

const TIMEOUT_MS = 15_000;

/**
 * Posts an event to a URL of the configuration, by the rules of attachments: https only, no redirect, and the socket connects to
 * the address that was checked. `local` allows plain http on loopback, for the local stack. Returns the status, or the reason why
 * there is none.
 */
export function postWebhook(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: Buffer,
  deadline: AbortSignal,
  { reach = INTERNET, local = false }: { readonly reach?: Reach; readonly local?: boolean } = {},
): Promise<number | string> {
  const { protocol, hostname } = new URL(url);
  const loopback = protocol === 'http:' && /^(127\.0\.0\.1|localhost)$/.test(hostname);
  if (loopback ? !local : protocol !== 'https:') return Promise.resolve('EPROTOCOL');
  if (!loopback && isIP(hostname.replace(/^\[|\]$/g, '')) !== 0) return Promise.resolve('EPRIVATE'); // a literal address is not resolved, so it is refused here
  return new Promise((done) => {
    const options = {
      method: 'POST',
      headers: { ...headers, 'content-length': body.length, 'user-agent': 'mailgrant' },
      signal: AbortSignal.any([deadline, AbortSignal.timeout(TIMEOUT_MS)]),
      agent: false, // no kept connections: a connection that was checked for another name must not be used
      ...(!loopback && { lookup: checking(reach) }),
      ...(reach.ca !== undefined && { ca: reach.ca }),
    } as const;
    const call = (loopback ? requestPlain : request)(url, options, (response) => {
      done(response.statusCode ?? 0);
      call.destroy(); // the body of the receiver's answer is not needed
    });
    call.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.name));
    call.end(body);
  });
}
