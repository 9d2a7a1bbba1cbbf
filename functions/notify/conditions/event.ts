/** What happened, as the publisher told it. */
export interface NotifyEvent {
  /** The decoded JSON; text as it is where it is no JSON, an empty object where there is nothing. */
  readonly data: unknown;
  /** Attributes of the Pub/Sub message, or selected headers of a webhook. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** A CEL expression as the build parsed and checked it. */
export interface Expression {
  /** The setting of the route that it stands in. */
  readonly field: 'when' | 'dedupe';
  /** The library's syntax tree. */
  readonly tree: unknown;
  /** Where the nodes of the tree stand, counted from 1, and what they are called where that is the config's own text. */
  readonly columns: Readonly<Record<string, readonly [column: number, name?: string]>>;
}
