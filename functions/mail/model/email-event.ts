/** What is told of an email: Resend's types where Resend has one, then ours. `email.bounced` comes after the send, see `addEvent`. */
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

/** A state change that is to be told: it waits in the ledger entry, written in the same step as the change itself. Times are milliseconds since the epoch. */
export interface EmailEvent {
  /** The same each time it is told. */
  readonly id: string;
  readonly type: EventType;
  readonly at: number;
  readonly code?: string;
  /** When it is due. */
  readonly notBefore?: number;
  /** Recipients that were refused while Gmail took the email for the others. */
  readonly rejected?: number;
  /** Only for `email.bounced`, in Resend's words: type `Permanent`, `Transient` or `Undetermined`, and a subtype. */
  readonly bounce?: { readonly type: string; readonly subType: string };
}

/** Whom events are told: a URL, or a topic of Pub/Sub; one of the two. */
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

/** A tag that a caller gave its email: kept, returned, and carried in events. */
export interface Tag {
  readonly name: string;
  readonly value: string;
}
