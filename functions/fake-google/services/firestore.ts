import type { DatabaseSync } from 'node:sqlite';
import { cloudError, ERROR_REPLIES } from '../http/error-replies.ts';
import { bearerIn, type FakeReply, type FakeRequest, jsonOf } from '../http/server.ts';
import type { OAuth } from '../oauth/oauth.ts';
import { createDocuments } from './documents-table.ts';

const PATH = /^\/v1\/(projects\/[^/]+\/databases\/[^/]+\/documents)(?:\/(.+?))?(?::(\w+))?$/;

interface Write {
  readonly update: { readonly name: string; readonly fields: Readonly<Record<string, unknown>> };
  /** Only with transforms: the other fields of the document stay as they are. */
  readonly updateMask?: { readonly fieldPaths: readonly string[] };
  readonly updateTransforms?: readonly Transform[];
  readonly currentDocument?: { readonly exists?: boolean; readonly updateTime?: string };
  /** In place of all others: the document of that name is deleted. */
  readonly delete?: string;
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
      readonly value?: Text & {
        readonly integerValue?: string;
        readonly arrayValue?: { readonly values?: readonly { readonly stringValue?: string }[] };
      };
    };
  };
  readonly orderBy?: readonly { readonly field: { readonly fieldPath: string }; readonly direction?: string }[];
  readonly startAt?: {
    readonly values: readonly { readonly integerValue?: string; readonly referenceValue?: string }[];
    readonly before?: boolean;
  };
  readonly limit?: number;
}

/**
 * The local stack's ledger: SQLite behind the part of Firestore's REST protocol that the ledger uses (`documents:commit` with
 * preconditions, increments, minima and maxima, reading a document, querying by one field, in order), so that the production
 * adapter runs unchanged.
 */
export function createFirestore(db: DatabaseSync, oauth: OAuth, now: () => number): (request: FakeRequest) => FakeReply {
  createDocuments(db);
  let writes = 0;
  /** Microseconds distinguish the times of two writes, as in Firestore. */
  const timestamp = (): string => new Date(now()).toISOString().replace('Z', `${String(writes++ % 1_000).padStart(3, '0')}Z`);

  const commit = (request: FakeRequest): FakeReply => {
    const { writes: wanted = [] } = (jsonOf(request) ?? {}) as { writes?: Write[] };
    const updateTime = timestamp();
    const writeResults: unknown[] = [];
    db.prepare('BEGIN IMMEDIATE').run();
    try {
      for (const { update, currentDocument, updateMask, updateTransforms = [], delete: gone } of wanted) {
        if (gone !== undefined) {
          db.prepare('DELETE FROM documents WHERE name = ?').run(gone);
          writeResults.push({});
          continue;
        }
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

  const refuse = (name: string, { exists, updateTime }: NonNullable<Write['currentDocument']> = {}): FakeReply | null => {
    const there = db.prepare('SELECT update_time FROM documents WHERE name = ?').get(name) as { update_time: string } | undefined;
    if (exists === false && there) return cloudError(409, 'ALREADY_EXISTS', `Document already exists: ${name}`);
    if (exists === true && !there) return cloudError(404, 'NOT_FOUND', `No document to update: ${name}`);
    if (updateTime !== undefined && !there) return cloudError(404, 'NOT_FOUND', `No document to update: ${name}`);
    if (updateTime !== undefined && there?.update_time !== updateTime)
      return cloudError(400, 'FAILED_PRECONDITION', 'the stored version does not match the required base version');
    return null;
  };

  const read = (name: string): FakeReply => {
    const row = db.prepare('SELECT fields, update_time FROM documents WHERE name = ?').get(name) as
      | { fields: string; update_time: string }
      | undefined;
    if (!row) return cloudError(404, 'NOT_FOUND', `Document "${name}" not found.`);
    return { status: 200, body: { name, fields: JSON.parse(row.fields), createTime: row.update_time, updateTime: row.update_time } };
  };

  /** One collection, filtered by one field, ordered by one number and by name: the queries of functions and commands. */
  const query = (root: string, request: FakeRequest): FakeReply => {
    const { structuredQuery = {} } = (jsonOf(request) ?? {}) as { structuredQuery?: Query };
    const { from = [], where, orderBy = [], startAt, limit = 1_000 } = structuredQuery;
    const { field, op = '', value } = where?.fieldFilter ?? {};
    const fits = field && value ? FILTERS[op]?.(value) : undefined;
    if (from.length !== 1 || !field || !fits)
      return cloudError(501, 'UNIMPLEMENTED', `The laptop knows only one collection and one of ${Object.keys(FILTERS).join(', ')}.`);
    const rows = db
      .prepare('SELECT name, fields, update_time FROM documents WHERE name > ? AND name < ? ORDER BY name')
      .all(`${root}/${from[0]?.collectionId}/`, `${root}/${from[0]?.collectionId}0`) as {
      name: string;
      fields: string;
      update_time: string;
    }[];
    const found = rows.flatMap(({ name, fields, update_time }) => {
      const parsed = JSON.parse(fields) as Record<string, StoredValue>;
      const there = parsed[field.fieldPath];
      return there && fits(there) ? [{ document: { name, fields: parsed, updateTime: update_time } }] : [];
    });
    const [first] = orderBy;
    if (!first) return { status: 200, body: found.slice(0, limit) };
    const up = first.direction !== 'DESCENDING';
    const keyOf = ({ document }: (typeof found)[number]): readonly [number, string] => [
      Number(document.fields[first.field.fieldPath]?.integerValue ?? 0),
      document.name,
    ];
    const compare = (a: readonly [number, string], b: readonly [number, string]): number =>
      (a[0] - b[0] || (a[1] < b[1] ? -1 : Number(a[1] > b[1]))) * (up ? 1 : -1);
    const [number, name] = startAt?.values ?? [];
    const start = [Number(number?.integerValue ?? 0), name?.referenceValue ?? ''] as const;
    const page = found
      .toSorted((a, b) => compare(keyOf(a), keyOf(b)))
      .filter((one) => !startAt || compare(keyOf(one), start) > (startAt.before === true ? -1 : 0));
    return { status: 200, body: page.slice(0, limit) };
  };

  const batchGet = (request: FakeRequest): FakeReply => {
    const { documents = [] } = (jsonOf(request) ?? {}) as { documents?: string[] };
    const readTime = timestamp();
    return {
      status: 200,
      body: documents.map((name) => {
        const found = read(name);
        return found.status === 200 ? { found: found.body, readTime } : { missing: name, readTime };
      }),
    };
  };

  return (request) => {
    const [, root, document, verb] = PATH.exec(request.path) ?? [];
    if (!root) return cloudError(404, 'NOT_FOUND', 'The requested URL was not found on this server.');
    if (!oauth.session(bearerIn(request))) return ERROR_REPLIES.unauthenticated;
    if (verb === 'commit') return commit(request);
    if (verb === 'runQuery' && !document) return query(root, request);
    if (verb === 'batchGet' && !document) return batchGet(request);
    if (document && request.method === 'GET') return read(`${root}/${document}`);
    return cloudError(501, 'UNIMPLEMENTED', 'The laptop speaks commit, get, batchGet and runQuery only.');
  };
}

type Values = Readonly<Record<string, unknown>>;
type Text = { readonly stringValue?: string };
type StoredValue = Text & { readonly integerValue?: string; readonly arrayValue?: { readonly values?: readonly Text[] } };

const textsIn = ({ arrayValue }: StoredValue): (string | undefined)[] => (arrayValue?.values ?? []).map(({ stringValue }) => stringValue);

/** Whether a stored value matches a filter. */
const FILTERS: Readonly<Record<string, (wanted: StoredValue) => (there: StoredValue) => boolean>> = {
  IN: (wanted) => (there) => textsIn(wanted).includes(there.stringValue),
  EQUAL: (wanted) => (there) => there.stringValue === wanted.stringValue,
  ARRAY_CONTAINS_ANY: (wanted) => (there) => textsIn(there).some((one) => textsIn(wanted).includes(one)),
  LESS_THAN_OR_EQUAL: (wanted) => (there) => there.integerValue !== undefined && Number(there.integerValue) <= Number(wanted.integerValue),
};

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
