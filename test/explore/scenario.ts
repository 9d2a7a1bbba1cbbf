import type { PostOffice } from './post-office.ts';
import type { Stage, Step } from './stage.ts';

/** The core, as it is or broken in one place. */
export type Core = typeof import('./core.ts');

/** What somebody does, at a moment that the tape chooses. `of` is the how-manieth mail of the ledger. */
export type Act =
  | { readonly does: 'ask'; readonly key: string; readonly mail: number; readonly inMs: number }
  | { readonly does: 'publish' }
  /** The oldest dead letter is put into the queue again. */
  | { readonly does: 'replay' }
  | { readonly does: 'cancel' | 'drop'; readonly of: number }
  | { readonly does: 'move'; readonly of: number; readonly inMs: number }
  | { readonly does: 'resend'; readonly of: number; readonly withMail: boolean; readonly asks: boolean };

export interface Scenario {
  readonly delivery: 'direct' | 'queued';
  /** Whether there are tasks. */
  readonly later: boolean;
  /** Whether those who got no good answer ask again. */
  readonly patient: boolean;
  /** Whether bytes leave as soon as their sender has looked at the clock: then nothing is sent any more that was dropped. */
  readonly prompt: boolean;
  /** Over SMTP each transfer is a whole email, and only a search tells what became of it. */
  readonly via: 'api' | 'smtp';
  /** By how many milliseconds the clock of each actor in turn is off. */
  readonly clocks: readonly number[];
  readonly acts: readonly Act[];
  readonly tape: readonly Step[];
}

/** What somebody was told of a mail. */
export interface Told {
  readonly by: string;
  readonly id: string | null;
  /** The state of the outcome, or the code of what was thrown. */
  readonly said: string;
  /** At which line of the story. */
  readonly at: number;
  readonly gmailId?: string;
}

/** What came of a scenario, once everything is quiet. */
export interface Ended {
  readonly scenario: Scenario;
  readonly stage: Stage;
  readonly office: PostOffice;
  readonly told: readonly Told[];
  readonly canceled: ReadonlySet<string>;
  /** Mails of which a person was told that they may be there already, and who decided all the same; how often. */
  readonly risked: ReadonlyMap<string, number>;
  /** Emails that a person released, and was told that their message must come from somewhere: at which line of the story, the last time. */
  readonly released: ReadonlyMap<string, number>;
  /** Those who asked, were patient, and have no answer that settles it. */
  readonly unanswered: readonly string[];
}
