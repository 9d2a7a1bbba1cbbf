import { refresh } from '../../google/auth/token-endpoint.ts';
import type { Mailbox } from '../../mail/model/config.ts';
import { SecretString } from '../../mail/model/secret.ts';
import { CommandError, type CommandErrorReport, commandErrorReport } from '../common/refusal.ts';
import { askConsent, type Consented, ExchangeUnanswered, scopesFor } from './consent.ts';
import { faultOf, type TokenGrant } from './consent-response.ts';
import type { GrantContext } from './grant-setup.ts';
import type { OAuthClient } from './oauth-client.ts';
import { discard, revokeToken } from './revoke-token.ts';
import { refuseForeignGrants, storeVersion } from './stored-grants.ts';

/** How to ask for consent. */
export interface ConsentOptions {
  readonly browser: boolean;
  readonly timeoutMs: AbortSignal;
}

/** A stored grant. */
export interface Authorized {
  readonly ok: true;
  readonly address: string;
  readonly project: string;
  readonly secret: string;
  readonly version: number;
  /** Whether the secret was created; false if it existed. */
  readonly created: boolean;
  readonly client: string;
  readonly scopes: readonly string[];
  /** When the grant ends, by Google's answer; null where Google gave no end. */
  readonly ends: string | null;
}

/** What would be done; no consent was asked for. */
export interface Plan {
  readonly ok: true;
  readonly dryRun: true;
  readonly address: string;
  readonly project: string;
  readonly secret: string;
  readonly exists: boolean;
  readonly client: string;
  readonly scopes: readonly string[];
  /** Enabled versions, newest first. */
  readonly enabled: readonly number[];
}

export async function planConsent({ mailbox, operator, store }: GrantContext, client: OAuthClient): Promise<Plan> {
  const exists = await writable(mailbox, store);
  const enabled = exists ? await store.enabled(mailbox.secret) : [];
  const { address, secret } = mailbox;
  const { project } = operator.settings;
  return { ok: true, dryRun: true, address, project, secret, exists, client: client.id, scopes: scopesFor(mailbox), enabled };
}

/**
 * Asks for consent, proves the grant by minting a token, and stores the grant: in this order, so that nothing is half done. A
 * grant that will not be stored is revoked at Google, unless that would revoke another grant too.
 */
export async function authorize(
  setup: GrantContext,
  client: OAuthClient,
  { browser, timeoutMs: timeout }: ConsentOptions,
): Promise<Authorized | CommandErrorReport> {
  const { mailbox, operator, store, exchange, terminal } = setup;
  const { urls, config } = operator.settings;
  const exists = await writable(mailbox, store); // checked before the person is asked for consent
  if (exists) await refuseForeignGrants(store, mailbox).catch(unlessUnreadable);
  const waiting = setup.interrupt ? AbortSignal.any([timeout, setup.interrupt]) : timeout;
  setup.interrupt?.throwIfAborted();
  await using consented = await askConsent(mailbox, client, browser, { terminal, exchange, urls, timeout: waiting }).catch(
    (error: unknown) => {
      if (error instanceof ExchangeUnanswered) return unanswered(error);
      throw error;
    },
  );
  if ('refusal' in consented) return consented.refusal;
  const { granted } = consented;
  try {
    const stored = await prove(granted, client, setup, exists);
    await showStored(consented, stored);
    return stored;
  } catch (error) {
    const { refreshToken, email } = granted;
    const orphan = refreshToken && { refreshToken, clientId: client.id, email };
    if (error instanceof CommandError && error.code === 'not_known_stored') {
      // Revoking it could revoke the stored grant.
      const refusal = commandErrorReport(error);
      await consented.show(false, 'It is not known whether the grant was stored', [refusal.detail, refusal.fix]);
      return refusal;
    }
    const unstored = orphan && (await discard(orphan, config, store, (token) => revokeToken(urls.revoke, token, exchange)));
    const refusal = commandErrorReport(error, unstored);
    await consented.show(false, 'No grant was stored', [refusal.detail, refusal.fix]);
    return refusal;
  }
}

const unanswered = (error: unknown) => ({ refusal: commandErrorReport(error, 'unknown'), [Symbol.asyncDispose]: async () => {} });

async function prove(
  granted: TokenGrant,
  client: OAuthClient,
  { mailbox, operator, store, exchange, now, interrupt }: GrantContext,
  existed: boolean,
): Promise<Authorized> {
  const fault = faultOf(granted, mailbox);
  if (fault || !granted.refreshToken) throw fault ?? new CommandError('refresh_token_missing', 'the consent brought no refresh token');
  const credential = { clientId: client.id, clientSecret: client.secret, refreshToken: granted.refreshToken };
  const minted = await refresh(operator.settings.urls.token, credential, exchange, now);
  const payload = payloadOf(mailbox, client, minted.refreshToken ?? granted.refreshToken, granted.scopes, now());
  interrupt?.throwIfAborted(); // from here on Ctrl-C is ignored: stopping would leave it unknown what is stored
  const { version, created } = await storeVersion(store, mailbox, payload, existed);
  const { address, secret } = mailbox;
  const ends = granted.endsInS === null ? null : new Date(now() + granted.endsInS * 1_000).toISOString();
  return {
    ok: true,
    address,
    project: operator.settings.project,
    secret,
    version,
    created,
    client: client.id,
    scopes: granted.scopes,
    ends,
  };
}

/** The payload of a mailbox's secret, see `readCredential`. */
const payloadOf = (
  { address }: Mailbox,
  { id, secret, redirect }: OAuthClient,
  refreshToken: SecretString,
  scopes: readonly string[],
  now: number,
): SecretString =>
  new SecretString(
    JSON.stringify({
      client_id: id,
      client_secret: secret.reveal(),
      refresh_token: refreshToken.reveal(),
      address,
      scopes,
      created: new Date(now).toISOString(),
      // A Web client accepts only its own redirect URI: `rotate` without --client needs it.
      ...(redirect !== null && { redirect_uri: redirect }),
    }),
  );

/** An operator who may only add versions cannot read them; then the check is left to `config`. */
const unlessUnreadable = (error: unknown): void => {
  if (!(error instanceof CommandError && error.code === 'secret_unreadable')) throw error;
};

async function writable({ secret }: Mailbox, store: GrantContext['store']): Promise<boolean> {
  const { exists, writable } = await store.look(secret);
  if (!writable) throw new CommandError('secret_not_writable', `you may not add a version to the secret ${secret}`);
  return exists;
}

const showStored = (consented: Consented, { address, secret, version }: Authorized): Promise<void> =>
  consented.show(true, `mailgrant may send as ${address}`, [`The grant is stored as version ${version} of the secret ${secret}.`]);

const WEEK_MS = 7 * 24 * 60 * 60_000;

/** What was done, what may go wrong with the grant, and the next step. */
export function authorizedText({ address, project, secret, version, created, client, scopes, ends }: Authorized, now: number): string {
  const week = new Date(now + WEEK_MS).toISOString().slice(0, 10);
  return [
    `${address} consented to ${scopes.join(' ')}.`,
    `The grant gave an access token, and is stored: version ${version} of ${created ? 'the new secret' : 'the secret'} ${secret} in ${project}, for the client ${client}.`,
    ends
      ? `Warning: Google says that this grant ends on ${ends.slice(0, 10)}. A consent screen in Testing does that: publish it at https://console.cloud.google.com/auth/audience and consent again.`
      : `Warning: if the consent screen is External and in Testing, Google ends this grant on ${week}, after 7 days. Look at https://console.cloud.google.com/auth/audience: publish it, then consent again.`,
    `Next: npx mailgrant watch ${address}${created ? `\nA function reads the new secret only with roles/secretmanager.secretAccessor on it.` : ''}`,
  ].join('\n');
}

export const planText = ({ address, project, secret, exists, client, scopes, enabled }: Plan): string =>
  [
    `${address} would be asked to consent to ${scopes.join(' ')} for the client ${client}.`,
    exists
      ? `A version would be added to the secret ${secret} in ${project}, which has ${enabled.length === 0 ? 'none enabled' : `enabled: ${enabled.join(', ')}`}.`
      : `The secret ${secret} would be made in ${project}.`,
    'Nothing was asked and nothing was written.',
  ].join('\n');
