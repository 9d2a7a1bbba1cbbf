/**
 * `npm run screenshots`: the pictures of the README. The laptop's pages from a stack of its own with emails of its own, and a mail's way.
 * `-- --all DIR` takes every page instead, at a phone's, a tablet's and a desk's width, by day and by night: for looking at them.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Browser, chromium, type Page } from 'playwright-core';
import { loadConfig } from '../../functions/config/load-config.ts';
import { type Stack, startStack } from '../../functions/dev/stack.ts';
import { CHROMIUM_ARGS, chromiumPath } from '../support/programs/chromium.ts';
import { flowSvg } from './flow.ts';

const { values } = parseArgs({ options: { all: { type: 'string' }, folder: { type: 'string', default: 'docs' } } });
const WIDTHS = [390, 820, 1280];
const SCHEMES = ['light', 'dark'] as const;

const MAILS = [
  {
    to: 'ada@example.net',
    subject: 'Welcome to Example',
    text: 'Good to have you here.',
    html: '<h1>Welcome, Ada</h1><p>Good to have you here.</p>',
  },
  {
    to: 'grace@example.net',
    subject: 'Your invoice 2026-117',
    headers: { 'X-Tags': 'invoice' },
    text: 'Please find it attached.',
    attachments: [{ filename: 'invoice-2026-117.pdf', content: Buffer.from('%PDF-1.4 none').toString('base64') }],
  },
  {
    to: 'edsger@example.net',
    cc: 'office@example.com',
    subject: 'Grüße: your order is on its way',
    text: 'Your order left us today.\n\nTrack it: https://shop.example.com/track/1f3a',
    html: '<div style="font:16px/1.5 sans-serif;max-width:34rem"><h1 style="color:#0f6b64">Your order is on its way</h1><p>Dear Edsger,</p><p>your order <b>left us today</b> and should be with you on Thursday.</p><p><a href="https://shop.example.com/track/1f3a" style="background:#0f6b64;color:#fff;padding:.6rem 1rem;border-radius:.4rem;text-decoration:none">Track it</a></p><p style="color:#667">Example GmbH, Musterstraße 1</p></div>',
  },
];

async function fill(stack: Stack): Promise<void> {
  const send = (mail: object): Promise<Response> =>
    fetch(`${stack.functions.api.url}/emails`, {
      method: 'POST',
      headers: { authorization: `Bearer ${stack.key}` },
      body: JSON.stringify({ from: 'notices@example.com', ...mail }),
    });
  const [welcome, invoice, order] = MAILS;
  if (values.all) await send({ ...invoice, subject: 'Your invoice\u202Efdp.exe', headers: { 'X-Tags': 'invoice, odd' } });
  await send(welcome ?? {});
  stack.google.faults.script({ on: 'open', answer: 'daily_limit' });
  await send(invoice ?? {});
  stack.google.faults.script({ on: 'token', answer: 'invalid_grant' });
  await send(invoice ?? {});
  await send(invoice ?? {});
  stack.google.faults.script({ on: 'transfer', reset: 'after', name: 'lose-reply' });
  await send(order ?? {});
  stack.google.faults.script({ on: 'transfer', reset: 'after', name: 'lose-reply', standing: true });
}

const PLACES = ['/', '/write', '/ledger', '/faults', '/events', '/log'];

async function take(browser: Browser, url: string, width: number, colorScheme: 'light' | 'dark', path: string, file: string, height = 800) {
  await using context = await browser.newContext({ viewport: { width, height }, colorScheme, deviceScaleFactor: 1 });
  const page: Page = await context.newPage();
  await page.goto(url + path);
  await page.screenshot({ path: file, fullPage: values.all !== undefined });
}

const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
const stack = await startStack({
  config: loadConfig('config/mailgrant.yaml'),
  folder,
  sources: { api: 'functions/api.ts', worker: 'functions/worker.ts', hooks: 'functions/hooks.ts' },
  ports: { api: 0, worker: 0, hooks: 0, google: 0, inbox: 0, smtp: 0, smtps: 0 },
  deadlineSeconds: 10,
  onLine: () => {},
});
const browser = await chromium.launch({ executablePath: chromiumPath() ?? '', args: CHROMIUM_ARGS });
try {
  await fill(stack);
  const { url } = stack.inbox;
  const letter = `/mails/${stack.google.mails.ids()[0]}`;
  const entry = `/ledger/${stack.google.ledgerEntries().find(({ code }) => code === 'grant_revoked')?.['id']}`;
  if (values.all) {
    mkdirSync(values.all, { recursive: true });
    for (const path of [...PLACES, letter, `${letter}/check`, entry])
      for (const width of WIDTHS)
        for (const scheme of SCHEMES)
          await take(
            browser,
            url,
            width,
            scheme,
            path,
            join(
              values.all,
              `${path.split('/')[1] || 'inbox'}${['', '', '', '-one', '-check'][path.split('/').length]}-${width}-${scheme}.png`,
            ),
          );
  } else {
    writeFileSync(join(values.folder, 'flow.svg'), flowSvg());
    await take(browser, url, 1_000, 'light', letter, join(values.folder, 'laptop-mail.png'), 640);
    await take(browser, url, 1_000, 'light', '/faults', join(values.folder, 'laptop-faults.png'), 640);
  }
} finally {
  await browser.close();
  await stack[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
}
