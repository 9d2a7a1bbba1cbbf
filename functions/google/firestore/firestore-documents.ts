import type { AccessToken } from '../../mail/model/secret.ts';
import type { DocumentStore } from '../../runtime/function-context.ts';
import { readGoogleError } from '../http/error-body.ts';
import { type Exchange, json } from '../http/exchange.ts';
import { firestoreCalls, firestoreRefused } from './firestore-client.ts';
import { plainFields, type TypedValue, typedValue } from './firestore-value.ts';

/** Documents of an app, read by name and written field by field, over Firestore's REST protocol. */
export function createDocumentStore(baseUrl: string, exchange: Exchange, identity: () => Promise<AccessToken>): DocumentStore {
  const call = firestoreCalls(baseUrl, exchange, identity);
  return {
    async read(name) {
      const reply = await call(name.split('/').map(encodeURIComponent).join('/'));
      if (reply.status === 404) return null;
      const { fields, updateTime } = (json(reply) ?? {}) as { fields?: Record<string, TypedValue>; updateTime?: string };
      if (reply.status !== 200 || !updateTime) throw firestoreRefused(reply);
      return { fields: plainFields(fields), version: updateTime };
    },
    async write(name, fields, version) {
      const [database = ''] = name.split('/documents/', 1);
      const update = { name, fields: nested(fields) };
      const currentDocument = version === null ? { exists: true } : { updateTime: version };
      for (let tries = 0; ; tries++) {
        const reply = await call(`${database}/documents:commit`, {
          writes: [{ update, updateMask: { fieldPaths: Object.keys(fields) }, currentDocument }],
        });
        if (reply.status === 200) return true;
        const { status } = readGoogleError(json(reply));
        if (status === 'NOT_FOUND' || status === 'FAILED_PRECONDITION') return false;
        if (status !== 'ABORTED' || tries === 4) throw firestoreRefused(reply);
      }
    },
  };
}

/** Fields by path (`delivery.state`) as the nested values that the update mask then picks. */
function nested(fields: Readonly<Record<string, unknown>>): Record<string, TypedValue> {
  const tree: Record<string, Record<string, unknown>> = {};
  for (const [path, value] of Object.entries(fields)) {
    const [first = '', second = ''] = path.split('.');
    tree[first] = { ...tree[first], [second]: value };
  }
  return Object.fromEntries(Object.entries(tree).map(([name, value]) => [name, typedValue(value)]));
}
