import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startMailgrant } from 'mailgrant/testing';
import { chromium } from 'playwright-core';
import { startApp } from './app.js';

let mailgrant;
let app;
let browser;
before(async () => {
  mailgrant = await startMailgrant({ config: { mailboxes: { 'shop@example.com': {} } } });
  app = await startApp(mailgrant);
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
});
after(async () => {
  await browser?.close();
  app?.stop();
  await mailgrant?.stop();
});

test('somebody signs up in the browser, and confirms by the link in the email', async () => {
  const page = await browser.newPage();
  await page.goto(app.url);
  await page.getByLabel('Email').fill('ann@example.net');
  await page.getByRole('button', { name: 'Sign up' }).click();
  await page.getByText('Look into your inbox').waitFor();
  const email = await mailgrant.inbox.wait({ to: 'ann@example.net', subject: 'Confirm' });
  const [, link] = /href="([^"]+)"/.exec(email.HTML);
  await page.goto(link);
  assert.equal(await page.locator('h1').textContent(), 'Confirmed');
});

test('when the grant of the mailbox is dead, the page says so', async () => {
  await mailgrant.fault('dead-grant', 'always');
  const page = await browser.newPage();
  await page.goto(app.url);
  await page.getByLabel('Email').fill('bob@example.net');
  await page.getByRole('button', { name: 'Sign up' }).click();
  assert.equal(await page.locator('h1').textContent(), 'Try again later');
});
