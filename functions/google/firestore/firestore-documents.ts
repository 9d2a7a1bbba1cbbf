import type { DocumentStore } from '../../runtime/function-context.ts';
import type { Firestore } from './firestore-client.ts';
import { plainFields, typedValue, type Value } from './firestore-value.ts';

/** Documents of an app, read by name and written field by field, over Firestore's REST protocol. */
export function createDocumentStore(firestore: Firestore): DocumentStore {
  return {
    async read(name) {
      const document = await firestore.get(name.split('/').map(encodeURIComponent).join('/'));
      return document && { fields: plainFields(document.fields ?? {}), version: document.updateTime ?? '' };
    },
    async write(name, fields, version) {
      const [database = ''] = name.split('/documents/', 1);
      const write = {
        update: { name, fields: nested(fields) },
        updateMask: { fieldPaths: Object.keys(fields) },
        currentDocument: version === null ? { exists: true } : { updateTime: version },
      };
      return (await firestore.commit(database, [write], { missing: true })) !== null;
    },
  };
}

/** Fields by path (`delivery.state`) as nested values, from which the update mask selects. */
function nested(fields: Readonly<Record<string, unknown>>): Record<string, Value> {
  const tree: Record<string, Record<string, unknown>> = {};
  for (const [path, value] of Object.entries(fields)) {
    const [first = '', second = ''] = path.split('.');
    tree[first] = { ...tree[first], [second]: value };
  }
  return Object.fromEntries(Object.entries(tree).map(([name, value]) => [name, typedValue(value)]));
}
