import type { Exchange } from '../../google/http/exchange.ts';
import { NoReply } from '../../google/http/exchange.ts';
import type { Mailbox } from '../../mail/model/config.ts';
import { MailFailure } from '../../mail/model/failure.ts';
import { scopesOf } from '../../mail/model/scopes.ts';
import { CommandError } from '../common/refusal.ts';
import type { Terminal } from '../common/terminal.ts';
import { codeCall, readTokenGrant, type TokenGrant } from './consent-response.ts';
import { consentUrl, newBinding, readRedirect } from './consent-url.ts';
import type { OAuthClient } from './oauth-client.ts';
import { listenForRedirect, type RedirectListener } from './redirect-listener.ts';

export interface ConsentPorts {
  readonly terminal: Terminal;
  readonly exchange: Exchange;
  /** Address of Google's consent page, and of its token endpoint. */
  readonly urls: { readonly consent: string; readonly token: string };
  /** Aborts when the person took too long. */
  readonly timeout: AbortSignal;
}

/** The exchange of the code was not answered: Google may have given a grant that nobody has. */
export class ExchangeUnanswered extends MailFailure {}

/** A completed consent. `show` tells the waiting browser the result; without a browser it does nothing. */
export interface Consented extends AsyncDisposable {
  readonly granted: TokenGrant;
  show(ok: boolean, title: string, lines: readonly string[]): Promise<void>;
}

/** The requested scopes: those of the mailbox's transport and of its bounces, and the address of the consenting account. */
export const scopesFor = (mailbox: Mailbox): string[] => ['openid', 'email', ...scopesOf(mailbox)];

/** No server listens there: with --no-browser the page fails to load, and the person pastes its URL. */
const PASTED = 'http://127.0.0.1:53219/';

/** Asks a person for consent, by browser or by pasting, and exchanges the code. Throws CommandError, MailFailure. */
export async function askConsent(mailbox: Mailbox, client: OAuthClient, browser: boolean, ports: ConsentPorts): Promise<Consented> {
  return browser ? byBrowser(mailbox, client, ports) : byPasting(mailbox, client, ports);
}

async function byBrowser(mailbox: Mailbox, client: OAuthClient, ports: ConsentPorts): Promise<Consented> {
  const { terminal, urls, timeout } = ports;
  const binding = newBinding();
  const loopback = await listenForRedirect(client.redirect, binding.state);
  try {
    const url = consentUrl(urls.consent, questionFor(mailbox, client, loopback.redirect), binding);
    terminal.say(`Consent as ${mailbox.address}, and tick the Gmail permission. If no browser opens, open this address:\n\n  ${url}\n`);
    terminal.open(url).then(
      (opened) => opened || terminal.say('No browser could be started: open the address above yourself.'),
      () => {},
    );
    const code = readRedirect(await loopback.arrival(timeout), binding.state);
    const granted = await exchangeCode(client, loopback.redirect, code, binding.verifier, ports);
    return { granted, show: loopback.answer, [Symbol.asyncDispose]: () => loopback[Symbol.asyncDispose]() };
  } catch (error) {
    await fail(loopback, error);
    throw error;
  }
}

async function fail(loopback: RedirectListener, error: unknown): Promise<void> {
  await loopback.answer(false, 'No grant was stored', [error instanceof CommandError ? error.message : 'Look at the terminal.']);
  await loopback[Symbol.asyncDispose]();
}

async function byPasting(mailbox: Mailbox, client: OAuthClient, ports: ConsentPorts): Promise<Consented> {
  const { terminal, urls, timeout } = ports;
  const binding = newBinding();
  const redirect = client.redirect ?? PASTED;
  const url = consentUrl(urls.consent, questionFor(mailbox, client, redirect), binding);
  terminal.say(
    `Open this address in any browser, consent as ${mailbox.address}, and tick the Gmail permission:\n\n  ${url}\n\n` +
      `The browser ends on a page that does not load. Copy that page's whole address (it begins with ${redirect}).`,
  );
  const pasted = await terminal.ask('Paste it here: ', timeout);
  if (pasted === null && timeout.reason instanceof CommandError) throw timeout.reason;
  if (pasted === null && timeout.aborted) throw new CommandError('consent_timeout', 'nothing was pasted in time');
  const code = readRedirect(pasted ?? '', binding.state);
  const granted = await exchangeCode(client, redirect, code, binding.verifier, ports);
  return { granted, show: async () => {}, [Symbol.asyncDispose]: async () => {} };
}

const questionFor = (mailbox: Mailbox, client: OAuthClient, redirect: string) => ({
  clientId: client.id,
  redirect,
  scopes: scopesFor(mailbox),
  address: mailbox.address,
});

async function exchangeCode(
  client: OAuthClient,
  redirect: string,
  code: ReturnType<typeof readRedirect>,
  verifier: ReturnType<typeof newBinding>['verifier'],
  { exchange, urls }: ConsentPorts,
): Promise<TokenGrant> {
  const reply = await exchange(codeCall(urls.token, client, redirect, code, verifier)).catch((error: unknown) => {
    const [why, left] = error instanceof NoReply ? [error.message, error.bytesSent] : ['error', true];
    throw new (left ? ExchangeUnanswered : MailFailure)('google_unavailable', `the token endpoint did not answer: ${why}`);
  });
  if (reply.status >= 500) throw new ExchangeUnanswered('google_unavailable', `the token endpoint answered ${reply.status}`);
  return readTokenGrant(reply, client.id);
}
