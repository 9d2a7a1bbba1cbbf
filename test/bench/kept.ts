/** `node test/bench/kept.ts [N]`: what an email costs the local stack, and what a look does, as it keeps more and more of them. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { loadConfig } from '../../functions/config/load-config.ts';
import { startStack } from '../../functions/dev/stack.ts';

const ALL = Number(process.argv[2] ?? 50_000);
const STEP = Math.max(1, Math.floor(ALL / 10));
const AT_ONCE = 8;
const SENT = 400;

const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
const file = join(folder, 'mailgrant.yaml');
writeFileSync(file, 'mailboxes: { notices@example.com: { limits: { perDay: 1000000, perMinute: 1000000 } } }\n');
const stack = await startStack({
  config: loadConfig(file),
  folder: join(folder, 'kept'),
  ports: { api: 0, worker: 0, hooks: 0, google: 0, inbox: 0, smtp: 0, smtps: 0 },
  deadlineSeconds: 10,
  onLine: () => {},
});
const body = JSON.stringify({ from: 'notices@example.com', to: 'you@example.net', subject: 'Grüße', text: 'It works.' });
let sent = 0;
const one = async (): Promise<void> => {
  const reply = await fetch(`${stack.functions.api.url}/emails`, {
    method: 'POST',
    headers: { authorization: `Bearer ${stack.key}` },
    body,
  });
  await reply.arrayBuffer();
  if (reply.status !== 200) throw new Error(`email ${sent}: ${reply.status}`);
  sent++;
};
/** Keeps so many more: copies of an email that was sent, and of its entry in the ledger. */
function keep(more: number): void {
  const [mail] = stack.google.mails.after(0, 1);
  const ledger = new DatabaseSync(join(stack.folder, 'ledger.sqlite'), { timeout: 5_000 });
  const [row] = ledger.prepare("SELECT name, fields FROM documents WHERE name LIKE '%/documents/mails/%' LIMIT 1").all();
  const insert = ledger.prepare('INSERT INTO documents VALUES (?, ?, ?)');
  ledger.exec('BEGIN');
  for (let n = 0; n < more; n++) {
    const id = randomUUID();
    const raw = Buffer.from(String(mail?.raw).replace(/^Message-ID: <[^@]+/im, `Message-ID: <${id}`));
    const { id: gmailId } = stack.google.mails.deliver(mail?.mailbox ?? '', raw, mail?.recipients ?? []);
    const fields = String(row?.['fields']).replaceAll(mail?.id ?? '', gmailId);
    insert.run(String(row?.['name']).replace(/[^/]+$/, id), fields, new Date().toISOString());
  }
  ledger.exec('COMMIT');
  ledger.close();
}

try {
  await Promise.all(Array.from({ length: 200 }, one)); // warm
  for (let kept = 0; kept <= ALL; kept += STEP) {
    if (kept > 0) keep(STEP - SENT);
    await stack.inbox.inbox.totals(); // what nobody has looked at yet is read now
    const [began, used] = [performance.now(), process.cpuUsage()];
    for (let n = 0; n < SENT / AT_ONCE; n++) await Promise.all(Array.from({ length: AT_ONCE }, one));
    const ms = performance.now() - began;
    const { user, system } = process.cpuUsage(used); // of the fake Google and the pages: where emails are kept
    await stack.inbox.inbox.totals();
    const looked = performance.now();
    for (const path of ['/', '/ledger', '/api/v1/messages']) await (await fetch(stack.inbox.url + path)).arrayBuffer();
    const look = performance.now() - looked;
    await (await fetch(`${stack.inbox.url}/api/v1/search?query=works&limit=10`)).arrayBuffer();
    console.log(
      `${String(stack.google.mails.count()).padStart(6)} kept: ${(ms / SENT).toFixed(2)} ms an email, ${((user + system) / 1_000 / SENT).toFixed(2)} ms of processor time where they are kept; inbox, ledger and list ${Math.round(look)} ms, a search of all bodies ${Math.round(performance.now() - looked - look)} ms`,
    );
  }
} finally {
  await stack[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
}
