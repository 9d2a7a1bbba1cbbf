import type { DatabaseSync } from 'node:sqlite';
import { cloudError, ERROR_REPLIES } from '../http/error-replies.ts';
import { bearerOf, jsonOf, type Reply, type Request } from '../http/server.ts';
import type { OAuth } from '../oauth/oauth.ts';
import { createDocuments } from './documents-table.ts';

const PATH = /^\/v1\/(projects\/[^/]+\/databases\/[^/]+\/documents)(?:\/(.+?))?(?::(\w+))?$/;

interface Write {
  readonly update: { readonly name: string; readonly fields: Readonly<Record<string, unknown>> };
  /** Only with transforms: the other fields of the document stay as they are. */
  readonly updateMask?: { readonly fieldPaths: readonly string[] };
  readonly updateTransforms?: readonly Transform[];
  readonly currentDocument?: { readonly exists?: boolean; readonly updateTime?: string };
}

interface Transform {
  readonly fieldPath: string;
  readonly increment?: { readonly integerValue: string };
  readonly minimum?: { readonly integerValue: string };
  readonly maximum?: { readonly integerValue: string };
}

interface Query {
  readonly from?: readonly { readonly collectionId?: string }[];
  readonly where?: {
    readonly fieldFilter?: {
      readonly field?: { readonly fieldPath: string };
      readonly op?: string;
      readonly value?: { readonly arrayValue?: { readonly values?: readonly { readonly stringValue?: string }[] } };
    };
  };
  readonly limit?: number;
}

/**
 * The laptop's ledger: SQLite behind the part of Firestore's REST protocol that the ledger speaks (`documents:commit`
 * with preconditions, increments, minima and maxima, reading a document, querying by one field), so that the adapter of production runs here as it is.
 */
export function createFirestore(db: DatabaseSync, oauth: OAuth, now: () => number): (request: Request) => Reply {
  createDocuments(db);
  let writes = 0;
  /** Microseconds keep the times of two writes apart, as in Firestore. */
  const timestamp = (): string => new Date(now()).toISOString().replace('Z', `${String(writes++ % 1_000).padStart(3, '0')}Z`);

  const commit = (request: Request): Reply => {
    const { writes: wanted = [] } = (jsonOf(request) ?? {}) as { writes?: Write[] };
    const updateTime = timestamp();
    const writeResults: unknown[] = [];
    db.prepare('BEGIN IMMEDIATE').run();
    try {
      for (const { update, currentDocument, updateMask, updateTransforms = [] } of wanted) {
        const refusal = refuse(update.name, currentDocument);
        if (refusal) {
          db.prepare('ROLLBACK').run();
          return refusal;
        }
        const before = updateMask ? stored(update.name) : {};
        const sums = updateTransforms.map((one) => {
          const there = (before[one.fieldPath] as { integerValue?: string } | undefined)?.integerValue;
          return [one.fieldPath, { integerValue: String(transformed(there === undefined ? null : Number(there), one)) }] as const;
        });
        writeResults.push({ updateTime, ...(sums.length > 0 && { transformResults: sums.map(([, value]) => value) }) });
        db.prepare(
          'INSERT INTO documents VALUES (?, ?, ?) ON CONFLICT(name) DO UPDATE SET fields = excluded.fields, update_time = excluded.update_time',
        ).run(
          update.name,
          JSON.stringify({ ...merged(before, update.fields, updateMask?.fieldPaths), ...Object.fromEntries(sums) }),
          updateTime,
        );
      }
      db.prepare('COMMIT').run();
    } catch (error) {
      db.prepare('ROLLBACK').run();
      throw error;
    }
    return { status: 200, body: { writeResults, commitTime: updateTime } };
  };

  const stored = (name: string): Record<string, unknown> => {
    const row = db.prepare('SELECT fields FROM documents WHERE name = ?').get(name) as { fields: string } | undefined;
    return row ? (JSON.parse(row.fields) as Record<string, unknown>) : {};
  };

  const refuse = (name: string, { exists, updateTime }: NonNullable<Write['currentDocument']> = {}): Reply | null => {
    const there = db.prepare('SELECT update_time FROM documents WHERE name = ?').get(name) as { update_time: string } | undefined;
    if (exists === false && there) return cloudError(409, 'ALREADY_EXISTS', `Document already exists: ${name}`);
    if (exists === true && !there) return cloudError(404, 'NOT_FOUND', `No document to update: ${name}`);
    if (updateTime !== undefined && !there) return cloudError(404, 'NOT_FOUND', `No document to update: ${name}`);
    if (updateTime !== undefined && there?.update_time !== updateTime)
      return cloudError(400, 'FAILED_PRECONDITION', 'the stored version does not match the required base version');
    return null;
  };

  const read = (name: string): Reply => {
    const row = db.prepare('SELECT fields, update_time FROM documents WHERE name = ?').get(name) as
      | { fields: string; update_time: string }
      | undefined;
    if (!row) return cloudError(404, 'NOT_FOUND', `Document "${name}" not found.`);
    return { status: 200, body: { name, fields: JSON.parse(row.fields), createTime: row.update_time, updateTime: row.update_time } };
  };

  /** One collection, filtered by one field that is, or holds, one of some texts: what the commands ask for. */
  const query = (root: string, request: Request): Reply => {
    const { structuredQuery = {} } = (jsonOf(request) ?? {}) as { structuredQuery?: Query };
    const { from = [], where, limit = 1_000 } = structuredQuery;
    const { field, op, value } = where?.fieldFilter ?? {};
    const texts = (value?.arrayValue?.values ?? []).map(({ stringValue }) => stringValue);
    if (from.length !== 1 || !field || (op !== 'IN' && op !== 'ARRAY_CONTAINS_ANY'))
      return cloudError(501, 'UNIMPLEMENTED', 'The laptop knows only one collection and one IN or ARRAY_CONTAINS_ANY of texts.');
    const rows = db
      .prepare('SELECT name, fields, update_time FROM documents WHERE name > ? AND name < ? ORDER BY name')
      .all(`${root}/${from[0]?.collectionId}/`, `${root}/${from[0]?.collectionId}0`) as {
      name: string;
      fields: string;
      update_time: string;
    }[];
    const found = rows.flatMap(({ name, fields, update_time }) => {
      const parsed = JSON.parse(fields) as Record<string, Text & { arrayValue?: { values?: readonly Text[] } }>;
      const there = parsed[field.fieldPath];
      const held = op === 'IN' ? [there] : (there?.arrayValue?.values ?? []);
      return held.some((one) => texts.includes(one?.stringValue)) ? [{ document: { name, fields: parsed, updateTime: update_time } }] : [];
    });
    return { status: 200, body: found.slice(0, limit) };
  };

  return (request) => {
    const [, root, document, verb] = PATH.exec(request.path) ?? [];
    if (!root) return cloudError(404, 'NOT_FOUND', 'The requested URL was not found on this server.');
    if (!oauth.session(bearerOf(request))) return ERROR_REPLIES.unauthenticated;
    if (verb === 'commit') return commit(request);
    if (verb === 'runQuery' && !document) return query(root, request);
    if (document && request.method === 'GET') return read(`${root}/${document}`);
    return cloudError(501, 'UNIMPLEMENTED', 'The laptop speaks commit, get and runQuery only.');
  };
}

type Values = Readonly<Record<string, unknown>>;
type Text = { readonly stringValue?: string };

/** The fields after a write: with a mask only the paths in it change, `a.b` within the map `a`. */
function merged(before: Values, fields: Values, paths: readonly string[] | undefined): Values {
  const all: Record<string, unknown> = { ...before };
  for (const path of paths ?? Object.keys(fields)) {
    const [name = '', ...inner] = path.split('.');
    all[name] =
      inner.length === 0 ? fields[name] : { mapValue: { fields: merged(mapIn(all[name]), mapIn(fields[name]), [inner.join('.')]) } };
  }
  return all;
}

const mapIn = (value: unknown): Values => (value as { mapValue?: { fields?: Values } } | undefined)?.mapValue?.fields ?? {};

function transformed(there: number | null, { increment, minimum, maximum }: Transform): number {
  if (minimum) return Math.min(there ?? Number(minimum.integerValue), Number(minimum.integerValue));
  if (maximum) return Math.max(there ?? Number(maximum.integerValue), Number(maximum.integerValue));
  return (there ?? 0) + Number(increment?.integerValue ?? 0);
}
