/** Each way by which an email comes in: the pages say of it what became of it, whatever its Message-ID is. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createTransport } from 'nodemailer';
import { Resend } from 'resend';
import { compileConfig } from '../../functions/config/compile-config.ts';
import { type Stack, startStack } from '../../functions/dev/stack.ts';
import { hasDjango, runDjango } from '../support/programs/django.ts';
import { appAt, documentHeaders } from '../support/stack/documents.ts';
import { MAIL, MAILBOX } from '../support/stack/laptop.ts';
import { formTo } from '../support/stack/pages-of.ts';
import { sidecarFor } from '../support/stack/sidecar.ts';

for (const via of ['api', 'smtp']) {
  let folder: string;
  let stack: Stack;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
    mkdirSync(join(folder, 'templates'));
    writeFileSync(join(folder, 'templates/any.hbs'), '---\nsubject: An event\n---\n<p>It came.</p>\n');
    const file = join(folder, 'mailgrant.yaml');
    const routes = { builds: { topic: 'builds', from: MAILBOX, to: ['you@example.net'], template: 'any' } };
    const documents = { collection: 'mail', from: [MAILBOX] };
    writeFileSync(file, JSON.stringify({ mailboxes: { [MAILBOX]: { via } }, routes, documents }));
    const { config, module } = compileConfig(file);
    stack = await startStack({
      config,
      routes: module,
      folder: join(folder, 'kept'),
      ports: { api: 0, worker: 0, hooks: 0, google: 0, inbox: 0, smtp: 0, smtps: 0 },
      deadlineSeconds: 60,
      onLine: () => {},
    });
  });
  after(async () => {
    await stack?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  const ownId = '<order-7@shop.example>';
  const raw = (id: string): string =>
    `From: ${MAILBOX}\r\nTo: you@example.net\r\nSubject: raw\r\nMessage-ID: ${id}\r\nDate: Tue, 24 Nov 2026 08:00:00 +0000\r\n\r\nHi\r\n`;
  const key = () => ({ authorization: `Bearer ${stack.key}` });
  const WAYS: Readonly<Record<string, () => Promise<unknown>>> = {
    'the SDK': async () => {
      const { error } = await new Resend(stack.key, { baseUrl: stack.functions.api.url }).emails.send(MAIL);
      assert.equal(error, null);
    },
    'a raw message with a Message-ID of its own': async () => {
      const headers = { ...key(), 'content-type': 'message/rfc822' };
      const reply = await fetch(`${stack.functions.api.url}/v1/raw`, { method: 'POST', headers, body: raw(ownId) });
      assert.equal(reply.status, 200);
    },
    Django: () => runDjango('bcc_only', { URL: stack.functions.api.url, KEY: stack.key, GOOGLE: stack.google.url }),
    'the sidecar': async () => {
      await using sidecar = await sidecarFor(stack.functions.api.url);
      const transport = createTransport({ host: '127.0.0.1', port: sidecar.port, ignoreTLS: true, auth: { user: 'any', pass: stack.key } });
      await transport.sendMail({ from: MAILBOX, to: 'you@example.net', subject: 'by SMTP', text: 'Hi', messageId: '<own@shop.example>' });
      transport.close();
    },
    'Pub/Sub': () => formTo(stack.inbox, '/events', { to: 'mails', data: JSON.stringify(MAIL) }),
    'a route': () => formTo(stack.inbox, '/events', { to: 'builds', data: '{"id":"1"}' }),
    'a document': async () => {
      await appAt(stack.google.url, stack.google).put('mail/one', {
        to: ['you@example.net'],
        from: MAILBOX,
        message: { subject: 'doc', text: 'Hi' },
      });
      const reply = await fetch(`${stack.functions.worker.url}/documents`, {
        method: 'POST',
        headers: documentHeaders('mail/one'),
        body: 'x',
      });
      assert.equal(reply.status, 204);
    },
  };
  for (const [way, send] of Object.entries(WAYS)) {
    const skip = way === 'Django' && !hasDjango() ? "Debian's python3-django" : false;
    test(`via ${via}, by ${way}: the inbox, the email's page and the ledger agree that it was sent and arrived`, { skip }, async () => {
      const { inbox } = stack.inbox;
      await inbox.remove();
      const known = new Set(stack.google.ledgerEntries().map(({ id }) => id));
      await send();
      const email = await inbox.wait('', 1, 20_000);
      assert.ok(email);
      const fresh = () => stack.google.ledgerEntries().filter(({ id }) => !known.has(id));
      while (fresh()[0]?.['state'] !== 'sent') await new Promise((done) => setImmediate(done)); // Gmail has it a moment before the ledger says so
      const [entry] = fresh();
      assert.deepEqual([fresh().length, stack.google.mailsOf(entry ?? {})], [1, [email.id]]);
      assert.equal(stack.google.ledgerEntryOf(email)?.['id'], entry?.['id']);
      const page = async (path: string): Promise<string> => (await fetch(stack.inbox.url + path)).text();
      const row = new RegExp(`id="letter-${email.id}"[\\s\\S]*?</li>`).exec(await page('/'))?.[0] ?? '';
      assert.match(row, /class="state sent"/);
      const alone = await page(`/mails/${email.id}`);
      assert.match(alone, new RegExp(`href="/ledger/${String(entry?.['id'])}"`));
      assert.doesNotMatch(alone, /not in the ledger/);
      const told = await page(`/ledger/${String(entry?.['id'])}`);
      assert.match(told, new RegExp(`<dt>Arrived</dt><dd><a href="/mails/${email.id}">`));
    });
  }
}
