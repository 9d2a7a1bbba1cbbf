import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../../functions/dev/function-process.ts';

/** What a machine may lack; a test that needs it is skipped by name, unless MAILGRANT_REQUIRE=all makes that a failure. */
export function skipUnless(present: boolean, what: string): string | false {
  if (present) return false;
  if (process.env['MAILGRANT_REQUIRE'] === 'all') throw new Error(`MAILGRANT_REQUIRE=all, and ${what} is missing`);
  return `SKIP: ${what} is missing`;
}

/** The root of the Google Cloud SDK: where gcloud is, or as gcloud itself says; null where there is none. */
export function sdkRoot(): string | null {
  const asked = (): string =>
    execFileSync('gcloud', ['info', '--format=value(installation.sdk_root)'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 20_000,
    }).trim();
  const beside = (): string => {
    const gcloud = (process.env['PATH'] ?? '')
      .split(delimiter)
      .map((folder) => join(folder, 'gcloud'))
      .find((file) => existsSync(file));
    return gcloud ? dirname(dirname(realpathSync(gcloud))) : '';
  };
  // gcloud takes a second to answer, so it is asked last.
  for (const find of [beside, asked]) {
    try {
      const root = find();
      if (root && existsSync(join(root, 'platform'))) return root;
    } catch {
      // the next way
    }
  }
  return null;
}

const FIRESTORE_JAR = 'platform/cloud-firestore-emulator/cloud-firestore-emulator.jar';
const FIRESTORE_MAIN = 'com.google.cloud.datastore.emulator.firestore.CloudFirestore';
const PUBSUB_LIB = 'platform/pubsub-emulator/lib';

export const onPath = (program: string): boolean =>
  (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)));
const hasJava = (): boolean => onPath('java');

/** The command line of an emulator, or null where its jar is not installed. */
export function emulator(root: string | null, name: 'firestore' | 'pubsub'): ((port: number) => string[]) | null {
  if (!root || !hasJava()) return null;
  if (name === 'firestore') {
    const jar = join(root, FIRESTORE_JAR); // it names no main class in its manifest
    return existsSync(jar)
      ? (port) => ['-Duser.language=en', '-Xmx384m', '-cp', jar, FIRESTORE_MAIN, 'start', '--host=127.0.0.1', `--port=${port}`]
      : null;
  }
  const lib = join(root, PUBSUB_LIB);
  const jar = existsSync(lib) ? readdirSync(lib).find((file) => /^cloud-pubsub-emulator-.*-all\.jar$/.test(file)) : undefined;
  return jar ? (port) => ['-Xmx256m', '-jar', join(lib, jar), '--host=127.0.0.1', `--port=${port}`] : null;
}

/** The Firestore emulator that the runner of the tests started for all files (`test/run.ts`), or one of one's own. */
export async function firestoreEmulator(command: (port: number) => string[]): Promise<AsyncDisposable & { readonly url: string }> {
  const url = process.env['MAILGRANT_FIRESTORE_EMULATOR'];
  if (url === undefined) return startEmulator(command);
  await answers(url);
  return { url, [Symbol.asyncDispose]: async () => {} };
}

/** Waits until something answers there, or until `gone` says that nothing will. */
async function answers(url: string, gone: () => boolean = () => false): Promise<void> {
  while (
    !(await fetch(url).then(
      () => true,
      () => false,
    ))
  ) {
    if (gone()) throw new Error('the emulator ended');
    await sleep(50);
  }
}

/** Starts an emulator from its jar (gcloud's own wrapper leaves the Java process behind) and waits until it answers. */
export async function startEmulator(
  command: (port: number) => string[],
): Promise<AsyncDisposable & { readonly url: string; readonly child: ChildProcess }> {
  const { url, child } = await spawnEmulator(command);
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill); // also where nobody comes to dispose of it
  const ended = new Promise((done) => child.once('exit', done)); // from now on: it may end before anybody disposes of it
  await answers(url, () => child.exitCode !== null || child.signalCode !== null);
  return {
    url,
    child,
    async [Symbol.asyncDispose]() {
      process.off('exit', kill);
      kill();
      await ended;
    },
  };
}

/** Starts an emulator and does not wait for it; whoever starts it ends it. */
export async function spawnEmulator(command: (port: number) => string[]): Promise<{ readonly url: string; readonly child: ChildProcess }> {
  const port = await freePort(0);
  return { url: `http://127.0.0.1:${port}`, child: spawn('java', command(port), { stdio: 'ignore' }) };
}
