import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, request as nodeRequest } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { test } from 'node:test';
import { array, asyncProperty, assert as check, constantFrom, integer, option, record, tuple, uint8Array } from 'fast-check';
import { createReplyReader, NoHttp, type Reply } from '../../../functions/google/http/reply.ts';

interface Seen extends Partial<Reply> {
  readonly keepMs: number;
}

/** Reads a text that comes in pieces of so many bytes; null while the answer is not whole. */
function read(text: string, { pieces = Number.POSITIVE_INFINITY, closes = false, maxBytes = 1_000 } = {}): Seen | null {
  const bytes = Buffer.from(text, 'latin1');
  const reader = createReplyReader(maxBytes);
  let whole = false;
  for (let at = 0; at < bytes.length && !whole; at += pieces) whole = reader.take(bytes.subarray(at, Math.min(bytes.length, at + pieces)));
  if (!whole && !(closes && reader.end())) return null;
  return { ...reader.reply(), keepMs: reader.keepMs() };
}

const FOREVER = Number.POSITIVE_INFINITY;
const answers: readonly { text: string; status: number; body?: string; keepMs?: number; closes?: boolean }[] = [
  { text: 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello', status: 200, body: 'hello' },
  { text: 'HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\nhello', status: 200, body: 'hello' },
  { text: 'HTTP/1.1 200\r\nCONTENT-LENGTH:5\r\n\r\nhello', status: 200, body: 'hello' },
  { text: 'HTTP/1.1 308 Resume Incomplete\r\nrange: bytes=0-41\r\ncontent-length: 0\r\n\r\n', status: 308 },
  { text: 'HTTP/1.1 204 No Content\r\n\r\n', status: 204 },
  { text: 'HTTP/1.1 304 Not Modified\r\ncontent-length: 50\r\n\r\n', status: 304 },
  { text: 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok', status: 200, body: 'ok' },
  { text: 'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok', status: 200, body: 'ok' },
  { text: 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n', status: 200, body: 'hello' },
  {
    text: 'HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n3;a=b\r\nhel\r\n2 \r\nlo\r\n000\r\nx-t: 1\r\n\r\n',
    status: 200,
    body: 'hello',
  },
  { text: 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n', status: 200 },
  { text: 'HTTP/1.1 200 OK\r\n\r\nuntil the end', status: 200, body: 'until the end', closes: true, keepMs: 0 },
  { text: 'HTTP/1.1 200 OK\r\n\r\n', status: 200, closes: true, keepMs: 0 },
  { text: 'HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok', status: 200, body: 'ok', keepMs: 0 },
  { text: 'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok', status: 200, body: 'ok', keepMs: 0 },
  { text: 'HTTP/1.1 200 OK\r\nconnection: x, Close\r\ncontent-length: 2\r\n\r\nok', status: 200, body: 'ok', keepMs: 0 },
  { text: 'HTTP/1.1 200 OK\r\nkeep-alive: timeout=5, max=10\r\ncontent-length: 2\r\n\r\nok', status: 200, body: 'ok', keepMs: 4_000 },
  { text: 'HTTP/1.1 200 OK\r\nkeep-alive: timeout=0\r\ncontent-length: 2\r\n\r\nok', status: 200, body: 'ok', keepMs: 0 },
  { text: 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK', status: 200, body: 'ok', keepMs: 0 }, // what was not asked for
];
for (const { text, status, body = '', keepMs = FOREVER, closes = false } of answers)
  test(`${JSON.stringify(text)} is read, in whatever pieces it comes`, () => {
    for (const pieces of [FOREVER, 1, 2, 3, 7]) {
      const seen = read(text, { pieces, closes });
      // The bytes after an answer may still be on their way when it is whole: then they end the connection while it is idle.
      const left = pieces < FOREVER && text.endsWith('okHTTP/1.1 200 OK') ? undefined : keepMs;
      assert.deepEqual([seen?.status, seen?.body?.toString()], [status, body]);
      if (left !== undefined) assert.equal(seen?.keepMs, left);
    }
  });

test('headers are found by their names in lower case; what came twice is one list', () => {
  const seen = read('HTTP/1.1 200 OK\r\nLocation:  https://x/y \r\nVia: 1\r\nvia:\t2\r\nempty:\r\ncontent-length: 0\r\n\r\n');
  assert.deepEqual({ ...seen?.headers }, { location: 'https://x/y', via: '1, 2', empty: '', 'content-length': '0' });
});

const head = (field: string): string => `HTTP/1.1 200 OK\r\n${field}\r\n\r\nhello`;
const refused: readonly { text: string; code?: string }[] = [
  { text: 'HTTP/2 200 OK\r\ncontent-length: 5\r\n\r\nhello' },
  { text: 'HTTP/1.1 600 OK\r\ncontent-length: 5\r\n\r\nhello' },
  { text: 'HTTP/1.1 20 OK\r\ncontent-length: 5\r\n\r\nhello' },
  { text: 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n' },
  { text: '220 smtp.gmail.com ESMTP\r\n\r\n' },
  { text: head('content-length: 5\r\ncontent-length: 6') },
  { text: head('content-length: 5\r\ntransfer-encoding: chunked') },
  { text: head('content-length: -5') },
  { text: head('content-length: 5, 5') },
  { text: head('content-length: 0x5') },
  { text: head('content-length:') },
  { text: head('transfer-encoding: gzip, chunked') },
  { text: head('transfer-encoding: identity') },
  { text: head('x: 1\r\n folded: 2\r\ncontent-length: 5') },
  { text: head('x : 1\r\ncontent-length: 5') },
  { text: head('x: 1\r\r\ncontent-length: 5') }, // white space goes from a value, half a line break does not
  { text: head('x:\n 1\r\ncontent-length: 5') },
  { text: head('content-length: \x0b5') },
  { text: head('content-length: \xa05') },
  { text: head('content-length: 5\x0c') },
  { text: head('transfer-encoding: \x0bchunked') },
  { text: head('transfer-encoding: chunked\xa0') },
  { text: head('x: 1\n\r\ncontent-length: 5') },
  { text: head('x: 1\nlocation: https://elsewhere/\r\ncontent-length: 5') },
  { text: head('no colon\r\ncontent-length: 5') },
  { text: `${head(`x: ${'y'.repeat(70_000)}`)}` },
  { text: 'x'.repeat(70_000) },
  { text: `${head('transfer-encoding: chunked').replace('hello', 'g\r\n')}` },
  { text: `${head('transfer-encoding: chunked').replace('hello', '\r\n')}` },
  { text: `${head('transfer-encoding: chunked').replace('hello', '3\r\nhello\r\n0\r\n\r\n')}` },
  { text: `${head('transfer-encoding: chunked').replace('hello', `3${';'.repeat(2_000)}`)}` },
  { text: `${head('transfer-encoding: chunked').replace('hello', '3e9\r\n')}`, code: 'EMSGSIZE' },
  {
    text: `${head('transfer-encoding: chunked').replace('hello', `1\r\nx\r\n0\r\n${`t: ${'y'.repeat(900)}\r\n`.repeat(2)}\r\n`)}`,
    code: 'EMSGSIZE',
  },
  { text: head('content-length: 1001'), code: 'EMSGSIZE' },
  { text: `HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(1_001)}`, code: 'EMSGSIZE' },
];
for (const { text, code = 'EPROTO' } of refused)
  test(`${JSON.stringify(text.slice(0, 90))} is no answer: ${code}`, () => {
    for (const pieces of [FOREVER, 1]) assert.throws(() => read(text, { pieces, closes: true }), { code });
  });

test('an answer that ends too soon is none', () => {
  for (const text of [
    '',
    'HTTP/1.1 200 OK\r\n',
    head('content-length: 6'),
    head('transfer-encoding: chunked').replace('hello', '5\r\nhello\r\n'),
  ])
    assert.equal(read(text, { closes: true }), null, text);
});

test('an error never quotes what came', () => {
  assert.throws(
    () => read('HTTP/1.1 200 OK\r\nset cookie: canary-token-in-a-header\r\n\r\n'),
    (error) => error instanceof NoHttp && !JSON.stringify([error.message, error.stack]).includes('in-a-header'),
  );
});

test("whatever Node's own server writes is read as Node's own client reads it, in any pieces", async () => {
  const part = record({ bytes: uint8Array({ minLength: 1, maxLength: 40 }), flush: constantFrom(true, false) });
  const property = asyncProperty(
    record({
      status: constantFrom(200, 201, 204, 304, 308, 400, 404, 429, 503),
      headers: array(tuple(constantFrom('range', 'x-a', 'retry-after', 'location'), constantFrom('1', 'bytes=0-41', 'a b', '')), {
        maxLength: 4,
      }),
      parts: array(part, { maxLength: 6 }),
      length: option(constantFrom('given'), { nil: null }),
      trailer: constantFrom(true, false),
      close: constantFrom(true, false),
    }),
    integer({ min: 1, max: 60 }),
    async (answer, pieces) => {
      await using server = await serve(answer);
      const [theirs, raw] = [await byNode(server.port), await rawBytes(server.port)];
      const reader = createReplyReader(10_000);
      let whole = false;
      for (let at = 0; at < raw.length; at += pieces) whole = reader.take(raw.subarray(at, at + pieces)) || whole;
      assert.equal(whole || reader.end(), true);
      const ours = reader.reply();
      assert.deepEqual([ours.status, ours.body.toString('hex')], [theirs.status, theirs.body]);
      assert.deepEqual({ ...ours.headers, date: '' }, { ...theirs.headers, date: '' });
    },
  );
  await check(property, { numRuns: 60 });
});

interface Answer {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly parts: readonly { readonly bytes: Uint8Array; readonly flush: boolean }[];
  readonly length: 'given' | null;
  readonly trailer: boolean;
  readonly close: boolean;
}

async function serve({ status, headers, parts, length, trailer, close }: Answer): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer(async (_, res) => {
    const size = parts.reduce((sum, { bytes }) => sum + bytes.length, 0);
    for (const [name, value] of new Map(headers)) res.setHeader(name, value);
    if (length !== null && status !== 204 && status !== 304) res.setHeader('content-length', size);
    if (close) res.setHeader('connection', 'close');
    res.writeHead(status);
    for (const { bytes, flush } of parts) {
      const written = new Promise((done) => res.write(bytes, done));
      if (flush) await written; // so that it leaves as a chunk of its own
    }
    if (length === null && trailer) res.addTrailers({ 'x-t': '1' });
    res.end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

function byNode(port: number): Promise<{ status: number; headers: IncomingMessage['headers']; body: string }> {
  return new Promise((done, fail) => {
    nodeRequest({ port, host: '127.0.0.1', agent: false, headers: { connection: 'keep-alive' } }, (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.once('end', () => done({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks).toString('hex') }));
    })
      .once('error', fail)
      .end();
  });
}

/** The same answer as bytes: half closed, a server of Node's answers and then ends the connection. */
function rawBytes(port: number): Promise<Buffer> {
  return new Promise((done, fail) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, '127.0.0.1', () => socket.end('GET / HTTP/1.1\r\nhost: x\r\nconnection: keep-alive\r\n\r\n'));
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.once('error', fail);
    socket.once('end', () => done(Buffer.concat(chunks)));
  });
}
