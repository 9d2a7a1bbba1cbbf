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
