import { setTimeout as sleep } from 'node:timers/promises';
import { type Firestore, firestoreClient } from '../../../functions/google/firestore/firestore-client.ts';
import { createExchange, type Exchange } from '../../../functions/google/http/exchange.ts';
import type { TokenSource } from '../../../functions/google/http/google-client.ts';

/** The real client of Firestore at that address; what is lost is lost, unless the exchange tries again. */
export function firestoreAt(
  baseUrl: string,
  token: TokenSource,
  exchange: Exchange = createExchange()(AbortSignal.timeout(300_000)),
): Firestore {
  return firestoreClient({ baseUrl, exchange, token, pause: async (ms) => void (await sleep(ms)), random: Math.random });
}
