import type { Document } from '../../functions/google/firestore/firestore-client.ts';
import { entryOf } from '../../functions/google/firestore/ledger-document.ts';
import type { Entry } from '../../functions/mail/delivery/ledger.ts';

/** Every mail in the ledger, read page by page from the Firestore emulator. */
export async function readEntries(firestore: string, database: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  let page = '';
  do {
    const url = `${firestore}/v1/${database}/documents/mails?pageSize=500${page && `&pageToken=${encodeURIComponent(page)}`}`;
    const reply = await fetch(url, { headers: { authorization: 'Bearer owner' } });
    if (!reply.ok) throw new Error(`the Firestore emulator answered ${reply.status}`);
    const { documents = [], nextPageToken = '' } = (await reply.json()) as {
      documents?: (Document & { name: string })[];
      nextPageToken?: string;
    };
    entries.push(...documents.map((one) => entryOf(one.name.slice(one.name.lastIndexOf('/') + 1), one)));
    page = nextPageToken;
  } while (page !== '');
  return entries;
}
