/** What a person sees while a command works, and that Ctrl-C ends the command: on a terminal of its own, with the keys that are typed. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { onPath, skipUnless } from '../../support/programs/emulators.ts';
import { KEY } from '../../support/stack/laptop.ts';

const skip = skipUnless(onPath('script') && onPath('mkfifo'), 'script and mkfifo');
const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
writeFileSync(join(folder, 'big.bin'), Buffer.alloc(20_000_000));
const MAIL = ['--from', 'notices@example.com', '--to', 'you@example.net', '--subject', 'x', '--text', 'x'];
const SEND = ['send', ...MAIL, '--attach', join(folder, 'big.bin')];

/** Runs the command on a terminal, and types Ctrl-C once where the screen shows `interruptAt`. */
function onTerminal(args: readonly string[], url = '', interruptAt?: RegExp): Promise<{ status: number | null; screen: string }> {
  const command = [process.execPath, 'functions/cli/main.ts', ...args].map((word) => `'${word}'`).join(' ');
  const env = { ...process.env, MAILGRANT_URL: url, MAILGRANT_KEY: KEY, CI: '' };
  const child = spawn('script', ['-qec', command, '/dev/null'], { env, timeout: 120_000 }); // for a command that never ends
  let screen = '';
  let typed = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text;
    if (typed || !interruptAt?.test(screen)) return;
    typed = true;
    child.stdin.write('\x03');
  });
  return new Promise((done) => child.once('close', (status) => done({ status, screen })));
}

async function serving(listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const end = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, [Symbol.asyncDispose]: end };
}

test('an upload that is refused before its end ends the progress line, and the command', { skip }, async () => {
  const body = JSON.stringify({ statusCode: 403, name: 'invalid_api_key', message: 'API key is invalid', code: 'key_invalid', fix: 'x' });
  await using server = await serving((_, res) => res.writeHead(403, { 'content-type': 'application/json' }).end(body));
  const { status, screen } = await onTerminal(SEND, server.url);
  assert.equal(status, 1, screen);
  assert.match(screen, / of 26\.7 MB\r\nNot sent: API key is invalid/);
  assert.doesNotMatch(screen, /26\.7 MB of 26\.7 MB/);
});

test('Ctrl-C ends an upload with 130, so that the next command of the line does not run', { skip }, async () => {
  await using server = await serving(() => {});
  const { status, screen } = await onTerminal(SEND, server.url, /[1-9]\.\d MB of 26\.7 MB/);
  assert.equal(status, 130, screen);
});

test('Ctrl-C ends a build with 130', { skip }, async () => {
  const config = join(folder, 'mailgrant.yaml');
  execFileSync('mkfifo', [config]); // nobody writes into it: the build does not end by itself
  const { status, screen } = await onTerminal(['build', '--config', config, '--out', join(folder, 'dist')], '', /Bundle the functions/);
  assert.equal(status, 130, screen);
});
