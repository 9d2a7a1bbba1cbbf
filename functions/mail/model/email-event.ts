/**
 * Types of events about emails: Resend's types where Resend has one, then ours. `email.bounced` comes after the send, see
 * `addEvent`.
 */
export const EVENT_TYPES = [
  'email.scheduled',
  'email.sent',
  'email.delivery_delayed',
  'email.failed',
  'email.bounced',
  'email.suppressed',
  'email.parked',
  'email.unknown',
  'email.canceled',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/**
 * A state change for the event targets. It waits in the ledger entry, written in the same step as the change itself. Times are
 * milliseconds since the epoch.
 */
export interface EmailEvent {
  /** The same id each time the event is handed over. */
  readonly id: string;
  readonly type: EventType;
  readonly at: number;
  readonly code?: string;
  /** When it is due. */
  readonly notBefore?: number;
  /** Recipients that Gmail refused while it took the email for the others. */
  readonly rejected?: number;
  /** Only for `email.bounced`. */
  readonly bounce?: BounceKind;
}

/** How final a bounce is, in Resend's words. */
export interface BounceKind {
  readonly type: 'Permanent' | 'Transient' | 'Undetermined';
  readonly subType: string;
}

/** A delivery status notification that came back for an email. */
export interface Bounce extends BounceKind {
  /** Gmail's id of the notification. */
  readonly message: string;
  /** When it came, in milliseconds since the epoch. */
  readonly at: number;
  /** Whom it is about, as the ledger has them; none where it does not say. */
  readonly recipients: readonly string[];
}

/** An event target: a URL or a Pub/Sub topic. */
export interface EventTarget {
  readonly name: string;
  readonly url?: string;
  /** Id of the secret that events to the URL are signed with. */
  readonly secret?: string;
  /** As `projects/P/topics/T`, or its short id. */
  readonly topic?: string;
  readonly types: readonly EventType[];
  /** Whether events name sender and recipients; only with `ledger: { addresses: plain }`. */
  readonly addresses: boolean;
}

/** A tag that a caller gave its email: stored, returned, and sent with events. */
export interface Tag {
  readonly name: string;
  readonly value: string;
}
