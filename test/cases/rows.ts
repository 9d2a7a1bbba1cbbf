import type { ParsedMail } from 'mailparser';

/** What became of an input: the answer of its door, and the email that Gmail took, if it took one. */
export interface Played {
  /** HTTP status, or the SMTP code. */
  readonly status: number;
  /** The sentence that whoever sent it reads. */
  readonly message: string;
  readonly mail: ParsedMail | null;
  readonly raw: string;
  readonly recipients: readonly string[];
  /** Reasons of the dead letters that it left: code and detail. */
  readonly dead: readonly string[];
  /** What was logged, as JSON. */
  readonly logged: string;
}

export type DoorName = 'emails' | 'raw' | 'smtp' | 'documents' | 'hook' | 'push' | 'route';

/** One situation from people's reports, and what is right. A door is added in cases.test.ts. */
export interface Case {
  readonly id: string;
  /** The name under which the situation was reported to the project, where it was. */
  readonly reported?: string;
  readonly doors: readonly DoorName[];
  /** The body; a finished message with the recipients of its envelope; a document's fields; a `route` and its `event`; a request to the worker. */
  readonly input: Readonly<Record<string, unknown>> | { readonly message: string; readonly to: readonly string[] };
  /** Left out for both. The package under the sidecar and the fake's SMTP knows no quoted local parts. */
  readonly vias?: readonly ('api' | 'smtp')[];
  right(played: Played): void;
}
