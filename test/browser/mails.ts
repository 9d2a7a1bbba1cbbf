/**
 * `node test/browser/mails.ts FOLDER`: every golden mail as people see it, at phone and desktop width, light and dark, as
 * pictures in FOLDER to look at. Says what is wider than its screen.
 */
import { mkdirSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { CHROMIUM_ARGS, chromiumPath } from '../support/programs/chromium.ts';

const folder = process.argv[2] ?? 'mails';
const GOLDENS = resolve('test/notify/goldens');
mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({ executablePath: chromiumPath() ?? 'chromium', args: CHROMIUM_ARGS });
for (const file of readdirSync(GOLDENS).filter((name) => name.endsWith('.html')))
  for (const [screen, width] of [
    ['phone', 390],
    ['desktop', 1000],
  ] as const)
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await browser.newPage({ viewport: { width, height: 700 }, colorScheme });
      await page.goto(pathToFileURL(join(GOLDENS, file)).href);
      const wide = await page.evaluate('document.documentElement.scrollWidth');
      if (Number(wide) > width) console.log(`${file}: ${wide} px on a ${screen} of ${width}`);
      await page.screenshot({ path: join(folder, `${file.replace('.html', '')}-${screen}-${colorScheme}.png`), fullPage: true });
      await page.close();
    }
await browser.close();
