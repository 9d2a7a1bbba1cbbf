import { randomUUID } from 'node:crypto';
import type { Ledger } from '../../mail/delivery/ledger.ts';
import { type LedgerWithOutbox, withOutbox } from '../../mail/events/outbox.ts';
import type { EventDelivery } from '../../runtime/function-context.ts';
import type { Settings } from '../../runtime/settings.ts';
import type { Secrets } from '../auth/secret-manager.ts';
import type { Firestore } from '../firestore/firestore-client.ts';
import { queryEntries } from '../firestore/firestore-query.ts';
import type { Exchange } from '../http/exchange.ts';
import type { TokenSource } from '../http/google-client.ts';
import { postWebhook } from '../http/post-webhook.ts';
import { createEventTasks } from './event-tasks.ts';
import { createHandover } from './hand-over.ts';

/** What the handover of events needs, for one invocation. */
export interface EventContext {
  readonly settings: Settings;
  /** Without retries: an event that cannot be handed over stays in the outbox, and no email waits for it. */
  readonly exchange: Exchange;
  readonly token: TokenSource;
  readonly now: () => number;
  readonly onLeft: () => void;
}

/** The ledger with an outbox for the events that the configuration's targets want. */
export function createLedgerWithOutbox(ledger: Ledger, { settings, exchange, token, now, onLeft }: EventContext): LedgerWithOutbox {
  const handOver = createHandover(settings, { exchange, token }, now);
  return withOutbox(ledger, handOver, { targets: settings.config.events ?? [], now, newId: randomUUID }, onLeft);
}

const SWEEP_MAX = 200;
/** The invocation that wrote a younger event may be about to hand it over. */
const SWEEP_AGE_MS = 2 * 60_000;

/** What the worker needs to deliver events, for one invocation. */
export function createEventDelivery(
  ledger: LedgerWithOutbox,
  secrets: Secrets,
  firestore: Firestore,
  retrying: Exchange,
  deadline: AbortSignal,
  { settings, exchange, token, now }: EventContext,
): Omit<EventDelivery, 'close'> {
  const { urls, database, eventTasks } = settings;
  const local = urls.tasks.startsWith('http://'); // the fake Google on loopback
  return {
    secret: (name, stale) => secrets.read(name, retrying, now(), stale),
    post: (url, headers, body) => postWebhook(url, headers, body, deadline, { local }),
    async again(task) {
      if (!eventTasks) return false;
      const since = now();
      await createEventTasks({ baseUrl: urls.tasks, exchange, token }, eventTasks)(
        { ...task, since },
        `${task.id}-${task.target}-${since}`,
      );
      return true;
    },
    async sweep() {
      const waiting = await queryEntries(firestore, database, {
        from: [{ collectionId: 'mails' }],
        where: {
          fieldFilter: {
            field: { fieldPath: 'outboxAt' },
            op: 'LESS_THAN_OR_EQUAL',
            value: { integerValue: String(Math.trunc(now() - SWEEP_AGE_MS)) },
          },
        },
        orderBy: [{ field: { fieldPath: 'outboxAt' }, direction: 'ASCENDING' }],
        limit: SWEEP_MAX,
      });
      let left = 0;
      for (const { id } of waiting) {
        const record = await ledger.read(id);
        if (record && (await ledger.handOverOutbox(record)).left) left++;
      }
      return { told: waiting.length - left, left };
    },
  };
}
