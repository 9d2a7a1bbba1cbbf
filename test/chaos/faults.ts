import type { Door, Fault, Faults } from '../../functions/fake-google/faults/faults.ts';
import { stream } from './draw.ts';
import type { Wire } from './wire.ts';

type Row = readonly [kind: string, perMille: number, fault: Omit<Fault, 'on'>];

/** How often each thing goes wrong at each door, out of a thousand calls. */
const ROWS: Partial<Readonly<Record<Door | Wire, readonly Row[]>>> = {
  ledger: [
    ['Firestore 503', 4, { answer: 'cloud_unavailable' }],
    ['Firestore reset', 4, { reset: 'before' }],
    ['Firestore wrote, reply lost', 8, { reset: 'after' }],
  ],
  queue: [
    ['Pub/Sub 503', 20, { answer: 'cloud_unavailable' }],
    ['Pub/Sub reset', 20, { reset: 'before' }],
    ['published, reply lost', 40, { reset: 'after' }],
  ],
  identity: [
    ['identity 5xx', 50, { status: 503 }],
    ['identity reset', 20, { reset: 'before' }],
  ],
  secret: [
    ['secret 5xx', 40, { answer: 'cloud_unavailable' }],
    ['secret reset', 20, { reset: 'before' }],
    ['secret 401', 5, { answer: 'unauthenticated' }],
  ],
  token: [
    ['token 5xx', 40, { status: 503 }],
    ['token reset', 15, { reset: 'before' }],
    ['token reply lost', 15, { reset: 'after' }],
    ['token slow', 10, { delayMs: 700 }],
  ],
  open: [
    ['429', 25, { answer: 'rate' }],
    ['403 rate', 25, { answer: 'user_rate' }],
    ['5xx', 25, { answer: 'unavailable' }],
    ['reset before accept', 15, { reset: 'before' }],
    ['session opened, reply lost', 15, { reset: 'after' }],
    ['slow', 20, { delayMs: 600 }],
    ['daily limit', 3, { answer: 'daily_limit' }],
    ['refused for good', 4, { answer: 'invalid_to' }],
  ],
  transfer: [
    ['429', 10, { answer: 'rate' }],
    ['403 rate', 10, { answer: 'user_rate' }],
    ['5xx', 20, { answer: 'backend' }],
    ['reset before accept', 20, { reset: 'before' }],
    ['reset in the middle', 15, { reset: 'before', keepBytes: 100 }],
    ['accepted, reply lost', 40, { reset: 'after' }],
    ['accepted, reply slow', 60, { delayMs: 250 }],
    ['accepted, reply too late', 5, { delayMs: 8_000 }],
    ['session 404', 4, { answer: 'session_gone' }],
    ['308 with every byte, made later', 25, { range: 'whole', takenAfterMs: 1_500 }],
    ['308 with every byte, made much later', 5, { range: 'whole', takenAfterMs: 9_000 }],
    ['308 without Range, though held', 10, { range: 'none', takenAfterMs: 800 }],
    ['308 while bytes travel', 10, { range: 'half', takenAfterMs: 600 }],
    ['429, though taken', 8, { answer: 'rate', takenAfterMs: 0 }],
    ['403, made later', 6, { answer: 'user_rate', takenAfterMs: 1_000 }],
    ['400, though taken', 4, { answer: 'invalid_to', takenAfterMs: 0 }],
    ['201 in place of 200', 100, { successStatus: 201 }],
  ],
  ask: [
    ['5xx', 80, { answer: 'unavailable' }],
    ['429', 40, { answer: 'rate' }],
    ['reset before accept', 50, { reset: 'before' }],
    ['reply lost', 50, { reset: 'after' }],
    ['slow', 50, { delayMs: 400 }],
    ['session 404', 20, { answer: 'session_gone' }],
    ['session 410', 5, { status: 410 }],
    ['another 4xx', 10, { answer: 'bad_upload' }],
    ['401', 10, { answer: 'bad_token' }],
    ['201 in place of 200', 100, { successStatus: 201 }],
  ],
  task: [
    ['Cloud Tasks 429', 40, { answer: 'cloud_exhausted' }],
    ['Cloud Tasks 503', 40, { answer: 'cloud_unavailable' }],
    ['Cloud Tasks reset', 30, { reset: 'before' }],
    ['task created, reply lost', 80, { reset: 'after' }],
    ['task created, reply lost until it ran', 40, { reset: 'after', delayMs: 2_500 }],
  ],
};

/** The faults of a run: the nth call at a door meets what the seed has drawn for it. */
export interface DrawnFaults extends Faults {
  /** What goes wrong with the next call on a wire to an emulator. */
  onWire(wire: Wire): Omit<Fault, 'on'> | undefined;
  /** How often each kind was met. */
  readonly met: Readonly<Record<string, number>>;
}

export function drawFaults(seed: number): DrawnFaults {
  const met: Record<string, number> = {};
  const streams = new Map<string, () => number>();
  const draw = (place: Door | Wire): Omit<Fault, 'on'> | undefined => {
    const random = streams.get(place) ?? stream(seed, `faults at ${place}`);
    streams.set(place, random);
    let rest = random() * 1_000;
    for (const [kind, perMille, fault] of ROWS[place] ?? []) {
      rest -= perMille;
      if (rest >= 0) continue;
      met[kind] = (met[kind] ?? 0) + 1;
      return fault;
    }
    return undefined;
  };
  return {
    met,
    onWire: draw,
    take(door) {
      const fault = draw(door);
      return fault && { on: door, ...fault };
    },
    script: () => {},
    clear: () => {},
    pending: () => [],
  };
}
