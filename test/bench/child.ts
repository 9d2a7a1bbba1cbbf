import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../functions/dev/function-process.ts';

/** A function under the functions-framework's own command line, as the platform starts it. */
export interface Served {
  readonly target: string;
  /** A built folder, or a folder with an index.js. */
  readonly source: string;
  readonly env: Readonly<Record<string, string>>;
  /** Options of Node itself. */
  readonly node?: readonly string[];
  /** Runs the command line in another one, such as a shell that enters a cgroup first. */
  readonly wrap?: (command: readonly string[]) => readonly string[];
}

const CLI = join(dirname(createRequire(import.meta.url).resolve('@google-cloud/functions-framework')), 'main.js');

/** The framework takes every interface; written as plain JavaScript, because stripping types would be measured too. */
const LOOPBACK = `const { Server } = require('node:net');
const { listen } = Server.prototype;
Server.prototype.listen = function (port, ...rest) {
  return typeof port === 'object' ? listen.call(this, port, ...rest) : listen.call(this, Number(port), '127.0.0.1', ...rest.filter((one) => typeof one === 'function'));
};
`;

export interface Running extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly child: ChildProcess;
  /** `performance.now()` of the moment before the process was made. */
  readonly spawnedAt: number;
  /** What it printed, shortened: for the message when something goes wrong. */
  printed(): string;
}

/** Starts a function and returns at once; see `untilListening`. `folder` is the bench's own. */
export async function serve({ target, source, env, node = [], wrap = (command) => command }: Served, folder: string): Promise<Running> {
  const preload = join(folder, 'loopback.cjs');
  writeFileSync(preload, LOOPBACK);
  const port = await freePort(0);
  const [program = '', ...args] = wrap([
    process.execPath,
    '--require',
    preload,
    ...node,
    CLI,
    `--target=${target}`,
    `--source=${source}`,
    `--port=${port}`,
  ]);
  const spawnedAt = performance.now();
  const child = spawn(program, args, {
    env: { PATH: process.env['PATH'] ?? '', NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      text = `${text}${chunk}`.slice(-2_000);
    });
  const ended = new Promise((done) => child.once('exit', done));
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    child,
    spawnedAt,
    printed: () => text,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Resolves when the port takes a connection, looked at every millisecond. Throws if the process ends before. */
export async function untilListening({ port, child, printed }: Pick<Running, 'port' | 'child' | 'printed'>): Promise<void> {
  const open = (): Promise<boolean> =>
    new Promise((done) => {
      const socket = connect(port, '127.0.0.1');
      const end = (is: boolean) => (): void => {
        socket.destroy();
        done(is);
      };
      socket.once('connect', end(true)).once('error', end(false));
    });
  while (!(await open())) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the function ended: ${printed()}`);
    await sleep(1);
  }
}

export interface Usage {
  /** Processor time of all threads that live, in milliseconds. */
  readonly cpuMs: number;
  readonly rssMb: number;
  /** The most that was resident since the start, or since `forgetPeak`. */
  readonly peakMb: number;
}

/** What a process has used, as Linux counts it. */
export function usageOf({ pid }: Pick<ChildProcess, 'pid'>): Usage {
  const threads = readdirSync(`/proc/${pid}/task`);
  const cpuMs = threads.reduce(
    (sum, thread) => sum + Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6,
    0,
  );
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const megabytes = (name: string): number => (Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1_024) / 1e6;
  return { cpuMs, rssMb: megabytes('VmRSS'), peakMb: megabytes('VmHWM') };
}

/** From here on the peak counts anew. */
export const forgetPeak = ({ pid }: Pick<ChildProcess, 'pid'>): void => writeFileSync(`/proc/${pid}/clear_refs`, '5');
