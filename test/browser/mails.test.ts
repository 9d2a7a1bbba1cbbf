/** No email is wider than the screen it is read on, whatever its event holds. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Browser, chromium } from 'playwright-core';
import { mailOf } from '../../functions/notify/event-email.ts';
import { routeNamed } from '../../functions/notify/handle-event.ts';
import { CHROMIUM_ARGS, chromiumPath } from '../support/programs/chromium.ts';
import { skipUnless } from '../support/programs/emulators.ts';
import { cases, compileShipped } from '../support/stack/samples.ts';

const browserPath = chromiumPath();
const skip = skipUnless(browserPath !== undefined, 'chromium');
let browser: Browser;
before(async () => {
  if (!skip) browser = await chromium.launch({ executablePath: browserPath as string, args: CHROMIUM_ARGS, timeout: 300_000 });
});
after(() => browser?.close());

/** Every text of an event without a place to break it, and names of fields too: 80 letters in a row. */
function lengthen(value: unknown): unknown {
  const long = (text: string): string => `${text}${'m'.repeat(80)}`;
  if (typeof value === 'string') return /^[\d.:TZ-]+$|^[A-Za-z_]{1,12}$/.test(value) ? value : long(value);
  if (Array.isArray(value)) return value.map((one) => lengthen(one));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [
      name,
      name === 'labels' ? { ...(lengthen(one) as object), [long('label_')]: long('value') } : lengthen(one),
    ]),
  );
}

for (const width of [360, 1_000])
  test(`at ${width} pixels nothing has to be scrolled sideways`, { skip }, async () => {
    const compiled = await compileShipped();
    const page = await browser.newPage({ viewport: { width, height: 700 } });
    for (const { name, template, data, attributes, digest } of cases())
      for (const event of [data, lengthen(JSON.parse(JSON.stringify(data)))]) {
        const { html } = mailOf(compiled, routeNamed(template, compiled), { data: JSON.parse(JSON.stringify(event)), attributes }, digest);
        await page.setContent(String(html));
        assert.ok(Number(await page.evaluate('document.documentElement.scrollWidth')) <= width, name);
      }
    await page.close();
  });
