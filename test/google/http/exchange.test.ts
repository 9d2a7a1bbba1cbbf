import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { test } from 'node:test';
import { createServer as createTlsServer, rootCertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls';
import { Worker } from 'node:worker_threads';
import { freePort } from '../../../functions/dev/function-process.ts';
import { makeCertificate } from '../../../functions/fake-google/http/certificate.ts';
import { createExchange, type NoReply } from '../../../functions/google/http/exchange.ts';

const NEVER = new AbortController().signal;

interface Peer extends AsyncDisposable {
  readonly url: string;
  /** How many connections there were. */
  connections(): number;
  /** What each connection got, in the order of their opening. */
  readonly got: string[];
}

/** A server of sockets: what it does with the n-th request of the n-th connection is the test's to say. */
async function peer(
  answer: (socket: Socket, request: number, connection: number) => void,
  tls?: { cert: string; key: string },
): Promise<Peer> {
  const sockets: Socket[] = [];
  const got: string[] = [];
  const take = (socket: Socket): void => {
    const connection = sockets.push(socket);
    got.push('');
    let requests = 0;
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => {
      const before = got[connection - 1] ?? '';
      got[connection - 1] = before + bytes.toString('latin1');
      const heads = (text: string): number => text.split('\r\n\r\n').length;
      if (heads(got[connection - 1] ?? '') > heads(before)) answer(socket, ++requests, connection);
    });
  };
  const server: Server = tls ? createTlsServer(tls, take as (socket: TLSSocket) => void) : createServer(take);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  return {
    url: `http${tls ? 's' : ''}://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
    got,
    connections: () => sockets.length,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}

const ok = (body: string, more = ''): string => `HTTP/1.1 200 OK\r\n${more}content-length: ${body.length}\r\n\r\n${body}`;
const TOO_LATE = 'HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n';
const say =
  (body: string, more = '') =>
  (socket: Socket): boolean =>
    socket.write(ok(body, more));
const post = (url: string, more: object = {}) => ({ method: 'POST' as const, url: `${url}/x`, body: 'hello', timeoutMs: 5_000, ...more });

const addresses = [
  'oauth2.googleapis.com/token',
  'ftp://127.0.0.1/x',
  'https:///token',
  '/token',
  '',
  'https://[::1/x',
  'http://127.0.0.1:70000/',
  'http://user:secret@127.0.0.1/',
  'http://127.0.0.1/a b',
  'http://127.0.0.1/a\r\nx: 1',
  'http://127.0.0.1/ä',
  'http://bücher.example/',
  'http://127.0.0.1?x/',
  'http://a\0b/',
  'http://a"b/',
];
for (const url of addresses)
  test(`an address that is none is called nowhere: ${JSON.stringify(url)}`, async () => {
    await assert.rejects(createExchange()(NEVER)({ method: 'GET', url, timeoutMs: 1_000 }), {
      message: 'ERR_INVALID_URL',
      bytesSent: false,
    });
  });

for (const body of ['', 'plain', 'ä', '✓ and plain', '\ud800', '😀'])
  test(`a text goes out as UTF-8, with its length in bytes: ${JSON.stringify(body)}`, async () => {
    await using server = await peer(say(''));
    await createExchange()(NEVER)(post(server.url, { body }));
    const bytes = Buffer.from(body);
    const [head, sent] = server.got[0]?.split('\r\n\r\n') ?? [];
    assert.deepEqual([sent, head?.includes(`content-length: ${bytes.length}`)], [bytes.toString('latin1'), true]);
  });

for (const value of ['a\r\nx: 1', 'a\nb', 'a\0', 'ä'])
  test(`a header that would be two is sent nowhere: ${JSON.stringify(value)}`, async () => {
    await using server = await peer(say('ok'));
    const call = { method: 'GET' as const, url: `${server.url}/`, headers: { authorization: `Bearer ${value}` }, timeoutMs: 1_000 };
    await assert.rejects(createExchange()(NEVER)(call), { message: 'ERR_INVALID_CHAR', bytesSent: false });
    assert.equal(server.connections(), 0);
  });

test('requests go out as they are written, and one after another over one connection', async () => {
  await using server = await peer(say('ok'));
  const exchange = createExchange()(NEVER);
  const replies = [
    await exchange({ method: 'GET', url: `${server.url}/a?b=c`, headers: { authorization: 'Bearer t' }, timeoutMs: 5_000 }),
    await exchange(post(server.url, { body: 'Grüße', headers: { 'x-n': 7 } })),
    await exchange(post(server.url, { body: Buffer.from([0, 255]) })),
  ];
  assert.deepEqual(
    replies.map(({ status, body }) => [status, body.toString()]),
    Array(3).fill([200, 'ok']),
  );
  const [, ...second] = server.got[0]?.split(/(?=(?:GET|POST) )/) ?? [];
  const host = `host: ${new URL(server.url).host}`;
  const sent = [server.got[0]?.slice(0, server.got[0].indexOf('POST')) ?? '', ...second.slice(-2)].map((text) => {
    const [head = '', body] = text.split('\r\n\r\n');
    return {
      head: head
        .toLowerCase()
        .split('\r\n')
        .filter((line) => line !== 'connection: keep-alive')
        .sort(),
      body,
    };
  });
  assert.deepEqual(sent, [
    { head: ['authorization: bearer t', 'get /a?b=c http/1.1', host], body: '' },
    { head: ['content-length: 7', host, 'post /x http/1.1', 'x-n: 7'], body: Buffer.from('Grüße').toString('latin1') },
    { head: ['content-length: 2', host, 'post /x http/1.1'], body: '\0\xff' },
  ]);
});

test('a body is told as one whatever the method is: else it would be the next request', async () => {
  await using server = await peer(say('ok'));
  for (const method of ['GET', 'DELETE'] as const)
    await createExchange()(NEVER)({ method, url: `${server.url}/`, body: 'hello', timeoutMs: 5_000 });
  for (const got of server.got) {
    assert.match(got, /\r\ncontent-length: 5\r\n/);
    assert.match(got, /\r\n\r\nhello$/);
  }
});

test('calls at once have a connection each, and those are kept', async () => {
  const waiting: Socket[] = [];
  await using server = await peer((socket) => {
    waiting.push(socket);
    if (waiting.length === 3) for (const one of waiting.splice(0)) one.write(ok('ok'));
  });
  const exchange = createExchange()(NEVER);
  for (let round = 0; round < 2; round++) await Promise.all([1, 2, 3].map(() => exchange(post(server.url))));
  assert.equal(server.connections(), 3);
});

// What ends a kept connection while nobody uses it, or just when it is used again.
const endings: readonly { name: string; first: (socket: Socket) => void; second?: (socket: Socket) => void }[] = [
  { name: 'is closed with its answer', first: (socket) => socket.end(ok('ok')) },
  { name: 'says that it will be', first: say('ok', 'connection: close\r\n') },
  { name: 'waits for no time', first: say('ok', 'keep-alive: timeout=1\r\n') },
  { name: 'has more to say than was asked', first: (socket) => socket.write(`${ok('ok')}${ok('not asked for')}`) },
  { name: 'is reset at the second request', first: say('ok'), second: (socket) => socket.resetAndDestroy() },
  { name: 'is closed at the second request', first: say('ok'), second: (socket) => socket.end() },
  // What a server says to a silent connection may be on its way when the request sets out: it is the answer to nothing.
  { name: 'is given up by its server', first: say('ok'), second: (socket) => socket.end(TOO_LATE) },
];
for (const { name, first, second } of endings)
  test(`a call does not suffer from a kept connection that ${name}`, async () => {
    await using server = await peer((socket, request, connection) => {
      if (connection === 1) (request === 1 ? first : second)?.(socket);
      else say('anew')(socket);
    });
    const exchange = createExchange()(NEVER);
    assert.equal((await exchange(post(server.url))).body.toString(), 'ok');
    assert.equal((await exchange(post(server.url))).body.toString(), 'anew');
    assert.equal(server.connections(), 2);
  });

test('what must not reach Google twice is not tried again where a kept connection breaks', async () => {
  await using server = await peer((socket, request) => (request === 1 ? say('ok')(socket) : socket.resetAndDestroy()));
  const exchange = createExchange()(NEVER);
  await exchange(post(server.url));
  await assert.rejects(exchange(post(server.url, { once: true })), { message: 'ECONNRESET', bytesSent: true });
  assert.equal(server.connections(), 1);
});

test('the second try goes over a new connection, even where others were used in the same moment', async () => {
  const waiting: Socket[] = [];
  await using server = await peer((socket, request, connection) => {
    if (connection > 2) return void say('anew')(socket);
    if (request > 1) return void socket.resetAndDestroy();
    waiting.push(socket);
    if (waiting.length === 2) for (const one of waiting) one.write(ok('ok'));
  });
  const exchange = createExchange(() => 0)(NEVER);
  await Promise.all([exchange(post(server.url)), exchange(post(server.url))]);
  assert.equal((await exchange(post(server.url))).body.toString(), 'anew');
  assert.equal(server.connections(), 3);
});

test('where the second try finds nobody, the first may have arrived all the same', async () => {
  const server = await peer((socket, request) => {
    if (request === 1) return void say('ok')(socket);
    void server[Symbol.asyncDispose](); // before the second try: nobody listens any more
  });
  const exchange = createExchange()(NEVER);
  await exchange(post(server.url));
  await assert.rejects(exchange(post(server.url)), { name: 'NoReply', message: 'ECONNREFUSED', bytesSent: true });
});

test('what must not reach Google twice goes over a connection that was used just now, or over a new one', async () => {
  await using server = await peer(say('ok'));
  let time = 0;
  const exchange = createExchange(() => time)(NEVER);
  const connections: number[] = [];
  for (const [ms, once] of [
    [0, false],
    [9_000, true],
    [11_000, false],
    [11_000, true],
  ] as const) {
    time += ms;
    await exchange(post(server.url, { once }));
    connections.push(server.connections());
  }
  assert.deepEqual(connections, [1, 1, 1, 2]);
});

test('a server that says how long it waits is not asked again after that', async () => {
  const closed = Promise.withResolvers<void>();
  await using server = await peer((socket, request) => {
    if (request === 1) socket.once('close', () => closed.resolve());
    socket.write(ok('ok', 'keep-alive: timeout=2\r\n'));
  });
  const exchange = createExchange()(NEVER);
  await exchange(post(server.url));
  await exchange(post(server.url));
  assert.equal(server.connections(), 1);
  await closed.promise; // by us, a second before the server would
  await exchange(post(server.url));
  assert.equal(server.connections(), 2);
});

// Two readers must not take an answer for two things: this is what we rely on in Node's parser.
const head = (field: string): string => `HTTP/1.1 200 OK\r\n${field}\r\n\r\nhello`;
const ambiguous: readonly string[] = [
  head('content-length: 5\r\ncontent-length: 6'),
  head('content-length: 5\r\ntransfer-encoding: chunked'),
  head('content-length: -5'),
  head('content-length: 5, 5'),
  head('content-length: 0x5'),
  head('content-length:'),
  head('x : 1\r\ncontent-length: 5'),
  head('x: 1\r\r\ncontent-length: 5'),
  head('x: 1\nlocation: https://elsewhere/\r\ncontent-length: 5'),
  head('no colon\r\ncontent-length: 5'),
  head(`x: ${'y'.repeat(70_000)}`),
  head('transfer-encoding: chunked').replace('hello', 'g\r\n'),
  head('transfer-encoding: chunked').replace('hello', '3\r\nhello\r\n0\r\n\r\n'),
  'HTTP/2 200 OK\r\ncontent-length: 5\r\n\r\nhello',
  'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n',
  `HTTP/1.1 ${'x'.repeat(70_000)}`,
];
for (const text of ambiguous)
  test(`${JSON.stringify(text.slice(0, 90))} is no answer, and it may have been sent`, async () => {
    await using server = await peer((socket) => socket.end(text, 'latin1'));
    const error: NoReply = await createExchange()(NEVER)(post(server.url, { once: true })).then(
      ({ status, body }) => assert.fail(`${status} ${body}`),
      (one) => one,
    );
    assert.deepEqual([error.name, error.bytesSent], ['NoReply', true]);
    assert.match(error.message, /^(EPROTO|ECONNRESET)$/); // never the bytes: they may hold a token
  });

test('an answer without a length ends with its connection; interim answers and trailers are passed over', async () => {
  for (const text of [
    'HTTP/1.1 200 OK\r\n\r\nhello',
    'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello',
    head('transfer-encoding: Chunked').replace('hello', '3;a=b\r\nhel\r\n2\r\nlo\r\n000\r\nx-t: 1\r\n\r\n'),
  ]) {
    await using server = await peer((socket) => socket.end(text));
    const { status, body } = await createExchange()(NEVER)(post(server.url));
    assert.deepEqual([status, body.toString()], [200, 'hello'], text);
  }
});

// `bytesSent`: may bytes of the request have reached Google? Only where that is false may the email go again.
const losses: readonly { name: string; answer: (socket: Socket) => void; message: string; bytesSent: boolean; more?: object }[] = [
  { name: 'a reset', answer: (socket) => socket.resetAndDestroy(), message: 'ECONNRESET', bytesSent: true },
  { name: 'no answer but an end', answer: (socket) => socket.end(), message: 'ECONNRESET', bytesSent: true },
  { name: 'half an answer', answer: (socket) => socket.end(ok('hello').slice(0, -1)), message: 'ECONNRESET', bytesSent: true },
  { name: 'no answer in time', answer: () => {}, message: 'ETIMEDOUT', bytesSent: true, more: { timeoutMs: 50 } },
  { name: 'another protocol', answer: (socket) => socket.write('220 mail.example.com\r\n\r\n'), message: 'EPROTO', bytesSent: true },
  { name: 'a server that would not wait', answer: (socket) => socket.end(TOO_LATE), message: 'ETIMEDOUT', bytesSent: true },
  { name: 'too large an answer', answer: say('hello'), message: 'EMSGSIZE', bytesSent: true, more: { maxBytes: 4 } },
  {
    name: 'an answer that grows too large',
    answer: (socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nhello'),
    message: 'EMSGSIZE',
    bytesSent: true,
    more: { maxBytes: 4 },
  },
];
for (const { name, answer, message, bytesSent, more } of losses)
  test(`${name} is no reply: ${message}`, async () => {
    await using server = await peer(answer);
    await assert.rejects(createExchange()(NEVER)(post(server.url, { once: true, ...more })), { name: 'NoReply', message, bytesSent });
  });

test('where nobody listens nothing has left', async () => {
  const call = post(`http://127.0.0.1:${await freePort(0)}`);
  await assert.rejects(createExchange()(NEVER)(call), { message: 'ECONNREFUSED', bytesSent: false });
});

// The request waits in the socket while TLS is agreed on: it must not slip out behind a handshake whose certificate is refused.
for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
  for (const [host, message] of [
    ['127.0.0.1', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['127.1', 'ERR_TLS_CERT_ALTNAME_INVALID'], // the same address, by a name that the certificate lacks
  ] as const)
    test(`${version}, ${message}: nothing of the request has left, as its server counts`, async () => {
      const tls = await makeCertificate();
      setDefaultCACertificates(message.startsWith('ERR') ? [...rootCertificates, tls.cert] : rootCertificates);
      const got = Promise.withResolvers<number>();
      const server = createTlsServer({ ...tls, minVersion: version, maxVersion: version });
      server.on('connection', (raw: Socket) => raw.once('close', () => got.resolve(raw.bytesRead)));
      server.on('secureConnection', (socket) => socket.on('error', () => {}).resume());
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
      const url = `https://${host}:${(server.address() as AddressInfo).port}`;
      const body = Buffer.alloc(50_000);
      await assert.rejects(createExchange()(NEVER)(post(url, { body })), { message, bytesSent: false });
      const bytes = await got.promise;
      assert.ok(bytes > 0 && bytes < 10_000, `${bytes}`);
      await new Promise((done) => server.close(done));
    });

test('a connection that breaks before TLS is agreed on has carried nothing', async () => {
  await using breaks = await peer((socket) => socket.resetAndDestroy());
  await using says = await peer((socket) => socket.end('220 mail.example.com\r\n'));
  await using waits = await peer(() => {});
  // The hello of TLS has no empty line: the server's answer is to the first bytes that look like one, or to none.
  for (const { url } of [breaks, says, waits])
    await assert.rejects(createExchange()(NEVER)(post(url.replace('http:', 'https:'), { timeoutMs: 300 })), { bytesSent: false });
});

test('an answer that came while the process stood still is read, however late it wakes', async () => {
  const script = `const { parentPort, workerData } = require('node:worker_threads');
    const count = () => { Atomics.add(workerData, 0, 1); Atomics.notify(workerData, 0); };
    const answer = (socket) => socket.on('data', () => socket.write('HTTP/1.1 200 OK\\r\\ncontent-length: 0\\r\\n\\r\\n', count));
    const server = require('node:net').createServer((socket) => answer(socket.on('error', () => {})));
    server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`;
  const answers = new Int32Array(new SharedArrayBuffer(4));
  const server = new Worker(script, { eval: true, workerData: answers });
  await using _ = { [Symbol.asyncDispose]: async () => void (await server.terminate()) };
  const url = `http://127.0.0.1:${await new Promise((done) => server.once('message', done))}`;
  const exchange = createExchange()(NEVER);
  await exchange(post(url));
  Atomics.wait(answers, 0, 0);
  const reply = exchange(post(url, { timeoutMs: 1, once: true }));
  await new Promise(process.nextTick); // then it is written: the connection stands
  Atomics.wait(answers, 0, 1);
  Atomics.wait(answers, 0, 2, 5); // nobody wakes it: the time limit passes
  assert.equal((await reply).status, 200);
});

test('a deadline ends the calls in hand, and lets no other begin', async () => {
  const deadline = new AbortController();
  await using server = await peer(() => deadline.abort());
  const exchange = createExchange()(deadline.signal);
  await assert.rejects(exchange(post(server.url, { timeoutMs: 600_000 })), { message: 'ETIMEDOUT', bytesSent: true });
  await assert.rejects(exchange(post(server.url)), { message: 'ETIMEDOUT', bytesSent: false });
  assert.equal(server.connections(), 1);
});

test('a large body goes whole; an answer that comes before its end counts, and ends the connection', async () => {
  const body = Buffer.alloc(3_000_000, 'x');
  await using patient = await peer(() => {});
  const whole = createExchange()(NEVER)(post(patient.url, { body })).catch((error: NoReply) => error.message);
  const wanted = body.length + 'content-length: 3000000'.length;
  while ((patient.got[0]?.length ?? 0) < wanted) await new Promise(setImmediate);
  assert.equal(patient.got[0]?.split('\r\n\r\n')[1]?.length, body.length);
  await patient[Symbol.asyncDispose]();
  assert.equal(await whole, 'ECONNRESET');

  await using hasty = await peer((socket, _, connection) => {
    if (connection === 1) socket.pause();
    socket.write('HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno');
  });
  const exchange = createExchange()(NEVER);
  const reply = await exchange(post(hasty.url, { body: Buffer.alloc(30_000_000) }));
  assert.deepEqual([reply.status, reply.body.toString()], [413, 'no']);
  await exchange(post(hasty.url));
  assert.equal(hasty.connections(), 2);
});

test('over TLS the certificate must be for the address, and a second connection resumes the session of the first', async () => {
  const tls = await makeCertificate();
  const resumed: boolean[] = [];
  await using server = await peer((socket) => {
    resumed.push((socket as TLSSocket).isSessionReused());
    socket.write(ok('ok', 'connection: close\r\n'));
  }, tls);
  setDefaultCACertificates([...rootCertificates, tls.cert]);
  const exchange = createExchange()(NEVER);
  for (let count = 0; count < 2; count++) assert.equal((await exchange(post(server.url))).body.toString(), 'ok');
  assert.deepEqual(resumed, [false, true]);
});

test('kept connections do not keep a process alive', async () => {
  await using server = await peer(say('ok'));
  const script = `import { createExchange } from './functions/google/http/exchange.ts';
    const reply = await createExchange()(new AbortController().signal)({ method: 'GET', url: '${server.url}/', timeoutMs: 5000 });
    console.log(reply.status);`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (bytes) => {
    text += bytes;
  });
  const code = await new Promise((done) => child.once('exit', done));
  assert.deepEqual([code, text.trim()], [0, '200']);
});

// The kernel keeps a router's notice, and ends a connection that stood by it.
for (const code of ['EHOSTUNREACH', 'ENETUNREACH', 'ECONNREFUSED'])
  for (const open of [true, false])
    test(`${code} on a connection that ${open ? 'stood: the message may have left' : 'never stood: nothing has left'}`, async () => {
      const sockets: Socket[] = [];
      const watch = (event: unknown): void => void sockets.push((event as { socket: Socket }).socket);
      subscribe('net.client.socket', watch);
      const ended = (): void => {
        sockets[0]?.destroy(Object.assign(new Error(code), { code }));
      };
      // A handshake that is never answered: TCP stands, TLS does not, and the request is still in hand.
      await using server = await peer(ended);
      const mute = createServer(ended);
      await new Promise<void>((done) => mute.listen(0, '127.0.0.1', done));
      const url = open ? server.url : `https://127.0.0.1:${(mute.address() as AddressInfo).port}`;
      await assert.rejects(createExchange()(NEVER)(post(url, { once: true })), { name: 'NoReply', message: code, bytesSent: open });
      unsubscribe('net.client.socket', watch);
      await new Promise((done) => mute.close(done));
    });
