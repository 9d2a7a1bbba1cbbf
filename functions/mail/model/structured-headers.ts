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
// Tokens, dates and numbers: programs do not decode an encoded-word in them.
const TOKENS =
  /^(list-unsubscribe-post|auto-submitted|precedence|importance|priority|(x-|mt-)priority|x-msmail-priority|sensitivity|content-(language|location|base|id|features)|feedback-id|x-auto-response-suppress|authentication-results|autocrypt|expires|expiry-date|reply-by|require-recipient-valid-since|jabber-id|tls-required)$/i;

const isAscii = (text: string): boolean => /^[ -~]*$/.test(text);

/**
 * The value of a header with a structure: never an encoded-word as a whole, which programs would not decode. null for a header of
 * plain text. ASCII stays as it is.
 */
export function structuredValue(name: string, value: string, encodePhrase: EncodePhrase): StructuredValue | null {
  if (MESSAGE_IDS.test(name)) return messageIds(value);
  const known = URI_LIST.test(name) || LIST_ID.test(name) || ADDRESSES.test(name) || TOKENS.test(name);
  if (!known || isAscii(value)) return known ? { value } : null;
  if (URI_LIST.test(name)) return uriList(value);
  if (LIST_ID.test(name)) return listId(value, encodePhrase);
  if (ADDRESSES.test(name)) return addresses(value, encodePhrase);
  return { problem: 'it has letters beyond ASCII, which no program reads in this header' };
}

/** Puts each id into angle brackets: many callers leave them out. */
function messageIds(value: string): StructuredValue {
  const ids = value.split(/[\s,]+/).filter((id) => id !== '');
  const bare = ids.map((id) => /^<([^<>]+)>$/.exec(id)?.[1] ?? id);
  if (!isAscii(value) || ids.length === 0 || bare.some((id) => /[<>"()]/.test(id)))
    return { problem: 'expected message ids such as `<id@example.com>`, with blanks between them' };
  return { value: /^(<[^<>\s]+>)( <[^<>\s]+>)*$/.test(value) ? value : bare.map((id) => `<${id}>`).join(' ') };
}

function uriList(value: string): StructuredValue {
  const problem = 'expected addresses in angle brackets, such as `<https://example.com/leave>`, and nothing beyond ASCII outside of them';
  if (!isAscii(value.replace(/<[^<>]*>/g, ''))) return { problem };
  const parts = value.split(/(<[^<>]*>)/).map((part) => (isAscii(part) ? part : asciiUri(part.slice(1, -1).trim())));
  return parts.includes(null) ? { problem } : { value: parts.join('') };
}

/**
 * A URI of the web or of a mailbox, with punycode and percent-encoding in place of letters beyond ASCII (RFC 3987, 3.1; RFC 6068).
 */
function asciiUri(uri: string): string | null {
  const [, address = '', rest = ''] = /^mailto:([^?]*)(.*)$/i.exec(uri) ?? [];
  const written =
    address !== '' ? `mailto:${percent(withAsciiDomain(address))}${percent(rest)}` : URL.canParse(uri) ? new URL(uri).href : '';
  return written !== '' && isAscii(written) ? `<${written}>` : null;
}

const percent = (text: string): string =>
  text.replace(/[^!-~]+/gu, (some) => (some.isWellFormed() ? encodeURIComponent(some) : '%EF%BF%BD'));

function listId(value: string, encodePhrase: EncodePhrase): StructuredValue {
  const [, phrase = '', id = ''] = /^([^<>]*)<([^<>\s]+)>$/.exec(value.trim()) ?? [];
  const host = withAsciiDomain(`id@${id}`).slice(3);
  if (id === '' || !isAscii(host)) return { problem: 'expected a name and an id such as `News <news.example.com>`' };
  return { value: `${phraseOf(phrase.trim(), encodePhrase)}<${isAscii(id) ? id : host}>` };
}

function addresses(value: string, encodePhrase: EncodePhrase): StructuredValue {
  const people = parseAddressList(value);
  if (!people || people.length === 0) return { problem: 'expected addresses such as `Name <email@example.com>`, with commas between them' };
  return {
    value: people.map(({ name, address }: Address) => (name === '' ? address : `${phraseOf(name, encodePhrase)}<${address}>`)).join(', '),
  };
}

function phraseOf(phrase: string, encodePhrase: EncodePhrase): string {
  if (phrase === '') return '';
  return `${/^[\w !#$%&'*+/=?^`{|}~-]+$/.test(phrase) ? phrase : isAscii(phrase) ? `"${phrase.replace(/["\\]/g, '\\$&')}"` : encodePhrase(phrase)} `;
}
