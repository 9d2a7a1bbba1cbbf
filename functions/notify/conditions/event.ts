/** An event, as its publisher sent it. */
export interface NotifyEvent {
  /** The decoded JSON; the text itself where it is not JSON; an empty object where there is no data. */
  readonly data: unknown;
  /** Attributes of the Pub/Sub message, or selected headers of a webhook. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** A CEL expression as the build parsed and checked it. */
export interface Expression {
  /** The setting of the route that contains it. */
  readonly field: 'when' | 'dedupe';
  /** The library's syntax tree. */
  readonly tree: unknown;
  /** The columns of the tree's nodes, counted from 1, and their names where these are the configuration's own text. */
  readonly columns: Readonly<Record<string, readonly [column: number, name?: string]>>;
}
