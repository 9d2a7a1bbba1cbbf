import { type Exchange, NoReply, type Reply } from '../../google/http/exchange.ts';
import { authorisation } from '../../google/http/google-client.ts';
import type { AccessToken } from '../../mail/model/secret.ts';
import type { Operator } from '../common/operator.ts';

/** What the checks share: who asks, over what, and as whom. */
export interface CheckContext {
  readonly operator: Operator;
  readonly exchange: Exchange;
  readonly self: () => Promise<AccessToken>;
}

/** A GET as the operator; null when nothing answered. */
export async function getAs({ exchange, self }: CheckContext, url: string): Promise<Reply | null> {
  const token = await self();
  return exchange({ method: 'GET', url, headers: authorisation(token), timeoutMs: 10_000 }).catch((error: unknown) => {
    if (error instanceof NoReply) return null;
    throw error;
  });
}
