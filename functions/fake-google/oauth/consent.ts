import { createHash, randomBytes } from 'node:crypto';
import { ERROR_REPLIES, oauthError } from '../http/error-replies.ts';
import type { FakeReply, FakeRequest } from '../http/server.ts';
import { type Clients, mayRedirect } from './clients.ts';
import type { ConsentRequest } from './consent-page.ts';
import { blockedPage, consentPage } from './consent-page.ts';
import { idToken } from './identity.ts';
import type { OAuth } from './oauth.ts';

interface Code {
  readonly client: string;
  readonly redirect: string;
  readonly challenge: string;
  readonly address: string;
  readonly scopes: readonly string[];
  readonly offline: boolean;
  readonly expiresAt: number;
}

export interface Consent {
  /** `GET` and `POST /o/oauth2/v2/auth`. */
  page(request: FakeRequest): FakeReply;
  /** `POST /token` with grant_type=authorization_code. */
  exchange(form: URLSearchParams): FakeReply;
}

const CODE_MS = 10 * 60_000;
const EMAIL = 'https://www.googleapis.com/auth/userinfo.email';
/** The long forms that Google returns for the short names of the sign-in scopes. */
const LONG: Readonly<Record<string, string>> = { email: EMAIL, profile: 'https://www.googleapis.com/auth/userinfo.profile' };
const SIGN_IN = ['openid', EMAIL, LONG['profile']];

/** The fake of Google's consent: a page without passwords, and single-use codes for tokens, bound by PKCE. */
export function createConsent(oauth: OAuth, clients: Clients, accounts: readonly string[], now: () => number): Consent {
  const codes = new Map<string, Code>();

  const decide = (asked: ConsentRequest, form: URLSearchParams): FakeReply => {
    const back = new URL(asked.redirect);
    if (asked.query['state']) back.searchParams.set('state', asked.query['state']);
    const address = (form.get('account') || form.get('other') || '').trim().toLowerCase();
    if (form.get('decision') !== 'allow') back.searchParams.set('error', 'access_denied');
    else if (!/^[^@\s]+@[^@\s]+$/.test(address)) return html(200, consentPage(asked, accounts, 'Choose an account.'));
    else {
      const scopes = asked.scopes.filter((scope) => !asked.choosable.includes(scope) || form.getAll('grant').includes(scope));
      const code = `4/0canary-${randomBytes(24).toString('base64url')}`;
      const first = !oauth.consented(asked.client.id, address);
      codes.set(code, {
        client: asked.client.id,
        redirect: asked.redirect,
        challenge: asked.query['code_challenge'] ?? '',
        address,
        scopes,
        offline: asked.query['access_type'] === 'offline' && (first || (asked.query['prompt'] ?? '').split(' ').includes('consent')),
        expiresAt: now() + CODE_MS,
      });
      back.searchParams.set('code', code);
      back.searchParams.set('scope', scopes.join(' '));
    }
    return { status: 302, headers: { location: back.href, 'cache-control': 'no-store' } };
  };

  return {
    page(request) {
      const posted = request.method === 'POST';
      const form = posted ? new URLSearchParams(request.body.toString('utf8')) : request.query;
      const asked = readAsked(form, clients);
      if ('status' in asked) return asked;
      return posted ? decide(asked, form) : html(200, consentPage(asked, accounts));
    },
    exchange(form) {
      const client = clients.find(form.get('client_id') ?? '');
      if (!client) return ERROR_REPLIES.invalid_client;
      if (!form.has('client_secret')) return oauthError(400, 'invalid_request', 'client_secret is missing.');
      if (client.secret !== form.get('client_secret')) return oauthError(401, 'invalid_client', 'The provided client secret is invalid.');
      const text = form.get('code') ?? '';
      if (!text.startsWith('4/')) return oauthError(400, 'invalid_grant', 'Malformed auth code.');
      const code = codes.get(text);
      codes.delete(text); // a code can be used once, even without success
      if (!code || code.client !== client.id || code.expiresAt <= now()) return oauthError(400, 'invalid_grant', 'Bad Request');
      if (code.redirect !== form.get('redirect_uri')) return oauthError(400, 'redirect_uri_mismatch', 'Bad Request');
      const verifier = form.get('code_verifier') ?? '';
      if (!verifier) return oauthError(400, 'invalid_grant', 'Missing code verifier.');
      if (createHash('sha256').update(verifier).digest('base64url') !== code.challenge)
        return oauthError(400, 'invalid_grant', 'Invalid code verifier.');
      const { address, scopes, offline } = code;
      return {
        status: 200,
        headers: { 'cache-control': 'no-cache, no-store, max-age=0, must-revalidate' },
        body: {
          ...oauth.issue(address, scopes, client.id),
          ...(offline && { refresh_token: oauth.consent(client, address, scopes) }),
          ...(scopes.includes('openid') && { id_token: idToken(client.id, address, scopes.includes(EMAIL), now()) }),
        },
      };
    },
  };
}

/** Checks a request for consent; some errors are a page of Google's and no redirect. */
function readAsked(query: URLSearchParams, clients: Clients): ConsentRequest | FakeReply {
  const get = (name: string): string => query.get(name) ?? '';
  const blocked = (status: number, error: string, why: string): FakeReply => html(status, blockedPage(status, error, why));
  const client = clients.find(get('client_id'));
  if (!client) return blocked(401, 'invalid_client', 'The OAuth client was not found.');
  const redirect = get('redirect_uri');
  if (!mayRedirect(client, redirect))
    return blocked(400, 'redirect_uri_mismatch', `You can't sign in because this app sent an invalid request: ${redirect}`);
  if (get('response_type') !== 'code') return blocked(400, 'invalid_request', 'Required parameter is missing: response_type');
  const scopes = [
    ...new Set(
      get('scope')
        .split(' ')
        .filter(Boolean)
        .map((one) => LONG[one] ?? one),
    ),
  ];
  if (scopes.length === 0) return blocked(400, 'invalid_request', 'Missing required parameter: scope');
  // Google accepts a desktop app without PKCE; the fake refuses it, so that a test notices when PKCE is missing.
  if (get('code_challenge_method') !== 'S256' || !/^[\w-]{43}$/.test(get('code_challenge')))
    return blocked(400, 'invalid_request', 'Missing required parameter: code_challenge (S256)');
  const kept = [...query].filter(([name]) => !['account', 'other', 'grant', 'decision'].includes(name));
  return {
    client,
    redirect,
    scopes,
    choosable: scopes.filter((scope) => !SIGN_IN.includes(scope)),
    hint: get('login_hint').trim().toLowerCase(),
    query: Object.fromEntries(kept),
  };
}

const html = (status: number, body: string): FakeReply => ({
  status,
  headers: {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'x-frame-options': 'DENY',
    'content-security-policy': "frame-ancestors 'none'",
    'referrer-policy': 'same-origin', // with no-referrer the page's own form would be posted with `Origin: null`
  },
  body,
});
