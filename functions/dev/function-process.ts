import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { get } from 'node:http';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { siblingFile } from './sibling-file.ts';

/** The functions-framework's own command line, which the platform uses too. */
const CLI = join(dirname(createRequire(import.meta.url).resolve('@google-cloud/functions-framework')), 'main.js');
const PRELOAD = siblingFile('listen-on-loopback');
const TIMEOUT_MS = 60_000; // for one that hangs: one that ends is seen at once

export interface FunctionOptions {
  readonly target: string;
  /** A source file such as functions/api.ts, or a built folder such as dist/api. */
  readonly source: string;
  /** A port of loopback, or the path of a socket file. */
  readonly port: number | string;
  readonly env: Readonly<Record<string, string>>;
  readonly onLine: (line: string) => void;
  readonly args?: readonly string[];
}

export interface RunningFunction extends AsyncDisposable {
  /** Its URL; '' where it listens on a socket file. */
  readonly url: string;
  readonly child: ChildProcess;
  /** Resolves with the signal or exit code when the process has ended. */
  readonly ended: Promise<string>;
}

/** Starts the real functions-framework CLI and waits until it answers. Rejects if the process ends before. */
export async function startFunction({ target, source, port, env, onLine, args = [] }: FunctionOptions): Promise<RunningFunction> {
  const child = spawn(process.execPath, ['--import', PRELOAD, CLI, `--target=${target}`, `--source=${source}`, `--port=${port}`, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  for (const stream of [child.stdout, child.stderr]) if (stream) createInterface({ input: stream }).on('line', onLine);
  const ended = new Promise<string>((done) => child.once('exit', (code, signal) => done(signal ?? String(code))));
  const until = Date.now() + TIMEOUT_MS;
  while (!(await answers(port))) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${target} ended before it answered: ${await ended}`);
    if (Date.now() > until) {
      child.kill('SIGKILL');
      throw new Error(`${target} does not answer on ${port}`);
    }
    await sleep(20);
  }
  if (child.exitCode !== null) throw new Error(`${target} ended, and another program answers on ${port}`);
  return {
    url: typeof port === 'number' ? `http://127.0.0.1:${port}` : '',
    child,
    ended,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** The framework answers this path itself, so no request reaches the function. */
function answers(port: number | string): Promise<boolean> {
  const where = typeof port === 'number' ? { host: '127.0.0.1', port } : { socketPath: port };
  return new Promise((done) => {
    get({ ...where, path: '/favicon.ico', agent: false }, (reply) => {
      reply.resume();
      done(reply.statusCode === 404);
    }).once('error', () => done(false));
  });
}

// Systems give ephemeral ports from 32768 (Linux) or 49152 up; another process sometimes takes one between this check and its use.
const ANY = { from: 20_000, to: 32_000 };

/** The first free port of loopback from `wanted` on that no other search has promised; 0 is any. */
export async function freePort(wanted: number, promised: Set<number> = new Set()): Promise<number> {
  if (wanted === 0) return freePort(randomInt(ANY.from, ANY.to), promised);
  for (let port = wanted; port < wanted + 50; port++) {
    if (!(await isFree(port)) || promised.has(port)) continue; // in this order: another search may have found the port meanwhile
    promised.add(port);
    return port;
  }
  throw new Error(`no free port from ${wanted} to ${wanted + 49}; end what holds them, or set another one`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const probe = createServer();
    probe.once('error', () => done(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => done(true)));
  });
}
