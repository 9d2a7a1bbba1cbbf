import type { Google } from '../../fake-google/google.ts';
import type { Config } from '../../mail/model/config.ts';
import type { Lines } from './log-lines.ts';
import type { StoredMessages } from './messages.ts';

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
}

/** A laptop with the letters that its Gmail took, parsed. */
export interface Shown extends LocalStack {
  readonly messages: StoredMessages;
}
