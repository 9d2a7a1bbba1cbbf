import type { EventTarget } from './email-event.ts';
import type { Route } from './route.ts';

/** A Gmail or Workspace account that emails are sent from. */
export interface Mailbox {
  readonly address: string;
  /** Display name for emails that give none; '' for none. */
  readonly name: string;
  /**
   * What lets us send as this mailbox: a refresh token of its owner, or domain-wide delegation of a service account,
   * which signs without a key (`delegation`) or with one from Secret Manager.
   */
  readonly grant: 'refresh-token' | 'delegation' | 'service-account-key';
  /** Id of the secret in Secret Manager that holds the grant; unused by `delegation`. */
  readonly secret: string;
  /** Email of the service account that signs for `delegation`; '' for the other grants. */
  readonly delegate: string;
  /** Over the Gmail API (scope gmail.send) or over SMTP (scope https://mail.google.com/). */
  readonly via: 'api' | 'smtp';
  /** Whether an access token may outlive its invocation, within the instance, until five minutes before its end. */
  readonly tokens: 'per-invocation' | 'reuse';
  /** Verified send-as addresses that this mailbox may use, in lower case. */
  readonly aliases: readonly string[];
  readonly limits?: Limits;
}

/** How many emails may go out per day (UTC) and per minute; null is not counted. */
export interface Limits {
  readonly perDay: number | null;
  readonly perMinute: number | null;
}

/** Who calls: an API key, or a platform identity that needs none. */
export interface Caller {
  readonly id: string;
  /** Addresses it may send from, in lower case; null for every configured one. */
  readonly from: readonly string[] | null;
  /** Patterns of recipients such as `*@example.com`, in lower case; null for everyone. */
  readonly to: readonly string[] | null;
  readonly limits?: Limits;
}

export interface CallerKey extends Caller {
  /** SHA-256 of the whole key, 64 hexadecimal digits in lower case; '' where an identity stands in its place. */
  readonly sha256: string;
  /** Email of the Google identity that calls without a key, where IAM stands in front. */
  readonly identity?: string;
  /** The first moment at which it no longer counts, in milliseconds since the epoch. */
  readonly expires?: number;
  readonly disabled?: boolean;
}

/** What `config/mailgrant.yaml` comes to after validation: every default filled in, every address in lower case. */
export interface Config {
  readonly mailboxes: readonly Mailbox[];
  readonly keys: readonly CallerKey[];
  /** direct (where absent): whoever is asked sends. queued: it publishes on the queue, and the worker sends. */
  readonly delivery?: 'direct' | 'queued';
  readonly ledger: { readonly addresses: 'hashed' | 'plain' };
  /** Hosts that attachments may be fetched from; none unless the operator names them. */
  readonly attachments?: { readonly fetchFrom: readonly string[] };
  /** What turns events into emails; none where absent. */
  readonly routes?: readonly Route[];
  /** Whom state changes of emails are told; nobody where absent. */
  readonly events?: readonly EventTarget[];
  /** Documents in the schema of Firebase's Trigger Email; absent where none are served. */
  readonly documents?: DocumentsConfig;
}

/** Which documents are emails, and what those may be. */
export interface DocumentsConfig {
  /** Path of the collection, such as `mail` or `tenants/{tenant}/mail`. */
  readonly collection: string;
  /** The database of the app. */
  readonly database: string;
  /** Addresses that documents may be sent from; the first one where a document names none. */
  readonly from: readonly string[];
  readonly replyTo?: string;
  /** Collection of users by uid, whose field `email` stands for `toUids`, `ccUids` and `bccUids`; without it those are refused. */
  readonly users?: string;
  readonly to?: readonly string[];
  readonly limits?: Limits;
  /** After so many days Firestore may delete the document, by `delivery.expireAt`. */
  readonly expireDays?: number;
}
