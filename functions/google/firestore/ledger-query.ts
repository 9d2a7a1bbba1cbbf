import type { Entry, State } from '../../mail/delivery/ledger.ts';
import { MailFailure } from '../../mail/model/failure.ts';

import type { AccessToken } from '../../mail/model/secret.ts';
import { readGoogleError } from '../http/error-body.ts';
import { type Call, type Exchange, json, NoReply, type Reply } from '../http/exchange.ts';
import { type Document, entryOf } from './ledger-document.ts';

/** What mails are looked up by: the states they may be in, or whom they may be to, as the ledger has it. */
export type Sought = { readonly states: readonly State[] } | { readonly recipients: readonly string[] };

/** Reads the mails that fit, in no particular order, `limit` at most. */
export type LedgerQuery = (sought: Sought, limit: number) => Promise<Entry[]>;

const REPLY_MAX_BYTES = 32 * 1024 * 1024;

/**
 * Firestore's `runQuery` by one field, which the index of that field serves: all else is left to the reader, because with two
 * the query would need indexes of its own. Throws MailFailure: ledger_unavailable, identity_refused.
 */
export function createLedgerQuery(
  baseUrl: string,
  database: string,
  exchange: Exchange,
  identity: () => Promise<AccessToken>,
): LedgerQuery {
  return async (sought, limit) => {
    const token = await identity();
    const reply = await exchange(queryCall(`${baseUrl}/v1/${database}/documents:runQuery`, sought, limit, token)).catch(
      (error: unknown) => {
        throw new MailFailure('ledger_unavailable', `Firestore did not answer: ${error instanceof NoReply ? error.message : 'error'}`);
      },
    );
    return readEntries(reply);
  };
}

const queryCall = (url: string, sought: Sought, limit: number, token: AccessToken): Call => ({
  method: 'POST',
  url,
  headers: { authorization: `Bearer ${token.secret.reveal()}`, 'content-type': 'application/json' },
  body: JSON.stringify({
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
  }),
  timeoutMs: 30_000,
  maxBytes: REPLY_MAX_BYTES,
});

const textsOf = (texts: readonly string[]) => ({ arrayValue: { values: texts.map((stringValue) => ({ stringValue })) } });

/** Reads the answer of `runQuery`: a list whose last element may hold only a time. */
export function readEntries(reply: Reply): Entry[] {
  const body = json(reply);
  if (reply.status !== 200 || !Array.isArray(body)) {
    const { status } = readGoogleError(Array.isArray(body) ? body[0] : body);
    const denied = reply.status === 401 || reply.status === 403;
    throw new MailFailure(denied ? 'identity_refused' : 'ledger_unavailable', `Firestore answered ${reply.status} ${status}`);
  }
  return (body as { document?: Document & { name: string } }[]).flatMap(({ document }) =>
    document ? [entryOf(document.name.slice(document.name.lastIndexOf('/') + 1), document)] : [],
  );
}
