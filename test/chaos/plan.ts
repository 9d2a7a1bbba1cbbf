import { below, shuffled, stream } from './draw.ts';

export type Api = 'direct' | 'queued';

/** One mail that the run asks for, known again by its only recipient. */
export interface Asked {
  readonly recipient: string;
  readonly key: string;
  /** Published on a topic, or posted to an API that sends by itself or hands over to the queue. */
  readonly by: 'topic' | Api;
  /** Wanted so many milliseconds after it is first asked for; null for at once. */
  readonly inMs: number | null;
}

/** A process that is killed when so many mails (of 0 to 1 of them) have come to an end. */
export interface Kill {
  readonly at: number;
  readonly whom: 'worker' | Api;
  readonly index: number;
  /** Milliseconds after that moment. */
  readonly delayMs: number;
}

export interface Plan {
  readonly asked: readonly Asked[];
  /** Every request in its order, repetitions of the same mail among them. */
  readonly requests: readonly Asked[];
  readonly kills: readonly Kill[];
}

const API_SHARE: Readonly<Record<Api, number>> = { direct: 0.12, queued: 0.18 };
const REPEATED_SHARE = 0.25;
const LATER_SHARE = 0.1;
const FAR = 60; // a repetition comes with the first request or up to so many requests later

/** Draws a run from its seed. */
export function drawPlan({ seed, mails, kills }: { seed: number; mails: number; kills: number }): Plan {
  const random = stream(seed, 'mails');
  const times = stream(seed, 'times');
  const asked = Array.from({ length: mails }, (_, n): Asked => {
    const share = random();
    const by = share < API_SHARE.direct ? 'direct' : share < API_SHARE.direct + API_SHARE.queued ? 'queued' : 'topic';
    const inMs = times() < LATER_SHARE ? 1_000 + below(times, 5_000) : null;
    return { recipient: `n${n}@chaos.example`, key: `chaos-${seed}-${n}`, by, inMs };
  });
  const placed = asked.flatMap((mail, place) => {
    const copies = random() < REPEATED_SHARE ? 1 + below(random, 3) : 0;
    return [{ mail, place }, ...Array.from({ length: copies }, () => ({ mail, place: place + below(random, FAR) }))];
  });
  const dying = stream(seed, 'kills');
  const deaths = Array.from({ length: kills }, (): Kill => {
    const share = dying();
    const whom = share < 0.8 ? 'worker' : share < 0.9 ? 'direct' : 'queued';
    return { at: 0.01 + dying() * 0.97, whom, index: below(dying, 1_000), delayMs: below(dying, 100) };
  });
  return {
    asked,
    requests: shuffled(placed, random)
      .sort((a, b) => a.place - b.place)
      .map(({ mail }) => mail),
    kills: deaths.sort((a, b) => a.at - b.at),
  };
}
