import { MailFailure } from '../../mail/model/failure.ts';
import { type DocumentFields, isPresent } from './document-fields.ts';

type Header = readonly [name: string, value: unknown];

/**
 * A document's headers: those beside `message`, and the fields of `message` that nodemailer turns into headers.
 * Throws MailFailure: request_invalid, also if two fields set the same header.
 */
export function headersOf(fields: DocumentFields, message: DocumentFields | null): Record<string, unknown> {
  const all = [
    ...headersIn(fields['headers'], 'headers'),
    ...headersIn(message?.['headers'], 'message.headers'),
    ...threadIn(message),
    ...listIn(message?.['list']),
    ...priorityIn(message?.['priority']),
    ...keywordsIn(fields['categories']),
  ];
  const headers = new Map<string, Header>();
  for (const [name, value] of all) {
    const known = headers.get(name.toLowerCase());
    if (known && known[1] !== value)
      throw new MailFailure('request_invalid', `Invalid \`headers\` field: ${JSON.stringify(name.slice(0, 60))} is given twice.`);
    headers.set(name.toLowerCase(), [name, value]);
  }
  return Object.fromEntries(headers.values());
}

/** nodemailer accepts a map, or a list of maps with `key` and `value`. */
function headersIn(value: unknown, field: string): Header[] {
  if (!isPresent(value)) return [];
  if (Array.isArray(value))
    return value.map((one: unknown, index) => {
      const { key, value: text } = (typeof one === 'object' && one !== null ? one : {}) as DocumentFields;
      if (typeof key === 'string') return [key, text];
      throw new MailFailure('request_invalid', `Invalid \`${field}[${index}]\` field: expected a map with \`key\` and \`value\`.`);
    });
  if (typeof value === 'object') return Object.entries(value as DocumentFields);
  throw new MailFailure('request_invalid', `Invalid \`${field}\` field: expected a map.`);
}

function threadIn(message: DocumentFields | null): Header[] {
  const { inReplyTo, references } = message ?? {};
  return [
    ...(isPresent(inReplyTo) ? [['In-Reply-To', inReplyTo] as const] : []),
    ...(isPresent(references) ? [['References', Array.isArray(references) ? references.join(' ') : references] as const] : []),
  ];
}

/** nodemailer's `list`: `{unsubscribe: 'https://…'}` is List-Unsubscribe (RFC 2369), `id` is List-ID (RFC 2919). */
function listIn(value: unknown): Header[] {
  if (!isPresent(value)) return [];
  if (typeof value !== 'object' || Array.isArray(value)) throw invalidList('list', 'a map, such as {unsubscribe: "https://…"}');
  return Object.entries(value as DocumentFields).flatMap(([key, one]): Header[] => {
    if (!isPresent(one)) return [];
    if (!/^[a-z][a-z-]{0,40}$/i.test(key)) throw invalidList('list', 'names such as unsubscribe, help or id');
    const places = [one].flat(2).filter(isPresent);
    const name = `List-${key.toLowerCase() === 'id' ? 'ID' : key.charAt(0).toUpperCase() + key.slice(1)}`;
    return [[name, places.map((place) => placeIn(place, key)).join(', ')]];
  });
}

function placeIn(value: unknown, key: string): string {
  const { url, comment } = (typeof value === 'string' ? { url: value } : value) as DocumentFields;
  if (typeof url !== 'string' || !/^[^\s<>,]{1,800}$/.test(url))
    throw invalidList(`list.${key}`, 'an address, or a map with `url` and `comment`');
  if (isPresent(comment) && (typeof comment !== 'string' || /["\\()\r\n]/.test(comment)))
    throw invalidList(`list.${key}.comment`, 'one line without quotes, brackets and backslashes');
  if (key.toLowerCase() === 'id') return `${isPresent(comment) ? `"${comment}" ` : ''}<${url.replace(/^[a-z]+:\/{0,2}/i, '')}>`;
  const place = /^(https?|mailto|ftp):/i.test(url) ? url : url.includes('@') ? `mailto:${url}` : `http://${url}`;
  return `<${place}>${isPresent(comment) ? ` (${comment})` : ''}`;
}

const invalidList = (name: string, expected: string): MailFailure =>
  new MailFailure('request_invalid', `Invalid \`message.${name}\` field: expected ${expected}.`);

/** The extension passes `categories` to SendGrid; the standard header is Keywords (RFC 5322, 3.6.5). */
function keywordsIn(value: unknown): Header[] {
  if (!isPresent(value)) return [];
  const words = [value].flat();
  if (words.every((word) => typeof word === 'string' && /^[^,\r\n]{1,200}$/.test(word))) return [['Keywords', words.join(', ')]];
  throw new MailFailure('request_invalid', 'Invalid `categories` field: expected a list of texts without commas.');
}

// The three priority headers that mail programs read, as nodemailer writes them.
const PRIORITIES: Readonly<Record<string, readonly Header[]>> = {
  high: [
    ['X-Priority', '1 (Highest)'],
    ['X-MSMail-Priority', 'High'],
    ['Importance', 'High'],
  ],
  normal: [],
  low: [
    ['X-Priority', '5 (Lowest)'],
    ['X-MSMail-Priority', 'Low'],
    ['Importance', 'Low'],
  ],
};

function priorityIn(value: unknown): readonly Header[] {
  if (!isPresent(value)) return [];
  const known = typeof value === 'string' && Object.hasOwn(PRIORITIES, value) ? PRIORITIES[value] : undefined;
  if (known) return known;
  throw new MailFailure('request_invalid', 'Invalid `message.priority` field: expected high, normal or low.');
}
