import { type HeaderValues, headerOf } from './header-values.ts';

/** The token of `Authorization: Bearer …`; null where there is none. */
export const bearerOf = (headers: HeaderValues): string | null =>
  /^Bearer +([\x21-\x7e]{1,8192})$/i.exec(headerOf(headers, 'authorization') ?? '')?.[1] ?? null;
