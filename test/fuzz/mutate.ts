/** Changes of an input that was interesting. */
import { placesIn, replaced } from './events.ts';

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const CONSTANTS: readonly unknown[] = [
  null,
  '',
  0,
  -1,
  true,
  [],
  {},
  [null],
  '\r\n',
  '\0',
  '\ud800',
  '@',
  '=?utf-8?q?=0A?=',
  '{{',
  '%00',
  '__proto__',
];
const LARGE = 200_000;

/** The input with one place of it changed, now and then by a lot of the same. */
export function mutated(input: unknown, other: unknown, random: () => number): unknown {
  const pick = <T>(from: readonly T[]): T | undefined => from[Math.floor(random() * from.length)];
  const place = pick(placesIn(input));
  if (!place) return typeof input === 'string' ? changedText(input, random) : (other ?? null);
  const at = (value: unknown, path: readonly string[]): unknown => path.reduce<unknown>((one, key) => Object(one)[key], value);
  const now = at(input, place);
  const by = (): unknown => {
    const draw = random();
    if (draw < 0.15) return undefined;
    if (draw < 0.3) return pick(CONSTANTS);
    if (draw < 0.5) return at(other, pick(placesIn(other)) ?? []);
    if (draw < 0.6) return [now, now];
    if (typeof now === 'string') return changedText(now, random);
    return typeof now === 'number' ? now * (pick([-1, 1e9, 0.5]) ?? 0) : [now];
  };
  return replaced(input, place, by());
}

function changedText(text: string, random: () => number): string {
  const at = Math.floor(random() * (text.length + 1));
  const until = at + Math.floor(random() * Math.min(20, text.length - at + 1));
  const part = text.slice(at, until) || 'a';
  const draw = random();
  if (draw < 0.12) return text.slice(0, at) + part.repeat(Math.ceil(LARGE / part.length)) + text.slice(until);
  if (draw < 0.35) return text.slice(0, at) + text.slice(until);
  if (draw < 0.6) return text.slice(0, at) + part.repeat(2) + text.slice(until);
  return text.slice(0, at) + String.fromCharCode(Math.floor(random() * (draw < 0.8 ? 128 : 65_536))) + text.slice(until);
}
