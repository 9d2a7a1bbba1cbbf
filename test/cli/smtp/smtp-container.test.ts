/** The container recipe of docs/sidecar.md, done by hand: what it copies is copied, what it starts is started. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { createTransport } from 'nodemailer';
import { parse } from 'yaml';
import { SEND_TIMEOUT_MS } from '../../../functions/cli/smtp/smtp-relay.ts';
import { KEY, MAIL, startLaptop } from '../../support/stack/laptop.ts';
import { blocksOf } from '../../support/stack/pages.ts';

const blocks = blocksOf('docs/sidecar.md');
const recipe = (blocks.find(({ language }) => language === 'dockerfile')?.code ?? '').trim().split('\n');
const lines = (verb: string): string[] => recipe.filter((line) => line.startsWith(`${verb} `)).map((line) => line.slice(verb.length + 1));

test('with what the image holds, and no development package, its command sends an email and ends when it is stopped', async () => {
  await using laptop = await startLaptop();
  const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
  for (const copied of lines('COPY')) {
    const names = copied.split(' ');
    for (const name of names.slice(0, -1)) cpSync(name, join(folder, name), { recursive: true });
  }
  assert.deepEqual(lines('RUN'), ['npm ci --omit=dev --ignore-scripts']);
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, { dev?: boolean }> };
  for (const [path, { dev }] of Object.entries(packages))
    if (/^node_modules\/(@[^/]+\/)?[^/]+$/.test(path) && !dev && existsSync(path)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      symlinkSync(join(process.cwd(), path), join(folder, path));
    }
  const [program, ...args] = JSON.parse(lines('CMD')[0] ?? '[]') as string[];
  assert.equal(program, 'node');
  const child = spawn(
    process.execPath,
    args.map((arg) => arg.replace(':2525', ':0')),
    { cwd: folder, env: { MAILGRANT_URL: laptop.api }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = new Promise((done) => child.once('close', done));
  const printed = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const port = Number(/^SMTP on 127\.0\.0\.1:(\d+)/.exec(String((await printed.next()).value))?.[1]);
  const transport = createTransport({ host: '127.0.0.1', port, auth: { user: 'any', pass: KEY } });
  await transport.sendMail(MAIL);
  transport.close();
  child.kill('SIGTERM');
  assert.deepEqual([await ended, laptop.google.mails.count()], [0, 1]);
  rmSync(folder, { recursive: true });
});

test('in Compose it shares the network of the app, and is given the time that a letter may take', () => {
  const { services } = parse(blocks.find(({ language }) => language === 'yaml')?.code ?? '');
  assert.equal(services.mail.network_mode, 'service:app');
  assert.ok(Number.parseInt(services.mail.stop_grace_period, 10) * 1_000 >= SEND_TIMEOUT_MS);
});
