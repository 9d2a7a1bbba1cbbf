import { createHash } from 'node:crypto';
import type { DedupeWindows, WindowMembership } from '../../functions/mail/delivery/dedupe-windows.ts';
import { type Entry, isOver, type Ledger, type LedgerRecord } from '../../functions/mail/delivery/ledger.ts';
import type { Ports, Transport } from '../../functions/mail/delivery/ports.ts';
import type { AccessToken } from '../../functions/mail/model/secret.ts';

/** A ledger in memory, with the same promises as the real ones. */
export function memoryLedger(over: typeof isOver = isOver): Ledger & { readonly entries: Map<string, LedgerRecord> } {
  const entries = new Map<string, LedgerRecord>();
  const keys = new Map<string, { id: string; expireAt: number }>();
  const counts = new Map<string, number>();
  let version = 0;
  const put = (entry: Entry): LedgerRecord => {
    const found = { entry, version: String(++version) };
    entries.set(entry.id, found);
    return found;
  };
  const add = (counters: readonly { readonly name: string }[], by: number): number[] => {
    for (const { name } of counters) counts.set(name, (counts.get(name) ?? 0) + by);
    return counters.map(({ name }) => counts.get(name) ?? 0);
  };
  return {
    entries,
    async create(entry, key, now, counters = []) {
      const known = key && keys.get(key.hash);
      const found = known ? entries.get(known.id) : undefined;
      if (found && (!over(found.entry) || (known?.expireAt ?? 0) > now)) return { created: false, found };
      if (key) keys.set(key.hash, { id: entry.id, expireAt: key.expireAt });
      return { created: true, found: { ...put(entry), counts: add(counters, 1) } };
    },
    count: async (counters, by) => add(counters, by),
    read: async (id) => entries.get(id) ?? null,
    replace: async (found, entry, counters = []) =>
      entries.get(entry.id)?.version === found.version ? { ...put(entry), counts: add(counters, 1) } : null,
    async reserve({ hash }, id) {
      const owner = keys.get(hash)?.id ?? id;
      keys.set(hash, { id: owner === id ? id : '', expireAt: Number.MAX_SAFE_INTEGER });
      return owner === id;
    },
  };
}

/** Windows in memory, with the same promises as Firestore's. */
export function memoryWindows(): DedupeWindows {
  const open = new Map<string, { opened: number; until: number }>();
  const events = new Map<
    string,
    { opened: number; until: number; first: boolean; before: WindowMembership['before']; knownUntil: number }
  >();
  const held = new Map<string, number[]>();
  const closed = new Map<string, Map<number, number>>();
  return {
    async assign(group, event, everyMs, now, knownMs = Number.POSITIVE_INFINITY) {
      const knownUntil = now + knownMs;
      const known = events.get(`${group}-${event}`);
      if (known && known.knownUntil > now)
        return { ...known, ask: true, closed: known.first ? 0 : (closed.get(`${group}-${known.opened}`)?.size ?? 0) };
      const window = open.get(group);
      if (!window || window.until <= now) {
        const span = { opened: now, until: now + everyMs };
        open.set(group, span);
        events.set(`${group}-${event}`, { ...span, first: true, before: window ?? null, knownUntil });
        return { ...span, first: true, ask: false, closed: 0, before: window ?? null };
      }
      const times = held.get(`${group}-${window.opened}`) ?? [];
      times.push(now);
      held.set(`${group}-${window.opened}`, times);
      events.set(`${group}-${event}`, { ...window, first: false, before: null, knownUntil });
      return { ...window, first: false, ask: times.length === 1, closed: closed.get(`${group}-${window.opened}`)?.size ?? 0, before: null };
    },
    async countHeldBack(group, opened) {
      const times = held.get(`${group}-${opened}`) ?? [];
      return { count: times.length, first: times[0] ?? 0, last: times.at(-1) ?? 0 };
    },
    async close(group, opened, round) {
      const times = held.get(`${group}-${opened}`) ?? [];
      const rounds = closed.get(`${group}-${opened}`) ?? new Map<number, number>();
      const told = [...rounds.values()].reduce((sum, one) => sum + one, 0);
      rounds.set(round, rounds.get(round) ?? times.length - told);
      closed.set(`${group}-${opened}`, rounds);
      return { count: rounds.get(round) ?? 0, first: times[0] ?? 0, last: times.at(-1) ?? 0 };
    },
  };
}

/** Working ports with a frozen clock that a test moves; a test overrides only what it is about. */
export function world(
  change: Partial<Ports & Transport> = {},
): Ports & Transport & { clock: number; sent: string[]; ledger: ReturnType<typeof memoryLedger> } {
  let ids = 0;
  const windows = memoryWindows();
  const sent: string[] = [];
  const token: AccessToken = { secret: { reveal: () => 'token' }, expiresAt: Number.MAX_SAFE_INTEGER };
  const ports = {
    clock: Date.UTC(2026, 10, 24, 8),
    sent,
    ledger: memoryLedger(),
    leaseMs: 60_000,
    now: (): number => ports.clock,
    newId: () => `00000000-0000-4000-8000-${String(++ids).padStart(12, '0')}`,
    digest: (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex'),
    pause: async () => {},
    windows: async () => windows,
    queue: null,
    deadLetters: null,
    taskQueue: null,
    contentStore: null,
    fetchFile: async () => new Uint8Array(),
    close: () => {},
    transport(this: Transport): Transport {
      return this;
    },
    token: async () => token,
    wastedHeadStarts: new Map<string, number>(),
    resumable: true,
    refusalIsProof: false,
    openSession: async () => `session-${sent.length + 1}`,
    upload: async (session: string) => {
      sent.push(session);
      return { state: 'accepted', gmailId: `gmail-${sent.length}` } as const;
    },
    querySession: async () => ({ state: 'partial', received: 0 }) as const,
    ...change,
  };
  return ports as ReturnType<typeof world>;
}
