import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { cloudError, ERROR_REPLIES } from '../http/error-replies.ts';
import { bearerIn, type FakeReply, type FakeRequest, jsonOf } from '../http/server.ts';
import type { OAuth } from '../oauth/oauth.ts';

const PATH = /^\/v1\/(projects\/[^/]+)\/secrets(?:\/([^/:]+))?(?:\/versions(?:\/([^/:]+))?)?(?::(\w+))?$/;
const CASTAGNOLI = 0x82f63b78;

type Version = { number: number; data: Uint8Array; state: string };

/** The fake of Secret Manager: create, read and delete secrets, add, access, disable and enable versions, over REST. */
export function createSecretManager(db: DatabaseSync, oauth: OAuth, readers: readonly string[]): (request: FakeRequest) => FakeReply {
  db.exec(`CREATE TABLE IF NOT EXISTS secrets(name TEXT PRIMARY KEY) STRICT;
    CREATE TABLE IF NOT EXISTS versions(secret TEXT NOT NULL, number INTEGER NOT NULL, data BLOB NOT NULL, state TEXT NOT NULL, PRIMARY KEY(secret, number)) STRICT`);
  const exists = (secret: string): boolean => db.prepare('SELECT 1 FROM secrets WHERE name = ?').get(secret) !== undefined;

  const create = (parent: string, id: string): FakeReply => {
    const name = `${parent}/secrets/${id}`;
    if (exists(name)) return cloudError(409, 'ALREADY_EXISTS', `Secret [${name}] already exists.`);
    db.prepare('INSERT INTO secrets(name) VALUES (?)').run(name);
    return { status: 200, body: { name, replication: { automatic: {} } } };
  };

  const add = (secret: string, request: FakeRequest): FakeReply => {
    const data = Buffer.from((jsonOf(request) as { payload?: { data?: string } } | null)?.payload?.data ?? '', 'base64');
    const { last } = db.prepare('SELECT coalesce(max(number), 0) AS last FROM versions WHERE secret = ?').get(secret) as { last: number };
    db.prepare("INSERT INTO versions VALUES (?, ?, ?, 'ENABLED')").run(secret, last + 1, data);
    return { status: 200, body: { name: `${secret}/versions/${last + 1}`, state: 'ENABLED' } };
  };

  const onVersion = (secret: string, wanted: string, verb: string | undefined): FakeReply => {
    const version = (
      wanted === 'latest'
        ? db.prepare('SELECT number, data, state FROM versions WHERE secret = ? ORDER BY number DESC LIMIT 1').get(secret)
        : db.prepare('SELECT number, data, state FROM versions WHERE secret = ? AND number = ?').get(secret, Number(wanted))
    ) as Version | undefined;
    const name = `${secret}/versions/${version?.number ?? wanted}`;
    if (!version)
      return cloudError(
        404,
        'NOT_FOUND',
        wanted === 'latest' ? `Secret [${secret}] not found or has no versions.` : `Secret Version [${name}] not found.`,
      );
    if (verb === 'access') {
      if (version.state !== 'ENABLED')
        return cloudError(400, 'FAILED_PRECONDITION', `Secret Version [${name}] is in ${version.state} state.`);
      return {
        status: 200,
        body: { name, payload: { data: Buffer.from(version.data).toString('base64'), dataCrc32c: String(crc32c(version.data)) } },
      };
    }
    const state = { disable: 'DISABLED', enable: 'ENABLED', destroy: 'DESTROYED' }[verb ?? ''] ?? version.state;
    db.prepare('UPDATE versions SET state = ? WHERE secret = ? AND number = ?').run(state, secret, version.number);
    return { status: 200, body: { name, state } };
  };

  const remove = (secret: string, etag: string | null): FakeReply => {
    if (etag && etag !== etagOf(secret)) return cloudError(400, 'FAILED_PRECONDITION', 'The etag does not match.');
    db.prepare('DELETE FROM versions WHERE secret = ?').run(secret);
    db.prepare('DELETE FROM secrets WHERE name = ?').run(secret);
    return { status: 200, body: {} };
  };

  /** Newest first, as Secret Manager lists them. */
  const versionsOf = (secret: string): FakeReply => {
    const rows = db.prepare('SELECT number, state FROM versions WHERE secret = ? ORDER BY number DESC').all(secret) as {
      number: number;
      state: string;
    }[];
    return {
      status: 200,
      body: { versions: rows.map(({ number, state }) => ({ name: `${secret}/versions/${number}`, state })), totalSize: rows.length },
    };
  };

  return (request) => {
    const [, parent, id, version, verb] = PATH.exec(request.path) ?? [];
    if (!parent) return cloudError(404, 'NOT_FOUND', 'The requested URL was not found on this server.');
    if (!oauth.session(bearerIn(request))) return ERROR_REPLIES.unauthenticated;
    if (!id)
      return request.method === 'POST'
        ? create(parent, request.query.get('secretId') ?? '')
        : cloudError(404, 'NOT_FOUND', 'Method not found.');
    const secret = `${parent}/secrets/${id}`;
    if (verb === 'testIamPermissions')
      // for a missing secret: an empty list, and no NOT_FOUND
      return {
        status: 200,
        body: exists(secret) ? { permissions: (jsonOf(request) as { permissions?: string[] } | null)?.permissions ?? [] } : {},
      };
    if (!exists(secret)) return cloudError(404, 'NOT_FOUND', `Secret [${secret}] not found or has no versions.`);
    if (verb === 'addVersion') return add(secret, request);
    if (verb === 'getIamPolicy')
      return {
        status: 200,
        body: { bindings: readers.map((member) => ({ role: 'roles/secretmanager.secretAccessor', members: [member] })) },
      };
    if (request.path.endsWith('/versions')) return versionsOf(secret);
    if (version) return onVersion(secret, version, verb);
    if (request.method === 'DELETE') return remove(secret, request.query.get('etag'));
    return { status: 200, body: { name: secret, replication: { automatic: {} }, etag: etagOf(secret) } };
  };
}

const etagOf = (secret: string): string => `"${createHash('sha256').update(secret).digest('hex').slice(0, 14)}"`;

/** CRC-32C (Castagnoli) as Secret Manager returns it beside the payload. */
function crc32c(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ CASTAGNOLI : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}
