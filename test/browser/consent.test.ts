import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { chromium, type Page } from 'playwright-core';
import { listen } from '../../functions/fake-google/http/server.ts';
import { longTest } from '../support/deep.ts';
import { CHROMIUM_ARGS, chromiumPath } from '../support/programs/chromium.ts';
import { skipUnless } from '../support/programs/emulators.ts';
import { authorised, type Laptop, MAIL, MAILBOX, PROJECT, post, SECRET, startLaptop } from '../support/stack/laptop.ts';

const browserPath = chromiumPath();
const skip = skipUnless(browserPath !== undefined, 'chromium');

/** Runs `authorize` with a browser of ours, which is given to `visit`; answers how it ended and all it printed. */
async function authorizeIn(laptop: Laptop, visit: (page: Page) => Promise<void>) {
  const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
  const config = join(folder, 'mailgrant.yaml');
  const client = join(folder, 'client.json');
  writeFileSync(config, `mailboxes: { ${MAILBOX}: { secret: ${SECRET} } }\n`);
  writeFileSync(client, JSON.stringify(laptop.google.clients.file('installed')));

  await using browser = await chromium.launch({ executablePath: browserPath as string, args: CHROMIUM_ARGS, timeout: 300_000 });
  let visiting: Promise<unknown> = Promise.resolve();
  await using opened = await listen(0, async ({ body }) => {
    const page = await browser.newPage();
    await page.goto(body.toString());
    visiting = visit(page).then(
      () => null,
      (error: unknown) => {
        child.kill(); // nobody will consent any more
        return error;
      },
    );
    return { status: 200 };
  });
  const child = spawn(process.execPath, ['functions/cli/main.ts', 'authorize', MAILBOX, '--client', client, '--config', config], {
    env: {
      ...process.env,
      MAILGRANT_GOOGLE_URL: laptop.google.url,
      GOOGLE_CLOUD_PROJECT: PROJECT,
      BROWSER: `${process.execPath} ${resolve('test/support/programs/opener.ts')} ${opened.url}`,
    },
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      printed += chunk;
    });
  const status = await new Promise((done) => child.once('close', done));
  assert.ifError(await visiting);
  return { status, printed };
}

test('from a dead grant through authorize and a real browser to an email that is sent', { skip }, async () => {
  await using laptop = await startLaptop({ google: { accounts: [MAILBOX, 'sales@example.com'] } });
  laptop.google.oauth.revoke(MAILBOX);
  const before = await post(`${laptop.api}/emails`, MAIL, authorised);
  assert.deepEqual([before.status, laptop.google.mails.count()], [500, 0]);

  const { status, printed } = await authorizeIn(laptop, async (page) => {
    assert.equal(await page.getByRole('radio', { name: MAILBOX }).isChecked(), true); // by login_hint
    await page.getByRole('checkbox', { name: 'Send email on your behalf' }).check();
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.getByRole('heading', { name: `mailgrant may send as ${MAILBOX}` }).waitFor();
  });
  assert.equal(status, 0, printed);
  assert.match(printed, /version 2 of the secret/);
  assert.doesNotMatch(printed, /canary/);

  const sent = await post(`${laptop.api}/emails`, MAIL, authorised);
  assert.equal(sent.status, 200, JSON.stringify(sent.body));
  const [mail] = laptop.google.mails.list();
  assert.deepEqual([laptop.google.mails.count(), mail?.mailbox, mail?.recipients], [1, MAILBOX, [MAIL.to]]);
});

longTest('who overlooks the box, or picks another account, reads so in the browser', { skip }, async () => {
  await using laptop = await startLaptop({ google: { accounts: [MAILBOX] } });
  const overlooked = await authorizeIn(laptop, async (page) => {
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.getByText('tick the Gmail permission').waitFor();
  });
  const other = await authorizeIn(laptop, async (page) => {
    await page.getByRole('radio', { name: 'Another account' }).check();
    await page.getByLabel('Its address').fill('me@example.net');
    await page.getByRole('checkbox').check();
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.getByText('me@example.net consented').waitFor();
  });
  assert.deepEqual([overlooked.status, other.status], [1, 1]);
  assert.match(overlooked.printed, /^scope_missing: /m);
  assert.match(other.printed, /^account_mismatch: /m);
  assert.doesNotMatch(overlooked.printed + other.printed, /canary/);
});
