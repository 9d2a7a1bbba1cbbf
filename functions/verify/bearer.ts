import { type HeaderValues, headerOf } from './headers.ts';
import { sameText } from './mac.ts';
import type { ReadProof } from './scheme.ts';

/** The token of `Authorization: Bearer …`; null where there is none. */
export const bearerOf = (headers: HeaderValues): string | null =>
  /^Bearer +([\x21-\x7e]{1,8192})$/i.exec(headerOf(headers, 'authorization') ?? '')?.[1] ?? null;

/** A shared token in the Authorization header, for what can send a header and cannot sign: Alertmanager, Grafana, cron jobs. */
export const readBearer: ReadProof = ({ headers }) => {
  const given = bearerOf(headers);
  return given === null ? null : { matches: (secret) => sameText(given, secret) };
};
