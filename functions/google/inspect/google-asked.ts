import type { Mailbox } from '../../mail/model/config.ts';
import type { FailureCode } from '../../mail/model/failure.ts';
import type { Finding } from '../../mail/model/inspection.ts';
import type { AccessToken } from '../../mail/model/secret.ts';
import type { GoogleUrls } from '../../runtime/google-urls.ts';

/** Mints a token for the mailbox, as an invocation would: to send, and to find bounces. */
export interface Mints {
  send(sender: { readonly mailbox: Mailbox }): Promise<AccessToken>;
  bounces(mailbox: Mailbox): Promise<AccessToken>;
}

/** What was found about one thing. */
export const good = (check: Finding['check'], detail: string): Finding => ({ check, ok: true, code: null, detail });
export const bad = (check: Finding['check'], code: FailureCode, detail: string): Finding => ({ check, ok: false, code, detail });
export const untold = (check: Finding['check'], detail: string): Finding => ({ check, ok: null, code: null, detail });

/** Reads may be repeated, as Google's clients do by default; the token is not shown to whom a redirect names. */
export const CALLS = { timeout: 10_000, redirect: 'manual' } as const;

/** Google's own client with the mailbox's token; the client cannot get another token. */
export async function googleClient(urls: GoogleUrls, token: AccessToken) {
  const { OAuth2Client } = (await import('google-auth-library/build/src/auth/oauth2client.js')).default; // CommonJS: a bundle has it under `default` alone
  const client = new OAuth2Client({ endpoints: { tokenInfoUrl: urls.tokenInfo }, transporterOptions: CALLS });
  client.setCredentials({ access_token: token.secret.reveal() });
  return client;
}
