/** What a mail's html may do to who looks at it on the laptop: nothing. Every trick is first shown to work without our care. */
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type BrowserContext, chromium } from 'playwright-core';
import { listen, type Running } from '../../functions/fake-google/http/server.ts';
import { longTest } from '../support/deep.ts';
import { CHROMIUM_ARGS, chromiumPath } from '../support/programs/chromium.ts';
import { skipUnless } from '../support/programs/emulators.ts';
import { authorised, type Laptop, MAIL, post, startLaptop } from '../support/stack/laptop.ts';
import { startPagesOf } from '../support/stack/pages-of.ts';

const browserPath = chromiumPath();
const skip = skipUnless(browserPath !== undefined, 'chromium');

let laptop: Laptop;
let pages: Running;
let browser: BrowserContext;
before(async () => {
  if (skip) return;
  laptop = await startLaptop();
  // A profile as a person has it: in a fresh context, as in an incognito window, Chromium follows no preconnect.
  const profile = mkdtempSync(join(tmpdir(), 'mailgrant-'));
  browser = await chromium.launchPersistentContext(profile, {
    executablePath: browserPath as string,
    args: CHROMIUM_ARGS,
    timeout: 300_000,
  });
  pages = await startPagesOf(laptop);
});
after(async () => {
  await browser?.close();
  await pages?.[Symbol.asyncDispose]();
  await laptop?.[Symbol.asyncDispose]();
});

/** A server that an email would tell who reads it: notes of each connection what it asked for, or that it asked for nothing. */
async function startSpy() {
  const heard: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const at = heard.push('connected') - 1;
    socket.on('error', () => {});
    socket.once('data', (data) => {
      heard[at] = /^\S+ \/(\S*)/.exec(data.toString('latin1'))?.[1] ?? 'data';
      socket.end('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n');
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    heard,
    /** All that was on its way by now, without the question that makes sure of it. */
    async all() {
      await browser.request.get(`${url}/last`);
      return heard.filter((one) => one !== 'last');
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}

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
longTest('without our care each of the tricks reaches its server', { skip }, async () => {
  const missed: string[] = [];
  for (const [name, trick] of Object.entries(TRICKS)) {
    await using page = await browser.newPage(); // one that leads its page away must not meet the next one
    await using spy = await startSpy(); // of its own: a browser that is connected already does not connect again
    const body = `<!doctype html>${trick(`${spy.url}/x`)}`;
    await using naked = await listen(0, () => ({ status: 200, headers: { 'content-type': 'text/html' }, body }));
    await page.goto(naked.url, { waitUntil: 'commit' });
    const until = Date.now() + 60_000;
    while (spy.heard.length === 0 && Date.now() < until) await new Promise((done) => setTimeout(done, 10));
    if (spy.heard.length === 0) missed.push(name);
  }
  assert.deepEqual(missed, []);
});

for (const [how, names] of [
  ['all of them', Object.keys(TRICKS)],
  ['all of them, the last one first', Object.keys(TRICKS).reverse()],
] as const)
  test(`an email that tries ${how} reaches nobody and runs nothing`, { skip }, async () => {
    await using spy = await startSpy();
    const tricks = names.map((name) => TRICKS[name]?.(`${spy.url}/${name.replaceAll(' ', '-')}`));
    await post(`${laptop.api}/emails`, { ...MAIL, html: `<p>canary-body</p>${tricks.join('')}` }, authorised);
    await using page = await browser.newPage();
    await page.goto(`${pages.url}/mails/${laptop.google.mails.ids()[0]}`);
    await page.frameLocator('iframe').getByText('canary-body').waitFor();
    // Opened alone it has the same policy: a sender's page must not become one of ours by a middle click.
    await page.goto(`${page.url()}/html`, { waitUntil: 'load' });
    await page.getByText('canary-body').waitFor();
    assert.deepEqual(await spy.all(), []);
    assert.equal(new URL(page.url()).port, String(pages.port));
  });

test('an email cannot lead the frame or the page away, nor open a window', { skip }, async () => {
  await using spy = await startSpy();
  const link = (target: string): string => `<a href="${spy.url}/away" target="${target}">${target}</a>`;
  const html = `${['_self', '_top', '_blank', '_parent'].map(link).join(' ')}<form action="${spy.url}/form"><button>go</button></form>`;
  await post(`${laptop.api}/emails`, { ...MAIL, html }, authorised);
  await using page = await browser.newPage();
  const open = browser.pages().length;
  await page.goto(`${pages.url}/mails/${laptop.google.mails.ids()[0]}`);
  const frame = page.frameLocator('iframe');
  for (const target of ['_top', '_blank', '_parent']) await frame.getByText(target).click();
  await frame.getByRole('button').click();
  await frame.getByText('_self').click();
  assert.equal(browser.pages().length, open);
  await page.getByText('1 link in it').click(); // the way to follow it, in full and on purpose
  assert.equal(await page.getByRole('link', { name: `${spy.url}/away` }).getAttribute('rel'), 'noreferrer noopener');
  // Chromium may open the connection before it finds that the frame may not go there; nothing is said on it.
  assert.deepEqual(
    (await spy.all()).filter((one) => one !== 'connected'),
    [],
  );
});

test('subject, names, headers and filenames of an email are text on every page', { skip }, async () => {
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
  await using page = await browser.newPage();
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
