import type { firestore_v1 } from 'googleapis/build/src/apis/firestore/v1.js';
import type { Entry } from '../../mail/delivery/ledger.ts';
import { MailFailure } from '../../mail/model/failure.ts';
import type { EmailPage, EmailPageQuery } from '../../runtime/function-context.ts';
import { json } from '../http/exchange.ts';
import { callGoogle, refusalDetail } from '../http/google-client.ts';
import type { FirestoreAccess } from './firestore-client.ts';
import { entryOf } from './ledger-document.ts';

type Query = firestore_v1.Schema$StructuredQuery;
type Access = Pick<FirestoreAccess, 'baseUrl' | 'exchange' | 'token'>;

/** The entries that match a query. Throws MailFailure: ledger_unavailable, identity_refused. */
export async function queryEntries({ baseUrl, exchange, token }: Access, database: string, structuredQuery: Query): Promise<Entry[]> {
  const api = { service: 'Firestore', baseUrl, exchange, token, unavailable: 'ledger_unavailable' } as const;
  const body: firestore_v1.Schema$RunQueryRequest = { structuredQuery };
  const reply = await callGoogle(api, { method: 'POST', path: `/v1/${database}/documents:runQuery`, body, timeoutMs: 10_000 });
  if (reply.status !== 200)
    // 400 FAILED_PRECONDITION: the index of the query is missing, or still being built.
    throw new MailFailure(reply.status === 403 ? 'identity_refused' : 'ledger_unavailable', refusalDetail('Firestore', reply));
  const found = json<firestore_v1.Schema$RunQueryResponse[]>(reply) ?? [];
  return found.flatMap(({ document }) => (document ? [entryOf((document.name ?? '').split('/').at(-1) ?? '', document)] : []));
}

/** A caller's own emails, newest first. Terraform creates the two indexes that serve it, one for each direction. */
export async function listEmails(access: Access, database: string, { caller, limit, cursor }: EmailPageQuery): Promise<EmailPage> {
  const newer = cursor?.direction === 'before';
  const direction = newer ? 'ASCENDING' : 'DESCENDING';
  const found = await queryEntries(access, database, {
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
