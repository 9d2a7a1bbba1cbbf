/**
 * Windows of time in which events that are alike become one email at once and one digest at the end. Times are milliseconds
 * since the epoch. Throws MailFailure: ledger_unavailable, identity_refused.
 */
export interface DedupeWindows {
  /**
   * Has the event belong to a window of its group: the one that is open, or a new one, which it opens. An event belongs to
   * one window however often and however late it is delivered again; after `knownMs`, where that is given, the same is said
   * anew, and is an event of its own.
   */
  assign(group: string, event: string, everyMs: number, now: number, knownMs?: number): Promise<WindowMembership>;
  /** What was held back in the window that was opened then. */
  countHeldBack(group: string, opened: number): Promise<HeldBackCount>;
  /**
   * Closes the window and answers what the digest of that round tells: round 1 everything that was held back, a later one
   * what came after the window was closed, by a clock that is behind. Asked again for a round, it answers the same.
   */
  close(group: string, opened: number, round: number): Promise<HeldBackCount>;
}

export interface WindowMembership {
  readonly opened: number;
  readonly until: number;
  /** True for the event that opened the window: its email goes out at once. Any other one is counted. */
  readonly first: boolean;
  /** True where nobody may have asked for the digest yet: asking for it twice does no harm. */
  readonly ask: boolean;
  /** How often the window was closed before the event was counted: over 0, no digest tells of the event unless it is asked for. */
  readonly closed: number;
  /** The window before, where this event opened the next; said again whenever it is delivered again. */
  readonly before: { readonly opened: number; readonly until: number } | null;
}

/** How many events, and when the first and the last of them came; 0 for both where there are none. */
export interface HeldBackCount {
  readonly count: number;
  readonly first: number;
  readonly last: number;
}
