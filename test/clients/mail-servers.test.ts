/** Debian's mail servers in front of the sidecar, with the settings of docs/sidecar.md: answers, split messages, bounces. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { createTransport } from 'nodemailer';
import { skipUnless } from '../support/programs/emulators.ts';
import { hasDaemon, startMailServer } from '../support/programs/mail-servers.ts';
import { KEY, type Laptop, MAILBOX, startLaptop } from '../support/stack/laptop.ts';
import { sidecarFor } from '../support/stack/sidecar.ts';

let laptop: Laptop;
let sidecar: Awaited<ReturnType<typeof sidecarFor>>;
before(async () => {
  laptop = await startLaptop();
  sidecar = await sidecarFor(laptop.api);
});
after(async () => {
  await sidecar[Symbol.asyncDispose]();
  await laptop[Symbol.asyncDispose]();
});
beforeEach(() => laptop.google.mails.clear());
const mails = () => laptop.google.mails.list();

/** Hands a message to the mail server, as an app would. */
async function submit(port: number, to: readonly string[], header = 'X-App: test'): Promise<void> {
  const transport = createTransport({ host: '127.0.0.1', port, ignoreTLS: true });
  const head = [`From: ${MAILBOX}`, `To: ${to.join(',\r\n ')}`, 'Subject: canary-subject', header];
  await transport.sendMail({ envelope: { from: MAILBOX, to: [...to] }, raw: `${head.join('\r\n')}\r\n\r\ncanary-body\r\n` });
  transport.close();
}

const people = Array.from({ length: 120 }, (_, n) => `you${n}@example.net`);
/** What each splits by when it is told nothing, or a little less, and without its bounces' sender. */
const UNTOLD = {
  Exim: (settings: string) => settings.replace('max_rcpt = 500', 'max_rcpt = 60').replace(/^dsn_from.*$/m, ''),
  Postfix: (settings: string) => settings.replace(/^smtp_(destination_recipient_limit|generic_maps).*$/gm, ''),
};
/** The function refuses it, and the mail server writes a bounce to the sender. */
const REFUSED = 'X-App: ä';

for (const name of ['Exim', 'Postfix'] as const) {
  const skip = skipUnless(hasDaemon(name), `Debian's ${name} (as root)`);

  test(`${name} sends 120 recipients in one message, and its bounces as the mailbox`, { skip }, async () => {
    await using server = await startMailServer(name, sidecar.port, KEY);
    await submit(server.port, people);
    await server.emptied(1);
    assert.deepEqual(
      mails().map(({ recipients }) => recipients.toSorted()),
      [people.toSorted()],
    );
    await submit(server.port, people.slice(0, 1), REFUSED);
    await server.emptied(3);
    assert.deepEqual(
      mails()
        .map(({ recipients }) => recipients.length)
        .toSorted(),
      [1, 120],
    );
    assert.ok(mails().some(({ recipients }) => recipients[0] === MAILBOX));
  });

  test(`${name} that splits a message has sent one email to all`, { skip }, async () => {
    await using server = await startMailServer(name, sidecar.port, KEY, UNTOLD[name]);
    const before = sidecar.lines.length;
    await submit(server.port, people);
    await server.emptied(1);
    const parts = sidecar.lines.slice(before).map((line) => JSON.parse(line) as { smtp: number; id: string });
    assert.ok(parts.length > 1);
    assert.deepEqual([new Set(parts.map(({ smtp }) => smtp)), new Set(parts.map(({ id }) => id)).size], [new Set([250]), 1]);
    assert.deepEqual(
      mails().map(({ recipients }) => recipients.toSorted()),
      [people.toSorted()],
    );
  });

  test(`${name} whose bounces are not from the mailbox is told what to set`, { skip }, async () => {
    await using server = await startMailServer(name, sidecar.port, KEY, UNTOLD[name]);
    await submit(server.port, people.slice(0, 1), REFUSED);
    await server.emptied(2);
    assert.match(server.log(), /550 5\.7\.1 This is a bounce \(empty sender\)/);
    assert.equal(mails().length, 0);
  });
}
