/** A rule that turns an event into an email. Conditions are CEL, texts are Handlebars; both as they stand in the configuration. */
export interface Route {
  /** 1 to 40 lower-case letters, digits and hyphens. */
  readonly name: string;
  /** Pub/Sub topic, as its short id or `projects/P/topics/T`; null for a webhook. */
  readonly topic: string | null;
  /** null for a topic. */
  readonly hook: Hook | null;
  /** Which events become an email; null for every one. */
  readonly when: string | null;
  /** Configured address that the emails are sent from, in lower case, and the display name ('' for the mailbox's own). */
  readonly from: { readonly address: string; readonly name: string };
  readonly to: readonly string[];
  readonly cc: readonly string[];
  readonly bcc: readonly string[];
  readonly replyTo: readonly string[];
  /** null for the template's own subject. */
  readonly subject: string | null;
  readonly headers: Readonly<Record<string, string>>;
  /** Name of a file in the folder of templates, without its ending. */
  readonly template: string;
  /** Template of the digest of what `everyMs` held back. */
  readonly digest: string;
  /** Events with one value of this expression are one email; null for the event's own id. */
  readonly dedupe: string | null;
  /**
   * At most one email for each value of `dedupe` in a window of this many milliseconds; the rest is one digest. null: no windows.
   */
  readonly everyMs: number | null;
  /** Patterns of recipients such as `*@example.com`, in lower case; null for everyone. */
  readonly only: readonly string[] | null;
  /** How many emails the events may become; a digest tells of the rest. Absent: no limit. */
  readonly limits?: { readonly perDay: number | null; readonly perMinute: number | null };
}

/** How a route's webhook proves its origin. */
export interface Hook {
  /** Name of a scheme, one of the table in verify/schemes/. */
  readonly verify: string;
  /** Id of the secret in Secret Manager; '' for google-oidc, which has none. */
  readonly secret: string;
  /** How far a signed timestamp may lie in the past or in the future. */
  readonly toleranceSeconds: number;
  /** For schemes without a signature: how long an equal body counts as a redelivery; absent for an hour. */
  readonly rememberMs?: number;
  /** Only for schemes with one of its settings, such as `hmac`. */
  readonly hmac?: HmacForm;
  /**
   * Only for schemes with one of these settings, such as `google-oidc`: the audience of the token, and the identity that must have
   * requested it. '' for a setting that the scheme does not have: nothing matches it.
   */
  readonly google?: { readonly audience: string; readonly email: string };
}

/** Where the signature of `verify: hmac` stands, and how it is written. */
export interface HmacForm {
  readonly header: string;
  readonly algorithm: 'sha1' | 'sha256' | 'sha512';
  readonly encoding: 'hex' | 'base64';
  /** Text before the signature, such as `sha256=`. */
  readonly prefix: string;
  /** Header of a timestamp in seconds; then `<timestamp>:<body>` is signed, as Grafana does it. */
  readonly timestamp?: string;
}
