/** Programs that compose their email anew for each try: two emails, unless the email has a name or its content is compared. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { simpleParser } from 'mailparser';
import { sampled } from '../support/deep.ts';
import { onPath, skipUnless } from '../support/programs/emulators.ts';
import { KEY, MAILBOX, startLaptop } from '../support/stack/laptop.ts';
import { blocksOf } from '../support/stack/pages.ts';
import { sidecarFor } from '../support/stack/sidecar.ts';
import { CLIENTS } from './programs.ts';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
const FILE = join(folder, 'ü.bin');
writeFileSync(FILE, Buffer.from(Array.from({ length: 10_240 }, (_, n) => n % 251)));

const NAMES = [
  'Django, its own backend',
  'Python smtplib',
  'nodemailer',
  'Rails Action Mailer',
  'PHPMailer (WordPress)',
  'Symfony Mailer (Laravel)',
];
const MODES = [
  { mode: 'as it comes', itsKey: '', sameContentMs: 0, emails: 2 },
  { mode: 'with a key of its own', itsKey: 'order/7', sameContentMs: 0, emails: 1 },
  { mode: 'with --same-content', itsKey: '', sameContentMs: 3_600_000, emails: 1 },
];

for (const name of sampled(NAMES, 2)) {
  const client = CLIENTS.find((one) => one.name === name && one.way === 'SMTP');
  const [program = '', ...args] = client?.command ?? [];
  const present = client?.installed?.() ?? (program === process.execPath || onPath(program));
  test(`${name} that runs twice`, { skip: skipUnless(present, name) }, async (t) => {
    for (const { mode, itsKey, sameContentMs, emails } of MODES)
      await t.test(`${mode}: ${emails}`, async () => {
        await using laptop = await startLaptop();
        await using sidecar = await sidecarFor(laptop.api, { sameContentMs });
        const told = (language: string): string =>
          (blocksOf('docs/sidecar.md').find((block) => block.language === language)?.code ?? '').replace('2525', String(sidecar.port));
        const env = {
          ...process.env,
          ...{ SMTP_PORT: String(sidecar.port), KEY, MAILGRANT_KEY: KEY, API: laptop.api, FROM: MAILBOX, SUBJECT: 'canary-subject', FILE },
          ...{ RAILS: told('ruby'), WORDPRESS: told('php'), LC_ALL: 'C.UTF-8', ...(itsKey && { ITS_KEY: itsKey }) },
        };
        for (let n = 0; n < 2; n++) await run(program, args, { env });
        const mails = laptop.google.mails.list();
        assert.equal(mails.length, emails);
        for (const { raw } of mails) {
          const { attachments, text, messageId, date } = await simpleParser(raw);
          assert.deepEqual([attachments.map(({ size }) => size), text?.trim(), Boolean(messageId && date)], [[10_240], 'Grüße', true]);
          assert.doesNotMatch(raw.toString('latin1'), /idempotency/i);
        }
      });
  });
}
