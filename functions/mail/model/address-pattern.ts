import { normaliseAddress } from './address.ts';

/** True if one of the patterns allows the address. */
export const isAmong = (patterns: readonly string[], address: string): boolean =>
  patterns.some((pattern) => matches(pattern, normaliseAddress(address)));

/** `*@example.com` is every address of that domain, anything else one address. */
function matches(pattern: string, address: string): boolean {
  return pattern.startsWith('*@') ? address.endsWith(pattern.slice(1)) : address === pattern;
}
