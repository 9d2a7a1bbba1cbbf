import type { firestore_v1 } from 'googleapis/build/src/apis/firestore/v1.js';
import { MailFailure } from '../../mail/model/failure.ts';
import { readGoogleError } from '../http/error-body.ts';
import { type Exchange, type HttpReply, json } from '../http/exchange.ts';
import { callGoogle, type GoogleCall, refusalDetail, type TokenSource } from '../http/google-client.ts';

export type Document = firestore_v1.Schema$Document;
export type Write = firestore_v1.Schema$Write;

/** What Firestore's client needs. */
export interface FirestoreAccess {
  readonly baseUrl: string;
  /** With retries: a commit with preconditions may reach Google twice. */
  readonly exchange: Exchange;
  readonly token: TokenSource;
  /** Rejects at the deadline. */
  readonly pause: (ms: number) => Promise<void>;
  readonly random: () => number;
}

/** Three calls of Firestore's REST protocol. Throws MailFailure: ledger_unavailable, identity_refused. */
export interface Firestore {
  /** The document of that name (`projects/…/documents/…`); null where there is none. */
  get(name: string): Promise<Document | null>;
  /** The documents that match, in no particular order. */
  query(database: string, query: firestore_v1.Schema$StructuredQuery): Promise<Document[]>;
  /**
   * Writes everything or nothing; null when a precondition failed, and then nothing was written. With `missing`, a missing
   * document counts as a failed precondition; without it, as a failure, as a missing database does.
   */
  commit(database: string, writes: Write[], how?: { readonly missing?: true }): Promise<firestore_v1.Schema$CommitResponse | null>;
}

const TRIES = 6;
const FIRST_WAIT_MS = 50;

/** Firestore with one identity's access token. */
export function firestoreClient({ baseUrl, exchange, token, pause, random }: FirestoreAccess): Firestore {
  const call = (request: Omit<GoogleCall, 'timeoutMs'>): Promise<HttpReply> =>
    callGoogle({ service: 'Firestore', baseUrl, exchange, token, unavailable: 'ledger_unavailable' }, { ...request, timeoutMs: 10_000 });
  return {
    async query(database, structuredQuery) {
      const body: firestore_v1.Schema$RunQueryRequest = { structuredQuery };
      const reply = await call({ method: 'POST', path: `/v1/${database}/documents:runQuery`, body });
      const found = json<firestore_v1.Schema$RunQueryResponse[]>(reply); // a list, whose last element may hold only a time
      if (reply.status !== 200 || !Array.isArray(found)) throw firestoreRefused(reply);
      return found.flatMap(({ document }) => (document ? [document] : []));
    },
    async get(name) {
      const reply = await call({ method: 'GET', path: `/v1/${name}` });
      if (reply.status === 404) return null;
      const document = json<Document>(reply);
      if (reply.status !== 200 || !document?.updateTime) throw firestoreRefused(reply);
      return document;
    },
    async commit(database, writes, { missing } = {}) {
      const body: firestore_v1.Schema$CommitRequest = { writes };
      // Without a precondition a lost reply must not be retried: an increment would count twice.
      const once = !writes.some(({ currentDocument }) => currentDocument);
      for (let tries = 1; ; tries++) {
        const reply = await call({ method: 'POST', path: `/v1/${database}/documents:commit`, body, once });
        if (reply.status === 200) return json<firestore_v1.Schema$CommitResponse>(reply) ?? {};
        const { status } = readGoogleError(json(reply));
        if (status === 'ALREADY_EXISTS' || status === 'FAILED_PRECONDITION' || (missing && status === 'NOT_FOUND')) return null;
        // ABORTED means contention, not a failed precondition: the same commit is sent again after a backoff with jitter, and its
        // preconditions decide.
        if (status !== 'ABORTED' || tries === TRIES) throw firestoreRefused(reply);
        await pause(FIRST_WAIT_MS * 2 ** (tries - 1) * (0.5 + random())).catch(() => {
          throw firestoreRefused(reply);
        });
      }
    },
  };
}

/** The failure for an answer that is neither a result nor a failed precondition. */
export const firestoreRefused = (reply: HttpReply): MailFailure =>
  new MailFailure(reply.status === 403 ? 'identity_refused' : 'ledger_unavailable', refusalDetail('Firestore', reply));
