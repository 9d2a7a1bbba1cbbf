import type { LedgerRecord } from '../delivery/ledger.ts';
import type { EventSource } from '../events/outbox.ts';
import type { ReceivedHeader } from './authenticity.ts';

/** A message of the mailbox, without its body. */
export interface ReceivedHeaders {
  readonly id: string;
  readonly threadId: string;
  readonly labels: readonly string[];
  /** When it came, in milliseconds since the epoch. */
  readonly at: number;
  readonly bytes: number;
  readonly headers: readonly ReceivedHeader[];
}

/** New messages from one point of a mailbox's history on. */
export interface HistoryPage {
  readonly ids: readonly string[];
  /** The point up to which they go. */
  readonly historyId: string;
  readonly more: boolean;
}

/** A mailbox at Gmail, read. All of it throws MailFailure. */
export interface MailboxReader {
  /** null where Gmail no longer has the history from there on. */
  since(historyId: string): Promise<HistoryPage | null>;
  /** The point at which the mailbox is now. */
  latest(): Promise<string>;
  /** Ids of the newest messages. */
  recent(count: number): Promise<readonly string[]>;
  /** null for a message that is gone. */
  read(id: string): Promise<ReceivedHeaders | null>;
  /** The whole message, as bytes in a text; null where the scope does not allow that, or it is gone. */
  raw(id: string): Promise<string | null>;
  /** The headers Message-ID and X-Mailgrant-Id of a thread's messages. */
  thread(id: string): Promise<readonly (readonly ReceivedHeader[])[]>;
}

/** How far a mailbox was looked through. */
export interface HistoryMark {
  readonly historyId: string;
  /** When, in milliseconds since the epoch. */
  readonly at: number;
}

/** Keeps the marks. All of it throws MailFailure. */
export interface HistoryMarks {
  read(mailbox: string): Promise<HistoryMark | null>;
  /** Moves it on; a mark that is further already stays. */
  advance(mailbox: string, mark: HistoryMark): Promise<void>;
}

/** What finding bounces asks of the world, for one mailbox and invocation. */
export interface BouncePorts {
  readonly inbox: MailboxReader;
  readonly marks: HistoryMarks;
  find(id: string): Promise<LedgerRecord | null>;
  findByThread(threadId: string): Promise<readonly LedgerRecord[]>;
  replace(found: LedgerRecord, entry: LedgerRecord['entry']): Promise<LedgerRecord | null>;
  /** Refuses the recipient from now on; null where the config suppresses nobody. Takes the address as the ledger has it when hashed. */
  readonly suppress: ((recipient: string, why: { readonly email: string; readonly since: number }) => Promise<void>) | null;
  /** An address as it stands in the ledger when hashed. */
  pseudonym(address: string): string;
  /** Whether there is time for more. */
  hasTime(): boolean;
  readonly events: EventSource;
  /** Tells of a bounce that was recorded. */
  onBounce(facts: { readonly id: string; readonly type: string; readonly sub_type: string }): void;
}
