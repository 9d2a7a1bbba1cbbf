import { MailFailure } from '../../mail/model/failure.ts';

import type { AccessToken } from '../../mail/model/secret.ts';
import { readGoogleError } from '../http/error-body.ts';
import { type Call, type Exchange, json, NoReply, type Reply } from '../http/exchange.ts';

/** One call of Firestore's REST protocol: GET, or POST where there is a body. Throws MailFailure: ledger_unavailable. */
export type FirestoreCall = (path: string, body?: unknown) => Promise<Reply>;

/** Calls of Firestore as that identity. */
export function firestoreCalls(baseUrl: string, exchange: Exchange, identity: () => Promise<AccessToken>): FirestoreCall {
  return async (path, body) => {
    const { secret } = await identity();
    const common = { url: `${baseUrl}/v1/${path}`, timeoutMs: 10_000 };
    const authorization = `Bearer ${secret.reveal()}`;
    const request: Call = body
      ? { ...common, method: 'POST', headers: { authorization, 'content-type': 'application/json' }, body: JSON.stringify(body) }
      : { ...common, method: 'GET', headers: { authorization } };
    return exchange(request).catch((error: unknown) => {
      throw new MailFailure('ledger_unavailable', `Firestore did not answer: ${error instanceof NoReply ? error.message : 'error'}`);
    });
  };
}

/** What an answer means that is neither a result nor a precondition that did not hold. */
export function firestoreRefused(reply: Reply): MailFailure {
  const { status } = readGoogleError(json(reply));
  const denied = reply.status === 401 || reply.status === 403;
  return new MailFailure(denied ? 'identity_refused' : 'ledger_unavailable', `Firestore answered ${reply.status} ${status}`);
}
