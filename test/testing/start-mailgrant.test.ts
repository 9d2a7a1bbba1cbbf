/** `mailgrant/testing` as another project's test uses it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { Resend } from 'resend';
import { NAMED_FAULTS } from '../../functions/fake-google/faults/named-faults.ts';
import { type Mailgrant, startMailgrant } from '../../functions/testing/start-mailgrant.ts';

const config = {
  mailboxes: { 'shop@example.com': { name: 'Shop', aliases: ['no-reply@example.com'] }, 'smtp@example.com': { via: 'smtp' } },
};

let laptop: Mailgrant;
before(async () => {
  laptop = await startMailgrant({ config, startTimeoutMs: 100_000 });
});
after(() => laptop?.stop());
beforeEach(async () => {
  await laptop.clearFaults();
  await laptop.inbox.delete();
});

const send = (change: object = {}, key?: string): Promise<Response> =>
  fetch(`${laptop.url}/emails`, {
    method: 'POST',
    headers: { authorization: `Bearer ${laptop.key}`, ...(key && { 'idempotency-key': key }) },
    body: JSON.stringify({ from: laptop.from, to: 'you@example.net', subject: 'Hello', text: 'There', ...change }),
  });

test('an app that is pointed to it sends, and the test waits for the email', async () => {
  const resend = new Resend(laptop.key, { baseUrl: laptop.url });
  const { error } = await resend.emails.send({
    from: laptop.from,
    to: 'ann@example.net',
    subject: 'Welcome',
    html: '<b>Hi</b>',
    text: 'Hi',
  });
  assert.equal(error, null);
  const email = await laptop.inbox.wait({ to: 'ann@example.net' });
  assert.deepEqual([email.Subject, email.From.Address, email.HTML.trim()], ['Welcome', 'shop@example.com', '<b>Hi</b>']);
  assert.match(await laptop.inbox.raw(email.ID), /^Subject: Welcome\r$/m);
});

test('it waits for what comes later, and for as many as are asked for', async () => {
  const waiting = laptop.inbox.wait({ subject: 'later', count: 2, timeoutMs: 20_000 });
  await send({ subject: 'not this one' });
  await send({ subject: 'Later 1' });
  await send({ subject: 'Later 2' });
  assert.equal((await waiting).Subject, 'Later 2');
  assert.deepEqual(
    (await laptop.inbox.list({ subject: 'later' })).map(({ Subject }) => Subject),
    ['Later 2', 'Later 1'],
  );
  assert.equal((await laptop.inbox.list()).length, 3);
});

test('what does not come is an error that says what came instead', async () => {
  await send({ to: 'bob@example.net', subject: 'For Bob' });
  await assert.rejects(laptop.inbox.wait({ to: 'ann@example.net', timeoutMs: 50 }), /within 50 ms[\s\S]*bob@example\.net: For Bob/);
});

test('one is deleted, and then all', async () => {
  await send({ subject: '1' });
  await send({ subject: '2' });
  const [newest] = await laptop.inbox.list();
  await laptop.inbox.delete(newest?.ID);
  assert.deepEqual(
    (await laptop.inbox.list()).map(({ Subject }) => Subject),
    ['1'],
  );
  await laptop.inbox.delete();
  assert.deepEqual(await laptop.inbox.list(), []);
});

test('a reply that is lost is asked for, and the email arrives once', async () => {
  await laptop.fault('lose-reply');
  assert.equal((await send()).status, 200);
  assert.equal((await laptop.inbox.list()).length, 1);
});

test('a fault that is always there is there until it is cleared', async () => {
  await laptop.fault('dead-grant', 'always');
  assert.deepEqual([(await send()).status, (await send()).status], [500, 500]);
  await laptop.clearFaults();
  assert.equal((await send()).status, 200);
});

for (const { name } of NAMED_FAULTS)
  test(`the fault ${name} can be ordered by its name`, async () => {
    await laptop.fault(name);
    const reply = await fetch(`${laptop.urls.google}/control/faults`);
    const { pending } = (await reply.json()) as { pending: { name: string }[] };
    assert.ok(pending.length > 0 && pending.every((one) => one.name === name));
  });

test('a fault that does not exist is refused with the names of those that do', async () => {
  await assert.rejects(laptop.fault('no-such-fault'), /expected one of lose-reply, /);
  await assert.rejects(laptop.fault({ on: 'nowhere' }), /on: expected one of/);
  await assert.rejects(laptop.fault({ name: 'lose-reply', status: 500 }), /times and standing only/);
});

test('two at once do not see each other’s emails', async () => {
  await using other = await startMailgrant({ config, startTimeoutMs: 100_000 });
  await send();
  assert.deepEqual([await other.inbox.list(), (await laptop.inbox.list()).length], [[], 1]);
  assert.notEqual(other.key, laptop.key);
});

test('what cannot start says why, and ends by itself', async () => {
  await assert.rejects(startMailgrant({ config: { mailboxes: { nobody: {} } } }), /mailboxes\.nobody/);
  await assert.rejects(startMailgrant({ config: '/nowhere/mailgrant.yaml' }), /nowhere/);
});

test('a test program that forgets to stop it, or is killed, leaves nothing behind', async (t) => {
  for (const end of ['', 'process.kill(process.pid, "SIGKILL")']) {
    const temporary = mkdtempSync(join(tmpdir(), 'mailgrant-'));
    const file = join(temporary, 'program.ts');
    const module = new URL('../../functions/testing/start-mailgrant.ts', import.meta.url);
    writeFileSync(
      file,
      `import { startMailgrant } from ${JSON.stringify(module.href)};
       const laptop = await startMailgrant({ config: ${JSON.stringify(config)}, startTimeoutMs: 100_000 });
       console.log(laptop.url); ${end}`,
    );
    const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, TMPDIR: temporary } });
    const output = await child.stdout.toArray(); // ends when every process that holds it is gone
    const url = Buffer.concat(output).toString().trim();
    const lives = (): Promise<boolean> =>
      fetch(url).then(
        () => true,
        () => false,
      );
    const left = (): string[] => readdirSync(temporary).filter((name) => /^mailgrant-(?!config)/.test(name));
    // The stack ends and tidies up by itself, in a process of its own: looked at again and again, for as long as a test may take.
    while (!t.signal.aborted && ((await lives()) || left().length > 0)) await new Promise((done) => setTimeout(done, 20));
    assert.deepEqual(left(), []);
  }
});

test('a program whose last statement is stop() ends well', async () => {
  const starter = new URL('../../functions/testing/start-mailgrant.ts', import.meta.url).href;
  const script = `const { startMailgrant } = await import('${starter}'); const laptop = await startMailgrant(); await laptop.stop(); console.log('stopped');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const printed = (await child.stdout.toArray()).join('');
  if (child.exitCode === null) await once(child, 'exit');
  assert.deepEqual([printed, child.exitCode], ['stopped\n', 0]);
});
