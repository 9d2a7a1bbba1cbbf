import assert from 'node:assert/strict';
import { Agent, createServer } from 'node:http';
import { type AddressInfo, createConnection, type NetConnectOpts } from 'node:net';
import { test } from 'node:test';
import { createExchange } from '../../functions/google/call.ts';

const addresses = ['oauth2.googleapis.com/token', 'ftp://127.0.0.1/x', 'https:///token', '/token', '', 'https://[::1/x'];
for (const url of addresses)
  test(`an address that is none is called nowhere: ${JSON.stringify(url)}`, async () => {
    const exchange = createExchange()(AbortSignal.timeout(5_000));
    await assert.rejects(exchange({ method: 'GET', url, timeoutMs: 1_000 }), { message: 'ERR_INVALID_URL', left: false });
  });

// An established connection can end with the code of a route that is gone: the kernel keeps it from a router's notice until it gives up.
for (const code of ['EHOSTUNREACH', 'ENETUNREACH', 'ECONNRESET', 'ETIMEDOUT'])
  test(`${code} on a connection that stood does not prove that nothing left`, async () => {
    const agents = { http: new Agent({ keepAlive: true }), https: new (await import('node:https')).Agent() };
    const sockets: ReturnType<typeof createConnection>[] = [];
    agents.http.createConnection = (options) => {
      const socket = createConnection(options as NetConnectOpts);
      sockets.push(socket);
      return socket;
    };
    const server = createServer((req) => {
      req.resume().once('end', () => sockets[0]?.destroy(Object.assign(new Error(code), { code })));
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x`;
    const call = { method: 'PUT' as const, url, body: 'letter', timeoutMs: 5_000, once: true };
    const ended = await createExchange(agents)(AbortSignal.timeout(10_000))(call).catch((error: unknown) => error);
    server.close();
    assert.deepEqual({ ...(ended as object) }, { name: 'NoReply', left: true });
    assert.equal((ended as Error).message, code);
  });

test('a connection that never stood took nothing along', async () => {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x`;
  await new Promise((done) => server.close(done));
  const exchange = createExchange()(AbortSignal.timeout(5_000));
  await assert.rejects(exchange({ method: 'PUT', url, body: 'x', timeoutMs: 1_000 }), { message: 'ECONNREFUSED', left: false });
});
