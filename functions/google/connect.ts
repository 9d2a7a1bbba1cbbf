import { hash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ledger } from '../mail/delivery/ledger.ts';
import type { Transport } from '../mail/delivery/ports.ts';
import { pseudonym } from '../mail/model/address.ts';
import type { Mailbox } from '../mail/model/config.ts';
import { bounceScopeFor } from '../mail/model/scopes.ts';
import type { AccessToken } from '../mail/model/secret.ts';
import type { DocumentStore, EventDelivery, FunctionContext } from '../runtime/function-context.ts';
import type { Settings } from '../runtime/settings.ts';
import type { InvocationCalls, TokenSources } from './auth/mint-token.ts';
import { createSecrets } from './auth/secret-manager.ts';
import { createIdentity } from './auth/service-identity.ts';
import { createMinter } from './auth/token-cache.ts';
import { createWriteBack } from './auth/write-back.ts';
import type { FinderContext } from './bounces/finder-context.ts';
import { firestoreClient } from './firestore/firestore-client.ts';
import { createDocumentStore } from './firestore/firestore-documents.ts';
import { createLedger } from './firestore/firestore-ledger.ts';
import { createSearch, createSentSearch } from './gmail/message-search.ts';
import { createGmail } from './gmail/upload-session.ts';
import { createExchange } from './http/exchange.ts';
import type { TokenSource } from './http/google-client.ts';
import { withRetry } from './http/retry.ts';
import { queuePorts } from './queue/queue-ports.ts';
import { createSmtp, createWarmSessions } from './smtp/smtp-transport.ts';

type Tell = (severity: 'WARNING', event: string, fields: { readonly code: string }) => void;

/**
 * Connects the adapters to the core. Connections, secret texts and the function's own access token live as long as the instance,
 * and are made here. Tokens of mailboxes and the deadline live for one invocation, and are made in `startInvocation` (with `tokens: reuse`,
 * tokens live as long as the instance). `identity` gives the function's own access token; by default from the metadata server.
 */
export function connect(settings: Settings, tell: Tell, identity?: TokenSource, now: () => number = Date.now): FunctionContext & Kept {
  const { config, project, database, deadlineMs, pushAudience, trustIam, stopped, routesFile, urls, smtp: server } = settings;
  const warm = createWarmSessions();
  const wastedHeadStarts = new Map<string, number>();
  const exchanges = createExchange();
  const self = identity ?? createIdentity(urls.metadata, now);
  const secrets = createSecrets(urls.secrets, project, self);
  const writeBack = createWriteBack(secrets, (event, code) => tell('WARNING', event, { code }));
  const sources: TokenSources = { secrets, writeBack, identity: self, urls, tokenCache: new Map(), dead: new Map() };
  const digest = (data: Uint8Array | string): string => hash('sha256', data);
  const callsUntil = (ms: number) => {
    const { signal: deadline, end } = untilDeadline(ms);
    const exchange = exchanges(deadline);
    const pause = (wait: number): Promise<void> => sleep(wait, undefined, { signal: deadline });
    return { deadline, end, exchange, pause, retrying: withRetry(exchange, pause, Math.random) };
  };
  type Calls = ReturnType<typeof callsUntil>;
  const accessOf = ({ retrying, pause }: Pick<Calls, 'retrying' | 'pause'>) => ({
    baseUrl: urls.firestore,
    exchange: retrying,
    token: self,
    pause,
    random: Math.random,
  });
  const firestoreOf = (calls: Pick<Calls, 'retrying' | 'pause'>) => firestoreClient(accessOf(calls));
  const eventContext = ({ exchange }: Pick<Calls, 'exchange'>) => ({
    settings,
    exchange,
    token: self,
    now,
    onLeft: () => tell('WARNING', 'event_left', { code: 'queue_unavailable' }),
  });
  const ledgerOf = (calls: Calls): Ledger => {
    const ledger = createLedger(firestoreOf(calls), database);
    if (!config.events) return ledger;
    const withOutbox = async () => (await import('./events/email-events.ts')).createLedgerWithOutbox(ledger, eventContext(calls));
    return {
      ...ledger,
      create: async (...call) => (await withOutbox()).create(...call),
      replace: async (...call) => (await withOutbox()).replace(...call),
    };
  };
  /** Beside the one for sending: a service account asks for another scope, which an administrator may not have allowed. */
  const bounceMinter = (calls: InvocationCalls) =>
    createMinter({ ...sources, tokenCache: new Map() }, calls, ({ via }) => bounceScopeFor(via));
  const invocation = () => {
    const { deadline, end, exchange, pause, retrying } = callsUntil(deadlineMs);
    return {
      deadline,
      end,
      exchange,
      pause,
      retrying,
      token: createMinter(sources, { exchange: retrying, pause, now }),
      firestore: firestoreOf({ retrying, pause }),
    };
  };
  return {
    config,
    project,
    pushAudience,
    trustIam,
    stopped,
    routesFile,
    digest,
    now,
    startInvocation: () => {
      const { deadline, end, exchange, pause, retrying, token, firestore } = invocation();
      // The outcome is written even if all time went into querying Gmail: within the lease, and before the platform ends the
      // process.
      const recording = callsUntil(deadlineMs * RECORDING_FACTOR);
      const gmail = createGmail(urls.gmail, exchange, now);
      const search = createSearch(urls.gmail, exchange, now);
      const searchSent = createSentSearch(urls.gmail, exchange, now);
      const smtp = createSmtp({ server, search, searchSent, warm, deadline, now, pause });
      const transports: Readonly<Record<Mailbox['via'], (mailbox: Mailbox) => Transport>> = { api: () => gmail, smtp: smtp.transport };
      return {
        transport: (mailbox) => transports[mailbox.via](mailbox),
        ledger: ledgerOf(recording),
        ...(config.suppress && {
          async suppressed(addresses) {
            const { createSuppressions } = await import('./firestore/suppressions.ts');
            const hashes = new Map(addresses.map((address) => [pseudonym(address, { digest }), address]));
            const found = await createSuppressions(accessOf({ retrying, pause }), database).among([...hashes.keys()], now());
            return new Set([...found].flatMap((hash) => hashes.get(hash) ?? []));
          },
        }),
        windows: async () => (await import('./firestore/firestore-dedupe-windows.ts')).createDedupeWindows(firestore, database),
        ...queuePorts(settings, retrying, self),
        token,
        wastedHeadStarts,
        now,
        newId: randomUUID,
        digest,
        pause,
        fetchFile: async (url, maxBytes) => (await import('./http/fetch-file.ts')).createFetchFile(deadline)(url, maxBytes),
        leaseMs: deadlineMs * LEASE_FACTOR,
        close: () => {
          end();
          recording.end();
          smtp.close();
        },
      };
    },
    async listEmails(query) {
      const calls = callsUntil(deadlineMs);
      const { listEmails } = await import('./firestore/firestore-query.ts');
      return listEmails(firestoreOf(calls), database, query).finally(calls.end);
    },
    async emailEvents() {
      const calls = callsUntil(deadlineMs);
      const { createEventDelivery, createLedgerWithOutbox } = await import('./events/email-events.ts');
      const context = eventContext(calls);
      const firestore = firestoreOf(calls);
      const ledger = createLedgerWithOutbox(createLedger(firestore, database), context);
      return { ...createEventDelivery(ledger, secrets, firestore, calls.retrying, calls.deadline, context), close: calls.end };
    },
    bounceContext() {
      const calls = callsUntil(deadlineMs);
      const mint = bounceMinter({ exchange: calls.retrying, pause: calls.pause, now });
      return {
        settings,
        ledger: ledgerOf(calls),
        access: accessOf(calls),
        token: (mailbox) => mint({ mailbox }),
        pseudonym: (address) => pseudonym(address, { digest }),
        now,
        close: calls.end,
      };
    },
    documents: () => createDocumentStore(invocation().firestore),
    async bounceToken(mailbox) {
      const { end, pause, retrying } = callsUntil(deadlineMs);
      return bounceMinter({ exchange: retrying, pause, now })({ mailbox }).finally(end);
    },
    overdue: async () => {
      const { end, firestore } = invocation();
      const { countOverdue } = await import('./firestore/overdue-emails.ts');
      return countOverdue(firestore, database, now()).finally(end);
    },
    pseudonym: (address) => pseudonym(address, { digest }),
  };
}

const RECORDING_FACTOR = 1.1;
const LEASE_FACTOR = 1.2;

/** A signal that aborts after that many milliseconds, unless `end` was called before. */
function untilDeadline(ms: number): { readonly signal: AbortSignal; end(): void } {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new DOMException('the invocation has no time left', 'TimeoutError')), ms);
  timer.unref();
  return { signal: controller.signal, end: () => clearTimeout(timer) };
}

/** What some functions and commands need beside the ports. */
interface Kept {
  /** The number of accepted emails whose queue message is overdue. */
  overdue(): Promise<number>;
  /** The hash of an address for logs. */
  pseudonym(address: string): string;
  /** A token by which bounces are found in the mailbox. */
  bounceToken(mailbox: Mailbox): Promise<AccessToken>;
  /** The documents of an app, for one invocation. */
  documents(): DocumentStore;
  /** What bounces are found with, for one invocation; apart from what finds them, so that no email's function carries Google's client. */
  bounceContext(): FinderContext;
  /** The delivery of events, for one invocation. */
  emailEvents(): Promise<EventDelivery>;
}
