import type { DatabaseSync } from 'node:sqlite';
import { cloudError, ERROR_REPLIES } from '../http/error-replies.ts';
import { bearerIn, type FakeReply, type FakeRequest } from '../http/server.ts';
import type { OAuth } from '../oauth/oauth.ts';

/** The fake of Cloud Storage: uploads, reads and deletes objects in the one bucket that there is. */
export function createStorage(
  db: DatabaseSync,
  oauth: OAuth,
  bucket: string,
): { answer(request: FakeRequest): FakeReply; names(): string[] } {
  db.exec('CREATE TABLE IF NOT EXISTS objects(name TEXT PRIMARY KEY, content BLOB NOT NULL) STRICT');
  return {
    names: () => (db.prepare('SELECT name FROM objects ORDER BY name').all() as { name: string }[]).map(({ name }) => name),
    answer(request) {
      const [, upload, wanted, path = ''] = /^(\/upload)?\/storage\/v1\/b\/([^/]+)\/o(?:\/(.+))?$/.exec(request.path) ?? [];
      if (!oauth.session(bearerIn(request))) return ERROR_REPLIES.unauthenticated;
      if (wanted !== bucket) return cloudError(404, 'NOT_FOUND', 'The specified bucket does not exist.');
      if (upload) {
        const name = request.query.get('name') ?? '';
        db.prepare('INSERT OR REPLACE INTO objects VALUES (?, ?)').run(name, request.body);
        return { status: 200, body: { kind: 'storage#object', name, bucket, size: String(request.body.length) } };
      }
      const row = db.prepare('SELECT content FROM objects WHERE name = ?').get(path) as { content: Uint8Array } | undefined;
      if (!row) return cloudError(404, 'NOT_FOUND', `No such object: ${bucket}/${path}`);
      if (request.method === 'DELETE') {
        db.prepare('DELETE FROM objects WHERE name = ?').run(path);
        return { status: 204 };
      }
      return { status: 200, body: Buffer.from(row.content) };
    },
  };
}
