import { type Address, withAsciiDomain } from './address.ts';
import { parseAddressList } from './address-list.ts';

/** Writes the words of a phrase as encoded-words (RFC 2047) where they need it. */
export type EncodePhrase = (phrase: string) => string;

/** A header whose value programs read: the value to write, or why it cannot be written, as the end of a sentence. */
export type StructuredValue = { readonly value: string } | { readonly problem: string };

// RFC 2369: URIs in angle brackets. RFC 2919: a phrase and an id. RFC 5322, 3.6.4: message ids.
const URI_LIST = /^(list-(unsubscribe|subscribe|help|post|owner|archive)|archived-at)$/i;
const LIST_ID = /^list-id$/i;
const MESSAGE_IDS = /^(in-reply-to|references|supersedes|original-message-id)$/i;
const ADDRESSES = /^(disposition-notification-to|return-receipt-to|errors-to|x-confirm-reading-to|mail-(followup|reply)-to)$/i;
const ONE_CLICK = /^list-unsubscribe-post$/i;
// Tokens, dates and numbers: programs do not decode an encoded-word in them.
const TOKENS =
  /^(auto-submitted|precedence|importance|priority|(x-|mt-)priority|x-msmail-priority|sensitivity|content-(language|location|base|id|features)|feedback-id|x-auto-response-suppress|authentication-results|autocrypt|expires|expiry-date|reply-by|require-recipient-valid-since|jabber-id|tls-required)$/i;

/** True for a header that programs read: each has a form of its own. */
export const isStructured = (name: string): boolean =>
  [URI_LIST, LIST_ID, MESSAGE_IDS, ADDRESSES, ONE_CLICK, TOKENS].some((names) => names.test(name));

const isAscii = (text: string): boolean => /^[ -~]*$/.test(text);

/**
 * The value of a header with a structure, in the form that programs read: addresses in their brackets, never an encoded-word as a
 * whole. null for a header of plain text. A value that has its form already stays as it is.
 */
export function structuredValue(name: string, value: string, encodePhrase: EncodePhrase): StructuredValue | null {
  if (MESSAGE_IDS.test(name)) return messageIds(value);
  if (URI_LIST.test(name)) return uriList(name, value);
  if (LIST_ID.test(name)) return listId(value, encodePhrase);
  if (ADDRESSES.test(name)) return addresses(value, encodePhrase);
  if (ONE_CLICK.test(name)) return oneClick(value);
  if (!TOKENS.test(name)) return null;
  return isAscii(value) ? { value } : { problem: 'it has letters beyond ASCII, which no program reads in this header' };
}

/** Puts each id into angle brackets: many callers leave them out. Several words are ids only if each looks like one. */
function messageIds(value: string): StructuredValue {
  const ids = value
    .replaceAll('><', '> <')
    .split(/[\s,]+/)
    .filter((id) => id !== '');
  const bare = ids.map((id) => /^<([^<>]+)>$/.exec(id)?.[1] ?? id);
  const isWord = (id: string, index: number): boolean => ids[index] === id && !id.includes('@');
  if (!isAscii(value) || ids.length === 0 || bare.some((id) => /[<>"()]/.test(id)) || (ids.length > 1 && bare.some(isWord)))
    return { problem: 'expected message ids such as `<id@example.com>`, with blanks between them' };
  return { value: /^(<[^<>\s]+>)( <[^<>\s]+>)*$/.test(value) ? value : bare.map((id) => `<${id}>`).join(' ') };
}

const URIS = 'expected addresses in angle brackets, such as `<https://example.com/leave>`, with commas between them';
// One address: in brackets, with the comment that may follow, or bare. A comma in a bare one is of it, unless another address follows.
const ONE_URI =
  /\s*(?:<(?<inside>[^<>]*)>(?<comment>\s*\([^()]*\))?|(?<bare>[^<>\s,](?:[^<>\s,]|,(?!\s*(?:<|[a-z][a-z\d+.-]*:|$)))*))\s*(?:,|(?=<)|$)/giy;

/** Addresses in angle brackets (RFC 2369, 2): those without get them. */
function uriList(name: string, value: string): StructuredValue {
  if (/^list-post$/i.test(name) && /^NO(\s*\([^()]*\))?$/i.test(value.trim())) return { value };
  const found = [...value.matchAll(ONE_URI)];
  const written = found.map(({ groups }) => {
    const { inside, comment = '', bare = '' } = groups as { inside?: string; comment?: string; bare?: string };
    const uri = isAscii(comment) ? asciiUri((inside ?? bare).trim()) : null;
    return uri && `${uri}${comment === '' ? '' : ` ${comment.trim()}`}`;
  });
  const whole = found.reduce((length, [part]) => length + part.length, 0) === value.length;
  return !whole || found.length === 0 || written.includes(null) ? { problem: URIS } : { value: written.join(', ') };
}

/** RFC 8058, 3.1: this, and nothing else. */
function oneClick(value: string): StructuredValue {
  return /^List-Unsubscribe=One-Click$/i.test(value.trim())
    ? { value: 'List-Unsubscribe=One-Click' }
    : { problem: 'expected `List-Unsubscribe=One-Click`' };
}

// Nobody follows these from an email.
const HARMFUL = /^(javascript|vbscript|data|file|blob):/i;

/**
 * A URI in angle brackets, with punycode and percent-encoding in place of blanks and letters beyond ASCII (RFC 3987, 3.1; RFC 6068);
 * null for other text. A URI in ASCII stays as it is.
 */
function asciiUri(uri: string): string | null {
  if (/^[^\s:/]+@[^\s:/]+$/.test(uri)) return asciiUri(`mailto:${uri}`);
  if (!/^[a-z][a-z\d+.-]*:./i.test(uri) || HARMFUL.test(uri)) return null;
  const [, address = '', rest = ''] = /^mailto:([^?]*)(.*)$/i.exec(uri) ?? [];
  if (/^mailto:/i.test(uri) && !/^[^@]+@[^@]+$/.test(address)) return null;
  if (/^[!-~]+$/.test(uri)) return /^https?:/i.test(uri) && !URL.canParse(uri) ? null : `<${notAWord(uri)}>`;
  const written =
    address !== '' ? `mailto:${percent(withAsciiDomain(address))}${percent(rest)}` : URL.canParse(uri) ? new URL(uri).href : '';
  return /^[!-~]+$/.test(written) ? `<${notAWord(written)}>` : null;
}

/** `=?` begins an encoded-word, and some readers decode one inside a URI. `%3D` is the same character to the server. */
const notAWord = (uri: string): string => uri.replaceAll('=?', '%3D?');

const percent = (text: string): string =>
  text.replace(/[^!-~]+/gu, (some) => (some.isWellFormed() ? encodeURIComponent(some) : '%EF%BF%BD'));

/** A name and an id in brackets (RFC 2919, 2); a bare id gets its brackets. */
function listId(value: string, encodePhrase: EncodePhrase): StructuredValue {
  const [, phrase = '', id = ''] = /^([^<>]*)<([^<>\s]+)>$/.exec(value.trim()) ?? /^()([^<>\s@",]+\.[^<>\s@",]+)$/.exec(value.trim()) ?? [];
  const host = withAsciiDomain(`id@${id}`).slice(3);
  if (/^(?:"[^"\\]*"|[\w !#$%&'*+/=?^`{|}~-]*)\s*<[!-;=?-~]+>$/.test(value)) return { value };
  if (id === '' || !isAscii(host)) return { problem: 'expected a name and an id such as `News <news.example.com>`' };
  return { value: `${phraseOf(phrase.trim(), encodePhrase)}<${isAscii(id) ? id : host}>` };
}

function addresses(value: string, encodePhrase: EncodePhrase): StructuredValue {
  const people = parseAddressList(value);
  if (!people || people.length === 0) return { problem: 'expected addresses such as `Name <email@example.com>`, with commas between them' };
  if (isAscii(value)) return { value };
  return {
    value: people.map(({ name, address }: Address) => (name === '' ? address : `${phraseOf(name, encodePhrase)}<${address}>`)).join(', '),
  };
}

function phraseOf(phrase: string, encodePhrase: EncodePhrase): string {
  if (phrase === '') return '';
  return `${/^[\w !#$%&'*+/=?^`{|}~-]+$/.test(phrase) ? phrase : isAscii(phrase) ? `"${phrase.replace(/["\\]/g, '\\$&')}"` : encodePhrase(phrase)} `;
}
