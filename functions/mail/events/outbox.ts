import type { Entry, Ledger, LedgerRecord, State } from '../delivery/ledger.ts';
import type { EmailEvent, EventTarget, EventType } from '../model/email-event.ts';

/** The event type of each state. The other states are internal steps and have no event. */
const TYPES: Readonly<Partial<Record<State, EventType>>> = {
  scheduled: 'email.scheduled',
  sent: 'email.sent',
  failed: 'email.failed',
  waiting: 'email.delivery_delayed',
  parked: 'email.parked',
  unknown: 'email.unknown',
  canceled: 'email.canceled',
};
/** A failure with this code means: mailgrant refused a recipient that bounced before. */
const SUPPRESSED = 'recipient_suppressed';

/** The event type of a change of an entry; null for a change without an event. `before` is null for a new entry. */
export function eventTypeOf(before: Entry | null, after: Entry): EventType | null {
  const moved = after.state === 'scheduled' && before?.notBefore !== after.notBefore;
  if (before?.state === after.state && !moved) return null;
  return after.state === 'failed' && after.code === SUPPRESSED ? 'email.suppressed' : (TYPES[after.state] ?? null);
}

/** What `addEvent` and the outbox need. */
export interface EventSource {
  readonly targets: readonly EventTarget[];
  now(): number;
  newId(): string;
}

/**
 * The entry with one more event in its outbox; unchanged where no target wants the type. The event is handed over once
 * `ports.ledger` has written the entry. Use this for what happens after the send, such as a bounce. Example: `await
 * ports.ledger.replace(found, addEvent(found.entry, { type: 'email.bounced', bounce }, source))`.
 */
export function addEvent(entry: Entry, event: Omit<EmailEvent, 'id' | 'at'>, { targets, now, newId }: EventSource): Entry {
  if (!targets.some(({ types }) => types.includes(event.type))) return entry;
  const at = now();
  return { ...entry, outbox: [...(entry.outbox ?? []), { id: newId(), at, ...event }], outboxAt: entry.outboxAt ?? at };
}

/**
 * Hands an event over to Cloud Tasks or Pub/Sub; resolves only when it is durable there. The same event and target may come again.
 */
export type Handover = (event: EmailEvent, entry: Entry, target: EventTarget) => Promise<void>;

/** A ledger that hands over the events of its changes. */
export interface LedgerWithOutbox extends Ledger {
  /** Hands over the events in the outbox and clears it; returns the entry as it stands then, and whether any event remains. */
  handOverOutbox(record: LedgerRecord): Promise<{ readonly record: LedgerRecord; readonly left: boolean }>;
}

/**
 * The ledger, with an outbox: every change that a target wants is written into the entry's outbox in the same step, then handed
 * over, then cleared. After a crash anywhere in between, the next change or the sweep hands over what the outbox holds. So an
 * event may arrive more than once, under the same id; no event is lost, and none is sent for a change that was not written.
 */
export function withOutbox(ledger: Ledger, handOver: Handover, source: EventSource, onLeft: () => void): LedgerWithOutbox {
  // The same entry, written again after a lost reply, must be the same document; else it would be taken for another invocation's
  // write.
  const marked = new WeakMap<Entry, Entry>();
  const withChange = (before: Entry | null, after: Entry): Entry => {
    const known = marked.get(after);
    if (known) return known;
    const { outbox, outboxAt } = before ?? {};
    // An email that begins again is a new entry under the same id: it keeps the outbox of the entry before.
    const kept = outbox && outboxAt !== undefined && !after.outbox ? { ...after, outbox, outboxAt } : after;
    const type = eventTypeOf(before, after);
    const made = type === null ? kept : addEvent(kept, { type, ...factsOf(after) }, source);
    marked.set(after, made);
    return made;
  };

  const handOverOutbox: LedgerWithOutbox['handOverOutbox'] = async (record) => {
    const { outbox = [], outboxAt: _, ...cleared } = record.entry;
    if (outbox.length === 0) return { record, left: false };
    try {
      for (const event of outbox)
        await Promise.all(
          source.targets.filter(({ types }) => types.includes(event.type)).map((target) => handOver(event, record.entry, target)),
        );
      const written = await ledger.replace(record, cleared);
      return { record: written ? { ...record, ...written } : record, left: false };
    } catch {
      onLeft();
      return { record, left: true };
    }
  };
  const handedOver = async (record: LedgerRecord): Promise<LedgerRecord> => (await handOverOutbox(record)).record;

  return {
    ...ledger,
    handOverOutbox,
    async create(entry, key, now, counters) {
      const { created, found } = await ledger.create(withChange(null, entry), key, now, counters);
      return { created, found: created ? await handedOver(found) : found };
    },
    async replace(found, entry, counters) {
      const written = await ledger.replace(found, withChange(found.entry, entry), counters);
      return written && handedOver(written);
    },
  };
}

function factsOf({ code, notBefore, rejected }: Entry): Pick<EmailEvent, 'code' | 'notBefore' | 'rejected'> {
  return { ...(code !== null && { code }), ...(notBefore !== null && { notBefore }), ...(rejected && { rejected }) };
}
