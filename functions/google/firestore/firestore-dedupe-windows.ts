import type { DedupeWindows, WindowMembership } from '../../mail/delivery/dedupe-windows.ts';
import { MailFailure } from '../../mail/model/failure.ts';
import type { AccessToken } from '../../mail/model/secret.ts';
import { readGoogleError } from '../http/error-body.ts';
import { type Exchange, json } from '../http/exchange.ts';
import { firestoreCalls, firestoreRefused } from './firestore-client.ts';
import { type Document, fieldsOf, type Value } from './ledger-document.ts';

// A storm writes into one window from everywhere; Firestore takes about one write a second to one document for long. So
// the count is spread over several, which takes ten a second, and is summed once.
const SHARDS = 10;
const DAY_MS = 24 * 60 * 60_000;
/** All of it is kept for as long as a platform may deliver an event again, or the message about a digest: 31 days in Pub/Sub. */
const EVENT_MS = 32 * DAY_MS;
const EVERY_MAX_MS = 7 * DAY_MS; // the longest window
const TRIES = 6;

/**
 * Windows in Firestore, all in `digests`: `{group}` is the window that is open, `{group}-{event}` says once and for all
 * which window an event belongs to, `{group}-{opened}-{shard}` counts. An event and its count are one commit, so that a
 * redelivery neither counts twice nor is lost. No transactions: preconditions and increments only.
 */
export function createDedupeWindows(
  baseUrl: string,
  database: string,
  exchange: Exchange,
  identity: () => Promise<AccessToken>,
): DedupeWindows {
  const root = `${database}/documents`;
  const call = firestoreCalls(baseUrl, exchange, identity);

  const get = async (name: string): Promise<Document | null> => {
    const reply = await call(`${root}/digests/${name}`);
    if (reply.status === 404) return null;
    if (reply.status !== 200) throw firestoreRefused(reply);
    return json(reply) as Document;
  };

  /** What the increments came to; null when a precondition did not hold: then nothing was written. */
  const commit = async (writes: readonly object[]): Promise<readonly Value[] | null> => {
    for (let tries = 1; ; tries++) {
      const reply = await call(`${root}:commit`, { writes });
      const body = json(reply) as { writeResults?: readonly { transformResults?: readonly Value[] }[] } | null;
      if (reply.status === 200) return body?.writeResults?.flatMap(({ transformResults = [] }) => transformResults) ?? [];
      const { status } = readGoogleError(body);
      if (status === 'ALREADY_EXISTS' || status === 'FAILED_PRECONDITION' || status === 'NOT_FOUND') return null;
      if (status !== 'ABORTED' || tries === TRIES) throw firestoreRefused(reply); // ABORTED is contention, not a lost race
    }
  };

  const write = (name: string, fields: Record<string, unknown>, currentDocument: object): object => ({
    update: { name: `${root}/digests/${name}`, fields: fieldsOf(fields) },
    currentDocument,
  });

  const counted = (name: string, now: number, expireAt: number): object => ({
    update: { name: `${root}/digests/${name}`, fields: fieldsOf({ expireAt }) },
    updateMask: { fieldPaths: ['expireAt'] },
    updateTransforms: [
      { fieldPath: 'count', increment: { integerValue: '1' } },
      { fieldPath: 'firstAt', minimum: { integerValue: String(now) } },
      { fieldPath: 'lastAt', maximum: { integerValue: String(now) } },
      { fieldPath: 'closed', increment: { integerValue: '0' } }, // answers what it is, in the same step in which the event is counted
    ],
  });

  const join: DedupeWindows['assign'] = async (group, event, everyMs, now, knownMs) => {
    let unknown: object = { exists: false };
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
        const opens = write(
          group,
          { ...span, expireAt: span.until + EVENT_MS },
          window ? { updateTime: window.updateTime } : { exists: false },
        );
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
      unknown = known ? { updateTime: known.updateTime } : { exists: false };
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
      // An event is counted before the window is closed, and told; or after, and then it sees that the window is closed.
      if (!(await commit(closing))) continue;
      const { count, first, last } = await sum(group, opened);
      const before = told ? numberIn(told, 'total') : 0;
      const rest = Math.max(0, count - before);
      const when = told ? { updateTime: told.updateTime } : { exists: false };
      const fields = { ...plainNumbers(told), [`round${round}`]: rest, total: before + rest, expireAt };
      if (await commit([write(name, fields, when)])) return { count: rest, first, last };
    }
    throw new MailFailure('ledger_unavailable', `the digest of a window changed hands ${TRIES} times`);
  };

  return { assign: join, countHeldBack: sum, close };
}

const numberIn = ({ fields }: Document, name: string): number => Number(fields?.[name]?.integerValue ?? 0);
const spanOf = (document: Document): Pick<WindowMembership, 'opened' | 'until'> => ({
  opened: numberIn(document, 'opened'),
  until: numberIn(document, 'until'),
});
const beforeOf = (document: Document): WindowMembership['before'] =>
  document.fields?.['beforeOpened'] ? { opened: numberIn(document, 'beforeOpened'), until: numberIn(document, 'beforeUntil') } : null;
/** What was told in each round, and in all of them. */
const plainNumbers = (document: Document | null): Record<string, number> =>
  Object.fromEntries(
    Object.keys(document?.fields ?? {})
      .filter((name) => /^round\d+$/.test(name))
      .map((name) => [name, numberIn(document ?? {}, name)]),
  );
const shardOf = (event: string): number => Number.parseInt(event.slice(0, 8), 16) % SHARDS;
