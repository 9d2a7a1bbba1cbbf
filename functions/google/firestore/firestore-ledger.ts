import { type Counter, type Entry, isOver, type Ledger, type LedgerKey, type LedgerRecord } from '../../mail/delivery/ledger.ts';
import { MailFailure } from '../../mail/model/failure.ts';

import type { AccessToken } from '../../mail/model/secret.ts';
import { readGoogleError } from '../http/error-body.ts';
import { type Exchange, json } from '../http/exchange.ts';
import { firestoreCalls, firestoreRefused } from './firestore-client.ts';
import { type Document, documentOf, entryOf, fieldsOf, type Value } from './ledger-document.ts';

type Precondition = { readonly exists: boolean } | { readonly updateTime: string };

interface Write {
  readonly path: string;
  readonly fields: Document['fields'];
  readonly when: Precondition | Record<string, never>;
  /** Only these fields change. */
  readonly mask?: readonly string[];
}

/** A commit that took effect: the new update time of its first document, and what its counters came to. */
interface Committed {
  readonly version: string;
  readonly counts: readonly number[];
}

/**
 * The ledger in Firestore, over REST: `mails/{id}` and `keys/{hash}`, written only under preconditions, so that of any
 * number of racers one wins; `counters/{name}`, only ever incremented. No transactions: they hold locks for seconds.
 */
export function createLedger(baseUrl: string, database: string, exchange: Exchange, identity: () => Promise<AccessToken>): Ledger {
  const root = `${database}/documents`;

  const call = firestoreCalls(baseUrl, exchange, identity);

  const counting = ({ name, expireAt }: Counter, by: number) => ({
    update: { name: `${root}/counters/${name}`, fields: fieldsOf({ expireAt }) },
    updateMask: { fieldPaths: ['expireAt'] },
    // An increment needs no precondition and no second try: of any number of racers each gets a count of its own.
    updateTransforms: [{ fieldPath: 'count', increment: { integerValue: String(by) } }],
  });

  /** Null when a precondition did not hold; then nothing was written, and nothing counted. */
  const commit = async (writes: readonly Write[], counters: readonly Counter[] = []): Promise<Committed | null> => {
    // ABORTED is contention, not a lost race: the same commit is made again, and only its preconditions decide.
    for (let tries = 0; ; tries++) {
      const reply = await call(`${root}:commit`, {
        writes: [
          ...writes.map(({ path, fields, when, mask }) => ({
            update: { name: `${root}/${path}`, fields },
            ...(mask && { updateMask: { fieldPaths: mask } }),
            ...(Object.keys(when).length > 0 && { currentDocument: when }),
          })),
          ...counters.map((counter) => counting(counter, 1)),
        ],
      });
      const body = json(reply) as CommitReply | null;
      if (reply.status === 200)
        return {
          version: body?.writeResults?.[0]?.updateTime ?? body?.commitTime ?? '',
          counts: countsIn(body).slice(writes.length),
        };
      const { status } = readGoogleError(body);
      if (status === 'ALREADY_EXISTS' || status === 'FAILED_PRECONDITION') return null;
      if (status !== 'ABORTED' || tries === 4) throw firestoreRefused(reply);
    }
  };

  const get = async (path: string): Promise<Document | null> => {
    const reply = await call(`${root}/${path}`);
    if (reply.status === 200) return json(reply) as Document;
    if (reply.status === 404) return null;
    throw firestoreRefused(reply);
  };

  const read = async (id: string): Promise<LedgerRecord | null> => {
    const document = await get(`mails/${id}`);
    return document && { entry: entryOf(id, document), version: document.updateTime ?? '' };
  };

  const create: Ledger['create'] = async (entry, key, now, counters) => {
    const mail: Write = { path: `mails/${entry.id}`, fields: documentOf(entry), when: { exists: false } };
    const claim = (when: Precondition): Write[] => (key ? [{ path: `keys/${key.hash}`, fields: keyFields(entry, key), when }] : []);
    for (let tries = 0; tries < 3; tries++) {
      const committed = await commit([mail, ...claim({ exists: false })], counters);
      if (committed) return { created: true, found: { entry, ...committed } };
      const holder = key && (await get(`keys/${key.hash}`));
      const id = String(holder?.fields?.['mail']?.stringValue ?? entry.id);
      const found = await read(id);
      // Ours, if nobody has worked on it since: the reply to our own commit was lost.
      if (found && id === entry.id) return { created: textOf(found.entry) === textOf(entry), found };
      const lapsed = !found || (isOver(found.entry) && lapsesAt(holder) <= now);
      if (found && !lapsed) return { created: false, found };
      const again = holder?.updateTime ? await commit([mail, ...claim({ updateTime: holder.updateTime })], counters) : null;
      if (again) return { created: true, found: { entry, ...again } };
    }
    throw new MailFailure('ledger_unavailable', 'the idempotency key changed hands three times');
  };

  const replace: Ledger['replace'] = async (found, entry, counters) => {
    const write: Write = { path: `mails/${entry.id}`, fields: documentOf(entry), when: { updateTime: found.version } };
    // An email that lives longer takes its key along: without it the same request would be a new email.
    const { key, expireAt } = entry;
    const longer = key !== undefined && expireAt > found.entry.expireAt;
    const along: Write[] = longer
      ? [{ path: `keys/${key}`, fields: fieldsOf({ mail: entry.id, expireAt }), when: {}, mask: KEY_LIFE }]
      : [];
    const committed = await commit([write, ...along], counters);
    if (committed) return { entry, ...committed };
    const there = await read(entry.id); // equal to ours: the reply to our own commit was lost
    return there && textOf(there.entry) === textOf(entry) ? there : null;
  };

  const count: Ledger['count'] = async (counters, by) => {
    const reply = await call(`${root}:commit`, { writes: counters.map((counter) => counting(counter, by)) });
    const body = json(reply) as CommitReply | null;
    if (reply.status !== 200) throw firestoreRefused(reply);
    return countsIn(body);
  };

  const reserve: Ledger['reserve'] = async ({ hash, expireAt }, id) => {
    const path = `keys/${hash}`;
    const stand = (mail: string): Record<string, Value> => fieldsOf({ mail, expireAt });
    if (await commit([{ path, fields: stand(id), when: { exists: false } }])) return true;
    if ((await get(path))?.fields?.['mail']?.stringValue === id) return true;
    await commit([{ path, fields: stand(''), when: { exists: true } }]);
    return false;
  };

  return { create, read, replace, count, reserve };
}

const KEY_LIFE = ['mail', 'expireAt'];

/** A key's document: the TTL policy deletes it at `expireAt`, with its email; its caller may use it anew from `lapsesAt` on. */
const keyFields = ({ id, expireAt }: Entry, key: LedgerKey): Record<string, Value> =>
  fieldsOf({ mail: id, expireAt: Math.max(expireAt, key.expireAt), lapsesAt: key.expireAt });

/** Documents that were written before there was `lapsesAt` lapse at `expireAt`. */
const lapsesAt = (key: Document | null): number =>
  Number(key?.fields?.['lapsesAt']?.integerValue ?? Date.parse(String(key?.fields?.['expireAt']?.timestampValue)));

/** An entry as text that is equal for equal entries, in whatever order their fields were written. */
const textOf = (entry: Entry): string => JSON.stringify(Object.entries(documentOf(entry)).sort(([a], [b]) => (a < b ? -1 : 1)));

interface CommitReply {
  readonly writeResults?: readonly { readonly updateTime?: string; readonly transformResults?: readonly Value[] }[];
  readonly commitTime?: string;
}

/** What each write's counter came to; 0 for a write without one. */
const countsIn = (body: CommitReply | null): number[] =>
  (body?.writeResults ?? []).map(({ transformResults }) => Number(transformResults?.[0]?.integerValue ?? 0));
