/** What waits for a person: the ledger's page decides as the command does. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { compileConfig } from '../../functions/config/compile-config.ts';
import { type Stack, startStack } from '../../functions/dev/stack.ts';
import { readFaultOrder } from '../../functions/fake-google/faults/named-faults.ts';
import { MAIL, MAILBOX, post } from '../support/stack/laptop.ts';
import { formTo } from '../support/stack/pages-of.ts';

let folder: string;
let stack: Stack;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
  const configFile = join(folder, 'mailgrant.yaml');
  writeFileSync(configFile, `mailboxes: { ${MAILBOX}: {} }\n`);
  const { config, module } = compileConfig(configFile);
  stack = await startStack({
    config,
    configFile,
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

async function failed(fault: string): Promise<{ id: string; page: string }> {
  const order = readFaultOrder({ name: fault, standing: true });
  if (typeof order !== 'string') stack.google.faults.script(...order);
  await post(`${stack.functions.api.url}/emails`, MAIL, { authorization: `Bearer ${stack.key}` });
  stack.google.faults.clear();
  const id = String(stack.google.ledgerEntries(1)[0]?.['id']);
  return { id, page: await (await fetch(`${stack.inbox.url}/ledger/${id}`)).text() };
}

test('an email whose session is gone says that Gmail can no longer be asked, and nothing that contradicts it', async () => {
  const { page } = await failed('never-known');
  const told = page.replace(/^[\s\S]*<div id="entry"|<section aria-labelledby="decide">[\s\S]*$/g, '');
  assert.match(told, /can no longer be asked/);
  assert.doesNotMatch(told, /Gmail is asked before anything is sent again/);
});

test('it is dropped by its button, and then there is none', async () => {
  const { id, page } = await failed('never-known');
  assert.match(page, /value="drop"/);
  const answer = await (await formTo(stack.inbox, '/ledger', { id, do: 'drop' })).text();
  assert.match(answer, /It is dropped/);
  assert.deepEqual([stack.google.ledgerEntry(id)?.['state'], stack.google.ledgerEntry(id)?.['code']], ['failed', 'dropped']);
});

test('it is let go by its button, and goes out when its caller sends it again', async () => {
  const { id, page } = await failed('dead-grant');
  assert.match(page, /value="resend"/);
  const answer = await (await formTo(stack.inbox, '/ledger', { id, do: 'resend' })).text();
  assert.match(answer, /It is released/);
  assert.equal(stack.google.ledgerEntry(id)?.['state'], 'waiting');
});

for (const fields of [{}, { id: 'x', do: 'drop' }, { id: '0'.repeat(36), do: 'explode' }])
  test(`${JSON.stringify(fields)} decides nothing`, async () => {
    const before = stack.google.ledgerEntries();
    assert.equal((await formTo(stack.inbox, '/ledger', fields as Record<string, string>)).status, 303);
    assert.deepEqual(stack.google.ledgerEntries(), before);
  });
