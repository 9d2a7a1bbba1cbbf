/** A mailbox of someone: `name` is decoded text, '' when there is none; `address` is bare, with an ASCII domain in lower case. */
export interface Address {
  readonly name: string;
  readonly address: string;
}

// RFC 5321 4.5.3.1: 64 octets before the @, 254 for the whole path without its brackets.
const LOCAL_MAX = 64;
const ADDRESS_MAX = 254;
const TEXT_MAX = 900; // with a name: it stands on one line of a header, which has 998 octets
const ATOM = /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/;
const LABEL = /^[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}-]*[\p{L}\p{N}\p{M}])?$/u;
// No top-level domain has a digit, except in punycode: a number there would be an IP address to some reader.
const TOP = /^(?:xn--.+|[\p{L}\p{M}-]+)$/iu;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;
const ENCODED_WORD = /=\?([\w-]+)(?:\*[\w-]+)?\?([BbQq])\?([^?\s]*)\?=/g;

/** True if the text holds a line break or another control character: in a header that is an injection. */
export const hasControl = (text: string): boolean => CONTROL.test(text);

/** The same, also where an encoded-word (RFC 2047) would bring it in. */
export const hidesControl = (text: string): boolean => hasControl(text) || (text.includes('=?') && hasControl(decodeWords(text)));

/** The same for filenames and parameters, where percent-encoding (RFC 2231) would bring it in too. */
export const hidesControlInParameter = (text: string): boolean => hidesControl(text) || /%(?:[01][0-9a-f]|7f)/i.test(text);

/** True if the text cannot be folded into lines of 998 octets (RFC 5322, 2.1.1): a word of plain ASCII goes out whole. */
export const cannotFold = (text: string): boolean => /[!-~]{900}/.test(text);

/**
 * True for `local@domain` as Gmail takes it: an ASCII dot-atom and a domain of two labels or more, international ones included.
 * An encoded-word is no part of an address (RFC 2047, 5); some readers decode it all the same, and then there are two, or another one.
 */
export function isAddress(text: string): boolean {
  const at = text.lastIndexOf('@');
  const labels = text.slice(at + 1).split('.');
  return (
    at > 0 &&
    at <= LOCAL_MAX &&
    text.length <= ADDRESS_MAX &&
    !text.includes('=?') &&
    ATOM.test(text.slice(0, at)) &&
    labels.length > 1 &&
    TOP.test(labels.at(-1) ?? '') &&
    labels.every((label) => label.length <= 63 && LABEL.test(label))
  );
}

/** The address in the form it is compared in: Gmail's own addresses do not know case. */
export const normalise = (address: string): string => withAsciiDomain(address.trim()).toLowerCase();

/** Each address once, as it stands first. */
export function distinct(people: readonly Address[]): Address[] {
  const known = new Map<string, Address>();
  for (const one of people) {
    const key = normalise(one.address);
    if (!known.has(key)) known.set(key, one);
  }
  return [...known.values()];
}

/** The address with its domain in lower case and in ASCII (punycode), so that nobody reads another domain out of it. */
export function withAsciiDomain(address: string): string {
  const at = address.lastIndexOf('@') + 1;
  const domain = address.slice(at).toLowerCase();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is what is looked for
  if (/^[\x00-\x7f]*$/.test(domain) || !URL.canParse(`http://${domain}`)) return address.slice(0, at) + domain;
  return address.slice(0, at) + new URL(`http://${domain}`).hostname;
}

/**
 * Reads exactly one `a@x` or `Name <a@x>`; null when it is anything else, a list and a group included. A comma in an
 * unquoted name is taken as part of it, as Symfony writes it; an encoded-word (RFC 2047) in the name is decoded.
 */
export function parseAddress(text: string): Address | null {
  if (text.length > TEXT_MAX || hasControl(text)) return null;
  const [, phrase, inner] = /^(.*?)<([^<>]*)>\s*$/.exec(text) ?? [];
  const bare = (inner ?? text).trim();
  if (!isAddress(bare)) return null;
  const name = decodeWords(unquote((phrase ?? '').trim()));
  if (/[<>]/.test(phrase ?? '') || hasControl(name)) return null;
  const address = withAsciiDomain(bare);
  return isAddress(address) ? { name, address } : null;
}

function unquote(phrase: string): string {
  return /^".*"$/.test(phrase) ? phrase.slice(1, -1).replace(/\\(.)/g, '$1') : phrase;
}

/** Decodes RFC 2047 encoded-words; a charset that is not known leaves the word as it stands. */
function decodeWords(text: string): string {
  const joined = text.replace(/(\?=)\s+(?==\?)/g, '$1'); // white space between two encoded words does not count
  return joined.replace(ENCODED_WORD, (word, charset: string, encoding: string, data: string) => {
    try {
      return new TextDecoder(charset, { fatal: true }).decode(/b/i.test(encoding) ? Buffer.from(data, 'base64') : fromQ(data));
    } catch {
      return word;
    }
  });
}

function fromQ(data: string): Uint8Array {
  const plain = data.replace(/_/g, ' ').replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(plain, 'latin1');
}

/** An address as it stands in ledger and logs: recognisable by whoever knows it, not readable by anybody else. */
export const pseudonym = (address: string, { digest }: { digest(text: string): string }): string => digest(address).slice(0, 16);
