import type { Google } from '../../fake-google/google.ts';
import type { StoredInbox } from '../../inbox/inbox.ts';
import type { Config } from '../../mail/model/config.ts';
import type { Lines } from './log-lines.ts';

/** What the pages show and speak to: the running stack. */
export interface LocalStack {
  readonly google: Google;
  readonly config: Config;
  /** The laptop's own API key, by which the pages call the api as any app does. */
  readonly key: string;
  /** Where the functions are; `hooks` is null where no route has a webhook. */
  readonly urls: { readonly api: string; readonly hooks: string | null };
  /** What the functions printed, and what the fake Google saw. */
  readonly lines: Lines;
  /** Decides about an email that waits for a person, as the command `ledger` does; answers what that said. Without it there are no buttons. */
  readonly decide?: ((verb: 'resend' | 'drop', id: string) => Promise<string>) | undefined;
  /** Where the index of the inbox is kept; by default in memory. */
  readonly inboxFile?: string | undefined;
}

/** A local stack with what its Gmail took. */
export interface Shown extends LocalStack {
  readonly inbox: StoredInbox;
}
