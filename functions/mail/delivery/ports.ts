import type { MimeMessage } from '../message/mime-message.ts';
import type { Sender } from '../message/sender.ts';
import type { Mailbox } from '../model/config.ts';
import type { AccessToken } from '../model/secret.ts';
import type { DedupeWindows } from './dedupe-windows.ts';
import type { Ledger } from './ledger.ts';

/**
 * The state of an upload session: Gmail accepted the message, has received so many bytes, or no longer knows the session.
 * `rejected` counts refused recipients of a message that was sent to the others.
 */
export type UploadStatus =
  | { readonly state: 'accepted'; readonly gmailId: string; readonly threadId?: string; readonly rejected?: number }
  | { readonly state: 'partial'; readonly received: number }
  | { readonly state: 'gone' };

/**
 * A way to Gmail that can be asked afterwards. All of it throws MailFailure by the table of failures:
 * `delivery_unknown` from `transfer` and `ask` when no answer came, `token_refused` when the token is not accepted,
 * `google_unavailable` from `transfer` when provably no byte of that call has left. Any other failure of `transfer` is a refusal.
 */
export interface Transport {
  /** Whether a session takes one email however often bytes are transferred into it. Else each transfer of the whole is one more email. */
  readonly resumable: boolean;
  /** Whether a refusal of the whole email proves by itself that Gmail did not take it. Else its session is asked. */
  readonly refusalIsProof: boolean;
  /** Opens an upload session; no byte of the message is sent. Returns the handle for later queries. */
  openSession(message: MimeMessage, token: AccessToken, alone: Alone): Promise<string>;
  /** Sends the message from that byte on. */
  upload(handle: string, message: MimeMessage, from: number, token: AccessToken): Promise<UploadStatus>;
  /** Queries the state of the session of a message with so many bytes; sends nothing. */
  querySession(handle: string, bytes: number, token: AccessToken, alone: Alone): Promise<UploadStatus>;
}

/** Whether no other email of the mailbox has, or ever had, that Message-ID: only then what is found by it is this mail. */
export type Alone = (messageId: string) => Promise<boolean>;

/** An email on its way to the worker: its content, which the ledger never holds, and what it is known by. */
export interface QueueMessage {
  /** JSON text: an email in the shape of `POST /emails`, or a raw message with its envelope; '' if the content is in the content store. */
  readonly data: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** The queue of emails, and where its dead letters go. Resolves only when Google keeps the message. Throws MailFailure. */
export interface Queue {
  publish(message: QueueMessage): Promise<void>;
}

/** Has messages published on the queue at a later time. Throws MailFailure. */
export interface TaskQueue {
  /**
   * `at` is in milliseconds since the epoch, within 30 days. The same name is the same message. `taken`: there is, or was, a task of
   * that name, and nothing was created; it may wait for its time, may have run, or may have been withdrawn: `peek` tells.
   */
  schedule(message: QueueMessage, at: number, name: string): Promise<'created' | 'taken'>;
  /** The message that is kept under that name; null where there is none any more. */
  get(name: string): Promise<QueueMessage | null>;
  /** Takes it back, if it has not gone yet. */
  cancel(name: string): Promise<void>;
}

/** Keeps content that is too big for a message, until it is removed, or as long as the bucket's lifecycle says. Throws MailFailure. */
export interface ContentStore {
  put(name: string, content: string): Promise<void>;
  /** null where there is none. */
  get(name: string): Promise<string | null>;
  remove(name: string): Promise<void>;
}

/** What the core asks of the world, for one invocation. */
export interface Ports {
  /** The way to Gmail that the mailbox is configured for. */
  transport(mailbox: Mailbox): Transport;
  readonly ledger: Ledger;
  /** Loaded when it is asked for. */
  windows(): Promise<DedupeWindows>;
  /** null where no topic is configured. */
  readonly queue: Queue | null;
  /** null where no dead-letter topic is configured. */
  readonly deadLetters: Queue | null;
  /** null where no queue for emails that wait for a time is configured. */
  readonly taskQueue: TaskQueue | null;
  /** null where no bucket is configured. */
  readonly contentStore: ContentStore | null;
  /** The token of the sender's mailbox: minted once per invocation, again when `fresh` names one that was refused. */
  token(sender: Pick<Sender, 'mailbox'>, refused?: AccessToken): Promise<AccessToken>;
  /** When something was last begun beside a claim for nothing, by the mailbox's address. It lives as long as the instance. */
  readonly wastedHeadStarts: Map<string, number>;
  now(): number;
  newId(): string;
  /** SHA-256 in hexadecimal. */
  digest(data: Uint8Array | string): string;
  /** Waits; rejects when the invocation's time is up. */
  pause(ms: number): Promise<void>;
  /** Reads a file that an attachment is given by. Throws MailFailure: attachment_invalid, attachment_unavailable. */
  fetchFile(url: string, maxBytes: number): Promise<Uint8Array>;
  /** How long a claim holds, in milliseconds: longer than an invocation may last. */
  readonly leaseMs: number;
  /** Ends what the invocation holds open; called once, when its answer is written. */
  close(): void;
}
