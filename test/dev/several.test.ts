/** The stack for other programs: one line of JSON, several at once, nothing left behind, nobody else let in. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { longTest } from '../support/deep.ts';
import { MAILBOX } from '../support/stack/laptop.ts';

interface Ready {
  readonly ready: boolean;
  readonly [name: string]: unknown;
}

const running = new Set<ChildProcess>();
after(() => {
  for (const child of running) child.kill('SIGKILL');
});

/** Between two looks at what another process does by itself. */
const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
const newFolder = (): string => mkdtempSync(join(tmpdir(), 'mailgrant-'));

/** Starts `npm start`'s program in a temporary folder of its own for what it makes there. */
async function start(args: readonly string[], cwd = process.cwd()) {
  const temporary = newFolder();
  const child = spawn(process.execPath, [join(process.cwd(), 'functions/cli/main.ts'), 'dev', ...args], {
    cwd,
    env: { ...process.env, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const out: string[] = [];
  const ended = new Promise<number | string | null>((done) => child.once('exit', (code, signal) => done(code ?? signal)));
  const first = new Promise<void>((done) =>
    createInterface({ input: child.stdout }).on('line', (line) => {
      out.push(line);
      if (line.startsWith('{') || line.startsWith('Ctrl-C')) done();
    }),
  );
  child.stderr.resume();
  await Promise.race([first, ended]);
  const end = (signal: NodeJS.Signals): typeof ended => {
    child.kill(signal);
    return ended;
  };
  return { child, out, ended, end, temporary, line: () => JSON.parse(out[0] ?? '{}') as Ready };
}

const send = (api: string, key: string, from = MAILBOX): Promise<number> =>
  fetch(`${api}/emails`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ from, to: 'you@example.net', subject: 's', text: 't' }),
  }).then((reply) => reply.status);

const EPHEMERAL = ['--json', '--ephemeral', '--port', '0'];

longTest('three at once: each says in one line where it is, sends, and leaves nothing behind', async () => {
  const all = await Promise.all([1, 2, 3].map(() => start(EPHEMERAL)));
  const names = ['ready', 'api', 'worker', 'google', 'inbox', 'smtp', 'key', 'from'];
  const addresses = new Set<unknown>();
  for (const { out, line } of all) {
    assert.deepEqual([out.length, Object.keys(line())], [1, names]);
    const { ready, api, key, from, ...urls } = line();
    assert.equal(ready, true);
    for (const url of [api, ...Object.values(urls)]) {
      assert.ok(URL.canParse(String(url)), String(url));
      addresses.add(url);
    }
    assert.equal(await send(String(api), String(key), String(from)), 200);
  }
  assert.equal(addresses.size, 15);
  assert.deepEqual(await Promise.all(all.map(({ end }) => end('SIGTERM'))), [0, 0, 0]);
  for (const { out, temporary } of all) assert.deepEqual([out.length, readdirSync(temporary)], [1, []]);
});

test('a signal that comes while it starts leaves nothing behind either', async () => {
  const temporary = newFolder();
  const child = spawn(process.execPath, ['functions/cli/main.ts', 'dev', ...EPHEMERAL], {
    env: { ...process.env, TMPDIR: temporary },
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  running.add(child);
  const ended = new Promise((done) => child.once('exit', (code, signal) => done(code ?? signal)));
  while (readdirSync(temporary).length === 0 && child.exitCode === null) await pause(5);
  child.kill('SIGTERM');
  assert.equal(await ended, 0);
  assert.deepEqual(readdirSync(temporary), []);
});

test('what stops a start is one line of JSON too', async () => {
  for (const args of [
    ['--config', '/nowhere.yaml'],
    ['--host', '192.0.2.1'],
    ['--folder', 'x'],
  ]) {
    const { ended, line, out } = await start([...EPHEMERAL, ...args]);
    assert.equal(await ended, 1);
    assert.deepEqual([out.length, line().ready, typeof (line()['error'] as { message: string }).message], [1, false, 'string']);
  }
});

test('a start that fails ends by itself, also for a program that has a channel to it', async () => {
  const args = [join(process.cwd(), 'functions/cli/main.ts'), 'dev', ...EPHEMERAL, '--config', '/nowhere.yaml'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  running.add(child);
  assert.equal(await new Promise((done) => child.once('exit', (code, signal) => done(code ?? signal))), 1);
});

test('two `npm start` at once, with the usual ports and the usual folder: both come up and send', async () => {
  const folder = newFolder();
  writeFileSync(join(folder, 'mailgrant.yaml'), `mailboxes: { ${MAILBOX}: {} }\n`);
  const both = await Promise.all([start([], folder), start([], folder)]);
  const texts = both.map(({ out }) => out.join('\n'));
  const apis = texts.map((text) => /^ {2}api +(\S+)/m.exec(text)?.[1] ?? '');
  assert.equal(new Set(apis).size, 2);
  for (const [index, text] of texts.entries()) assert.equal(await send(apis[index] ?? '', /API key +(\S+)/.exec(text)?.[1] ?? ''), 200);
  const said = texts.join('\n');
  assert.match(said, /^Another stack runs in \.mailgrant: .* \.mailgrant\/2\.$/m);
  assert.match(said, /^Port 80\d\d is taken: /m);
  for (const { end } of both) assert.equal(await end('SIGINT'), 0);
  const again = await start([], folder); // a lock does not outlive its process
  assert.doesNotMatch(again.out.join('\n'), /Another stack/);
  // Secrets and mails: only this user may look into the folder, and into each thing in it.
  const open = [
    folder,
    ...readdirSync(join(folder, '.mailgrant'), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, '.mailgrant', name)),
  ];
  assert.ok(existsSync(join(folder, '.mailgrant/google.sqlite')));
  assert.deepEqual(
    [join(folder, '.mailgrant'), ...open].filter((path) => (lstatSync(path).mode & 0o077) !== 0),
    [],
  );
  assert.equal(await again.end('SIGINT'), 0);
});

longTest('a folder of an earlier version, which everybody could read, is closed', async () => {
  const folder = newFolder();
  writeFileSync(join(folder, 'mailgrant.yaml'), `mailboxes: { ${MAILBOX}: {} }\n`);
  mkdirSync(join(folder, '.mailgrant'));
  writeFileSync(join(folder, '.mailgrant/google.sqlite'), '');
  chmodSync(join(folder, '.mailgrant'), 0o755);
  const stack = await start(['--json', '--port', '0'], folder);
  assert.equal(lstatSync(join(folder, '.mailgrant')).mode & 0o777, 0o700);
  assert.equal(await stack.end('SIGTERM'), 0);
});

for (const [grant, more] of [
  ['delegation', ', delegate: sender@example-project.iam.gserviceaccount.com'],
  ['refresh-token', ''],
  ['service-account-key', ''],
] as const)
  for (const via of ['api', 'smtp'])
    (grant === 'delegation' && via === 'smtp' ? test : longTest)(`a mailbox with grant: ${grant} and via: ${via} sends`, async () => {
      const file = join(newFolder(), 'mailgrant.yaml');
      writeFileSync(file, `mailboxes: { ${MAILBOX}: { grant: ${grant}, via: ${via}${more} } }\n`);
      const stack = await start([...EPHEMERAL, '--config', file]);
      const { api, key } = stack.line();
      assert.equal(await send(String(api), String(key)), 200);
      assert.equal(await stack.end('SIGTERM'), 0);
    });

/** One request with exactly this Host header, to whichever address. */
function ask(url: string, host: string, address?: string): Promise<number | string> {
  const { port, pathname } = new URL(url);
  return new Promise((done) => {
    const asked = request({ hostname: address ?? '127.0.0.1', port, path: pathname, headers: { host } }, (reply) => {
      reply.resume();
      done(reply.statusCode ?? 0);
    });
    asked.once('error', (error: NodeJS.ErrnoException) => done(error.code ?? '')).end();
  });
}

/** Where a machine has no address but loopback, another one of loopback stands for it: who listens on 127.0.0.1 is not there either. */
const outside =
  Object.values(networkInterfaces())
    .flat()
    .find((one) => one && !one.internal && one.family === 'IPv4')?.address ?? '127.0.0.2';

test('other machines reach it with --host 0.0.0.0 alone', async () => {
  const [closed, open] = await Promise.all([start(EPHEMERAL), start([...EPHEMERAL, '--host', '0.0.0.0'])]);
  for (const name of ['api', 'worker', 'inbox', 'google', 'smtp']) {
    const [here, there] = [closed, open].map(({ line }) => String(line()[name]).replace(/^smtp/, 'http'));
    assert.equal(await ask(here ?? '', outside, outside), 'ECONNREFUSED', name);
    if (name !== 'smtp') assert.notEqual(await ask(there ?? '', outside, outside), 403, name);
  }
  for (const { end } of [closed, open]) assert.equal(await end('SIGTERM'), 0);
});

longTest('by which names each server may be asked', async () => {
  const stacks = {
    usual: await start(EPHEMERAL),
    network: await start([...EPHEMERAL, '--host', '0.0.0.0']),
    named: await start([...EPHEMERAL, '--allow-host', 'tunnel.example.org']),
  };
  const rows = [
    ['127.0.0.1:1', { usual: true, network: true, named: true }],
    ['localhost', { usual: true, network: true, named: true }],
    ['rebound.example.org', { usual: false, network: false, named: false }],
    ['tunnel.example.org', { usual: false, network: false, named: true }],
    ['mailgrant:8080', { usual: false, network: true, named: false }], // a container's name
    ['192.0.2.7', { usual: false, network: true, named: false }],
    ['127.0.0.1.example.org', { usual: false, network: false, named: false }],
    ['a@b', { usual: false, network: false, named: false }],
  ] as const;
  for (const [how, stack] of Object.entries(stacks))
    for (const server of ['api', 'worker', 'inbox', 'google'])
      for (const [host, may] of rows) {
        const status = await ask(String(stack.line()[server]), host);
        assert.equal(status !== 403 && status !== 400, may[how as keyof typeof may], `${how} ${server} ${host}: ${status}`);
      }
  for (const { end } of Object.values(stacks)) assert.equal(await end('SIGTERM'), 0);
});
