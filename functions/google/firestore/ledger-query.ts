import type { firestore_v1 } from 'googleapis/build/src/apis/firestore/v1.js';
import type { Entry, State } from '../../mail/delivery/ledger.ts';
import { MailFailure } from '../../mail/model/failure.ts';
import { readGoogleError } from '../http/error-body.ts';
import { type Exchange, json, type Reply } from '../http/exchange.ts';
import { callGoogle, type TokenSource } from '../http/google-client.ts';
import { entryOf } from './ledger-document.ts';

/** What mails are looked up by: the states they may be in, or whom they may be to, as the ledger has it. */
export type Sought = { readonly states: readonly State[] } | { readonly recipients: readonly string[] };

/** Reads the mails that fit, in no particular order, `limit` at most. */
export type LedgerQuery = (sought: Sought, limit: number) => Promise<Entry[]>;

const REPLY_MAX_BYTES = 32 * 1024 * 1024;

/**
 * Firestore's `runQuery` by one field, which the index of that field serves: all else is left to the reader, because with two
 * the query would need indexes of its own. Throws MailFailure: ledger_unavailable, identity_refused.
 */
export function createLedgerQuery(baseUrl: string, database: string, exchange: Exchange, token: TokenSource): LedgerQuery {
  const firestore = { service: 'Firestore', baseUrl, exchange, token, unavailable: 'ledger_unavailable' } as const;
  const path = `/v1/${database}/documents:runQuery`;
  return async (sought, limit) =>
    readEntries(
      await callGoogle(firestore, { method: 'POST', path, body: queryFor(sought, limit), timeoutMs: 30_000, maxBytes: REPLY_MAX_BYTES }),
    );
}

const queryFor = (sought: Sought, limit: number): firestore_v1.Schema$RunQueryRequest => ({
  structuredQuery: {
    from: [{ collectionId: 'mails' }],
    where: {
      fieldFilter:
        'states' in sought
          ? { field: { fieldPath: 'state' }, op: 'IN', value: textsOf(sought.states) }
          : { field: { fieldPath: 'recipients' }, op: 'ARRAY_CONTAINS_ANY', value: textsOf(sought.recipients) },
    },
    limit,
  },
});

const textsOf = (texts: readonly string[]) => ({ arrayValue: { values: texts.map((stringValue) => ({ stringValue })) } });

/** Reads the answer of `runQuery`: a list whose last element may hold only a time. */
export function readEntries(reply: Reply): Entry[] {
  const body = json<firestore_v1.Schema$RunQueryResponse[]>(reply);
  if (reply.status !== 200 || !Array.isArray(body)) {
    const { status } = readGoogleError(Array.isArray(body) ? body[0] : body);
    throw new MailFailure(reply.status === 403 ? 'identity_refused' : 'ledger_unavailable', `Firestore answered ${reply.status} ${status}`);
  }
  return body.flatMap(({ document }) => {
    const name = document?.name ?? '';
    return document ? [entryOf(name.slice(name.lastIndexOf('/') + 1), document)] : [];
  });
}
