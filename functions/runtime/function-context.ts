import type { Entry } from '../mail/delivery/ledger.ts';
import type { Ports } from '../mail/delivery/ports.ts';
import type { Config, Mailbox } from '../mail/model/config.ts';
import type { SecretString } from '../mail/model/secret.ts';

/** What a trigger gets: the configuration, and a fresh set of ports for each invocation. */
export interface FunctionContext {
  readonly config: Config;
  readonly project: string;
  readonly pushAudience: string | null;
  /** True if Google's IAM checks every call before the function gets it; only then the function trusts the caller's identity. */
  readonly trustIam: boolean;
  /** True if an operator has stopped all sending: nothing is sent; requests are refused and messages are kept. */
  readonly stopped: boolean;
  /** Path of a module with compiled routes that replaces the embedded ones; null for the embedded ones. */
  readonly routesFile: string | null;
  digest(data: Uint8Array | string): string;
  now(): number;
  startInvocation(): Ports;
  /** A page of a caller's own emails, newest first. Throws MailFailure. */
  listEmails(query: EmailPageQuery): Promise<EmailPage>;
}

/** A page of emails before or after one of them, in a list with the newest first. */
export interface EmailPageQuery {
  readonly caller: string;
  readonly limit: number;
  readonly cursor: { readonly direction: 'after' | 'before'; readonly entry: Pick<Entry, 'id' | 'acceptedAt'> } | null;
}

export interface EmailPage {
  readonly entries: readonly Entry[];
  /** Whether there are more emails in that direction. */
  readonly hasMore: boolean;
}

/** An event for a URL. */
export interface EventTask {
  /** Name of the target in the configuration. */
  readonly target: string;
  readonly id: string;
  readonly type: string;
  /** Id of the email. */
  readonly email: string;
  /** Since when the event's delivery is tried, in milliseconds since the epoch. */
  readonly since: number;
  /** JSON text: the same bytes each time. */
  readonly payload: string;
}

/** What the worker needs to deliver events, for one invocation. Every method throws MailFailure. */
export interface EventDelivery {
  /** The payload of a secret, at most five minutes old. */
  secret(name: string, stale?: SecretString): Promise<SecretString>;
  /** Returns the receiver's status, or a word for why there is none. Never throws. */
  post(url: string, headers: Readonly<Record<string, string>>, body: Buffer): Promise<number | string>;
  /** Begins the delivery of an event again; false where no queue of events is configured. */
  again(task: EventTask): Promise<boolean>;
  /**
   * Hands over the events that are left in outboxes. `told` counts entries whose events were handed over, `left` entries where
   * that failed.
   */
  sweep(): Promise<{ readonly told: number; readonly left: number }>;
  close(): void;
}

/** Finds bounces in mailboxes, for one invocation. Throws MailFailure. */
export interface BounceFinder {
  /**
   * Looks through what is new in the mailbox; `notified` is the point of its history that Gmail reported, null where nobody did.
   * Answers how many messages of each kind there were, whether a part of the history was gone and bridged, and why the last of those
   * that could not be looked at failed.
   */
  find(
    mailbox: Mailbox,
    notified: string | null,
    onBounce: (facts: { readonly id: string; readonly type: string; readonly sub_type: string }) => void,
  ): Promise<Readonly<Record<string, number | boolean | string>> & { readonly gap: boolean; readonly unreadable?: number }>;
  close(): void;
}

/** What the verification of webhooks needs. */
export interface WebhookVerifier {
  /**
   * The payload of a webhook's secret, at most five minutes old. `stale` is a payload under which a signature did not match: then
   * the secret is read again, as often as its limit allows. Throws MailFailure: hook_secret_unusable, google_unavailable,
   * identity_refused.
   */
  secret(name: string, stale?: SecretString): Promise<SecretString>;
  /** The email in an identity token of Google's for this audience; null where the token proves nothing. Throws MailFailure. */
  emailIn(token: string, audience: string): Promise<string | null>;
}

/** Documents of an app in Firestore, under their full name `projects/P/databases/D/documents/…`. Throws MailFailure. */
export interface DocumentStore {
  /** Plain data, and the version that `write` can require; null where there is no such document. */
  read(name: string): Promise<{ readonly fields: Readonly<Record<string, unknown>>; readonly version: string } | null>;
  /**
   * Writes fields by path, such as `delivery.state`, and changes no others. False where the document is gone or, with a version,
   * was changed since.
   */
  write(name: string, fields: Readonly<Record<string, unknown>>, version: string | null): Promise<boolean>;
}
