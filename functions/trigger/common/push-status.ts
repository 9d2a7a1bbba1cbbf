import type { ServerResponse } from 'node:http';
import type { Outcome } from '../../mail/delivery/outcome.ts';
import { failureInfo, type MailFailure } from '../../mail/model/failure.ts';

/** The status for a message or event: 204 acknowledges; after any other status the platform redelivers. */
export const pushStatus = (acknowledged: boolean, outcome: Outcome | null): 204 | 429 | 503 =>
  acknowledged ? 204 : outcome?.state === 'parked' ? 429 : 503;

/** The status for a delivery that became no email: 400 if each redelivery would fail in the same way. */
export const refusalStatus = ({ code }: MailFailure): 400 | 503 => (failureInfo(code).retry === 'never' ? 400 : 503);

/** Ends an answer without a body. */
export function end(res: ServerResponse, status: number): void {
  res.writeHead(status).end();
}
