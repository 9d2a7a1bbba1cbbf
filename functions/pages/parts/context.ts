import type { Google } from '../../fake-google/google.ts';
import type { StoredInbox } from '../../inbox/inbox.ts';
import type { Config } from '../../mail/model/config.ts';
import type { Lines } from './log-lines.ts';

/** The running stack that the pages show and call. */
export interface LocalStack {
  readonly google: Google;
  readonly config: Config;
  /** The local stack's own API key, by which the pages call the api as any app does. */
  readonly key: string;
  /** The URLs of the functions; `hooks` is null where no route has a webhook. */
  readonly urls: { readonly api: string; readonly hooks: string | null };
  /** The output of the functions, and the calls that the fake Google received. */
  readonly lines: Lines;
  /**
   * Decides about an email that waits for a person, as the command `ledger` does; returns its output. Without it the pages have no
   * buttons for it.
   */
  readonly decide?: ((verb: 'resend' | 'drop', id: string) => Promise<string>) | undefined;
  /** The file of the inbox's index; in memory by default. */
  readonly inboxFile?: string | undefined;
}

/** A local stack with the emails of its Gmail. */
export interface PageContext extends LocalStack {
  readonly inbox: StoredInbox;
}
