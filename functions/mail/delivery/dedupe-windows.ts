/**
 * Time windows: of the events with equal text in a window, the first becomes an email immediately and the others become one
 * digest at the end. Times are milliseconds since the epoch. Throws MailFailure: ledger_unavailable, identity_refused.
 */
export interface DedupeWindows {
  /**
   * Assigns the event to a window of its group: the open window, or a new one that the event opens. A redelivered event gets the
   * same window, however late it arrives. With `knownMs`, an event that is repeated after that time is a new event.
   */
  assign(group: string, event: string, everyMs: number, now: number, knownMs?: number): Promise<WindowMembership>;
  /** What was held back in the window that was opened at `opened`. */
  countHeldBack(group: string, opened: number): Promise<HeldBackCount>;
  /**
   * Closes the window and returns what the digest of this round contains: round 1 everything that was held back, a later round
   * what arrived after the window was closed (by an instance whose clock is behind). The same round always gets the same answer.
   */
  close(group: string, opened: number, round: number): Promise<HeldBackCount>;
}

export interface WindowMembership {
  readonly opened: number;
  readonly until: number;
  /** True for the event that opened the window: its email is sent immediately. Every other event is counted. */
  readonly first: boolean;
  /** True where the digest may not be scheduled yet. Scheduling the digest twice does no harm. */
  readonly ask: boolean;
  /**
   * How often the window was closed before the event was counted. Over 0, no digest contains the event unless another one is
   * scheduled.
   */
  readonly closed: number;
  /** The window before, where this event opened the next one; a redelivery gets the same value. */
  readonly before: { readonly opened: number; readonly until: number } | null;
}

/** How many events were held back, and when the first and the last of them arrived; both times are 0 where there are none. */
export interface HeldBackCount {
  readonly count: number;
  readonly first: number;
  readonly last: number;
}
