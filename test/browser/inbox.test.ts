/** What a person does with the inbox, in a real browser: find, read, mark, tag, check, delete. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, beforeEach, test } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { Pages } from '../../functions/pages/server.ts';
import { sampled } from '../support/deep.ts';
import { CHROMIUM_ARGS, chromiumPath } from '../support/programs/chromium.ts';
import { skipUnless } from '../support/programs/emulators.ts';
import { authorised, type Laptop, MAIL, post, startLaptop } from '../support/stack/laptop.ts';
import { startPagesOf } from '../support/stack/pages-of.ts';

const browserPath = chromiumPath();
const skip = skipUnless(browserPath !== undefined, 'chromium');
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

let laptop: Laptop;
let pages: Pages;
let browser: Browser;
before(async () => {
  if (skip) return;
  [laptop, browser] = await Promise.all([
    startLaptop(),
    chromium.launch({ executablePath: browserPath as string, args: CHROMIUM_ARGS, timeout: 300_000 }),
  ]);
  pages = await startPagesOf(laptop);
});
after(async () => {
  await browser?.close();
  await pages?.[Symbol.asyncDispose]();
  await laptop?.[Symbol.asyncDispose]();
});
beforeEach(() => pages?.inbox.remove());

const send = (change: object = {}) => post(`${laptop.api}/emails`, { ...MAIL, ...change }, authorised);
async function open(path = '/', options = {}): Promise<Page> {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(120_000);
  const page = await context.newPage();
  await page.goto(pages.url + path);
  return page;
}
const rows = (page: Page) => page.locator('.letters > li');

test('a word of a body finds its email', { skip }, async () => {
  await send({ subject: 'One', text: 'a needle in it' });
  await send({ subject: 'Two' });
  const page = await open();
  await page.getByPlaceholder('Search').fill('NEEDLE');
  await page.getByRole('button', { name: 'Find' }).click();
  await page.getByText('1 email with').waitFor();
  assert.deepEqual(await rows(page).locator('.subject').allTextContents(), ['Unread: One']);
});

test('an email is unread until it is opened, and can be marked unread again', { skip }, async () => {
  await send({ subject: 'News' });
  const page = await open();
  await page.locator('.letters .unread').getByText('News').click();
  await page.getByRole('heading', { name: 'News' }).waitFor();
  await page.getByRole('link', { name: '← Inbox' }).click();
  await page.locator('.letters .read').waitFor();
  await page.getByText('News').click();
  await page.getByRole('button', { name: 'Mark unread' }).click();
  await page.locator('.letters .unread').waitFor();
  await page.getByRole('button', { name: 'Mark all read' }).click();
  await page.locator('.letters .read').waitFor();
});

test('tags are set on an email, and list those that have them', { skip }, async () => {
  for (const subject of ['A', 'B']) await send({ subject });
  const page = await open();
  await page.locator('.letters').getByText('A', { exact: true }).click();
  await page.getByLabel('Tags').first().fill('invoice, to check');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.locator('#became .tag', { hasText: 'to check' }).click();
  await page.getByText('1 email with').waitFor();
  assert.equal(await rows(page).count(), 1);
});

test('one email is deleted on its page, all on the inbox’s, and those of a search alone', { skip }, async () => {
  for (const subject of ['A', 'B', 'C', 'D']) await send({ subject });
  const page = await open();
  await page.locator('.letters').getByText('D', { exact: true }).click();
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByText('3 emails in').waitFor();
  await page.goto(`${pages.url}/?q=subject%3AC`);
  await page.getByRole('button', { name: 'Delete these 1' }).click();
  await page.getByText('2 emails in').waitFor();
  await page.getByRole('button', { name: 'Delete all 2' }).click();
  await page.getByText('Nothing yet.').waitFor();
  assert.equal(laptop.google.mails.count(), 0);
});

test('marks that turn a text around are shown by their code, in subject, name and file', { skip }, async () => {
  // The api takes no such name or file; a message of somebody else's may have them.
  const word = (text: string): string => `=?utf-8?b?${Buffer.from(text).toString('base64')}?=`;
  const raw = [
    `From: ${MAIL.from}`,
    `To: ${word('Ann \u2066x')} <ann@example.net>`,
    `Subject: ${word('invoice\u202Efdp.exe')}`,
    'MIME-Version: 1.0',
    'Content-Type: application/octet-stream',
    `Content-Disposition: attachment; filename="${word('a\u202Egnp.exe')}"`,
    '',
    'x',
    '',
  ].join('\r\n');
  laptop.google.mails.deliver(MAIL.from, Buffer.from(raw), ['ann@example.net']);
  const page = await open();
  const shown = await rows(page).locator('.subject').textContent();
  assert.equal(shown, 'Unread: invoiceU+202Efdp.exe');
  await rows(page).getByRole('link').first().click();
  await page.getByRole('heading', { name: 'invoiceU+202Efdp.exe' }).waitFor();
  const marks = await page.locator('main .bidi').allTextContents();
  assert.ok(marks.length >= 2 && marks.every((mark) => /^U\+(202E|2066)$/.test(mark)), marks.join());
});

test('an html email without text says so; its links are listed, and its html is checked', { skip }, async () => {
  const raw = `From: ${MAIL.from}\r\nTo: ann@example.net\r\nSubject: only html\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n<p style="position:fixed">Hello <a href="https://shop.example/x">you</a></p>\r\n`;
  await fetch(`${laptop.api}/v1/raw`, { method: 'POST', headers: { ...authorised, 'content-type': 'message/rfc822' }, body: raw });
  const page = await open();
  await page.getByText('only html').click();
  await page.getByText('It has no text part.').waitFor();
  assert.equal(await page.getByRole('heading', { name: 'Text' }).count(), 0);
  await page.getByText('1 link in it').click();
  await page.getByRole('link', { name: 'https://shop.example/x' }).waitFor();
  await page.getByRole('link', { name: 'Which email programs show it?' }).click();
  await page.getByRole('rowheader', { name: 'position' }).waitFor();
});

test('the new pages are accessible by day and by night, at three widths', { skip }, async () => {
  await send({ subject: 'odd\u202Ename', html: '<p style="position:fixed">x</p>', headers: { 'X-Tags': 'invoice, a rather long tag' } });
  const [{ id = '' } = {}] = (await pages.inbox.list({ limit: 1 })).emails;
  const page = await open('/', { bypassCSP: true });
  const found: string[] = [];
  for (const path of sampled([`/mails/${id}/check`, '/', '/?q=tag%3Ainvoice', `/mails/${id}`, '/?q=nothing'], 1))
    for (const [width, colorScheme] of [
      [390, 'dark'],
      [820, 'light'],
      [1280, 'light'],
    ] as const) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 800 });
      await page.goto(pages.url + path);
      for (const summary of await page.locator('summary').all()) await summary.click();
      await page.addScriptTag({ path: AXE });
      const { violations } = (await page.evaluate(
        'axe.run(document, { iframes: false, preload: false, resultTypes: ["violations"] })',
      )) as {
        violations: { id: string; nodes: { target: string[] }[] }[];
      };
      for (const one of violations) found.push(`${path} ${width}: ${one.id} ${one.nodes.map(({ target }) => target).join(' ')}`);
      const spill = Number(await page.evaluate('document.documentElement.scrollWidth - innerWidth'));
      if (spill > 0) found.push(`${path} is ${spill} pixels too wide at ${width}`);
    }
  assert.deepEqual(found, []);
});
