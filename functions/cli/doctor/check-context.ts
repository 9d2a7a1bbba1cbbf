import type { Exchange } from '../../google/http/exchange.ts';
import type { AccessToken } from '../../mail/model/secret.ts';
import { type CallOptions, callOptions } from '../common/google-clients.ts';
import type { Operator } from '../common/operator.ts';

/** What the checks share: who asks, over what, and as whom. */
export interface CheckContext {
  readonly operator: Operator;
  readonly exchange: Exchange;
  readonly self: () => Promise<AccessToken>;
}

/** Options for a read by one of Google's clients. */
export const reading = ({ operator }: CheckContext, baseUrl: string): Promise<CallOptions> => callOptions(operator, baseUrl, true, 10_000);
