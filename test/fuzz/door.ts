import type fc from 'fast-check';
import type { World } from './world.ts';

/** What became of one input. */
export interface Played {
  /** What was answered, in few words: an answer that is new makes the input interesting. */
  readonly answer: string;
  /** How much was given, for the processor time of it. */
  readonly bytes: number;
}

/** One door: what is tried at it, and how. `play` throws where something is wrong; an input is JSON, so that it can be kept. */
export interface Door {
  readonly name: string;
  readonly inputs: fc.Arbitrary<unknown>;
  play(input: unknown, world: World): Promise<Played>;
}

type Fields = Readonly<Record<string, unknown>>;

/** The fields of an input that a change may have made something else of. */
export const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value));

/** Header values that a client of HTTP can send. */
export const headersOf = (value: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries(fieldsOf(value))
      .filter(
        ([name]) =>
          /^[\w-]{1,40}$/.test(name) &&
          !/^(content-length|transfer-encoding|host|connection|expect|upgrade|te|trailer|keep-alive)$/i.test(name),
      )
      .map(([name, one]) => [
        name,
        textOf(one)
          .replace(/[^ -~]/g, '')
          .slice(0, 2_000),
      ]),
  );

/** An answer without what differs from one input to the next. */
export const shape = (text: string): string =>
  text
    .replace(/"[^"]*"|\d+|[0-9a-f]{8,}/g, '#')
    .replace(/[^ -~]/g, '')
    .slice(0, 120);
