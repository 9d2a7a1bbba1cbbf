/** `node test/bench/kept.ts [N]`: what an email costs the local stack as it keeps more and more of them, by thousands. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../functions/config/load-config.ts';
import { startStack } from '../../functions/dev/stack.ts';

const ALL = Number(process.argv[2] ?? 50_000);
const STEP = Math.max(1, Math.floor(ALL / 10));
const AT_ONCE = 8;

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
try {
  for (let until = STEP; until <= ALL; until += STEP) {
    const began = performance.now();
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        while (sent < until - AT_ONCE + 1) await one();
      }),
    );
    while (sent < until) await one();
    const ms = performance.now() - began;
    const looked = performance.now();
    for (const path of ['/', '/ledger', '/api/v1/messages', '/api/v1/search?query=subject:Gr%C3%BC%C3%9Fe&limit=10'])
      await (await fetch(stack.inbox.url + path)).arrayBuffer();
    console.log(
      `${String(sent).padStart(6)} kept: ${(ms / STEP).toFixed(2)} ms an email, ${Math.round((STEP / ms) * 1_000)} a second; a look at inbox, ledger, list and a search: ${Math.round(performance.now() - looked)} ms`,
    );
  }
} finally {
  await stack[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
}
