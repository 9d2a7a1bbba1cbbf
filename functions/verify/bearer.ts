import { type HeaderValues, headerOf } from './header-values.ts';
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

/** RFC 7617: the secret is `user:password`. For Cloud Monitoring, whose webhooks can send no other header. */
export const readBasic: ReadProof = ({ headers }) => {
  const text = /^Basic +([A-Za-z0-9+/]{1,8192}={0,2})$/i.exec(headerOf(headers, 'authorization') ?? '')?.[1] ?? '';
  const given = Buffer.from(text, 'base64');
  if (text === '' || given.toString('base64') !== text) return null;
  return { matches: (secret) => sameText(given.toString('utf8'), secret) };
};
