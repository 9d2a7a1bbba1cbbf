import { type Address, normaliseAddress, parseAddress } from './address.ts';

const WORD = String.raw`(?:"(?:[^"\\]|\\.)*"|[^\s"(),:;<>@[\]\\]+)`;
const NAMED = new RegExp(`^(?:${WORD}(?:\\s+${WORD})*)?\\s*<[^<>]*>$`);
const BARE = /^(?:"[^"\\]*"@)?[^\s"(),:;<>[\]\\]+$/;
const NAMED_BY_ITSELF = /^([^\s"(),:;<>[\]\\]+@[^\s"(),:;<>@[\]\\]+)\s*<([^<>]*)>$/;
// Space for a name of 900 letters beyond ASCII, encoded. Its lines are as long as a header's may be; the limit is checked where
// the header is parsed.
const ENCODED_MAX = 20_000;
const EMPTY_GROUP = /^(?:"[^"\\]*"|[\w -]{1,60}):\s*;$/;

/** True for a group without members, which hides the recipients: `undisclosed-recipients:;`. */
export const isEmptyGroup = (text: string): boolean => EMPTY_GROUP.test(text.trim());

/**
 * Every address of a header as RFC 5322 writes it, or null; empty elements and groups without members hold no address. Comments,
 * groups, routes and other forms that mail programs read differently are refused: the server that routes the email must see the
 * same recipients as mailgrant.
 */
export function parseAddressList(value: string): Address[] | null {
  const parts = partsOf(value).filter((part) => part !== '' && !isEmptyGroup(part));
  const people = parts.map(parseOne);
  return people.every((one) => one !== null) ? people : null;
}

function parseOne(part: string): Address | null {
  if (NAMED.test(part) || BARE.test(part)) return parseAddress(part, ENCODED_MAX);
  // `a@example.com <a@example.com>` is not valid in RFC 5322, but every program reads this address.
  const [, name = '', address = ''] = NAMED_BY_ITSELF.exec(part) ?? [];
  return name !== '' && normaliseAddress(name) === normaliseAddress(address) ? parseAddress(part) : null;
}

const isSeparator = (char: string | undefined): boolean => char !== undefined && /[\s,]/.test(char);

/**
 * The text without the blanks and commas around it; a regular expression would take quadratic time for a run of them inside the
 * text.
 */
export function trimSeparators(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && isSeparator(text[start])) start++;
  while (end > start && isSeparator(text[end - 1])) end--;
  return text.slice(start, end);
}

/** A list of addresses without the groups that have no members, on as many lines as it has addresses; '' where nothing is left. */
export const withoutEmptyGroups = (value: string): string =>
  partsOf(value)
    .filter((part) => part !== '' && !isEmptyGroup(part))
    .join(',\r\n ');

/** True if one of the elements is a group without members. */
export const hasEmptyGroup = (value: string): boolean => partsOf(value).some(isEmptyGroup);

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
