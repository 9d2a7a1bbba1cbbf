import type { Retry } from '../../mail/model/failure-table.ts';
import type { Cause } from '../causes/causes.ts';
import type { CueName } from '../input/cues.ts';
import type { Source } from './sources.ts';

/** Something that may stand in the text: a pattern, or a cue by name. */
export type Clue = RegExp | CueName;

/** One way in which one cause shows itself. Patterns see the text on one line, unfolded, with single blanks. */
export interface CatalogueRow {
  readonly id: string;
  readonly cause: Cause;
  /** What Google, or the client's own library, says with this text, in plain words. */
  readonly said: string;
  /** One of them must be found. */
  readonly any: readonly RegExp[];
  /** All of them must be there. */
  readonly needs?: readonly Clue[];
  /** None of them may be there. */
  readonly unless?: readonly Clue[];
  /** How likely the cause is, 0 to 1, when the text says this and nothing else. */
  readonly base: number;
  /** What else in the text makes it more or less likely. */
  readonly weigh?: readonly (readonly [Clue, number])[];
  readonly retry: Retry;
  /** How to wait, where the class alone does not say it. */
  readonly wait?: string;
  /** How it comes about, most likely first. */
  readonly likely: readonly string[];
  /** What is wrong, where the text says more than the cause alone. */
  readonly summary?: string;
  /** Usual steps instead of the cause's own; those of a program still apply. */
  readonly usual?: readonly string[];
  /** All steps, instead of the cause's own and those of a program. */
  readonly fix?: readonly string[];
  readonly source: Source;
}
