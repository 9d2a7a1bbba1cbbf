import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { freePort, type RunningFunction, startFunction } from '../../functions/dev/function-process.ts';
import { type Front, startFront } from './front.ts';

/** Several processes of one function behind one address; whoever is killed is started again on the same port. */
export interface Fleet extends AsyncDisposable {
  readonly url: string;
  /** Ends one of the living with SIGKILL, `index` counted round; false if none lives just now. */
  kill(index: number): boolean;
}

export interface FleetOptions {
  readonly target: string;
  readonly count: number;
  /** A built folder. */
  readonly source: string;
  readonly env: Readonly<Record<string, string>>;
  readonly onLine: (line: string) => void;
}

// Far more than the lease, which is 4.8 s here and 108 s in a deployment: a lease only saves work, and promises nothing.
const SKEWS_MS = [0, 20_000, -20_000];

export async function startFleet({ target, count, source, env, onLine }: FleetOptions): Promise<Fleet> {
  const members = new Map<number, RunningFunction>();
  let ending = false;
  const run = async (port: number): Promise<void> => {
    const skew = SKEWS_MS[ports.indexOf(port) % SKEWS_MS.length] ?? 0;
    const clock = {
      NODE_OPTIONS: `--import ${pathToFileURL(join(import.meta.dirname, 'skewed-clock.ts')).href}`,
      MAILGRANT_SKEW_MS: String(skew),
    };
    const running = await startFunction({ target, source, port, env: { ...env, ...clock }, onLine });
    if (ending) return void running.child.kill('SIGKILL');
    members.set(port, running);
    restarts.set(
      port,
      running.ended.then(async () => {
        members.delete(port);
        await again(port);
      }),
    );
  };
  const again = async (port: number): Promise<void> => {
    for (let up = false; !up && !ending; )
      up = await run(port).then(
        () => true,
        () => false, // a machine that is too busy to start it in time
      );
  };
  const restarts = new Map<number, Promise<void>>();
  const ports = await Promise.all(Array.from({ length: count }, () => freePort(0)));
  await Promise.all(ports.map(run));
  const front: Front = await startFront(ports);
  return {
    url: front.url,
    kill(index) {
      const living = [...members.entries()];
      const [port, victim] = living[index % living.length] ?? [];
      if (port === undefined || !victim) return false;
      members.delete(port);
      return victim.child.kill('SIGKILL');
    },
    async [Symbol.asyncDispose]() {
      ending = true;
      for (const { child } of members.values()) child.kill('SIGKILL');
      await Promise.allSettled(restarts.values());
      await front[Symbol.asyncDispose]();
    },
  };
}
