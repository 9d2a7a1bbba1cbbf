import type { firestore_v1 } from 'googleapis/build/src/apis/firestore/v1.js';
import { MailFailure } from '../../mail/model/failure.ts';
import { json } from '../http/exchange.ts';
import { callGoogle } from '../http/google-client.ts';
import { type Document, type FirestoreAccess, firestoreClient, firestoreRefused } from './firestore-client.ts';
import { fieldsOf } from './ledger-document.ts';

const TRIES = 5;

/** Why a recipient is refused: it bounced, or an operator said so. Times are milliseconds since the epoch. */
export interface Suppression {
  readonly reason: 'bounced' | 'operator';
  /** The email that bounced; '' for none. */
  readonly email: string;
  readonly since: number;
  readonly until: number;
}

/** Recipients that are refused, by the hash of their address. Throws MailFailure: ledger_unavailable, identity_refused. */
export interface Suppressions {
  /** Those of these recipients that are refused at that time. */
  among(recipients: readonly string[], now: number): Promise<ReadonlySet<string>>;
  /** One that lasts longer already stays. */
  add(recipient: string, suppression: Suppression): Promise<void>;
  /** False where there was none. */
  remove(recipient: string): Promise<boolean>;
}

/** Suppressions in Firestore: `suppressions/{hash}`; the TTL policy deletes them, and the time is compared here. */
export function createSuppressions(access: FirestoreAccess, database: string): Suppressions {
  const firestore = firestoreClient(access);
  const root = `${database}/documents`;
  const nameOf = (recipient: string): string => `${root}/suppressions/${recipient}`;
  return {
    async among(recipients, now) {
      const { baseUrl, exchange, token } = access;
      const api = { service: 'Firestore', baseUrl, exchange, token, unavailable: 'ledger_unavailable' } as const;
      const body: firestore_v1.Schema$BatchGetDocumentsRequest = { documents: [...new Set(recipients)].map(nameOf) };
      const reply = await callGoogle(api, { method: 'POST', path: `/v1/${database}/documents:batchGet`, body, timeoutMs: 10_000 });
      const answers = json<firestore_v1.Schema$BatchGetDocumentsResponse[]>(reply); // a list, one element a document
      if (reply.status !== 200 || !Array.isArray(answers)) throw firestoreRefused(reply);
      const found = answers.flatMap((one) => one.found ?? []).filter((one) => suppressionOf(one).until > now);
      return new Set(found.map(({ name }) => (name ?? '').split('/').at(-1) ?? ''));
    },
    async add(recipient, { reason, email, since, until }) {
      const name = nameOf(recipient);
      for (let tries = 0; tries < TRIES; tries++) {
        const there = await firestore.get(name);
        if (there && suppressionOf(there).until >= until) return;
        const currentDocument = there?.updateTime ? { updateTime: there.updateTime } : { exists: false };
        const update = { name, fields: fieldsOf({ reason, email, since, until, expireAt: until }) };
        if (await firestore.commit(database, [{ update, currentDocument }], { missing: true })) return;
      }
      throw new MailFailure('ledger_unavailable', 'a suppression changed again and again');
    },
    async remove(recipient) {
      if (!(await firestore.get(nameOf(recipient)))) return false;
      await firestore.commit(database, [{ delete: nameOf(recipient) }]);
      return true;
    },
  };
}

export function suppressionOf({ fields: given }: Document): Suppression {
  const fields = given ?? {};
  return {
    reason: fields['reason']?.stringValue === 'operator' ? 'operator' : 'bounced',
    email: fields['email']?.stringValue ?? '',
    since: Number(fields['since']?.integerValue ?? 0),
    until: Number(fields['until']?.integerValue ?? 0),
  };
}
