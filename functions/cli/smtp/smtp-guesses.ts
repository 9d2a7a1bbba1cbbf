import { isIPv6 } from 'node:net';

const WINDOW_MS = 60_000;
/** Keys that one address may have judged in a minute and that turn out wrong. */
export const WRONG_PER_ADDRESS = 20;
/** … and all addresses together. */
export const WRONG_IN_ALL = 100;
const ADDRESSES_MAX = 10_000;

/** How many unknown keys the function may still be asked about. */
export interface Guesses {
  /** Takes one guess of the address; false where it has none left for now. */
  take(address: string): boolean;
  /** Returns a guess: the key was right, or the function did not say. */
  refund(address: string): void;
}

/** Counts in fixed windows of a minute. An IPv6 network of 64 bits is one address: whoever has one has all of it. */
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
      if (before === 0) return; // the window in which it was taken is over
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
