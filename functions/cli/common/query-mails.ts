import type { firestore_v1 } from 'googleapis/build/src/apis/firestore/v1.js';
import { answered, callOptions } from './google-clients.ts';
import type { Operator } from './operator.ts';

/** The documents of the ledger's emails that match one filter. */
export async function queryMails(operator: Operator, fieldFilter: firestore_v1.Schema$FieldFilter, limit: number) {
  const { urls, database } = operator.settings;
  const { firestore_v1 } = await import('googleapis/build/src/apis/firestore/v1.js');
  const { documents } = new firestore_v1.Firestore({}).projects.databases;
  const requestBody = { structuredQuery: { from: [{ collectionId: 'mails' }], where: { fieldFilter }, limit } };
  const parent = `${database}/documents`;
  const reply = await answered(documents.runQuery({ parent, requestBody }, await callOptions(operator, urls.firestore, false, 30_000)));
  // The schema describes one element of the list that REST returns.
  return reply && { status: reply.status, data: reply.data as readonly firestore_v1.Schema$RunQueryResponse[] | null };
}
