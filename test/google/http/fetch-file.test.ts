import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { freePort } from '../../../functions/dev/function-process.ts';
import { createFetchFile, isPublic, type Reach } from '../../../functions/google/http/fetch-file.ts';
import { onPath, skipUnless } from '../../support/programs/emulators.ts';

const addresses: [string, boolean][] = [
  ['8.8.8.8', true],
  ['2606:4700::1111', true],
  ['127.0.0.1', false],
  ['10.1.2.3', false],
  ['172.31.255.255', false],
  ['172.32.0.1', true],
  ['192.168.1.1', false],
  ['169.254.169.254', false], // the metadata server
  ['100.64.0.1', false],
  ['0.0.0.0', false],
  ['224.0.0.1', false],
  ['255.255.255.255', false],
  ['::1', false],
  ['::', false],
  ['fe80::1', false],
  ['fd00::1', false],
  ['ff02::1', false],
  ['::ffff:127.0.0.1', false],
  ['::ffff:8.8.8.8', false],
  ['64:ff9b::7f00:1', false],
  ['2002:7f00:1::', false],
  ['2001:db8::1', false],
  ['nonsense', false],
];
for (const [address, open] of addresses) test(`${address} is ${open ? '' : 'not '}public`, () => assert.equal(isPublic(address), open));

const never = AbortSignal.timeout(300_000);
const resolving = (...found: string[]): Reach['lookup'] =>
  ((_name: string, _options: object, done: (error: null, all: object[]) => void) =>
    done(
      null,
      found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )) as unknown as Reach['lookup'];

const blocked: [string, Reach['lookup']][] = [
  ['https://cdn.example.com/a', resolving('127.0.0.1')],
  ['https://cdn.example.com/a', resolving('8.8.8.8', '10.0.0.1')], // one of them is enough
  ['https://cdn.example.com/a', resolving()],
  ['https://127.0.0.1/a', resolving('8.8.8.8')],
  ['https://[::1]/a', resolving('8.8.8.8')],
];
for (const [url, lookup] of blocked)
  test(`${url} is not connected to`, () =>
    assert.rejects(createFetchFile(never, { lookup, isAllowed: isPublic })(url, 100), { code: 'attachment_invalid' }));

/** A certificate for cdn.example.com that only this run knows. */
function certificate(): { key: string; cert: string } {
  const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
  const args = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=cdn.example.com';
  const files = ['-addext', 'subjectAltName=DNS:cdn.example.com', '-keyout', join(folder, 'key'), '-out', join(folder, 'cert')];
  execFileSync('openssl', [...args.split(' '), ...files], { stdio: 'ignore' });
  return { key: readFileSync(join(folder, 'key'), 'utf8'), cert: readFileSync(join(folder, 'cert'), 'utf8') };
}

suite('a file from an allowed host', { skip: skipUnless(onPath('openssl'), 'openssl') }, () => {
  let server: Server;
  let ca: string;
  let port: number;
  const asked: string[] = [];
  before(async () => {
    const { key, cert } = certificate();
    ca = cert;
    server = createServer({ key, cert }, answer);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    port = (server.address() as AddressInfo).port;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  const answer = ({ url = '', headers }: IncomingMessage, res: ServerResponse): void => {
    asked.push(`${headers.host} ${url}`);
    if (url === '/redirect') res.writeHead(302, { location: '/file' }).end();
    else if (/^\/\d+$/.test(url)) res.writeHead(Number(url.slice(1))).end('nothing');
    else if (url === '/missing') res.writeHead(404).end('nothing');
    else if (url === '/packed') res.writeHead(200, { 'content-encoding': 'gzip' }).end('x');
    else if (url === '/announced') res.writeHead(200, { 'content-length': '101' }).write('x');
    else if (url === '/endless') {
      const more = (): void => {
        while (!res.destroyed && res.write('x'.repeat(50)));
        if (!res.destroyed) res.once('drain', more);
      };
      more();
    } else if (url === '/cut') res.writeHead(200, { 'content-length': '50' }).write('x', () => res.destroy());
    else if (url === '/empty') res.end();
    else res.end('hello');
  };
  const reach = (): Reach => ({ lookup: resolving('127.0.0.1'), isAllowed: () => true, ca });
  const fetchFrom = (path: string, change: Partial<Reach> = {}): Promise<Uint8Array> =>
    createFetchFile(never, { ...reach(), ...change })(`https://cdn.example.com:${port}${path}`, 100);

  test('is fetched', async () => assert.equal(Buffer.from(await fetchFrom('/file')).toString(), 'hello'));

  const refused = [
    ['/redirect', /302, and redirects/],
    ['/missing', /404/],
    ['/packed', /compressed/],
    ['/announced', /more than 100 bytes/],
    ['/endless', /more than 100 bytes/],
    ['/empty', /empty/],
  ] as const;
  for (const [path, message] of refused)
    test(`${path} is refused`, () => assert.rejects(fetchFrom(path), { code: 'attachment_invalid', message }));

  for (const path of ['/cut', '/500', '/503', '/429', '/408'])
    test(`${path} may be over soon`, () => assert.rejects(fetchFrom(path), { code: 'attachment_unavailable' }));
  for (const path of ['/400', '/403', '/410', '/301'])
    test(`${path} stays as it is`, () => assert.rejects(fetchFrom(path), { code: 'attachment_invalid' }));
  test('a host that is down may be up soon', async () => {
    const free = await freePort(0);
    const call = createFetchFile(never, reach())(`https://cdn.example.com:${free}/file`, 100);
    await assert.rejects(call, { code: 'attachment_unavailable' });
  });

  test('is refused when its certificate is not trusted, and no redirect was followed', async () => {
    const { ca: _, ...untrusting } = reach();
    const call = createFetchFile(never, untrusting)(`https://cdn.example.com:${port}/file`, 100);
    await assert.rejects(call, { code: 'attachment_invalid' });
    assert.equal(asked.filter((one) => one.endsWith(' /file')).length, 1);
  });

  test('is given up when the time of the invocation is', async () => {
    const fetching = createFetchFile(AbortSignal.abort(), reach());
    await assert.rejects(fetching(`https://cdn.example.com:${port}/file`, 100), { code: 'attachment_unavailable', message: /too long/ });
  });
});
