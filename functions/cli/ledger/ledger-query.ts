import type { firestore_v1 } from 'googleapis/build/src/apis/firestore/v1.js';
import { entryOf } from '../../google/firestore/ledger-document.ts';
import type { Entry, State } from '../../mail/delivery/ledger.ts';
import { MailFailure } from '../../mail/model/failure.ts';
import type { Operator } from '../common/operator.ts';
import { queryMails } from '../common/query-mails.ts';

/** A search for emails: by states, by recipient in its stored form, or by tag as `name=value`. */
export type LedgerFilter = { readonly states: readonly State[] } | { readonly recipients: readonly string[] } | { readonly tag: string };

/** Reads the emails that match, in no particular order, at most `limit`. */
export type LedgerQuery = (sought: LedgerFilter, limit: number) => Promise<Entry[]>;

/**
 * Firestore's `runQuery` by one field, which that field's automatic index serves. The caller filters further, because a query by
 * two fields would need indexes of its own. Throws MailFailure: ledger_unavailable, identity_refused.
 */
export const createLedgerQuery =
  (operator: Operator): LedgerQuery =>
  async (sought, limit) => {
    const filter: firestore_v1.Schema$FieldFilter =
      'states' in sought
        ? { field: { fieldPath: 'state' }, op: 'IN', value: textsOf(sought.states) }
        : 'tag' in sought
          ? { field: { fieldPath: 'tags' }, op: 'ARRAY_CONTAINS_ANY', value: textsOf([sought.tag]) }
          : { field: { fieldPath: 'recipients' }, op: 'ARRAY_CONTAINS_ANY', value: textsOf(sought.recipients) };
    const reply = await queryMails(operator, filter, limit);
    if (!reply) throw new MailFailure('ledger_unavailable', 'Firestore did not answer');
    const { status, data } = reply;
    if (data) return data.flatMap(({ document }) => (document ? [entryOf((document.name ?? '').split('/').at(-1) ?? '', document)] : []));
    throw new MailFailure(status === 401 || status === 403 ? 'identity_refused' : 'ledger_unavailable', `Firestore answered ${status}`);
  };

const textsOf = (texts: readonly string[]): firestore_v1.Schema$Value => ({
  arrayValue: { values: texts.map((stringValue) => ({ stringValue })) },
});
