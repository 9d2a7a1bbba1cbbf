/** Loopback keeps out machines, not web pages: what another page may make the browser ask here. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, test } from 'node:test';
import type { Running } from '../../functions/fake-google/http/server.ts';
import { type Laptop, startLaptop } from '../support/stack/laptop.ts';
import { startPagesOf } from '../support/stack/pages-of.ts';

let laptop: Laptop;
let pages: Running;
before(async () => {
  laptop = await startLaptop();
  pages = await startPagesOf(laptop);
});
after(async () => {
  await pages[Symbol.asyncDispose]();
  await laptop[Symbol.asyncDispose]();
});

const FAULT = '{"on":"open","answer":"backend"}';
const FORM = 'name=daily-limit&choice=once';

/** One request with exactly these headers; fetch would not let a test choose them. */
function ask(url: string, method: string, headers: Record<string, string>, body = ''): Promise<number> {
  const { hostname, port, pathname } = new URL(url);
  return new Promise((done, fail) => {
    const asked = request({ hostname, port, path: pathname, method, headers: { 'content-length': body.length, ...headers } }, (reply) => {
      reply.resume();
      done(reply.statusCode ?? 0);
    });
    asked.once('error', fail).end(body);
  });
}

const form = { 'content-type': 'application/x-www-form-urlencoded' };
const own = (port: string): Record<string, string> => ({
  host: `127.0.0.1:${port}`,
  origin: `http://127.0.0.1:${port}`,
  'sec-fetch-site': 'same-origin',
});
const ROWS: readonly [who: string, headers: (port: string) => Record<string, string>, may: { read: boolean; write: boolean }][] = [
  ['curl', (port) => ({ host: `127.0.0.1:${port}` }), { read: true, write: true }],
  ['curl by another name of loopback', (port) => ({ host: `localhost:${port}` }), { read: true, write: true }],
  ['the page itself', own, { read: true, write: true }],
  [
    'the address bar',
    (port) => ({ host: `127.0.0.1:${port}`, 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' }),
    { read: true, write: true },
  ],
  [
    'a link on another page',
    (port) => ({ host: `127.0.0.1:${port}`, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }),
    { read: true, write: false },
  ],
  [
    'a frame on another page',
    (port) => ({ host: `127.0.0.1:${port}`, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' }),
    { read: false, write: false },
  ],
  [
    'a form of another page',
    (port) => ({ ...own(port), origin: 'https://example.org', 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }),
    { read: false, write: false },
  ],
  [
    'a form of another page, in an old browser',
    (port) => ({ host: `127.0.0.1:${port}`, origin: 'https://example.org' }),
    { read: false, write: false },
  ],
  [
    'a page on another port of loopback',
    (port) => ({ ...own(port), origin: 'http://127.0.0.1:1', 'sec-fetch-site': 'same-site' }),
    { read: false, write: false },
  ],
  ['a sandboxed frame', (port) => ({ ...own(port), origin: 'null', 'sec-fetch-site': 'cross-site' }), { read: false, write: false }],
  [
    'a script tag of another page',
    (port) => ({ host: `127.0.0.1:${port}`, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }),
    { read: false, write: false },
  ],
  [
    'a name that points to 127.0.0.1',
    (port) => ({ host: `rebound.example.org:${port}`, origin: `http://rebound.example.org:${port}`, 'sec-fetch-site': 'same-origin' }),
    { read: false, write: false },
  ],
  ['a name that begins like ours', (port) => ({ host: `127.0.0.1.example.org:${port}` }), { read: false, write: false }],
];
for (const [who, headers, may] of ROWS)
  test(`${who} may ${may.read ? '' : 'not '}look and may ${may.write ? '' : 'not '}change anything`, async () => {
    const { faults, url } = laptop.google;
    faults.clear();
    const control = headers(new URL(url).port);
    const page = headers(String(pages.port));
    const seen = [
      await ask(`${url}/control/faults`, 'GET', control),
      await ask(`${pages.url}/ledger`, 'GET', page),
      await ask(`${url}/control/faults`, 'POST', { ...control, 'content-type': 'text/plain' }, FAULT),
      await ask(`${pages.url}/faults`, 'POST', { ...page, ...form }, FORM),
    ];
    assert.deepEqual(seen, [may.read ? 200 : 403, may.read ? 200 : 403, may.write ? 200 : 403, may.write ? 303 : 403]);
    assert.equal(faults.pending().length, may.write ? 2 : 0);
  });

for (const [method, path, status] of [
  ['POST', '/write', 400],
  ['POST', '/ledger', 400],
  ['POST', '/log', 405],
  ['DELETE', '/', 405],
  ['GET', '/constructor', 404],
  ['POST', '/constructor', 405],
  ['GET', '/%E0%A4%A', 400],
  ['GET', '/%', 400],
] as const)
  test(`${method} ${path} is answered by ${status}`, async () =>
    assert.equal(await ask(pages.url + path, method, { host: `127.0.0.1:${pages.port}` }, ''), status));
