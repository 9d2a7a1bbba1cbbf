import type { EventTarget } from './email-event.ts';
import type { Route } from './route.ts';

/** A Gmail or Workspace account that emails are sent from. */
export interface Mailbox {
  readonly address: string;
  /** Display name for emails that give none; '' for none. */
  readonly name: string;
  /**
   * The grant by which mailgrant sends as this mailbox: a refresh token of its owner, or domain-wide delegation of a service
   * account, which signs without a key (`delegation`) or with one from Secret Manager.
   */
  readonly grant: 'refresh-token' | 'delegation' | 'service-account-key';
  /** Id of the secret in Secret Manager that holds the grant; unused by `delegation`. */
  readonly secret: string;
  /** Email of the service account that signs for `delegation`; '' for the other grants. */
  readonly delegate: string;
  /** Over the Gmail API (scope gmail.send) or over SMTP (scope https://mail.google.com/). */
  readonly via: 'api' | 'smtp';
  /** `reuse`: the instance keeps an access token for later invocations, until five minutes before it expires. */
  readonly tokens: 'per-invocation' | 'reuse';
  /** Verified send-as addresses that this mailbox may use, in lower case. */
  readonly aliases: readonly string[];
  readonly limits?: Limits;
  /** Whether bounces are looked for in this mailbox; absent for no. */
  readonly bounces?: true;
}

/** How many emails may go out per day (UTC) and per minute; null is not counted. */
export interface Limits {
  readonly perDay: number | null;
  readonly perMinute: number | null;
}

/** The caller: an API key, or a platform identity that needs none. */
export interface Caller {
  readonly id: string;
  /** Addresses it may send from, in lower case; null for every configured one. */
  readonly from: readonly string[] | null;
  /** Patterns of recipients such as `*@example.com`, in lower case; null for everyone. */
  readonly to: readonly string[] | null;
  readonly limits?: Limits;
}

export interface CallerKey extends Caller {
  /** SHA-256 of the whole key, 64 hexadecimal digits in lower case; '' where the caller is an identity. */
  readonly sha256: string;
  /** Email of the Google identity that calls without a key, behind IAM. */
  readonly identity?: string;
  /** From this time on the key is refused, in milliseconds since the epoch. */
  readonly expires?: number;
  readonly disabled?: boolean;
}

/** `config/mailgrant.yaml` after validation: every default filled in, every address in lower case. */
export interface Config {
  readonly mailboxes: readonly Mailbox[];
  readonly keys: readonly CallerKey[];
  /** direct (the default): the function that gets the request sends. queued: it publishes on the queue, and the worker sends. */
  readonly delivery?: 'direct' | 'queued';
  readonly ledger: { readonly addresses: 'hashed' | 'plain' };
  /** Hosts that attachments may be fetched from; none unless the operator names them. */
  readonly attachments?: { readonly fetchFrom: readonly string[] };
  /** Rules that turn events into emails; none where absent. */
  readonly routes?: readonly Route[];
  /** Targets of events about emails; none where absent. */
  readonly events?: readonly EventTarget[];
  /** For how long a recipient is refused that bounced for good, in milliseconds; absent where none is refused. */
  readonly suppress?: { readonly bouncedMs: number };
  /** Documents in the schema of Firebase's Trigger Email; absent where none are served. */
  readonly documents?: DocumentsConfig;
}

/** Which documents are emails, and what such emails may be. */
export interface DocumentsConfig {
  /** Path of the collection, such as `mail` or `tenants/{tenant}/mail`. */
  readonly collection: string;
  /** The Firestore database of the app. */
  readonly database: string;
  /** Addresses that documents may be sent from; the first one where a document names none. */
  readonly from: readonly string[];
  readonly replyTo?: string;
  /**
   * Collection of users by uid, whose field `email` replaces `toUids`, `ccUids` and `bccUids`; without it those fields are
   * refused.
   */
  readonly users?: string;
  readonly to?: readonly string[];
  readonly limits?: Limits;
  /** After this many days Firestore may delete the document, by `delivery.expireAt`. */
  readonly expireDays?: number;
}
