import { type Address, parseAddress } from './address.ts';

const WORD = String.raw`(?:"(?:[^"\\]|\\.)*"|[^\s"(),:;<>@[\]\\]+)`;
const NAMED = new RegExp(`^(?:${WORD}(?:\\s+${WORD})*)?\\s*<[^<>]*>$`);
const BARE = /^[^\s"(),:;<>[\]\\]+$/;
const EMPTY_GROUP = /^(?:"[^"\\]*"|[\w -]{1,60}):\s*;$/; // undisclosed-recipients:;

/**
 * Every address of a header as RFC 5322 writes it, or null. Comments, groups, routes and whatever else readers take in
 * different ways are no list here: the one that routes the mail must see the same recipients as we do.
 */
export function parseAddressList(value: string): Address[] | null {
  if (value === '' || EMPTY_GROUP.test(value)) return [];
  const people = partsOf(value).map((part) => (NAMED.test(part) || BARE.test(part) ? parseAddress(part) : null));
  return people.every((one) => one !== null) ? people : null;
}

/** The parts between commas; those inside of quotes do not count. */
function partsOf(value: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  for (let at = 0; at < value.length; at++) {
    const char = value[at];
    if (quoted && char === '\\') at++;
    else if (char === '"') quoted = !quoted;
    else if (char === ',' && !quoted) {
      parts.push(value.slice(start, at).trim());
      start = at + 1;
    }
  }
  return [...parts, value.slice(start).trim()];
}
