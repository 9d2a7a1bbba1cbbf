import { createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import { cloudError, ERROR_REPLIES } from '../http/error-replies.ts';
import { bearerIn, type FakeReply, type FakeRequest, jsonOf } from '../http/server.ts';
import type { OAuth } from './oauth.ts';

/** Domain-wide delegation as an administrator sets it up: which service account may request which scopes. */
export interface Delegation {
  /** Allows the service account these scopes, for every mailbox of its Workspace. */
  allow(serviceAccount: string, scopes: readonly string[]): void;
  /** Allows the functions' own identity to sign as this service account (iam.serviceAccounts.signJwt). */
  letSign(serviceAccount: string): void;
  /** The JSON of a new key, as the console downloads it. */
  newKey(serviceAccount: string): Record<string, string>;
  signJwt(request: FakeRequest): FakeReply;
  /** The token endpoint's jwt-bearer grant. */
  token(form: URLSearchParams): FakeReply;
}

interface Account {
  readonly keys: Map<string, KeyObject>;
  scopes: readonly string[];
  signs: boolean;
  own: KeyObject | null;
}

const SIGN_JWT = /^\/v1\/projects\/-\/serviceAccounts\/([^/:]+):signJwt$/;
const refuse = (error: string, description: string): FakeReply => ({
  status: error === 'unauthorized_client' ? 401 : 400,
  body: { error, error_description: description },
});

/** The fake of IAM Credentials' `signJwt` and of delegation at the token endpoint; keys are made when first needed. */
export function createDelegation(oauth: OAuth, now: () => number): Delegation {
  const accounts = new Map<string, Account>();
  const account = (email: string): Account => {
    const there = accounts.get(email) ?? { keys: new Map(), scopes: [], signs: false, own: null };
    accounts.set(email, there);
    return there;
  };
  const newPair = (email: string): { id: string; key: KeyObject } => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const id = `k${account(email).keys.size + 1}`;
    account(email).keys.set(id, publicKey);
    return { id, key: privateKey };
  };

  const check = (assertion: string): FakeReply | { email: string; claims: Record<string, unknown> } => {
    const [head = '', body = '', signature = ''] = assertion.split('.');
    const claims = decode(body);
    const email = String(claims?.['iss'] ?? '');
    const there = accounts.get(email);
    if (!claims || !there) return refuse('invalid_grant', 'Invalid JWT: No valid verifier found for issuer.');
    const key = there.keys.get(String(decode(head)?.['kid'] ?? ''));
    if (
      !key ||
      !verify(
        'RSA-SHA256',
        Buffer.from(`${head}.${body}`),
        createPublicKey(key.export({ type: 'spki', format: 'pem' })),
        Buffer.from(signature, 'base64url'),
      )
    )
      return refuse('invalid_grant', 'Invalid JWT Signature.');
    if (claims['aud'] !== 'https://oauth2.googleapis.com/token')
      return refuse('invalid_grant', 'Invalid JWT: Failed audience check. The right audience is https://oauth2.googleapis.com/token');
    const [iat, exp, at] = [Number(claims['iat']), Number(claims['exp']), now() / 1_000];
    if (!(exp - iat <= 3_600 && iat <= at + 300 && exp > at))
      return refuse(
        'invalid_grant',
        'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.',
      );
    return { email, claims };
  };

  return {
    allow(email, scopes) {
      account(email).scopes = scopes;
    },
    letSign(email) {
      account(email).signs = true;
    },
    newKey(email) {
      const { id, key } = newPair(email);
      return {
        type: 'service_account',
        client_email: email,
        client_id: '100000000000000000001',
        private_key_id: id,
        private_key: String(key.export({ type: 'pkcs8', format: 'pem' })),
        token_uri: 'https://oauth2.googleapis.com/token',
      };
    },
    signJwt(request) {
      const email = SIGN_JWT.exec(request.path)?.[1] ?? '';
      if (!oauth.session(bearerIn(request))) return ERROR_REPLIES.unauthenticated;
      const there = accounts.get(email);
      if (!there) return cloudError(404, 'NOT_FOUND', `Not found; Gaia id not found for email ${email}`);
      if (!there.signs)
        return cloudError(403, 'PERMISSION_DENIED', "Permission 'iam.serviceAccounts.signJwt' denied on resource (or it may not exist).");
      const payload = String((jsonOf(request) as { payload?: unknown } | null)?.payload ?? '');
      if (!decode(Buffer.from(payload).toString('base64url')))
        return cloudError(400, 'INVALID_ARGUMENT', 'The payload is not a JSON object.');
      if (!there.own) there.own = newPair(email).key;
      const kid = [...there.keys.keys()].at(-1);
      const text = `${Buffer.from(JSON.stringify({ alg: 'RS256', kid, typ: 'JWT' })).toString('base64url')}.${Buffer.from(payload).toString('base64url')}`;
      return {
        status: 200,
        body: { keyId: kid, signedJwt: `${text}.${sign('RSA-SHA256', Buffer.from(text), there.own).toString('base64url')}` },
      };
    },
    token(form) {
      const checked = check(form.get('assertion') ?? '');
      if ('status' in checked) return checked;
      const subject = String(checked.claims['sub'] ?? '');
      const scopes = String(checked.claims['scope'] ?? '').split(' ');
      const allowed = accounts.get(checked.email)?.scopes ?? [];
      if (!scopes.every((scope) => allowed.includes(scope)))
        return refuse(
          'unauthorized_client',
          'Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.',
        );
      if (!subject.includes('@') || /@(gmail|googlemail)\.com$/.test(subject) || subject.startsWith('nobody@'))
        return refuse('invalid_grant', 'Invalid email or User ID');
      return { status: 200, body: oauth.issue(subject, scopes) };
    },
  };
}

function decode(part: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
