/** What a mail's html may do to who looks at it on the laptop: nothing. Every trick is first shown to work without our care. */
import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { type Browser, chromium } from 'playwright-core';
import { listen, type Running } from '../../functions/local/http.ts';
import { CHROMIUM_ARGS, chromiumPath } from '../support/chromium.ts';
import { skipUnless } from '../support/emulators.ts';
import { authorised, type Laptop, MAIL, post, startLaptop } from '../support/laptop.ts';
import { startPagesOf } from '../support/pages-of.ts';

const browserPath = chromiumPath();
const skip = skipUnless(browserPath !== undefined, 'chromium');

/** Takes every connection, and notes the path that was asked for, or that nothing was. */
let spy: Server;
let heard: string[] = [];
const sockets = new Set<Socket>();
let laptop: Laptop;
let pages: Running;
let browser: Browser;
before(async () => {
  if (skip) return;
  spy = createServer((socket) => {
    sockets.add(socket);
    const at = heard.push('connected') - 1;
    socket.on('error', () => {});
    socket.once('data', (data) => {
      heard[at] = /^\S+ (\S+)/.exec(data.toString('latin1'))?.[1] ?? 'data';
      socket.end('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n');
    });
  });
  await new Promise<void>((done) => spy.listen(0, '127.0.0.1', done));
  [laptop, browser] = await Promise.all([startLaptop(), chromium.launch({ executablePath: browserPath as string, args: CHROMIUM_ARGS })]);
  pages = await startPagesOf(laptop);
});
after(async () => {
  for (const socket of sockets) socket.destroy();
  spy?.close();
  await browser?.close();
  await pages?.[Symbol.asyncDispose]();
  await laptop?.[Symbol.asyncDispose]();
});

const TRICKS: Readonly<Record<string, (url: string) => string>> = {
  image: (url) => `<img src="${url}">`,
  'image by srcset': (url) => `<img srcset="${url} 2x">`,
  'image that fails': (url) => `<img src="data:," onerror="fetch('${url}')">`,
  script: (url) => `<script src="${url}"></script>`,
  'inline script': (url) => `<script>fetch('${url}')</script>`,
  'handler of the body': (url) => `<body onload="fetch('${url}')">`,
  stylesheet: (url) => `<link rel="stylesheet" href="${url}">`,
  'stylesheet by import': (url) => `<style>@import '${url}';</style>`,
  background: (url) => `<div style="background:url('${url}');height:9px">x</div>`,
  'background, the old way': (url) => `<table background="${url}"><td>x</td></table>`,
  font: (url) => `<style>@font-face{font-family:f;src:url('${url}')} p{font-family:f}</style><p>x</p>`,
  preconnect: (url) => `<link rel="preconnect" href="${url}">`,
  'preconnect in other letters': (url) => `<LiNk/rel=preconnect href="${url}">`,
  'preconnect in two halves': (url) => `<li<link>nk rel=preconnect href="${url}"><link rel=preconnect href="${url}">`,
  prefetch: (url) => `<link rel="prefetch" href="${url}">`,
  preload: (url) => `<link rel="preload" as="image" href="${url}">`,
  icon: (url) => `<link rel="icon" href="${url}">`,
  frame: (url) => `<iframe src="${url}"></iframe>`,
  object: (url) => `<object data="${url}"></object>`,
  embed: (url) => `<embed src="${url}">`,
  video: (url) => `<video src="${url}" autoplay muted></video>`,
  poster: (url) => `<video poster="${url}"></video>`,
  audio: (url) => `<audio src="${url}" autoplay></audio>`,
  svg: (url) => `<svg><image href="${url}"/></svg>`,
  refresh: (url) => `<meta http-equiv="refresh" content="0;url=${url}">`,
  base: (url) => `<base href="${url}/"><img src="pixel">`,
};
/** A browser asks for these only where it finds it worth the while, or for a page in a tab of its own. */
const SHY = ['icon', 'frame', 'embed'];

test('without our care each of the tricks reaches its server', { skip }, async () => {
  const { port } = spy.address() as AddressInfo;
  await using page = await browser.newPage();
  const missed: string[] = [];
  for (const [name, trick] of Object.entries(TRICKS)) {
    heard = [];
    await using naked = await listen(0, ({ path }) =>
      path === '/'
        ? {
            status: 200,
            headers: { 'content-type': 'text/html' },
            body: `<!doctype html>${trick(`http://127.0.0.1:${port}/${name.replaceAll(' ', '-')}`)}`,
          }
        : { status: 404 },
    );
    await page.goto(naked.url, { waitUntil: 'commit' });
    const until = Date.now() + 3_000;
    while (heard.length === 0 && Date.now() < until) await page.evaluate('new Promise((done) => setTimeout(done, 20))').catch(() => {});
    if (heard.length === 0) missed.push(name);
  }
  assert.deepEqual(
    missed.filter((name) => !SHY.includes(name)),
    [],
  );
});

test('a mail that tries all of them reaches nobody and runs nothing', { skip }, async () => {
  const { port } = spy.address() as AddressInfo;
  await using context = await browser.newContext();
  const page = await context.newPage();
  for (const [name, trick] of Object.entries(TRICKS)) {
    heard = [];
    const html = `<p>canary-body</p>${trick(`http://127.0.0.1:${port}/${name.replaceAll(' ', '-')}`)}`;
    await post(`${laptop.api}/emails`, { ...MAIL, html }, authorised);
    await page.goto(`${pages.url}/mails/${laptop.google.mails.ids()[0]}`);
    await page.frameLocator('iframe').getByText('canary-body').waitFor();
    // Opened alone it has the same policy: a sender's page must not become one of ours by a middle click.
    await page.goto(`${page.url()}/html`, { waitUntil: 'load' });
    assert.deepEqual(heard, [], name);
    assert.equal(new URL(page.url()).port, String(pages.port), name);
  }
  // Whatever was on its way is here by now: the spy hears this last one, and nothing before it.
  heard = [];
  await context.request.get(`http://127.0.0.1:${port}/last`);
  assert.deepEqual(heard, ['/last']);
});

test('a mail cannot lead the frame or the page away, nor open a window', { skip }, async () => {
  const { port } = spy.address() as AddressInfo;
  heard = [];
  const link = (target: string): string => `<a href="http://127.0.0.1:${port}/away" target="${target}">${target}</a>`;
  const html = `${['_self', '_top', '_blank', '_parent'].map(link).join(' ')}<form action="http://127.0.0.1:${port}/form"><button>go</button></form>`;
  await post(`${laptop.api}/emails`, { ...MAIL, html }, authorised);
  await using context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${pages.url}/mails/${laptop.google.mails.ids()[0]}`);
  const frame = page.frameLocator('iframe');
  for (const target of ['_top', '_blank', '_parent']) await frame.getByText(target).click();
  await frame.getByRole('button').click();
  await frame.getByText('_self').click();
  assert.equal(context.pages().length, 1);
  await page.getByText('1 link in it').click();
  assert.equal(await page.getByRole('link', { name: `http://127.0.0.1:${port}/away` }).getAttribute('rel'), 'noreferrer noopener');
  await context.request.get(`http://127.0.0.1:${port}/last`);
  assert.deepEqual(heard, ['/last']);
});

test('subject, names, headers and filenames of a mail are text on every page', { skip }, async () => {
  const evil = `"><img src=x onerror=alert(1)><script>alert(1)</script>'\``;
  await post(
    `${laptop.api}/emails`,
    {
      ...MAIL,
      from: `"${evil.replaceAll('"', '')}" <${MAIL.from}>`.replace(/[<>](?=[^<]*<)/g, ''),
      subject: evil,
      text: `canary-body ${evil}`,
      headers: { 'X-Evil': evil },
      attachments: [{ filename: evil, content: 'YQ==', content_type: 'text/html' }],
    },
    authorised,
  );
  await using context = await browser.newContext();
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('dialog', (dialog) => void dialog.dismiss().finally(() => complaints.push('a dialog')));
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', ({ message }) => complaints.push(message));
  const id = laptop.google.mails.ids()[0];
  for (const path of ['/', `/?q=${encodeURIComponent(evil)}`, `/mails/${id}`, '/ledger', '/log', `/${encodeURIComponent(evil)}`]) {
    await page.goto(pages.url + path);
    assert.equal(await page.locator('img, script:not([src="/pages.js"])').count(), 0, path.slice(0, 8));
  }
  await page.goto(`${pages.url}/mails/${id}`);
  assert.equal(await page.getByRole('heading', { level: 1 }).textContent(), evil);
  assert.deepEqual(
    complaints.filter((one) => !one.includes('404')),
    [],
  );
});
