import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../../config/load-config.ts';
import { createExchange, type Exchange } from '../../google/http/exchange.ts';
import { withRetry } from '../../google/http/retry.ts';
import type { Config, Mailbox } from '../../mail/model/config.ts';
import { SecretString } from '../../mail/model/secret.ts';
import { type Operator, operatorFor } from '../common/operator.ts';
import { configFile } from '../common/project-folder.ts';
import { CommandError } from '../common/refusal.ts';
import { openSecretStore, type SecretStore } from '../common/secret-store.ts';
import type { Terminal } from '../common/terminal.ts';
import { isLoopbackRedirect, type OAuthClient, readOAuthClient } from './oauth-client.ts';

export type GrantOptions = Readonly<Record<string, string | boolean | undefined>>;
export type Env = Readonly<Record<string, string | undefined>>;

/** What the commands about a mailbox's grant work with. */
export interface GrantContext {
  readonly mailbox: Mailbox;
  readonly operator: Operator;
  readonly store: SecretStore;
  readonly exchange: Exchange;
  readonly terminal: Terminal;
  readonly now: () => number;
  /** Ctrl-C: its reason is a CommandError. A grant that exists by then is discarded like any other grant that is not stored. */
  readonly interrupt?: AbortSignal;
}

/**
 * Reads the command line into a GrantContext; every error that can be found without Google is reported first. Throws CommandError,
 * ConfigProblems.
 */
export async function setUp(
  options: GrantOptions,
  [address, ...rest]: readonly string[],
  env: Env,
  terminal: Terminal,
): Promise<GrantContext> {
  if (address === undefined || rest.length > 0) throw new CommandError('address_missing', 'one address is expected');
  const file = configFile(options);
  const mailbox = consentingMailbox(loadConfig(file), address);
  const project = (options['project'] as string | undefined) ?? env['GOOGLE_CLOUD_PROJECT'];
  if (!project) throw new CommandError('project_missing', 'no project is named');
  const operator = operatorFor(file, project, env);
  const exchange = withRetry(createExchange()(new AbortController().signal), sleep, Math.random); // each call has its own timeout
  return { mailbox, operator, store: await openSecretStore(operator), exchange, terminal, now: Date.now };
}

/**
 * The mailbox of that address, if a person consents to its kind of grant. Throws CommandError: mailbox_unknown,
 * grant_without_consent.
 */
function consentingMailbox({ mailboxes }: Config, address: string): Mailbox {
  const mailbox = mailboxes.find((one) => one.address === address.toLowerCase());
  if (!mailbox)
    throw new CommandError(
      'mailbox_unknown',
      `${address} is not in the config, which has ${mailboxes.map((one) => one.address).join(', ')}`,
    );
  if (mailbox.grant !== 'refresh-token') throw new CommandError('grant_without_consent', `${mailbox.address} has grant: ${mailbox.grant}`);
  return mailbox;
}

/** The OAuth client named by `--client` or `--client-secret`, else the one of the stored grant. Throws CommandError. */
export async function clientFor(options: GrantOptions, { mailbox, store }: Pick<GrantContext, 'mailbox' | 'store'>): Promise<OAuthClient> {
  const { client: file, 'client-secret': secret } = options;
  if (file !== undefined && secret !== undefined)
    throw new CommandError('option_invalid', '--client and --client-secret exclude each other');
  if (typeof file === 'string') return readOAuthClient(readText(file));
  if (typeof secret === 'string') return readOAuthClient(await store.read(secret, 'latest'));
  const [version] = await store.enabled(mailbox.secret);
  if (version === undefined) throw new CommandError('client_missing', 'no OAuth client is named, and no grant is stored that has one');
  return clientOfGrant(await store.read(mailbox.secret, version));
}

function clientOfGrant(text: SecretString): OAuthClient {
  try {
    const { client_id, client_secret, redirect_uri } = JSON.parse(text.reveal()) as Record<string, unknown>;
    const redirect = typeof redirect_uri === 'string' && isLoopbackRedirect(redirect_uri) ? redirect_uri : null;
    if (typeof client_id === 'string' && typeof client_secret === 'string')
      return { id: client_id, secret: new SecretString(client_secret), redirect };
  } catch {
    // reported below; the parser's message would quote the secret
  }
  throw new CommandError('client_missing', 'no OAuth client is named, and the stored grant has none');
}

function readText(file: string): SecretString {
  try {
    return new SecretString(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new CommandError('client_unreadable', `${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'error'}`);
  }
}
