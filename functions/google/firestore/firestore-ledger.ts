import type { firestore_v1 } from 'googleapis/build/src/apis/firestore/v1.js';
import { type Counter, type Entry, isOver, type Ledger, type LedgerKey, type LedgerRecord } from '../../mail/delivery/ledger.ts';
import { MailFailure } from '../../mail/model/failure.ts';
import type { Document, Firestore, Write } from './firestore-client.ts';
import type { Value } from './firestore-value.ts';
import { documentOf, entryOf, fieldsOf } from './ledger-document.ts';

type Precondition = { readonly exists: boolean } | { readonly updateTime: string };

/** A successful commit: the new update time of its first document, and the new values of its counters. */
interface Committed {
  readonly version: string;
  readonly counts: readonly number[];
}

/**
 * The ledger in Firestore, over REST: `mails/{id}` and `keys/{hash}` are written only under preconditions, so that of several
 * concurrent writers one succeeds; `counters/{name}` are only incremented. There are no transactions, because they hold locks for
 * seconds.
 */
export function createLedger(firestore: Firestore, database: string): Ledger {
  const root = `${database}/documents`;
  const get = (path: string): Promise<Document | null> => firestore.get(`${root}/${path}`);
  const writeOf = (path: string, fields: Record<string, Value>, currentDocument: Precondition): Write => ({
    update: { name: `${root}/${path}`, fields },
    currentDocument,
  });

  const counting = ({ name, expireAt }: Counter, by: number): Write => ({
    update: { name: `${root}/counters/${name}`, fields: fieldsOf({ expireAt }) },
    updateMask: { fieldPaths: ['expireAt'] },
    // An increment needs no precondition and no retry: each concurrent caller gets a count of its own.
    updateTransforms: [{ fieldPath: 'count', increment: { integerValue: String(by) } }],
  });

  /** Null when a precondition failed; then nothing was written, and nothing counted. */
  const commit = async (writes: readonly Write[], counters: readonly Counter[] = []): Promise<Committed | null> => {
    const done = await firestore.commit(database, [...writes, ...counters.map((counter) => counting(counter, 1))]);
    return done && { version: done.writeResults?.[0]?.updateTime ?? done.commitTime ?? '', counts: countsIn(done).slice(writes.length) };
  };

  const read = async (id: string): Promise<LedgerRecord | null> => {
    const document = await get(`mails/${id}`);
    return document && { entry: entryOf(id, document), version: document.updateTime ?? '' };
  };

  const create: Ledger['create'] = async (entry, key, now, counters) => {
    const mail = writeOf(`mails/${entry.id}`, documentOf(entry), { exists: false });
    const claim = (when: Precondition): Write[] => (key ? [writeOf(`keys/${key.hash}`, keyFields(entry, key), when)] : []);
    for (let tries = 0; tries < 3; tries++) {
      const committed = await commit([mail, ...claim({ exists: false })], counters);
      if (committed) return { created: true, found: { entry, ...committed } };
      const holder = key && (await get(`keys/${key.hash}`));
      const id = String(holder?.fields?.['mail']?.stringValue ?? entry.id);
      const found = await read(id);
      // This invocation's own entry, if nobody has changed it since: the reply to its commit was lost.
      if (found && id === entry.id) return { created: textOf(found.entry) === textOf(entry), found };
      const lapsed = !found || (isOver(found.entry) && lapsesAt(holder) <= now);
      if (found && !lapsed) return { created: false, found };
      const again = holder?.updateTime ? await commit([mail, ...claim({ updateTime: holder.updateTime })], counters) : null;
      if (again) return { created: true, found: { entry, ...again } };
    }
    throw new MailFailure('ledger_unavailable', 'the idempotency key changed hands three times');
  };

  const replace: Ledger['replace'] = async (found, entry, counters) => {
    const write = writeOf(`mails/${entry.id}`, documentOf(entry), { updateTime: found.version });
    // When an email is kept longer, its key is kept longer too: else the same request would be a new email.
    const { key, expireAt } = entry;
    const longer = key !== undefined && expireAt > found.entry.expireAt;
    const update = { name: `${root}/keys/${key}`, fields: fieldsOf({ mail: entry.id, expireAt }) };
    const along: Write[] = longer ? [{ update, updateMask: { fieldPaths: KEY_LIFE } }] : [];
    const committed = await commit([write, ...along], counters);
    if (committed) return { entry, ...committed };
    const there = await read(entry.id); // equal to this entry: the reply to this invocation's commit was lost
    return there && textOf(there.entry) === textOf(entry) ? there : null;
  };

  const count: Ledger['count'] = async (counters, by) => {
    const writes = counters.map((counter) => counting(counter, by));
    return countsIn((await firestore.commit(database, writes)) ?? {});
  };

  const reserve: Ledger['reserve'] = async ({ hash, expireAt }, id) => {
    const path = `keys/${hash}`;
    const stand = (mail: string): Record<string, Value> => fieldsOf({ mail, expireAt });
    if (await commit([writeOf(path, stand(id), { exists: false })])) return true;
    if ((await get(path))?.fields?.['mail']?.stringValue === id) return true;
    await commit([writeOf(path, stand(''), { exists: true })]);
    return false;
  };

  return { create, read, replace, count, reserve };
}

const KEY_LIFE = ['mail', 'expireAt'];

/**
 * The document of a key. The TTL policy deletes it at `expireAt`, together with its email; the caller may use the key again from
 * `lapsesAt` on.
 */
const keyFields = ({ id, expireAt }: Entry, key: LedgerKey): Record<string, Value> =>
  fieldsOf({ mail: id, expireAt: Math.max(expireAt, key.expireAt), lapsesAt: key.expireAt });

/** A document without `lapsesAt`, which earlier versions wrote, lapses at `expireAt`. */
const lapsesAt = (key: Document | null): number =>
  Number(key?.fields?.['lapsesAt']?.integerValue ?? Date.parse(String(key?.fields?.['expireAt']?.timestampValue)));

/** An entry as text that is equal for equal entries, whatever the order of their fields. */
const textOf = (entry: Entry): string => JSON.stringify(Object.entries(documentOf(entry)).sort(([a], [b]) => (a < b ? -1 : 1)));

/** The new value of each write's counter; 0 for a write without one. */
const countsIn = ({ writeResults }: firestore_v1.Schema$CommitResponse): number[] =>
  (writeResults ?? []).map(({ transformResults }) => Number(transformResults?.[0]?.integerValue ?? 0));
