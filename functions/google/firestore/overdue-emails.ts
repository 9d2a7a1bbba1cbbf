import { AWAITED, isOverdue } from '../../mail/delivery/ledger.ts';
import type { Firestore } from './firestore-client.ts';
import { queryEntries } from './firestore-query.ts';

const READ_MAX = 1_000;

/** How many waiting emails are overdue, of at most a thousand that are read. Throws MailFailure. */
export async function countOverdue(firestore: Firestore, database: string, now: number): Promise<number> {
  const values = AWAITED.map((stringValue) => ({ stringValue }));
  const waiting = await queryEntries(firestore, database, {
    from: [{ collectionId: 'mails' }],
    where: { fieldFilter: { field: { fieldPath: 'state' }, op: 'IN', value: { arrayValue: { values } } } },
    limit: READ_MAX,
  });
  return waiting.filter((one) => isOverdue(one, now)).length;
}
