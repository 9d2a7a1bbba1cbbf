/**
 * Several actors, of whom one at a time goes on: at each call of a port a tape says who, and what becomes of the call.
 * The same tape is the same run; where it ends, whoever came first goes on and nothing goes wrong any more.
 */

/** What may become of a call, where its port knows of it. */
type Fault =
  | 'freeze' // its actor stands still for longer than its lease, and wakes up some steps later
  | 'refuse' // the call is refused, and has no effect
  | 'lost' // the call has its effect, but its answer does not come
  | 'late' // its answer does not come, and it has its effect at some later time
  | 'asked twice' // the answer was lost, the adapter made the same call again, and others were quicker
  | 'die before' // its actor ends, and the call was never made
  | 'die after' // its actor ends, and the call was made
  | 'partly' // Gmail takes a part of the message
  | 'forget' // Gmail forgets the session
  | 'a minute' // so much time goes by
  | 'an hour'
  | 'a day';

/** One decision: which of the moves that are possible; what goes wrong with it, 0 for nothing; which refusal, how long a sleep. */
export interface Step {
  readonly who: number;
  readonly wrong: number;
  readonly how: number;
}

/** One call of a port, before its effect. */
export interface Call<T> {
  readonly door: string;
  effect(): Promise<T>;
  /** What may come instead of the effect. */
  readonly refusals: readonly (() => Error)[];
  /** What an adapter makes of an answer that does not come; null for a call without an effect on others. */
  readonly lost: (() => Error) | null;
  /** What the adapter's second call comes to, once the first had its effect. */
  readonly again?: () => Promise<T>;
  readonly partly?: () => Promise<T>;
  readonly forget?: () => void;
  /** What else may happen instead of the effect: a name, and what the call then comes to. */
  readonly odd?: readonly (readonly [name: string, (how: number) => Promise<T>])[];
  /** It follows at once on what its actor did before: nobody comes in between. */
  readonly urgent?: boolean;
}

/** Something that may happen next. */
export interface Move {
  readonly name: string;
  go(step: Step): void;
}

export interface Actor {
  readonly name: string;
  alive: boolean;
  over: boolean;
  /** Until that step it stands still. */
  frozenUntil: number;
}

interface Waiting {
  readonly actor: Actor;
  readonly move: Move;
  readonly urgent: boolean;
}

export interface Stage {
  clock: number;
  /** What happened, a line each. */
  readonly story: string[];
  /** Starts an actor; `ended` is called once: with its answer or its error, or with null where it died. */
  start<T>(name: string, act: (actor: Actor) => Promise<T>, ended: (end: { value: T } | { error: unknown } | null) => void): void;
  call<T>(actor: Actor, call: Call<T>): Promise<T>;
  /** Something that happens by itself, at a moment that the tape chooses, and before all is quiet. */
  later(name: string, go: () => void): void;
  /** Goes on until nothing can happen any more; `offers` are the moves besides the calls that wait. */
  play(tape: readonly Step[], offers: (stormy: boolean) => Move[], most: number): Promise<void>;
}

/** The first goes on, and nothing goes wrong. */
export const NOTHING: Step = { who: 0, wrong: 0, how: 0 };
const MINUTE = 60_000;

export function createStage(clock: number, leaseMs: number): Stage {
  let waiting: Waiting[] = [];
  const late: Move[] = [];
  const actors = new Set<Actor>();
  const deaths = new Map<Actor, () => void>();
  let steps = 0;
  const kill = (actor: Actor): void => {
    actor.alive = false;
    waiting = waiting.filter((one) => one.actor !== actor);
    actors.delete(actor);
    deaths.get(actor)?.();
  };
  const stage: Stage = {
    clock,
    story: [],
    start(name, act, ended) {
      const actor: Actor = { name, alive: true, over: false, frozenUntil: 0 };
      actors.add(actor);
      deaths.set(actor, () => ended(null));
      const end = (what: Parameters<typeof ended>[0]): void => {
        if (!actor.alive) return;
        actor.over = true;
        actors.delete(actor);
        ended(what);
      };
      act(actor).then(
        (value) => end({ value }),
        (error: unknown) => end({ error }),
      );
    },
    call: <T>(actor: Actor, call: Call<T>) =>
      new Promise<T>((resolve, reject) => {
        if (!actor.alive) return;
        const effect = (): void => void call.effect().then(resolve, reject);
        const { urgent = false } = call;
        const wait = (door: string, go: Move['go']): void =>
          void waiting.push({ actor, urgent, move: { name: `${actor.name}: ${door}`, go } });
        const { lost, again, partly, forget, odd = [] } = call;
        const happen = (): void => void call.effect().catch(() => {}); // and nobody hears of it
        const ended = (): void => kill(actor);
        const pass = (ms: number): void => {
          stage.clock += ms;
        };
        const go = ({ wrong, how }: Step): void => {
          const refusal = call.refusals[how % Math.max(1, call.refusals.length)];
          const time = how === 5 ? ([25 * 60 * MINUTE, 'a day'] as const) : how % 2 ? ([60 * MINUTE, 'an hour'] as const) : null;
          const ways: [Fault | `odd: ${string}`, (() => void) | null][] = [
            ['die after', () => [happen(), ended()]],
            ['refuse', refusal ? () => reject(refusal()) : null],
            ['lost', lost && (() => [happen(), reject(lost())])],
            [
              'freeze',
              urgent
                ? null
                : () => {
                    actor.frozenUntil = steps + 2 + 4 * how * how;
                    pass(leaseMs + 1);
                    wait(call.door, go);
                  },
            ],
            ['die before', ended],
            ['asked twice', again ? () => [happen(), wait(`${call.door} again`, () => void again().then(resolve, reject))] : null],
            ['late', lost && !urgent ? () => [late.push({ name: `late ${actor.name}: ${call.door}`, go: happen }), reject(lost())] : null],
            ['partly', partly ? () => void partly().then(resolve, reject) : null],
            ['forget', forget ? () => [forget(), effect()] : null],
            [time?.[1] ?? 'a minute', () => [pass(time?.[0] ?? MINUTE), effect()]],
            ...odd.map(([name, way]): [`odd: ${string}`, () => void] => [`odd: ${name}`, () => void way(how).then(resolve, reject)]),
          ];
          const possible = ways.flatMap(([fault, way]) => (way ? [{ fault, way }] : []));
          const chosen = wrong > 0 ? possible[(wrong - 1) % possible.length] : undefined;
          if (chosen) stage.story.push(`    (${chosen.fault})`);
          (chosen?.way ?? effect)();
        };
        wait(call.door, go);
      }),
    later: (name, go) => void late.push({ name, go }),
    async play(tape, offers, most) {
      for (let at = 0; ; at++) {
        await settled();
        if (at > most) throw new Error(`it never comes to an end: ${stage.story.slice(-40).join('\n')}`);
        steps++;
        const awake = waiting.filter(({ actor }) => actor.frozenUntil <= steps);
        const first = awake.filter(({ urgent }) => urgent);
        const calls = (first.length > 0 ? first : awake).map(({ move }) => move);
        const moves = first.length > 0 ? calls : [...calls, ...late, ...offers(at < tape.length)];
        const step = tape[at] ?? NOTHING;
        const move = moves[step.who % Math.max(1, moves.length)];
        if (!move) {
          if (waiting.length === 0) return;
          for (const { actor } of waiting) actor.frozenUntil = 0; // it wakes up when all is over
          continue;
        }
        stage.story.push(move.name);
        waiting = waiting.filter((one) => one.move !== move);
        if (late.includes(move)) late.splice(late.indexOf(move), 1);
        move.go(step);
      }
    },
  };

  /** Until everybody waits at a port, or is at an end. */
  async function settled(): Promise<void> {
    do await new Promise((done) => setImmediate(done));
    while ([...actors].some((actor) => !waiting.some((one) => one.actor === actor)));
  }
  return stage;
}
