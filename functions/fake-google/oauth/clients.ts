import { randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';

/** An OAuth client as the console stores it. */
export interface Client {
  readonly id: string;
  readonly secret: string;
  readonly type: 'installed' | 'web';
  /** Exact redirect URIs of a web client; an installed client may use any port of the loopback interface. */
  readonly redirects: readonly string[];
}

export interface Clients {
  find(id: string): Client | null;
  /** Adds a redirect URI to a client, as its owner does in the console. */
  allow(id: string, redirect: string): void;
  /** The file that the console offers for download when the client is created. */
  file(type: Client['type']): Record<string, unknown>;
}

export const INSTALLED_ID = '123456789-laptop.apps.googleusercontent.com';
const WEB_ID = '123456789-web.apps.googleusercontent.com';

/**
 * The fake's two OAuth clients: a desktop app, and a web application without a loopback redirect URI. Their secrets do not change.
 */
export function createClients(db: DatabaseSync): Clients {
  db.exec(
    'CREATE TABLE IF NOT EXISTS clients(id TEXT PRIMARY KEY, secret TEXT NOT NULL, type TEXT NOT NULL, redirects TEXT NOT NULL) STRICT',
  );
  const add = db.prepare('INSERT OR IGNORE INTO clients VALUES (?, ?, ?, ?)');
  const secret = (): string => `GOCSPX-canary-${randomBytes(18).toString('base64url')}`;
  add.run(INSTALLED_ID, secret(), 'installed', 'http://localhost');
  add.run(WEB_ID, secret(), 'web', 'https://app.example.com/oauth/callback');

  const find: Clients['find'] = (id) => {
    const row = db.prepare('SELECT * FROM clients WHERE id = ?').get(id) as
      | { id: string; secret: string; type: Client['type']; redirects: string }
      | undefined;
    return row ? { ...row, redirects: row.redirects.split(' ') } : null;
  };
  return {
    find,
    allow(id, redirect) {
      db.prepare("UPDATE clients SET redirects = redirects || ' ' || ? WHERE id = ?").run(redirect, id);
    },
    file(type) {
      const client = find(type === 'web' ? WEB_ID : INSTALLED_ID);
      return {
        [type]: {
          client_id: client?.id,
          project_id: 'laptop',
          auth_uri: 'https://accounts.google.com/o/oauth2/auth',
          token_uri: 'https://oauth2.googleapis.com/token',
          auth_provider_x509_cert_url: 'https://www.googleapis.com/oauth2/v1/certs',
          client_secret: client?.secret,
          redirect_uris: client?.redirects,
        },
      };
    },
  };
}

/** Whether Google would redirect there: an installed client's loopback address on any port, a web client's own redirect URI. */
export function mayRedirect({ type, redirects }: Client, uri: string): boolean {
  return type === 'web' ? redirects.includes(uri) : /^http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?(\/[^#?]*)?$/.test(uri);
}
