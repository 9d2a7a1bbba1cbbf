/** A task that is due at a time (milliseconds since the epoch), and how it is done. */
export interface Due {
  readonly at: number;
  run(): Promise<void>;
}

/** Runs due tasks: with `auto` by itself and in time, else when `flush` is called. */
export interface DeliveryLoop extends AsyncDisposable {
  /** A new task may be due. */
  poke(): void;
  /** Runs every task that is due now, and those that become due by it. */
  flush(): Promise<void>;
  /** Aborted when the loop is disposed of: nobody waits for an answer then. */
  readonly signal: AbortSignal;
}

const AT_ONCE = 8;
const LONGEST_MS = 60_000;

/** `waiting` lists the open tasks, soonest first, without the running one. */
export function createDeliveryLoop(waiting: (limit: number) => readonly Due[], now: () => number, auto: boolean): DeliveryLoop {
  const running = new Set<Promise<void>>();
  let timer: NodeJS.Timeout | null = null;
  const stop = new AbortController();

  const startDue = (): void => {
    for (const { at, run } of waiting(AT_ONCE - running.size)) {
      if (at > now() || running.size >= AT_ONCE) return;
      const one: Promise<void> = run()
        .catch(() => {}) // the next time is stored before the task runs
        .finally(() => {
          running.delete(one);
          poke();
        });
      running.add(one);
    }
  };
  const poke = (): void => {
    if (!auto || stop.signal.aborted) return;
    if (timer) clearTimeout(timer);
    startDue();
    const [next] = running.size < AT_ONCE ? waiting(1) : [];
    timer = next ? setTimeout(poke, Math.min(LONGEST_MS, Math.max(5, next.at - now()))) : null;
    timer?.unref();
  };
  return {
    poke,
    signal: stop.signal,
    async flush() {
      do {
        startDue();
        await Promise.all(running);
      } while (!stop.signal.aborted && waiting(1).some(({ at }) => at <= now()));
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      if (timer) clearTimeout(timer);
      await Promise.all(running);
    },
  };
}
