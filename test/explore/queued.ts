import { authorised, DEAD_TOPIC, type Laptop, MAIL, post, startQueued } from '../support/stack/laptop.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** A laptop whose time stands still until it is moved; what is due then is delivered. */
export async function queued(change: Parameters<typeof startQueued>[0] = {}) {
  const clock = { now: Date.UTC(2026, 10, 24, 8) };
  const laptop = await startQueued({ ...change, now: () => clock.now });
  const { pubsub, tasks } = laptop.google;
  const flush = async (): Promise<void> => {
    await tasks.flush();
    await pubsub.flush();
  };
  return {
    ...laptop,
    clock,
    flush,
    async wait(ms: number): Promise<void> {
      clock.now += ms;
      await flush();
    },
    /** Lets so much time pass, in steps in which every redelivery takes place. */
    async live(ms: number): Promise<void> {
      for (const end = clock.now + ms; clock.now < end; await flush()) clock.now = Math.min(end, clock.now + 10 * MINUTE);
    },
    [Symbol.asyncDispose]: () => laptop[Symbol.asyncDispose](),
  };
}

export const emails = (laptop: Pick<Laptop, 'api'>, body: unknown = MAIL, headers: Record<string, string> = {}) =>
  post(`${laptop.api}/emails`, body, { ...authorised, ...headers });
export const record = async (laptop: Pick<Laptop, 'api'>, id: unknown): Promise<Record<string, unknown>> =>
  (await fetch(`${laptop.api}/emails/${String(id)}`, { headers: authorised })).json() as Promise<Record<string, unknown>>;
export const dead = ({ google }: Pick<Laptop, 'google'>) =>
  google.pubsub.published(DEAD_TOPIC).map(({ attributes }) => attributes['reason']);
