/** Something that is due at a time (milliseconds since the epoch), and how it is done. */
export interface Due {
  readonly at: number;
  run(): Promise<void>;
}

/** Does what is due: with `auto` by itself and in time, else when it is told to. */
export interface DeliveryLoop extends AsyncDisposable {
  /** Something new may be due. */
  poke(): void;
  /** Does all that is due now, and what becomes due by it. */
  flush(): Promise<void>;
  /** Aborted when the pump is disposed of: nobody waits for an answer then. */
  readonly signal: AbortSignal;
}

const AT_ONCE = 8;
const LONGEST_MS = 60_000;

/** `waiting` lists what is still to be done, soonest first; what runs is not in it. */
export function createDeliveryLoop(waiting: (limit: number) => readonly Due[], now: () => number, auto: boolean): DeliveryLoop {
  const running = new Set<Promise<void>>();
  let timer: NodeJS.Timeout | null = null;
  const stop = new AbortController();

  const startDue = (): void => {
    for (const { at, run } of waiting(AT_ONCE - running.size)) {
      if (at > now() || running.size >= AT_ONCE) return;
      const one: Promise<void> = run()
        .catch(() => {}) // its next time is written down before it runs
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
