import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { compileConfig } from '../config/compile-config.ts';
import { type Stack, type StackOptions, startStack } from './stack.ts';
import { welcome } from './welcome.ts';

export interface DevOptions {
  /** The configuration to serve; the project's by default. */
  readonly config?: string | undefined;
  /** Where emails, ledger and the API key are kept. */
  readonly folder?: string | undefined;
  /** Wanted ports by name; 0 takes a free port. */
  readonly ports?: Partial<StackOptions['ports']> | undefined;
  /** The port of the api; 0 takes a free port for every server. */
  readonly port?: number | undefined;
  /** The address that every server listens on; loopback by default. */
  readonly host?: string | undefined;
  /** Host names that the servers accept, beside those of loopback. */
  readonly allowHosts?: readonly string[] | undefined;
  /** Prints one line of JSON when the stack runs, and nothing else; output of the functions goes to standard error. */
  readonly json?: boolean | undefined;
  /** Keeps nothing: uses a new folder, and removes it at the end. */
  readonly ephemeral?: boolean | undefined;
  /** The deadline of an invocation. */
  readonly deadlineSeconds?: number | undefined;
}

export interface DevOutput {
  out(line: string): void;
  err(line: string): void;
}

/** The ports of `npm start`; where one is taken, the next free one is used. */
export const PORTS: StackOptions['ports'] = { api: 8080, worker: 8081, hooks: 8082, google: 8085, inbox: 8025, smtp: 2587, smtps: 2465 };

const CONFIGS = ['mailgrant.yaml', 'config/mailgrant.yaml'];
const EVERYWHERE = ['0.0.0.0', '::'];

/** The running local stack. */
export interface Dev {
  readonly stack: Stack;
  /** Ends everything; a second call waits for the same end. */
  stop(): Promise<void>;
}

/**
 * Starts the local stack and prints its URLs. Throws ConfigProblems, and errors whose message is a sentence for the person who
 * typed the options. The caller calls `stop()`.
 */
export async function runDev(options: DevOptions, { out, err }: DevOutput): Promise<Dev> {
  const { json = false, ephemeral = false, host } = options;
  if (host !== undefined && ![...EVERYWHERE, '127.0.0.1', 'localhost'].includes(host))
    throw new Error(`--host: expected 127.0.0.1, or ${EVERYWHERE.join(' or ')} for every network that this machine is in`);
  if (ephemeral && options.folder !== undefined) throw new Error('--ephemeral keeps nothing, so it takes no --folder');
  const began = performance.now();
  process.umask(0o077); // the folder holds secrets and emails
  const configFile = resolve(options.config ?? CONFIGS.find((file) => existsSync(file)) ?? (CONFIGS[0] as string));
  const { config, module } = compileConfig(options.config ?? configFile);
  const folder = ephemeral ? mkdtempSync(join(tmpdir(), 'mailgrant-')) : (options.folder ?? '.mailgrant');
  const remove = (): void => (ephemeral ? rmSync(folder, { recursive: true, force: true }) : undefined);
  process.once('exit', remove);
  const ports = { ...PORTS, ...(options.port !== undefined && portsFrom(options.port)), ...options.ports };
  const stack = await startStack({
    config,
    configFile,
    routes: module,
    folder,
    ports,
    ephemeral,
    ...(host !== undefined && host !== 'localhost' && { host }),
    hosts: { names: options.allowHosts ?? [], network: host !== undefined && EVERYWHERE.includes(host) },
    deadlineSeconds: options.deadlineSeconds ?? 10,
    onLine: (name, line) => (json ? err(JSON.stringify({ function: name, line })) : out(`${name.padEnd(6)} ${readable(line)}`)),
  }).catch((error: unknown) => {
    remove();
    throw error;
  });

  const { functions, google, inbox } = stack;
  const from = config.mailboxes[0]?.address ?? '';
  const urls = {
    api: functions.api.url,
    worker: functions.worker.url,
    ...(stack.hooks && { hooks: stack.hooks.url }),
    google: google.url,
    inbox: inbox.url,
    smtp: `smtp://127.0.0.1:${google.smtp?.startTls}`,
    smtps: `smtps://127.0.0.1:${google.smtp?.tls}`,
  };
  const { smtps: _, ...told } = urls;
  if (json) out(JSON.stringify({ ready: true, ...told, key: stack.key, from }));
  else {
    for (const [name, url] of Object.entries(urls)) {
      const wanted = ports[name as keyof typeof ports];
      if (wanted !== 0 && !url.endsWith(`:${wanted}`)) out(`Port ${wanted} is taken: ${name} is on ${url} instead.`);
    }
    if (!ephemeral && stack.folder !== folder)
      out(`Another stack runs in ${folder}: this one keeps its emails and its ledger in ${stack.folder}.`);
    out(welcome(urls, stack.key, from, Math.round(performance.now() - began)));
  }
  let stopped: Promise<void> | null = null;
  const end = async (): Promise<void> => {
    await stack[Symbol.asyncDispose]();
    remove();
    if (!json) out(ephemeral ? 'Everything has ended.' : 'Everything has ended. Emails and ledger are kept for the next start.');
  };
  return {
    stack,
    stop() {
      stopped ??= end();
      return stopped;
    },
  };
}

const portsFrom = (port: number): Partial<StackOptions['ports']> =>
  port === 0 ? { api: 0, worker: 0, hooks: 0, google: 0, inbox: 0, smtp: 0, smtps: 0 } : { api: port };

/** A structured log line as text for people; any other line unchanged. */
function readable(line: string): string {
  try {
    const { severity, event, message, ...rest } = JSON.parse(line) as Record<string, unknown>;
    const facts = Object.entries(rest).filter(([name, value]) => value !== null && !name.includes('/'));
    return `${String(severity)} ${String(event ?? message)} ${facts.map(([name, value]) => `${name}=${typeof value === 'string' && value.includes(' ') ? JSON.stringify(value) : String(value)}`).join(' ')}`;
  } catch {
    return line;
  }
}
