/** `npm start` as a new user runs it: its own process, its own ports, the printed command pasted into a shell. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '../../functions/dev/function-process.ts';
import { longTest } from '../support/deep.ts';

const shell = promisify(execFile);

// A test that fails does not stop its stack, and whoever still runs keeps this process from ending.
const running = new Set<ChildProcess>();
afterEach(async () => {
  const left = [...running].filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
  running.clear();
  await Promise.all(left.map((child) => stop(child, new Promise((done) => child.once('exit', done)))));
});

/** Starts the stack and reads what it prints until the last line of its welcome. */
async function start(folder: string, ...args: string[]) {
  const child = spawn(
    process.execPath,
    [
      'functions/cli/main.ts',
      'dev',
      '--folder',
      folder,
      '--api',
      '0',
      '--worker',
      '0',
      '--inbox',
      '0',
      '--google',
      '0',
      '--smtp',
      '0',
      '--smtps',
      '0',
      '--deadline',
      '60', // no test depends on speed
      ...args,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  running.add(child);
  const lines: string[] = [];
  let welcome: () => void = () => {};
  const ready = new Promise<void>((done) => {
    welcome = done;
  });
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      if (line.startsWith('Ctrl-C')) welcome();
    });
  const ended = new Promise<number | string | null>((done) => child.once('exit', (code, signal) => done(code ?? signal)));
  await Promise.race([ready, ended]);
  const url = (name: string): string => new RegExp(`^ {2}${name} +(http\\S+)`, 'm').exec(lines.join('\n'))?.[1] ?? '';
  return { child, lines, ended, url, text: () => lines.join('\n'), stop: () => stop(child, ended) };
}

function stop(child: ChildProcess, ended: Promise<number | string | null>): Promise<number | string | null> {
  child.kill('SIGINT');
  return ended;
}

const newFolder = (): string => mkdtempSync(join(tmpdir(), 'mailgrant-'));
interface Listed {
  readonly subject: string;
  readonly mailgrant: { readonly id: string } | null;
}
const inbox = async (url: string): Promise<Listed[]> => (await fetch(`${url}/mails`)).json() as Promise<Listed[]>;

test('the printed command, pasted into a shell, ends in the inbox, and Ctrl-C ends everything', async () => {
  const stack = await start(newFolder());
  const command = /^ {2}(curl \S+\/emails [\s\S]*?\}')$/m.exec(stack.text())?.[1] ?? '';
  const { stdout } = await shell('bash', ['-c', `${command} --silent`]);
  const { id } = JSON.parse(stdout);
  const [mail] = await inbox(stack.url('inbox'));
  assert.deepEqual([mail?.subject, mail?.mailgrant?.id], ['Grüße', id]);
  const urls = ['api', 'worker', 'google', 'inbox'].map(stack.url);
  assert.equal(await stack.stop(), 0);
  for (const url of urls) await assert.rejects(fetch(url), url);
});

test('mails, ledger and key outlive a restart; a key that was used sends no second mail', async () => {
  const folder = newFolder();
  const post = async (api: string, key: string): Promise<unknown> => {
    const reply = await fetch(`${api}/emails`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'idempotency-key': 'k' },
      body: '{"from":"notices@example.com","to":"you@example.net","subject":"x","text":"y"}',
    });
    return reply.json();
  };
  const seen: unknown[] = [];
  for (const round of [1, 2]) {
    const stack = await start(folder);
    const key = /API key +(mg_laptop_\S+)/.exec(stack.text())?.[1] ?? '';
    seen.push([await post(stack.url('api'), key), (await inbox(stack.url('inbox'))).length, key]);
    assert.equal(await stack.stop(), 0, `round ${round}`);
  }
  assert.deepEqual(seen[1], seen[0]);
});

longTest('a mailbox that is switched to `via: smtp` gets a grant for it, and sends through the SMTP port', async () => {
  const folder = newFolder();
  const file = join(folder, 'mailgrant.yaml');
  const seen: unknown[] = [];
  for (const via of ['api', 'smtp']) {
    writeFileSync(file, `mailboxes:\n  notices@example.com: { via: ${via} }\n`);
    const stack = await start(folder, '--config', file, '--deadline', '10');
    const key = /API key +(mg_laptop_\S+)/.exec(stack.text())?.[1] ?? '';
    const reply = await fetch(`${stack.url('api')}/emails`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}` },
      body: '{"from":"notices@example.com","to":"you@example.net","subject":"x","text":"y","bcc":"b@example.net"}',
    });
    const source = await fetch(`${stack.url('inbox')}/mails`).then((list) => list.json() as Promise<{ id: string }[]>);
    const raw = await fetch(`${stack.url('inbox')}/mails/${source[0]?.id}/source`).then((one) => one.text());
    seen.push([reply.status, source.length, /^Bcc:/m.test(raw), /^ {2}smtp +smtp:\/\/127\.0\.0\.1:\d+ /m.test(stack.text())]);
    assert.equal(await stack.stop(), 0);
  }
  assert.deepEqual(seen, [
    [200, 1, true, true],
    [200, 2, false, true],
  ]);
});

longTest('queued delivery runs here too: accepted, sent by the worker, and an email for later outlives a restart', async () => {
  const folder = newFolder();
  const file = join(folder, 'mailgrant.yaml');
  writeFileSync(file, 'mailboxes: { notices@example.com: {} }\ndelivery: queued\n');
  const call = async (stack: Awaited<ReturnType<typeof start>>, path: string, body?: object): Promise<Record<string, unknown>> => {
    const key = /API key +(mg_laptop_\S+)/.exec(stack.text())?.[1] ?? '';
    const init = { headers: { authorization: `Bearer ${key}` }, ...(body && { method: 'POST', body: JSON.stringify(body) }) };
    return (await fetch(stack.url('api') + path, init)).json() as Promise<Record<string, unknown>>;
  };
  const mail = { from: 'notices@example.com', to: 'you@example.net', subject: 'x', text: 'y' };
  const stack = await start(folder, '--config', file, '--deadline', '10');
  const now = await call(stack, '/emails', mail);
  const later = await call(stack, '/emails', { ...mail, scheduled_at: 'in 1 hour' });
  let record = await call(stack, `/emails/${String(now['id'])}`);
  while (record['outcome'] !== 'sent') {
    await sleep(50);
    record = await call(stack, `/emails/${String(now['id'])}`);
  }
  assert.equal((await inbox(stack.url('inbox'))).length, 1);
  assert.equal(await stack.stop(), 0);
  const next = await start(folder, '--config', file, '--deadline', '10');
  assert.equal((await call(next, `/emails/${String(later['id'])}`))['last_event'], 'scheduled');
  assert.deepEqual(Object.keys(await call(next, `/emails/${String(later['id'])}/cancel`, {})), ['object', 'id']);
  assert.equal((await call(next, `/emails/${String(later['id'])}`))['last_event'], 'canceled');
  assert.equal(await next.stop(), 0);
});

test('a function that is killed is started again', async () => {
  const stack = await start(newFolder());
  const { stdout } = await shell('pgrep', ['-P', String(stack.child.pid), '-f', 'target=api']);
  process.kill(Number(stdout.trim().split('\n')[0]), 'SIGKILL');
  while (
    !(await fetch(`${stack.url('api')}/health`).then(
      (reply) => reply.ok,
      () => false,
    )) ||
    !stack.text().includes('starting again')
  )
    await sleep(50);
  assert.match(stack.text(), /^api +ended \(SIGKILL\); starting again/m);
  assert.equal(await stack.stop(), 0);
});

test('a taken port is named, and the next free one is used', async () => {
  const port = await freePort(0); // and its neighbours are none that the system gives to connections
  const holder = createServer();
  await new Promise<void>((done) => holder.listen(port, '127.0.0.1', done));
  try {
    const stack = await start(newFolder(), '--api', String(port));
    assert.match(stack.text(), new RegExp(`^Port ${port} is taken: api is on http://127\\.0\\.0\\.1:\\d+ instead\\.`, 'm'));
    assert.equal((await fetch(`${stack.url('api')}/health`)).status, 200);
    assert.equal(await stack.stop(), 0);
  } finally {
    holder.close();
  }
});

longTest('two neighbouring ports that are taken are replaced by two different ones', async () => {
  const holders = await neighbours();
  const [first = 0, second = 0] = holders.map((holder) => (holder.address() as AddressInfo).port);
  const stack = await start(newFolder(), '--api', String(first), '--worker', String(second));
  try {
    assert.notEqual(stack.url('api'), stack.url('worker'));
    for (const name of ['api', 'worker']) assert.ok((await fetch(`${stack.url(name)}/`)).status > 0);
    assert.doesNotMatch(stack.text(), /EADDRINUSE/);
  } finally {
    assert.equal(await stack.stop(), 0);
    for (const holder of holders) holder.close();
  }
});

/** Two servers on a port and the next one. */
async function neighbours(): Promise<[Server, Server]> {
  const on = (port: number): Promise<Server | null> =>
    new Promise((done) => {
      const server = createServer();
      server.once('error', () => done(null)).listen(port, '127.0.0.1', () => done(server));
    });
  for (;;) {
    const first = await on(0);
    const second = first && (await on((first.address() as AddressInfo).port + 1));
    if (first && second) return [first, second];
    first?.close();
  }
}

longTest('a command without --url finds the function where it is', async () => {
  const folder = newFolder();
  const stack = await start(join(folder, '.mailgrant'));
  const mail = ['--from', 'notices@example.com', '--to', 'you@example.net', '--subject', 'Hi', '--text', 'There'];
  const { MAILGRANT_URL: _url, MAILGRANT_KEY: _key, ...env } = process.env;
  try {
    const { stdout } = await shell(process.execPath, [join(process.cwd(), 'functions/cli/main.ts'), 'send', ...mail], { cwd: folder, env });
    assert.match(stdout, /^Sent/);
  } finally {
    assert.equal(await stack.stop(), 0);
  }
});

longTest('a wrong config or option stops the start with sentences, not with a stack', async () => {
  const file = join(newFolder(), 'mailgrant.yaml');
  writeFileSync(file, 'mailboxes: { nobody: { via: pigeon } }\ncolour: red\n');
  for (const [args, status, says] of [
    [['--config', file], 1, /mailboxes\.nobody: [\s\S]*mailboxes\.nobody\.via: [\s\S]*colour: /],
    [['--api', 'x'], 2, /--api: expected a port/],
    [['--nonsense'], 2, /nonsense/],
  ] as const) {
    const stack = await start(newFolder(), ...args);
    assert.equal(await stack.ended, status);
    assert.match(stack.text(), says);
    assert.doesNotMatch(stack.text(), /^\s+at /m);
  }
});

test('--help says what it does, and does nothing', async () => {
  const { stdout } = await shell(process.execPath, ['functions/cli/main.ts', 'dev', '--help']);
  assert.match(stdout, /--folder/);
});

test('when npm alone is killed, the stack ends with it', async () => {
  const ports = ['api', 'worker', 'inbox', 'google', 'smtp', 'smtps'].flatMap((name) => [`--${name}`, '0']);
  const npm = spawn('npm', ['start', '--', '--folder', newFolder(), ...ports], { stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  npm.stdout.on('data', (chunk) => {
    printed += chunk;
    if (printed.includes('Ctrl-C ends everything')) npm.kill('SIGKILL');
  });
  const closed = new Promise((done) => npm.stdout.once('close', done)); // when the last process that holds it is gone
  await closed;
  assert.match(printed, /Everything has ended/);
});
