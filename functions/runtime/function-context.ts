import type { Entry } from '../mail/delivery/ledger.ts';
import type { Ports } from '../mail/delivery/ports.ts';
import type { Config } from '../mail/model/config.ts';
import type { SecretString } from '../mail/model/secret.ts';

/** What a trigger is given: the config, and a fresh set of ports for each invocation. */
export interface FunctionContext {
  readonly config: Config;
  readonly project: string;
  readonly pushAudience: string | null;
  /** True if Google's IAM checks every call before the function sees it; only then the caller's identity is believed. */
  readonly trustIam: boolean;
  /** True if an operator has stopped all sending: nothing is sent, and what comes is refused or kept. */
  readonly stopped: boolean;
  /** Path of a module with compiled routes, in place of those that the build embedded; null for these. */
  readonly routesFile: string | null;
  digest(data: Uint8Array | string): string;
  now(): number;
  startInvocation(): Ports;
  /** A page of a caller's own emails, newest first. Throws MailFailure. */
  listEmails(query: EmailPageQuery): Promise<EmailPage>;
}

/** The emails before or after one of them, in a list that begins with the newest. */
export interface EmailPageQuery {
  readonly caller: string;
  readonly limit: number;
  readonly cursor: { readonly direction: 'after' | 'before'; readonly entry: Pick<Entry, 'id' | 'acceptedAt'> } | null;
}

export interface EmailPage {
  readonly entries: readonly Entry[];
  /** Whether there are more in the direction that was asked for. */
  readonly hasMore: boolean;
}

/** An event on its way to a URL. */
export interface EventTask {
  /** Name of the target in the config. */
  readonly target: string;
  readonly id: string;
  readonly type: string;
  /** Id of the email. */
  readonly email: string;
  /** Since when its delivery is tried, in milliseconds since the epoch. */
  readonly since: number;
  /** JSON text: the same bytes each time. */
  readonly payload: string;
}

/** What the worker delivers events by, for one invocation. All of it throws MailFailure. */
export interface EventDelivery {
  /** The payload of a secret, at most five minutes old. */
  secret(name: string, stale?: SecretString): Promise<SecretString>;
  /** Answers the status of the receiver, or a word for why there was none. Never throws. */
  post(url: string, headers: Readonly<Record<string, string>>, body: Buffer): Promise<number | string>;
  /** Begins the delivery of an event anew; false where no queue of events is configured. */
  again(task: EventTask): Promise<boolean>;
  /** Hands over what was left in the ledger: `told` entries, and those where it did not work. */
  sweep(): Promise<{ readonly told: number; readonly left: number }>;
  close(): void;
}

/** What webhooks are judged by. */
export interface WebhookVerifier {
  /**
   * The payload of a webhook's secret, at most five minutes old. `stale` is one under which a signature did not fit: then
   * it is read anew, as often as the secret allows. Throws MailFailure: hook_secret_unusable, google_unavailable, identity_refused.
   */
  secret(name: string, stale?: SecretString): Promise<SecretString>;
  /** The email in an identity token of Google's for this audience; null where the token proves nothing. Throws MailFailure. */
  emailIn(token: string, audience: string): Promise<string | null>;
}

/** Documents of an app in Firestore, under their full name `projects/P/databases/D/documents/…`. Throws MailFailure. */
export interface DocumentStore {
  /** Plain data, and the version that a write may ask for; null where there is no such document. */
  read(name: string): Promise<{ readonly fields: Readonly<Record<string, unknown>>; readonly version: string } | null>;
  /**
   * Writes fields by path, such as `delivery.state`, and leaves all others alone. False where the document is gone, or,
   * with a version, was changed since.
   */
  write(name: string, fields: Readonly<Record<string, unknown>>, version: string | null): Promise<boolean>;
}
