import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createInbox, type Inbox } from './inbox-client.ts';

export type { Inbox, InboxAddress as Address, InboxAttachment as Attachment, InboxMessage, InboxSummary, WaitFor } from './inbox-client.ts';

export interface MailgrantOptions {
  /**
   * The config to serve: the path of a `mailgrant.yaml`, whose templates are in the folder beside it, or what such a file
   * says as an object. By default the file of the project, as for `mailgrant dev`.
   */
  readonly config?: string | Readonly<Record<string, unknown>>;
  /** How long one invocation may work, in seconds. */
  readonly deadlineSeconds?: number;
  /** Told each line that a function prints. */
  readonly onLine?: (line: string) => void;
  /** How long the start may take, in milliseconds; 60,000 by default. */
  readonly startTimeoutMs?: number;
}

/** What can be told to fail, by its name (docs/testing.md has the table) or in full, as `POST /control/faults` takes it. */
export type FaultOrder = string | Readonly<Record<string, unknown>>;

/** A running mailgrant that sends nothing: what was sent is in its inbox. */
export interface Mailgrant extends AsyncDisposable {
  /** Where the api is: Resend's clients take it as their base URL. */
  readonly url: string;
  /** An API key that may send from every mailbox of the config. */
  readonly key: string;
  /** An address that it may send from. */
  readonly from: string;
  readonly urls: Readonly<Record<'api' | 'worker' | 'inbox' | 'google' | 'smtp', string>> & { readonly hooks?: string };
  readonly inbox: Inbox;
  /** Makes the next call that passes there fail, or with `always` each of them until `clearFaults`. */
  fault(fault: FaultOrder, times?: 'once' | 'always'): Promise<void>;
  clearFaults(): Promise<void>;
  /** Ends it, and forgets what was sent. */
  stop(): Promise<void>;
}

const START_MS = 60_000;
// Tests may run under a Node that is too old for mailgrant: this finds the one that was installed with it.
const PROGRAM = fileURLToPath(new URL('../../bin/mailgrant.js', import.meta.url));

/** Starts mailgrant for a test: on free ports, with an empty inbox, kept nowhere. It ends with this process at the latest. */
export async function startMailgrant(options: MailgrantOptions = {}): Promise<Mailgrant> {
  const { config, deadlineSeconds, onLine, startTimeoutMs = START_MS } = options;
  const made = typeof config === 'object' ? mkdtempSync(join(tmpdir(), 'mailgrant-config-')) : null;
  const file = made === null ? (config as string | undefined) : join(made, 'mailgrant.yaml');
  if (made !== null) writeFileSync(file as string, JSON.stringify(config)); // JSON is YAML too
  const child = spawn(
    process.execPath,
    [
      PROGRAM,
      'dev',
      '--json',
      '--ephemeral',
      '--port=0',
      ...(file === undefined ? [] : [`--config=${file}`]),
      ...(deadlineSeconds === undefined ? [] : [`--deadline=${deadlineSeconds}`]),
    ],
    // The channel is how the child learns that this process is gone, however it ended.
    { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] },
  );
  const ended = new Promise<void>((done) => child.once('close', () => done()));
  const stop = async (): Promise<void> => {
    keepProcess(child); // until the child has ended: nothing else may keep the event loop going
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await ended;
    if (made !== null) rmSync(made, { recursive: true, force: true });
  };
  try {
    const { api, worker, inbox, google, smtp, hooks, key, from } = await readyLine(child, onLine, startTimeoutMs);
    letProcessEnd(child);
    const control = async (method: string, body?: unknown): Promise<void> => {
      const reply = await fetch(`${google}/control/faults`, { method, ...(body !== undefined && { body: JSON.stringify(body) }) });
      const answer = (await reply.json()) as { readonly error?: string };
      if (!reply.ok) throw new Error(`mailgrant: ${answer.error ?? reply.status}`);
    };
    return {
      url: api,
      key,
      from,
      urls: { api, worker, inbox, google, smtp, ...(hooks !== undefined && { hooks }) },
      inbox: createInbox(inbox),
      fault: (fault, times = 'once') =>
        control('POST', {
          ...(typeof fault === 'string' ? { name: fault } : fault),
          ...(times === 'always' && { standing: true }),
        }),
      clearFaults: () => control('DELETE'),
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

type Ready = Readonly<Record<'api' | 'worker' | 'inbox' | 'google' | 'smtp' | 'key' | 'from', string>> & { readonly hooks?: string };

function readyLine(child: ChildProcess, onLine: ((line: string) => void) | undefined, timeoutMs: number): Promise<Ready> {
  return new Promise((done, fail) => {
    const printed: string[] = [];
    const timer = setTimeout(() => fail(new Error(`mailgrant was not up after ${timeoutMs} ms:\n${printed.join('\n')}`)), timeoutMs);
    const giveUp = (message: string): void => {
      clearTimeout(timer);
      fail(new Error(message));
    };
    child.once('error', (error) => giveUp(`mailgrant could not be started: ${error.message}`));
    child.once('close', (code, signal) => giveUp(`mailgrant ended (${signal ?? code}) before it was up:\n${printed.join('\n')}`));
    if (child.stderr)
      createInterface({ input: child.stderr }).on('line', (line) => {
        if (printed.length < 100) printed.push(line);
        onLine?.(line);
      });
    if (child.stdout)
      createInterface({ input: child.stdout }).once('line', (line) => {
        const answer = JSON.parse(line) as { readonly ready: boolean; readonly error?: { readonly message: string } };
        if (!answer.ready) return giveUp(`mailgrant could not start: ${answer.error?.message}`);
        clearTimeout(timer);
        done(answer as unknown as Ready);
      });
  });
}

/** A test program that forgot to stop it ends all the same. */
function letProcessEnd(child: ChildProcess): void {
  for (const handle of handles(child)) handle?.unref?.();
}

function keepProcess(child: ChildProcess): void {
  for (const handle of handles(child)) handle?.ref?.();
}

const handles = (child: ChildProcess): readonly ({ ref?(): void; unref?(): void } | null | undefined)[] => [
  child,
  child.channel,
  child.stdout as object | null,
  child.stderr as object | null,
];
