/** The laptop's pages in a real browser: what a person does with them, with a mouse, with the keyboard alone, and without a script. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, beforeEach, test } from 'node:test';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import type { Running } from '../../functions/fake-google/http/server.ts';
import { CHROMIUM_ARGS, chromiumPath } from '../support/programs/chromium.ts';
import { skipUnless } from '../support/programs/emulators.ts';
import { authorised, type Laptop, MAIL, post, startLaptop } from '../support/stack/laptop.ts';
import { startPagesOf } from '../support/stack/pages-of.ts';

const browserPath = chromiumPath();
const skip = skipUnless(browserPath !== undefined, 'chromium');
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const PLACES = ['/', '/write', '/ledger', '/faults', '/events', '/log'];

let laptop: Laptop;
let pages: Running;
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
beforeEach(() => laptop?.google.faults.clear());

/** Opens a page, and notes what it complains of and whom it asks but its own server. */
async function open(path: string, options: BrowserContextOptions = {}) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(120_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('request', (request) => {
    if (!request.url().startsWith(`${pages.url}/`) && !request.url().startsWith('data:')) complaints.push(`asked ${request.url()}`);
  });
  await page.goto(pages.url + path);
  return { page, complaints, [Symbol.asyncDispose]: () => context.close() };
}

const outcome = (page: Page) => page.getByRole('region', { name: 'How it ended' });

test('an email that is written is sent by the api, and can be read, with its files', { skip }, async () => {
  await using opened = await open('/write');
  const { page, complaints } = opened;
  await page.getByLabel('To', { exact: true }).fill('"Doe, Jane" <jane@example.net>, joe@example.net');
  await page.getByText('Cc, Bcc').click();
  await page.getByLabel('Bcc').fill('secret@example.net');
  await page.getByLabel('Subject').fill('Grüße <i>&</i> mehr');
  await page.getByLabel('HTML').fill('<p>Ein <b>Gruß</b></p>');
  await page.getByLabel('Attachments').setInputFiles({ name: 'übersicht.txt', mimeType: 'text/plain', buffer: Buffer.from('Inhalt') });
  await page.getByRole('button', { name: 'Send' }).click();
  await outcome(page).locator('.state.sent').waitFor();
  await outcome(page).getByRole('link', { name: 'Read the email' }).click();
  await page.getByRole('heading', { name: 'Grüße <i>&</i> mehr' }).waitFor();
  await page.frameLocator('iframe').getByText('Gruß').waitFor();
  const [letter] = laptop.google.mails.list();
  assert.deepEqual(letter?.recipients, ['jane@example.net', 'joe@example.net', 'secret@example.net']);
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'übersicht.txt' }).click();
  assert.equal(readFileSync(await (await download).path(), 'utf8'), 'Inhalt');
  assert.deepEqual(complaints, []);
});

test('a fault that is switched on is met by the next email, and its outcome is seen without a reload', { skip }, async () => {
  await using ledger = await open('/ledger');
  await using opened = await open('/faults');
  const { page, complaints } = opened;
  const limit = page.getByRole('group', { name: 'Daily limit', exact: true });
  await limit.getByLabel('once').check();
  await page.getByText('1 fault on').waitFor();
  const before = await ledger.page.getByRole('row').count();
  await page.getByRole('button', { name: 'Send' }).click();
  await outcome(page).getByText('parked').waitFor();
  await limit.locator('[value=off]:checked').waitFor(); // met, and gone
  await ledger.page.getByRole('row').nth(1).getByText('quota_daily').waitFor();
  assert.ok((await ledger.page.getByRole('row').count()) >= Math.max(before, 2));
  // Sent again, it is the same mail: one entry, a second attempt, one letter.
  const letters = laptop.google.mails.count();
  const key = await page.locator('#key').inputValue();
  await page.getByRole('button', { name: 'Send' }).click();
  await outcome(page).getByText('after').first().waitFor();
  assert.notEqual(key, '');
  assert.ok(laptop.google.mails.count() - letters <= 1);
  assert.deepEqual([...complaints, ...ledger.complaints], []);
});

test('the second half of a double click sends nothing, however fast the answer to the first was', { skip }, async () => {
  await using opened = await open('/write');
  const { page, complaints } = opened;
  const sent: string[] = [];
  page.on('request', (request) => request.method() === 'POST' && sent.push(request.url()));
  const button = page.getByRole('button', { name: 'Send' });
  for (const clickCount of [1, 2]) {
    await button.hover();
    await page.mouse.down({ clickCount });
    await page.mouse.up({ clickCount });
    await outcome(page).locator('.state.sent').waitFor();
  }
  assert.equal(sent.length, 1);
  await button.click();
  assert.deepEqual([sent.length, complaints], [2, []]);
});

test('with the keyboard alone: skip to the form, write, switch a fault, send, read what became of it', { skip }, async () => {
  await using opened = await open('/write');
  const { page, complaints } = opened;
  const { keyboard } = page;
  const focused = () => page.evaluate('document.activeElement.id || document.activeElement.textContent.trim()');
  await keyboard.press('Tab');
  assert.equal(await focused(), 'Skip to the content');
  await keyboard.press('Enter');
  await keyboard.press('Tab');
  assert.equal(await focused(), 'from');
  await keyboard.press('Tab');
  await keyboard.press('Control+a');
  await keyboard.type('you@example.net');
  for (const wanted of ['Cc, Bcc, Reply-To', 'subject', 'text', 'html', 'files', 'Idempotency key', 'Send']) {
    await keyboard.press('Tab');
    assert.equal(await focused(), wanted);
  }
  await keyboard.press('Enter');
  await outcome(page).locator('.state.sent').waitFor();
  await page.locator('#result:focus').waitFor(); // where the answer is read out
  await page.goto(`${pages.url}/faults`);
  await page.getByRole('group', { name: 'Dead grant' }).getByLabel('off').focus();
  await keyboard.press('ArrowRight');
  await keyboard.press('ArrowRight'); // over once to always, faster than the answers come
  await page.getByText('1 fault on').waitFor();
  await page.locator('#dead-grant-always:focus').waitFor();
  await page.locator('[aria-busy]').waitFor({ state: 'detached' });
  assert.equal(laptop.google.faults.pending()[0]?.standing, true);
  await page.getByRole('button', { name: 'Send' }).focus();
  await keyboard.press('Space');
  await outcome(page).getByText('grant_revoked').first().waitFor();
  assert.deepEqual(complaints, []);
});

test('without a script: an email is sent, a fault is switched, and both are answered by a page', { skip }, async () => {
  await using opened = await open('/faults', { javaScriptEnabled: false });
  const { page, complaints } = opened;
  const limit = page.locator('form', { has: page.getByRole('group', { name: 'Daily limit', exact: true }) });
  await limit.getByLabel('once').check();
  await limit.getByRole('button', { name: 'Apply' }).click();
  assert.equal(await limit.getByLabel('once').isChecked(), true);
  await page.getByRole('link', { name: 'Write' }).click();
  await page.getByRole('button', { name: 'Send' }).click();
  await outcome(page).getByText('parked').waitFor();
  await page.getByRole('button', { name: 'Send' }).click(); // the form kept the mail and its key
  await outcome(page).waitFor();
  assert.deepEqual(complaints, []);
});

test('mails, ledger and log are shown as they come', { skip }, async () => {
  await using inbox = await open('/');
  await using log = await open('/log');
  await post(`${laptop.api}/emails`, { ...MAIL, subject: 'canary-subject, live' }, authorised);
  await inbox.page.getByRole('link', { name: 'live' }).first().waitFor();
  await inbox.page.getByRole('status').getByText('sent').waitFor();
  await log.page.getByLabel('what Google saw').check();
  await log.page.getByText('upload session opened').first().waitFor();
  // Put behind another tab it lets go of its connection; looked at again it has what it missed.
  const seen = (state: string) =>
    inbox.page.evaluate(
      `Object.defineProperty(document, 'hidden', { value: ${state === 'hidden'}, configurable: true }); document.dispatchEvent(new Event('visibilitychange'))`,
    );
  await seen('hidden');
  await post(`${laptop.api}/emails`, { ...MAIL, subject: 'canary-subject, missed' }, authorised);
  await log.page.locator('.line', { hasText: 'email transferred' }).first().waitFor({ state: 'attached' });
  assert.equal(await inbox.page.getByRole('link', { name: 'missed' }).count(), 0);
  await seen('visible');
  await inbox.page.getByRole('link', { name: 'missed' }).waitFor();
  await log.page.getByPlaceholder('Show lines with').fill('email transferred');
  assert.equal(await log.page.locator('.line:visible', { hasText: 'upload session opened' }).count(), 0);
  assert.deepEqual([...inbox.complaints, ...log.complaints], []);
});

test('every page is accessible by day and by night, and fits a phone', { skip }, async () => {
  await post(
    `${laptop.api}/emails`,
    { ...MAIL, html: '<p>canary-body</p>', attachments: [{ filename: 'a.txt', content: 'YQ==' }] },
    authorised,
  );
  laptop.google.faults.script({ on: 'token', answer: 'invalid_grant' });
  await post(`${laptop.api}/emails`, MAIL, authorised);
  laptop.google.faults.script({ on: 'token', answer: 'invalid_grant', name: 'dead-grant' });
  const letter = `/mails/${laptop.google.mails.ids()[0]}`;
  const entry = `/ledger/${laptop.google.ledgerEntries()[0]?.['id']}`;
  await using opened = await open('/', { bypassCSP: true }); // the check itself is a script from elsewhere
  const { page, complaints } = opened;
  const found: string[] = [];
  for (const path of [...PLACES, letter, entry, '/nothing']) {
    const check = async (how: string, rules: string) => {
      const { violations } = (await page.evaluate(
        `axe.run(document, { iframes: false, preload: false, resultTypes: ["violations"], ${rules} })`,
      )) as {
        violations: { id: string; nodes: { target: string[] }[] }[];
      };
      for (const { id, nodes } of violations) found.push(`${path} ${how}: ${id} ${nodes.map(({ target }) => target).join(' ')}`);
    };
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.goto(pages.url + path);
    for (const summary of await page.locator('summary').all()) await summary.click();
    await page.addScriptTag({ path: AXE });
    await check('by day', '');
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize({ width: 390, height: 800 });
    await check('by night', "runOnly: ['color-contrast', 'target-size', 'scrollable-region-focusable']");
    const spill = Number(await page.evaluate('document.documentElement.scrollWidth - innerWidth'));
    if (spill > 0) found.push(`${path} is ${spill} pixels too wide for a phone`);
  }
  assert.deepEqual(found, []);
  assert.deepEqual(
    complaints.filter((one) => !one.includes('404')),
    [],
  ); // that one was asked for
});
