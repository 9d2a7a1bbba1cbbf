import type { DedupeWindows, WindowMembership } from '../../mail/delivery/dedupe-windows.ts';
import { MailFailure } from '../../mail/model/failure.ts';
import type { Document, Firestore, Write } from './firestore-client.ts';
import type { Value } from './firestore-value.ts';
import { fieldsOf } from './ledger-document.ts';

type Precondition = NonNullable<Write['currentDocument']>;

// In a burst, many instances write into one window, and Firestore sustains about one write a second to one document. So the count
// is spread over several documents, which sustain ten a second, and is summed once.
const SHARDS = 10;
const DAY_MS = 24 * 60 * 60_000;
/** Everything is kept for as long as a platform may redeliver an event, or the message about a digest: 31 days in Pub/Sub. */
const EVENT_MS = 32 * DAY_MS;
const EVERY_MAX_MS = 7 * DAY_MS; // the longest window
const TRIES = 6;

/**
 * Windows in Firestore, all in the collection `digests`: `{group}` is the open window, `{group}-{event}` records which window an
 * event belongs to, `{group}-{opened}-{shard}` counts. An event and its count are one commit, so that a redelivery neither counts
 * twice nor is lost. There are no transactions, only preconditions and increments.
 */
export function createDedupeWindows(firestore: Firestore, database: string): DedupeWindows {
  const root = `${database}/documents`;
  const get = (name: string): Promise<Document | null> => firestore.get(`${root}/digests/${name}`);

  /** The new values of the increments; null when a precondition failed, and then nothing was written. */
  const commit = async (writes: Write[]): Promise<readonly Value[] | null> => {
    const done = await firestore.commit(database, writes, { missing: true });
    return done && (done.writeResults ?? []).flatMap(({ transformResults }) => transformResults ?? []);
  };

  const write = (name: string, fields: Record<string, unknown>, currentDocument: Precondition): Write => ({
    update: { name: `${root}/digests/${name}`, fields: fieldsOf(fields) },
    currentDocument,
  });

  const counted = (name: string, now: number, expireAt: number): Write => ({
    update: { name: `${root}/digests/${name}`, fields: fieldsOf({ expireAt }) },
    updateMask: { fieldPaths: ['expireAt'] },
    updateTransforms: [
      { fieldPath: 'count', increment: { integerValue: '1' } },
      { fieldPath: 'firstAt', minimum: { integerValue: String(now) } },
      { fieldPath: 'lastAt', maximum: { integerValue: String(now) } },
      { fieldPath: 'closed', increment: { integerValue: '0' } }, // returns the current value, in the same step in which the event is counted
    ],
  });

  const join: DedupeWindows['assign'] = async (group, event, everyMs, now, knownMs) => {
    let unknown: Precondition = { exists: false };
    const knownUntil = knownMs === undefined ? {} : { knownUntil: now + knownMs };
    for (let tries = 1; tries <= TRIES; tries++) {
      const window = await get(group);
      const before = window && spanOf(window);
      if (before && before.until > now) {
        const belongs = write(`${group}-${event}`, { ...before, ...knownUntil, first: 'no', expireAt: before.until + EVENT_MS }, unknown);
        const shard = `${group}-${before.opened}-${shardOf(event)}`;
        const counts = await commit([belongs, counted(shard, now, before.until + EVENT_MS)]);
        const [count, , , closed] = counts ?? [];
        if (counts)
          return {
            ...before,
            first: false,
            ask: Number(count?.integerValue ?? 1) === 1,
            closed: Number(closed?.integerValue ?? 0),
            before: null,
          };
      } else {
        const span = { opened: now, until: now + everyMs };
        const opens = write(group, { ...span, expireAt: span.until + EVENT_MS }, unchanged(window));
        const last = before && { beforeOpened: before.opened, beforeUntil: before.until };
        const belongs = write(
          `${group}-${event}`,
          { ...span, ...last, ...knownUntil, first: 'yes', expireAt: span.until + EVENT_MS },
          unknown,
        );
        if (await commit([opens, belongs])) return { ...span, first: true, ask: false, closed: 0, before };
      }
      const known = await get(`${group}-${event}`);
      const lapsed = known?.fields?.['knownUntil'] !== undefined && numberIn(known, 'knownUntil') <= now;
      if (known && !lapsed) {
        const { opened, until } = spanOf(known);
        const first = known.fields?.['first']?.stringValue === 'yes';
        const shard = first ? null : await get(`${group}-${opened}-${shardOf(event)}`);
        return { opened, until, first, ask: true, closed: shard ? numberIn(shard, 'closed') : 0, before: beforeOf(known) };
      }
      unknown = unchanged(known);
    }
    throw new MailFailure('ledger_unavailable', `the window of a digest changed hands ${TRIES} times`);
  };

  const sum: DedupeWindows['countHeldBack'] = async (group, opened) => {
    const shards = await Promise.all(Array.from({ length: SHARDS }, (_, shard) => get(`${group}-${opened}-${shard}`)));
    const there = shards.flatMap((one) => (one !== null && numberIn(one, 'count') > 0 ? [one] : []));
    return {
      count: there.reduce((total, one) => total + numberIn(one, 'count'), 0),
      first: there.length > 0 ? Math.min(...there.map((one) => numberIn(one, 'firstAt'))) : 0,
      last: there.length > 0 ? Math.max(...there.map((one) => numberIn(one, 'lastAt'))) : 0,
    };
  };

  const close: DedupeWindows['close'] = async (group, opened, round) => {
    const expireAt = opened + EVENT_MS + EVERY_MAX_MS;
    const closing = Array.from({ length: SHARDS }, (_, shard) => ({
      update: { name: `${root}/digests/${group}-${opened}-${shard}`, fields: fieldsOf({ expireAt }) },
      updateMask: { fieldPaths: ['expireAt'] },
      updateTransforms: [{ fieldPath: 'closed', increment: { integerValue: '1' } }],
    }));
    for (let tries = 1; tries <= TRIES; tries++) {
      const name = `${group}-${opened}-told`;
      const told = await get(name);
      const held = await sum(group, opened);
      if (told?.fields?.[`round${round}`]) return { ...held, count: numberIn(told, `round${round}`) };
      // An event is counted either before the window is closed, and then the digest contains it; or after, and then the event's
      // count shows that the window is closed.
      if (!(await commit(closing))) continue;
      const { count, first, last } = await sum(group, opened);
      const before = told ? numberIn(told, 'total') : 0;
      const rest = Math.max(0, count - before);
      const when = unchanged(told);
      const fields = { ...plainNumbers(told), [`round${round}`]: rest, total: before + rest, expireAt };
      if (await commit([write(name, fields, when)])) return { count: rest, first, last };
    }
    throw new MailFailure('ledger_unavailable', `the digest of a window changed hands ${TRIES} times`);
  };

  return { assign: join, countHeldBack: sum, close };
}

/** A precondition: the document is unchanged since it was read, or is still missing. */
const unchanged = (document: Document | null): Precondition =>
  document?.updateTime ? { updateTime: document.updateTime } : { exists: false };
const numberIn = ({ fields }: Document, name: string): number => Number(fields?.[name]?.integerValue ?? 0);
const spanOf = (document: Document): Pick<WindowMembership, 'opened' | 'until'> => ({
  opened: numberIn(document, 'opened'),
  until: numberIn(document, 'until'),
});
const beforeOf = (document: Document): WindowMembership['before'] =>
  document.fields?.['beforeOpened'] ? { opened: numberIn(document, 'beforeOpened'), until: numberIn(document, 'beforeUntil') } : null;
/** The number of events in each round's digest, and in all rounds. */
const plainNumbers = (document: Document | null): Record<string, number> =>
  Object.fromEntries(
    Object.keys(document?.fields ?? {})
      .filter((name) => /^round\d+$/.test(name))
      .map((name) => [name, numberIn(document ?? {}, name)]),
  );
const shardOf = (event: string): number => Number.parseInt(event.slice(0, 8), 16) % SHARDS;
