import type { Google } from '../../../functions/fake-google/google.ts';
import { createDocumentStore } from '../../../functions/google/firestore/firestore-documents.ts';
import { typedValue } from '../../../functions/google/firestore/firestore-value.ts';
import { SecretString } from '../../../functions/mail/model/secret.ts';
import { firestoreAt } from './firestore.ts';
import { PROJECT } from './laptop.ts';

export const DATABASE = `projects/${PROJECT}/databases/(default)`;
export const nameOf = (path: string): string => `${DATABASE}/documents/${path}`;

type Delivery = Readonly<Record<string, unknown>>;

/** An app's own hand in Firestore: it writes whole documents and reads what became of them. */
export function appAt(url: string, google: Google) {
  const secret = String(google.oauth.issue('app@laptop.iam.gserviceaccount.com', [])['access_token']);
  const token = { secret: new SecretString(secret), expiresAt: Number.MAX_SAFE_INTEGER };
  const documents = createDocumentStore(firestoreAt(url, async () => token));
  return {
    async put(path: string, fields: Readonly<Record<string, unknown>>): Promise<void> {
      const typed = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, typedValue(value)]));
      const reply = await fetch(`${url}/v1/${DATABASE}/documents:commit`, {
        method: 'POST',
        headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
        body: JSON.stringify({ writes: [{ update: { name: nameOf(path), fields: typed } }] }),
      });
      if (reply.status !== 200) throw new Error(`put: ${reply.status}`);
    },
    /** Changes fields by path, as an app's update() does. */
    update: (path: string, fields: Readonly<Record<string, unknown>>) => documents.write(nameOf(path), fields, null),
    delivery: async (path: string): Promise<Delivery | undefined> =>
      (await documents.read(nameOf(path)))?.fields['delivery'] as Delivery | undefined,
    fields: async (path: string) => (await documents.read(nameOf(path)))?.fields,
    documents,
  };
}

let events = 0;
/** The headers of a Firestore event in binary mode, as Eventarc sends them. */
export const documentHeaders = (path: string, change: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  'ce-specversion': '1.0',
  'ce-id': `event-${++events}`,
  'ce-source': '//firestore.googleapis.com/projects/laptop/databases/(default)',
  'ce-type': 'google.cloud.firestore.document.v1.written',
  'ce-subject': `documents/${path}`,
  'ce-time': '2026-11-24T08:00:00.000000Z',
  'ce-project': 'laptop',
  'ce-database': '(default)',
  'ce-document': path,
  'ce-location': 'eur3',
  'ce-namespace': '(default)',
  'ce-dataschema': 'https://github.com/googleapis/google-cloudevents/blob/main/proto/google/events/cloud/firestore/v1/data.proto',
  'content-type': 'application/protobuf',
  ...change,
});
