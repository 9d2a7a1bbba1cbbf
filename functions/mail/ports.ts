import type { Config, Mailbox } from './config.ts';
import type { Ledger } from './ledger.ts';
import type { Letter } from './mime.ts';
import type { Sender } from './sender.ts';

/**
 * What Gmail says of a letter that was begun: it took it, it holds so many bytes of it, or it no longer knows it.
 * `rejected` counts recipients that were refused while the letter went to the others.
 */
export type Progress =
  | { readonly state: 'accepted'; readonly gmailId: string; readonly rejected?: number }
  | { readonly state: 'partial'; readonly received: number }
  | { readonly state: 'gone' };

/**
 * A way to Gmail that can be asked afterwards. All of it throws MailFailure by the table of failures:
 * `delivery_unknown` from `transfer` and `ask` when no answer came, `token_refused` when the token is not accepted.
 */
export interface Transport {
  /** Announces the letter; nothing of it leaves. Answers the handle to ask by. */
  open(letter: Letter, token: AccessToken): Promise<string>;
  /** Sends the letter from that byte on. */
  transfer(handle: string, letter: Letter, from: number, token: AccessToken): Promise<Progress>;
  /** Asks what became of it; sends nothing. */
  ask(handle: string, letter: Letter, token: AccessToken): Promise<Progress>;
}

/** A minted access token; `secret` keeps it out of every print. */
export interface AccessToken {
  readonly secret: { reveal(): string };
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** What the core asks of the world, for one invocation. */
export interface Ports {
  /** The way to Gmail that the mailbox is configured for. */
  transport(mailbox: Mailbox): Transport;
  readonly ledger: Ledger;
  /** The token of the sender's mailbox: minted once per invocation, again when `fresh` names one that was refused. */
  token(sender: Sender, refused?: AccessToken): Promise<AccessToken>;
  now(): number;
  newId(): string;
  /** SHA-256 in hexadecimal. */
  digest(data: Uint8Array | string): string;
  /** Waits; rejects when the invocation's time is up. */
  pause(ms: number): Promise<void>;
  /** Reads a file that an attachment is given by. Throws MailFailure: attachment_invalid. */
  fetchFile(url: string, maxBytes: number): Promise<Uint8Array>;
  /** How long a claim holds, in milliseconds: longer than an invocation may last. */
  readonly leaseMs: number;
  /** Ends what the invocation holds open; called once, when its answer is written. */
  close(): void;
}

/** What a trigger is given: the config, and a fresh set of ports for each invocation. */
export interface Edge {
  readonly config: Config;
  readonly project: string;
  readonly pushAudience: string | null;
  /** True if Google's IAM checks every call before the function sees it; only then the caller's identity is believed. */
  readonly trustIam: boolean;
  digest(data: Uint8Array | string): string;
  now(): number;
  begin(): Ports;
}
