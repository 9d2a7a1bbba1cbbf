import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { chromium } from 'playwright-core';
import { CHROMIUM_ARGS, chromiumPath } from '../support/programs/chromium.ts';
import { skipUnless } from '../support/programs/emulators.ts';
import { PAGES } from '../support/stack/pages.ts';
import { flowSvg } from './flow.ts';

test('the picture of an email’s way is the one that its script makes (else: npm run screenshots)', () => {
  assert.equal(readFileSync('docs/flow.svg', 'utf8'), flowSvg());
});

test('no word of it leaves its box', { skip: skipUnless(chromiumPath() !== undefined, 'chromium') }, async () => {
  const browser = await chromium.launch({ executablePath: chromiumPath() as string, args: CHROMIUM_ARGS, timeout: 300_000 });
  try {
    const page = await browser.newPage();
    await page.setContent(flowSvg());
    const outside: (string | null)[] = [];
    for (const box of await page.locator('.box').all()) {
      const edge = await box.locator('rect').boundingBox();
      for (const text of await box.locator('text').all()) {
        const words = await text.boundingBox();
        if (!edge || !words || words.x + words.width > edge.x + edge.width - 8) outside.push(await text.textContent());
      }
    }
    assert.deepEqual(outside, []);
  } finally {
    await browser.close();
  }
});

test('each picture is shown by a page, or linked', () => {
  const pages = PAGES.map((page) => readFileSync(page, 'utf8')).join('\n');
  for (const name of ['flow.svg', 'laptop-mail.png', 'laptop-faults.png', 'performance.svg']) assert.ok(pages.includes(name), name);
});
