import type { MimeMessage } from '../message/mime-message.ts';
import type { Sender } from '../message/sender.ts';
import type { Mailbox } from '../model/config.ts';
import type { AccessToken } from '../model/secret.ts';
import type { DedupeWindows } from './dedupe-windows.ts';
import type { Ledger } from './ledger.ts';

/**
 * The state of an upload session: Gmail accepted the message, has received that many bytes, or no longer knows the session.
 * `rejected` counts refused recipients of a message that Gmail sent to the others.
 */
export type UploadStatus =
  | { readonly state: 'accepted'; readonly gmailId: string; readonly threadId?: string; readonly rejected?: number }
  | { readonly state: 'partial'; readonly received: number }
  | { readonly state: 'gone' };

/**
 * A way to Gmail that can be queried afterwards. Every method throws MailFailure by the failure table: `delivery_unknown` from
 * `upload` and `querySession` when no answer came, `token_refused` when Gmail does not accept the token, `google_unavailable`
 * from `upload` when provably no byte of that call has left. Any other failure of `upload` is a refusal.
 */
export interface Transport {
  /** True: a session makes one email however often bytes are uploaded to it. False: each full upload makes one more email. */
  readonly resumable: boolean;
  /** True: the refusal of a whole email proves that Gmail did not accept it. False: its session is queried. */
  readonly refusalIsProof: boolean;
  /** Opens an upload session; no byte of the message is sent. Returns the session URI. */
  openSession(message: MimeMessage, token: AccessToken, alone: IsUniqueMessageId): Promise<string>;
  /** Uploads the message from byte `from` on. */
  upload(sessionUri: string, message: MimeMessage, from: number, token: AccessToken): Promise<UploadStatus>;
  /** Queries the session of a message of that many bytes; sends nothing. */
  querySession(sessionUri: string, bytes: number, token: AccessToken, alone: IsUniqueMessageId): Promise<UploadStatus>;
}

/** Whether no other email of the mailbox has, or ever had, that Message-ID: only then a search by Message-ID finds this email. */
export type IsUniqueMessageId = (messageId: string) => Promise<boolean>;

/** An email on its way to the worker: its content, which the ledger never holds, and attributes that identify it. */
export interface QueueMessage {
  /** JSON text: an email in the shape of `POST /emails`, or a raw message with its envelope; '' if the content is in the content store. */
  readonly data: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** The queue of emails, or of dead letters. Resolves only when Pub/Sub has stored the message. Throws MailFailure. */
export interface Queue {
  publish(message: QueueMessage): Promise<void>;
}

/** Publishes messages on the queue at a later time. Throws MailFailure. */
export interface TaskQueue {
  /**
   * `at` is in milliseconds since the epoch, within 30 days. Two messages of one name are the same message. `taken`: a task of
   * that name exists or existed, and nothing was created. That task may wait, may have run, or may have been deleted: `get`
   * tells.
   */
  schedule(message: QueueMessage, at: number, name: string): Promise<'created' | 'taken'>;
  /** The message of the waiting task of that name; null where no such task waits. */
  get(name: string): Promise<QueueMessage | null>;
  /** Deletes the task, if it has not run yet. */
  cancel(name: string): Promise<void>;
}

/** Keeps content that is too big for a message, until it is removed or the bucket's lifecycle deletes it. Throws MailFailure. */
export interface ContentStore {
  put(name: string, content: string): Promise<void>;
  /** null where there is none. */
  get(name: string): Promise<string | null>;
  remove(name: string): Promise<void>;
}

/** What the core needs from outside, for one invocation. */
export interface Ports {
  /** The transport that the mailbox is configured for. */
  transport(mailbox: Mailbox): Transport;
  readonly ledger: Ledger;
  /** Loaded at the first call. */
  windows(): Promise<DedupeWindows>;
  /** null where no topic is configured. */
  readonly queue: Queue | null;
  /** null where no dead-letter topic is configured. */
  readonly deadLetters: Queue | null;
  /** null where no queue for emails that wait for a time is configured. */
  readonly taskQueue: TaskQueue | null;
  /** null where no bucket is configured. */
  readonly contentStore: ContentStore | null;
  /**
   * The access token of the sender's mailbox: minted once per invocation (with `tokens: reuse` once per instance), and again when
   * `refused` is the token that Gmail did not accept.
   */
  token(sender: Pick<Sender, 'mailbox'>, refused?: AccessToken): Promise<AccessToken>;
  /** When a head start was last in vain, by the mailbox's address. Lives as long as the instance. */
  readonly wastedHeadStarts: Map<string, number>;
  /** Those of these addresses, normalised, that are suppressed; absent where the config suppresses nobody. */
  suppressed?(addresses: readonly string[]): Promise<ReadonlySet<string>>;
  now(): number;
  newId(): string;
  /** SHA-256 in hexadecimal. */
  digest(data: Uint8Array | string): string;
  /** Waits; rejects when the invocation's deadline has passed. */
  pause(ms: number): Promise<void>;
  /** Fetches an attachment that is given by URL. Throws MailFailure: attachment_invalid, attachment_unavailable. */
  fetchFile(url: string, maxBytes: number): Promise<Uint8Array>;
  /** How long a claim holds, in milliseconds: longer than an invocation can last. */
  readonly leaseMs: number;
  /** Closes what the invocation holds open; called once, after its answer is written. */
  close(): void;
}
