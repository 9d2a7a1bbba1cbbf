import { isIPv6 } from 'node:net';

const WINDOW_MS = 60_000;
/** Wrong keys that one address may try in a minute. */
export const WRONG_PER_ADDRESS = 20;
/** Wrong keys that all addresses together may try in a minute. */
export const WRONG_IN_ALL = 100;
const ADDRESSES_MAX = 10_000;

/** The remaining number of unknown keys that the function is asked about. */
export interface Guesses {
  /** Counts one guess of the address; false where none is left in this minute. */
  take(address: string): boolean;
  /** Returns a guess: the key was right, or the function did not judge it. */
  refund(address: string): void;
}

/** Counts in fixed windows of a minute. A /64 network of IPv6 counts as one address, because one client may use all of it. */
export function createGuesses(now: () => number): Guesses {
  const taken = new Map<string, number>();
  let inAll = 0;
  let until = 0;
  return {
    take(address) {
      if (now() >= until) {
        taken.clear();
        inAll = 0;
        until = now() + WINDOW_MS;
      }
      const network = networkOf(address);
      const before = taken.get(network) ?? 0;
      if (before >= WRONG_PER_ADDRESS || inAll >= WRONG_IN_ALL || taken.size >= ADDRESSES_MAX) return false;
      taken.set(network, before + 1);
      inAll++;
      return true;
    },
    refund(address) {
      const network = networkOf(address);
      const before = taken.get(network) ?? 0;
      if (before === 0) return; // the window of the guess is over
      taken.set(network, before - 1);
      inAll--;
    },
  };
}

/** The first four groups of an IPv6 address, in the canonical form that smtp-server gives; an IPv4 address as it stands. */
export function networkOf(address: string): string {
  if (!isIPv6(address) || address.includes('.')) return address.slice(address.lastIndexOf(':') + 1);
  const [head = '', tail] = address.split('%', 1)[0]?.split('::') ?? [];
  const front = head.split(':').filter(Boolean);
  const back = (tail ?? '').split(':').filter(Boolean);
  const all = tail === undefined ? front : [...front, ...Array.from({ length: 8 - front.length - back.length }, () => '0'), ...back];
  return all.slice(0, 4).join(':');
}
