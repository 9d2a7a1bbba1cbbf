import { decodeHeader, hasControl } from './encoded-words.ts';

/** An address with a name: `name` is decoded text, '' when there is none; `address` is bare, with an ASCII domain in lower case. */
export interface Address {
  readonly name: string;
  readonly address: string;
}

// RFC 5321 4.5.3.1: 64 octets before the @, 254 for the whole path without its brackets.
const LOCAL_MAX = 64;
const ADDRESS_MAX = 254;
const TEXT_MAX = 900; // with a name: it stands on one line of a header, which has 998 octets
const ATOM = /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/;
// A quoted local part is accepted for its dots only. Blanks, commas and the like are legal too, but programs read them
// differently.
const QUOTED_LOCAL = /^"[\w!#$%&'*+/=?^`{|}~.-]+"$/;
const LABEL = /^[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}-]*[\p{L}\p{N}\p{M}])?$/u;
// No top-level domain has a digit, except in punycode: some programs would read an IP address.
const TOP = /^(?:xn--.+|[\p{L}\p{M}-]+)$/iu;
/**
 * True for `local@domain` as Gmail accepts it: an ASCII dot-atom, or a dot-atom in quotes with dots anywhere, and a domain of two
 * labels or more, international ones included. An encoded-word is no part of an address (RFC 2047, 5); programs that decode it
 * all the same see a second address, or a different one.
 */
export function isAddress(text: string): boolean {
  const at = text.lastIndexOf('@');
  const labels = text.slice(at + 1).split('.');
  return (
    at > 0 &&
    at <= LOCAL_MAX &&
    text.length <= ADDRESS_MAX &&
    !text.includes('=?') &&
    (ATOM.test(text.slice(0, at)) || QUOTED_LOCAL.test(text.slice(0, at))) &&
    labels.length > 1 &&
    TOP.test(labels.at(-1) ?? '') &&
    labels.every((label) => label.length <= 63 && LABEL.test(label))
  );
}

/** The address in the form in which addresses are compared: Gmail's own addresses are case-insensitive. */
export const normaliseAddress = (address: string): string => withAsciiDomain(address.trim()).toLowerCase();

/** Each address once, in its first form. */
export function distinct(people: readonly Address[]): Address[] {
  const known = new Map<string, Address>();
  for (const one of people) {
    const key = normaliseAddress(one.address);
    if (!known.has(key)) known.set(key, one);
  }
  return [...known.values()];
}

/**
 * The address with its domain in lower case and in ASCII (punycode), so that every program reads the same domain, and without
 * quotes that it does not need.
 */
export function withAsciiDomain(given: string): string {
  const address = given.replace(/^"([^"]*)"(?=@)/, (quoted, local: string) => (ATOM.test(local) ? local : quoted));
  const at = address.lastIndexOf('@') + 1;
  const domain = address.slice(at).toLowerCase();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is what is looked for
  if (/^[\x00-\x7f]*$/.test(domain) || !URL.canParse(`http://${domain}`)) return address.slice(0, at) + domain;
  return address.slice(0, at) + new URL(`http://${domain}`).hostname;
}

/**
 * Reads exactly one `a@x` or `Name <a@x>`; null for anything else, also for a list or a group. A comma in an unquoted name is
 * part of the name, as Symfony writes it; an encoded-word (RFC 2047) in the name is decoded.
 */
export function parseAddress(text: string, maxLength = TEXT_MAX): Address | null {
  if (text.length > maxLength || hasControl(text)) return null;
  const [, phrase = '', inner] = /^(.*?)<([^<>]*)>\s*$/.exec(text) ?? [];
  const bare = (inner ?? text).trim();
  if (!isAddress(bare)) return null;
  const name = decodeHeader(unquote(phrase.trim()));
  // Some programs would read another address, or, with a later name in the header, an encoded-word.
  if (name === null || name.includes('=?') || /[<>]/.test(phrase + name)) return null;
  const address = withAsciiDomain(bare);
  return isAddress(address) ? { name, address } : null;
}

// SMTPUTF8 (RFC 6531): Gmail accepts such recipients, but no server on the way must.
const FORMAT = 'The email address needs to follow the `email@example.com` or `Name <email@example.com>` format.';

/** Why the text is no single address, as a sentence without the address. */
export function addressProblem(given: unknown): string {
  if (typeof given !== 'string') return `${FORMAT} Expected a string.`;
  if (given.length > TEXT_MAX) return `${FORMAT} With its name it may have ${TEXT_MAX} characters; this one has ${given.length}.`;
  if (hasControl(given)) return `${FORMAT} It holds a line break or another control character.`;
  if (decodeHeader(given)?.includes('=?') !== false)
    return `${FORMAT} It holds what some readers take for an encoded-word (\`=?charset?encoding?text?=\`), and it is none, or hides a control character: write the name itself.`;
  const [, inner = given.trim()] = /<([^<>]*)>\s*$/.exec(given) ?? [];
  const local = inner.slice(0, Math.max(0, inner.lastIndexOf('@')));
  if (/^"[^\n]*"$/.test(local))
    return "A quoted local part (before the @) is taken with letters, digits, dots and !#$%&'*+/=?^_`{|}~- between its quotes; blanks, commas, @ and the like are read in different ways on the way to Gmail.";
  if (/[^ -~]/.test(local)) return `${FORMAT} Letters beyond ASCII are possible in the name and in the domain, not before the @.`;
  if (/[<>].*</.test(decodeHeader(given) ?? '')) return `${FORMAT} A name cannot hold < or >.`;
  if (given.slice(0, -1).includes(',') && !given.includes('<'))
    return `${FORMAT} Several addresses are a list: \`["a@example.com", "b@example.com"]\`.`;
  return FORMAT;
}

function unquote(phrase: string): string {
  return /^".*"$/.test(phrase) ? phrase.slice(1, -1).replace(/\\(.)/g, '$1') : phrase;
}

/** The hash of an address for ledger and logs: whoever knows the address can find it, and nobody else can read it. */
export const pseudonym = (address: string, { digest }: { digest(text: string): string }): string => digest(address).slice(0, 16);
