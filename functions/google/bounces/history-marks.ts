import type { HistoryMarks } from '../../mail/bounces/inbox-ports.ts';
import { MailFailure } from '../../mail/model/failure.ts';
import type { Document, Firestore } from '../firestore/firestore-client.ts';
import { fieldsOf } from '../firestore/ledger-document.ts';

const TRIES = 5;

/** How far each mailbox was looked through, in `inboxes/{hash of the address}`. Throws MailFailure: ledger_unavailable, identity_refused. */
export function createHistoryMarks(firestore: Firestore, database: string, pseudonym: (address: string) => string): HistoryMarks {
  const nameOf = (mailbox: string): string => `${database}/documents/inboxes/${pseudonym(mailbox)}`;
  return {
    async read(mailbox) {
      const found = await firestore.get(nameOf(mailbox));
      const historyId = historyIdIn(found);
      return historyId === null ? null : { historyId, at: Number(found?.fields?.['at']?.integerValue ?? 0) };
    },
    async advance(mailbox, { historyId, at }) {
      const name = nameOf(mailbox);
      for (let tries = 0; tries < TRIES; tries++) {
        const there = await firestore.get(name);
        const known = historyIdIn(there);
        if (known !== null && BigInt(known) >= BigInt(historyId)) return;
        const currentDocument = there?.updateTime ? { updateTime: there.updateTime } : { exists: false };
        if (
          await firestore.commit(database, [{ update: { name, fields: fieldsOf({ historyId, at }) }, currentDocument }], { missing: true })
        )
          return;
      }
      throw new MailFailure('ledger_unavailable', 'the mark of a mailbox changed again and again');
    },
  };
}

const historyIdIn = (document: Document | null): string | null => {
  const text = document?.fields?.['historyId']?.stringValue ?? '';
  return /^\d{1,20}$/.test(text) ? text : null;
};
