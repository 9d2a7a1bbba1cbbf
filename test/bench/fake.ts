/**
 * Google on loopback, in a process of its own, so that its work is not counted as the function's. `google` is the whole
 * fake; `sink` answers the same calls by constants, for measurements in which the fake's own work would be the limit, and
 * waits before each answer where it is told to.
 */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { startGoogle } from '../../functions/fake-google/google.ts';

/** What the process is told when it is started. */
export interface FakeOptions {
  readonly kind: 'google' | 'sink';
  readonly tls: { readonly cert: string; readonly key: string } | null;
  /** With `sink`: milliseconds before each answer, as a distant Google takes them. */
  readonly delayMs?: number;
  readonly project: string;
  readonly mailboxes: readonly { readonly address: string; readonly secret: string; readonly scope: string }[];
}

/** What it says when it listens. */
export interface FakeAddress {
  readonly url: string;
  /** The metadata server, which Google's own libraries ask by plain HTTP. */
  readonly metadata: string;
}

const options = JSON.parse(process.argv[2] ?? '{}') as FakeOptions;
const say = (address: FakeAddress): boolean => process.stdout.write(`${JSON.stringify(address)}\n`);
process.stdin.on('end', () => process.exit(0)).resume(); // who started it is gone

const certificate = options.tls && { cert: readFileSync(options.tls.cert, 'utf8'), key: readFileSync(options.tls.key, 'utf8') };
if (options.kind === 'google') {
  const google = await startGoogle({ ...(certificate && { certificate }) });
  for (const { address, secret, scope } of options.mailboxes)
    google.storeSecret(options.project, secret, JSON.stringify(google.oauth.enrol(address, [scope])));
  const metadata = await listen(false, (req) => {
    const path = (req.url ?? '').split('?', 1)[0] ?? '';
    if (path === '/mails') return { body: String(google.mails.count()) };
    if (path === '/recipients') return { body: String(new Set(google.mails.list().flatMap(({ recipients }) => recipients)).size) };
    if (!path.endsWith('/token')) return { body: path.endsWith('/project-id') ? options.project : '{}' };
    const reply = google.oauth.metadata({ method: 'GET', path, query: new URLSearchParams(), headers: req.headers, body: Buffer.alloc(0) });
    return { body: JSON.stringify(reply.body) };
  });
  say({ url: google.url, metadata });
} else {
  const answer = answerByConstants(options);
  const metadata = await listen(false, (req) => answer(req, ''));
  const url = await listen(true, (req) => answer(req, url));
  say({ url, metadata });
}

interface Constant {
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function listen(secure: boolean, answer: (req: IncomingMessage) => Constant): Promise<string> {
  const serve = (req: IncomingMessage, res: ServerResponse): void => {
    req.resume().once('end', () => {
      const { body, headers } = answer(req);
      const write = (): void =>
        void res
          .writeHead(200, {
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(body),
            'metadata-flavor': 'Google',
            ...headers,
          })
          .end(body);
      if (options.delayMs) setTimeout(write, options.delayMs);
      else write();
    });
  };
  const server = secure && certificate ? createTlsServer(certificate, serve) : createServer(serve);
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return `${secure && certificate ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function answerByConstants({ mailboxes }: FakeOptions): (req: IncomingMessage, url: string) => Constant {
  const token = JSON.stringify({ access_token: `ya29.${'x'.repeat(120)}`, expires_in: 3_599, token_type: 'Bearer' });
  const grants = new Map(
    mailboxes.map(({ address, secret, scope }) => {
      const grant = {
        client_id: 'bench',
        client_secret: 'bench',
        refresh_token: 'bench',
        address,
        scopes: [scope],
        created: '2026-01-01T00:00:00Z',
      };
      const data = Buffer.from(JSON.stringify(grant)).toString('base64');
      return [secret, JSON.stringify({ name: secret, payload: { data } })];
    }),
  );
  const message = JSON.stringify({ id: '19a0000000000001', threadId: '19a0000000000001', labelIds: ['SENT'] });
  let writes = 0;
  const time = (): string => new Date(1_800_000_000_000 + writes++).toISOString();
  return ({ url = '', method }, own) => {
    if (url.endsWith(':commit')) {
      const updateTime = time();
      return { body: JSON.stringify({ writeResults: [{ updateTime }, { updateTime }], commitTime: updateTime }) };
    }
    if (url.startsWith('/upload/')) {
      if (method !== 'POST' || !url.includes('uploadType=resumable')) return { body: message };
      return {
        body: '',
        headers: { location: `${own}/upload/gmail/v1/users/me/messages/send?uploadType=resumable&upload_id=${writes++}` },
      };
    }
    if (url.includes('/messages/send')) return { body: message };
    const secret = /\/secrets\/([^/]+)\//.exec(url)?.[1];
    return { body: secret ? (grants.get(secret) ?? '{}') : token };
  };
}
