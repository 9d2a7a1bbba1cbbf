import { randomUUID } from 'node:crypto';
import { findBounces } from '../../mail/bounces/find-bounces.ts';
import type { BouncePorts } from '../../mail/bounces/inbox-ports.ts';
import type { BounceFinder } from '../../runtime/function-context.ts';
import { firestoreClient } from '../firestore/firestore-client.ts';
import { queryEntries } from '../firestore/firestore-query.ts';
import { createSuppressions } from '../firestore/suppressions.ts';
import type { FinderContext } from './finder-context.ts';
import { openMailbox } from './gmail-inbox.ts';
import { createHistoryMarks } from './history-marks.ts';

/** A part of an invocation is kept for writing down what was found. */
const WORKING_SHARE = 0.8;
const THREAD_MAX = 20;

/** Finds bounces, for one invocation. */
export function createBounceFinder({ settings, ledger, access, token, pseudonym, now, close }: FinderContext): BounceFinder {
  const { config, database, deadlineMs, urls } = settings;
  const firestore = firestoreClient(access);
  const until = now() + deadlineMs * WORKING_SHARE;
  const suppressions = config.suppress && createSuppressions(access, database);
  const { bouncedMs = 0 } = config.suppress ?? {};
  return {
    async find(mailbox, notified, onBounce) {
      const ports: BouncePorts = {
        inbox: await openMailbox(mailbox, await token(mailbox), urls.gmail, now),
        marks: createHistoryMarks(firestore, database, pseudonym),
        find: ledger.read,
        findByThread: async (threadId) => {
          const ids = await queryEntries(firestore, database, {
            from: [{ collectionId: 'mails' }],
            where: { fieldFilter: { field: { fieldPath: 'threadId' }, op: 'EQUAL', value: { stringValue: threadId } } },
            limit: THREAD_MAX,
          });
          return (await Promise.all(ids.map(({ id }) => ledger.read(id)))).flatMap((one) => one ?? []);
        },
        replace: (found, entry) => ledger.replace(found, entry),
        suppress: suppressions
          ? (recipient, { email, since }) => suppressions.add(recipient, { reason: 'bounced', email, since, until: since + bouncedMs })
          : null,
        pseudonym,
        hasTime: () => now() < until,
        events: { targets: config.events ?? [], now, newId: randomUUID },
        onBounce,
      };
      return findBounces(mailbox.address, notified, ports);
    },
    close,
  };
}
