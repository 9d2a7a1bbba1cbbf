import { ERROR_REPLIES } from '../http/error-replies.ts';
import { bearerIn, type FakeReply, type FakeRequest } from '../http/server.ts';
import type { OAuth } from '../oauth/oauth.ts';

const READS_SETTINGS = [
  'https://mail.google.com/',
  'https://www.googleapis.com/auth/gmail.modify',
  'https://www.googleapis.com/auth/gmail.readonly',
  'https://www.googleapis.com/auth/gmail.settings.basic',
];

const SERVICE_ACCOUNT = '100000000000000000001';

/** Endpoints that show a token or a mailbox without changing it: `tokeninfo`, and Gmail's list of send-as addresses. */
export function createInspection(
  oauth: OAuth,
  aliasesOf: (mailbox: string) => readonly string[],
  now: () => number,
): (request: FakeRequest) => FakeReply {
  return (request) => {
    if (request.path === '/tokeninfo')
      return tokenInfo(
        new URLSearchParams(request.body.toString('utf8')).get('access_token') ?? request.query.get('access_token') ?? bearerIn(request),
        oauth,
        now,
      );
    const session = oauth.session(bearerIn(request));
    if (!session) return ERROR_REPLIES.bad_token;
    if (!session.scopes.some((scope) => READS_SETTINGS.includes(scope))) return ERROR_REPLIES.missing_scope;
    const own = { sendAsEmail: session.address, displayName: '', isPrimary: true, isDefault: true };
    const aliases = aliasesOf(session.address).map((sendAsEmail) => ({
      sendAsEmail,
      displayName: '',
      isPrimary: false,
      isDefault: false,
      verificationStatus: sendAsEmail.startsWith('pending') ? 'pending' : 'accepted',
    }));
    return { status: 200, body: { sendAs: [own, ...aliases] } };
  };
}

function tokenInfo(accessToken: string, oauth: OAuth, now: () => number): FakeReply {
  const session = oauth.session(accessToken);
  if (!session) return { status: 400, body: { error: 'invalid_token', error_description: 'Invalid Value' } };
  const seesEmail = session.scopes.some(
    (scope) => scope === 'email' || scope.endsWith('/userinfo.email') || scope === 'https://mail.google.com/',
  );
  return {
    status: 200,
    body: {
      azp: session.client || SERVICE_ACCOUNT,
      aud: session.client || SERVICE_ACCOUNT,
      scope: session.scopes.join(' '),
      exp: String(Math.floor(session.expiresAt / 1_000)),
      expires_in: String(Math.max(0, Math.floor((session.expiresAt - now()) / 1_000))),
      access_type: 'offline',
      ...(seesEmail && { email: session.address, email_verified: 'true' }),
    },
  };
}
