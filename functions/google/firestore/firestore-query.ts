import type { firestore_v1 } from 'googleapis/build/src/apis/firestore/v1.js';
import type { Entry } from '../../mail/delivery/ledger.ts';
import type { EmailPage, EmailPageQuery } from '../../runtime/function-context.ts';
import type { Firestore } from './firestore-client.ts';
import { entryOf } from './ledger-document.ts';

/** The entries that match a query. Throws MailFailure: ledger_unavailable (also where its index is missing, or still being built), identity_refused. */
export async function queryEntries(firestore: Firestore, database: string, query: firestore_v1.Schema$StructuredQuery): Promise<Entry[]> {
  const found = await firestore.query(database, query);
  return found.map((document) => entryOf((document.name ?? '').split('/').at(-1) ?? '', document));
}

/** A caller's own emails, newest first. Terraform creates the two indexes that serve it, one for each direction. */
export async function listEmails(firestore: Firestore, database: string, { caller, limit, cursor }: EmailPageQuery): Promise<EmailPage> {
  const newer = cursor?.direction === 'before';
  const direction = newer ? 'ASCENDING' : 'DESCENDING';
  const found = await queryEntries(firestore, database, {
    from: [{ collectionId: 'mails' }],
    where: { fieldFilter: { field: { fieldPath: 'caller' }, op: 'EQUAL', value: { stringValue: caller } } },
    orderBy: [
      { field: { fieldPath: 'acceptedAt' }, direction },
      { field: { fieldPath: '__name__' }, direction },
    ],
    ...(cursor && {
      startAt: {
        values: [
          { integerValue: String(Math.trunc(cursor.entry.acceptedAt)) },
          { referenceValue: `${database}/documents/mails/${cursor.entry.id}` },
        ],
        before: false,
      },
    }),
    limit: limit + 1,
  });
  const page = found.slice(0, limit);
  return { entries: newer ? page.reverse() : page, hasMore: found.length > limit };
}
