import { randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { SCOPE_SEND } from '../../mail/model/scopes.ts';
import { ERROR_REPLIES } from '../http/error-replies.ts';
import type { FakeReply, FakeRequest } from '../http/server.ts';
import { type Client, INSTALLED_ID } from './clients.ts';

/** The meaning of an access token; `address` is the mailbox, or the service account's own. Times are milliseconds. */
export interface Session {
  readonly address: string;
  readonly scopes: readonly string[];
  readonly expiresAt: number;
  /** The OAuth client that the token was issued to; '' for a service account's. */
  readonly client: string;
}

/** The payload of a mailbox's secret. */
export interface Grant {
  readonly client_id: string;
  readonly client_secret: string;
  readonly refresh_token: string;
  readonly address: string;
  readonly scopes: readonly string[];
  readonly created: string;
}

export interface OAuth {
  /** Consents as the mailbox and returns the grant, as a secret holds it. */
  enrol(address: string, scopes?: readonly string[]): Grant;
  /** Revokes every grant of the mailbox, as a person does at myaccount.google.com. */
  revoke(address: string): void;
  /** Issues an access token for the address and scopes, as the token endpoint returns it. */
  issue(address: string, scopes: readonly string[], client?: string): Record<string, unknown>;
  /** Records a consent that was given on the page and returns its refresh token. */
  consent(client: Client, address: string, scopes: readonly string[]): string;
  /** Whether the account has a valid grant to the client. */
  consented(client: string, address: string): boolean;
  /** Revokes every grant of the account and client that a refresh or access token belongs to; false if it belongs to none. */
  end(token: string): boolean;
  /** The next refresh of the mailbox's grant returns a new refresh token and revokes the old one. */
  rotateNext(address: string): void;
  token(request: FakeRequest): FakeReply;
  metadata(request: FakeRequest): FakeReply;
  /** The meaning of the access token, if the fake issued it and it has not expired. */
  session(accessToken: string): Session | null;
}

const LIFETIME_S = 3_599;
/** Marks every secret of the fakes, so that a test can search for them in everything printed. */
const CANARY = 'canary';

/** The fake of Google's token endpoint (refresh_token grant) and of the metadata server. Grants last, access tokens do not. */
export function createOAuth(db: DatabaseSync, now: () => number): OAuth {
  db.exec(
    'CREATE TABLE IF NOT EXISTS grants(refresh_token TEXT PRIMARY KEY, client_id TEXT NOT NULL, client_secret TEXT NOT NULL, address TEXT NOT NULL, scopes TEXT NOT NULL, revoked INTEGER NOT NULL DEFAULT 0) STRICT',
  );
  const sessions = new Map<string, Session>();
  const secret = (prefix: string): string => `${prefix}${CANARY}-${randomBytes(18).toString('base64url')}`;
  const issue = (address: string, scopes: readonly string[], client = ''): Record<string, unknown> => {
    const access_token = secret('ya29.');
    for (const [token, { expiresAt }] of sessions) {
      if (expiresAt > now()) break; // in the order in which they were issued
      sessions.delete(token);
    }
    sessions.set(access_token, { address, scopes, client, expiresAt: now() + LIFETIME_S * 1_000 });
    return { access_token, expires_in: LIFETIME_S, scope: scopes.join(' '), token_type: 'Bearer' };
  };
  const rotating = new Set<string>();
  const keep = ({ refresh_token, client_id, client_secret, address, scopes }: Omit<Grant, 'created'>) =>
    db
      .prepare('INSERT INTO grants(refresh_token, client_id, client_secret, address, scopes) VALUES (?, ?, ?, ?, ?)')
      .run(refresh_token, client_id, client_secret, address, scopes.join(' '));
  return {
    issue,
    consent(client, address, scopes) {
      const refresh_token = secret('1//0');
      keep({ refresh_token, client_id: client.id, client_secret: client.secret, address, scopes });
      return refresh_token;
    },
    consented: (client, address) =>
      db.prepare('SELECT 1 FROM grants WHERE client_id = ? AND address = ? AND revoked = 0').get(client, address) !== undefined,
    end(token) {
      const session = sessions.get(token);
      const grant = session?.client
        ? session
        : (db.prepare('SELECT client_id AS client, address FROM grants WHERE refresh_token = ? AND revoked = 0').get(token) as
            | { client: string; address: string }
            | undefined);
      if (!grant) return false;
      db.prepare('UPDATE grants SET revoked = 1 WHERE client_id = ? AND address = ?').run(grant.client, grant.address);
      for (const [name, { address, client }] of sessions) if (address === grant.address && client === grant.client) sessions.delete(name);
      return true;
    },
    rotateNext: (address) => void rotating.add(address),
    enrol(address, scopes = [SCOPE_SEND]) {
      const grant = {
        client_id: INSTALLED_ID,
        client_secret: secret('GOCSPX-'),
        refresh_token: secret('1//0'),
      };
      keep({ ...grant, address, scopes });
      return { ...grant, address, scopes, created: new Date(now()).toISOString() };
    },
    revoke(address) {
      db.prepare('UPDATE grants SET revoked = 1 WHERE address = ?').run(address);
      for (const [token, session] of sessions) if (session.address === address) sessions.delete(token);
    },
    token(request) {
      const form = new URLSearchParams(request.body.toString('utf8'));
      if (form.get('grant_type') !== 'refresh_token') return ERROR_REPLIES.unsupported_grant_type;
      const row = db.prepare('SELECT * FROM grants WHERE refresh_token = ?').get(form.get('refresh_token') ?? '') as
        | { client_id: string; client_secret: string; address: string; scopes: string; revoked: number }
        | undefined;
      if (!row || row.revoked) return ERROR_REPLIES.invalid_grant;
      if (row.client_id !== form.get('client_id') || row.client_secret !== form.get('client_secret')) return ERROR_REPLIES.invalid_client;
      const body = issue(row.address, row.scopes.split(' '), row.client_id);
      if (rotating.delete(row.address)) {
        const next = secret('1//0');
        db.prepare('UPDATE grants SET refresh_token = ? WHERE refresh_token = ?').run(next, form.get('refresh_token') ?? '');
        body['refresh_token'] = next;
      }
      return { status: 200, headers: { 'cache-control': 'no-cache, no-store, max-age=0, must-revalidate' }, body };
    },
    metadata({ headers }) {
      if (headers['metadata-flavor'] !== 'Google') return { status: 403, body: 'Missing required header "Metadata-Flavor": "Google"' };
      return {
        status: 200,
        headers: { 'metadata-flavor': 'Google' },
        body: issue('functions@laptop.iam.gserviceaccount.com', ['https://www.googleapis.com/auth/cloud-platform']),
      };
    },
    session(accessToken) {
      const session = sessions.get(accessToken);
      return session && session.expiresAt > now() ? session : null;
    },
  };
}
