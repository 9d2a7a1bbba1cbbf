import { hasControl } from '../../mail/model/encoded-words.ts';
import { MailFailure } from '../../mail/model/failure.ts';
import type { Mode } from './check-template.ts';
import { amount, bytesText, duration, HelperError, isoTime, money, number, parseTime, percent } from './formats.ts';
import { QUESTIONS } from './helper-names.ts';

type Hash = Readonly<Record<string, unknown>>;
interface Call {
  readonly hash: Hash & { readonly at: string };
  readonly data: { readonly root: { readonly listed?: string[]; readonly optional?: boolean } };
}
/** Marks markup of the page itself, so that it is not escaped again. */
export interface Markup {
  safe(html: string): unknown;
  escaped(text: string): string;
}
type Helper = (...args: unknown[]) => unknown;

/**
 * The helpers of templates. Each one throws MailFailure route_template, with its place, for a value that it cannot format. In a
 * template with optional fields nothing is thrown: a missing value stays missing and shows nothing, a value of another type is
 * shown unchanged, a test of it is false, and a line break in a header becomes a blank.
 */
export function helpersFor(mode: Mode, { safe, escaped }: Markup): Record<string, Helper> {
  const helper =
    (name: string, run: (args: readonly unknown[], hash: Hash, call: Call) => unknown): Helper =>
    (...all) => {
      const call = all.pop() as Call;
      try {
        const optional = call.data.root.optional === true;
        // A missing value stays missing: text that a helper made from it would not come from the event.
        if (optional && FORMATS.has(name) && all.some((one) => one === undefined || one === null)) return undefined;
        return run(optional && FORMATS.has(name) ? all.map(asText) : all, call.hash, call);
      } catch (error) {
        if (!(error instanceof HelperError)) throw error;
        if (call.data.root.optional) return QUESTIONS.has(name) ? false : OTHERWISE.get(name)?.(all[0]);
        throw new MailFailure(
          'route_template',
          `${call.hash.at}: ${name === '' ? '' : `${name}: `}${error.message}${wrongOf(name, all[0], error)}`,
        );
      }
    };
  const page = mode === 'html';
  const named = {
    and: (args) => args.every(Boolean) && args.at(-1),
    or: (args) => args.find(Boolean) ?? false,
    not: ([value]) => !value,
    eq: ([a, b]) => a === b,
    ne: ([a, b]) => a !== b,
    gt: ([a, b]) => amount(a) > amount(b),
    lt: ([a, b]) => amount(a) < amount(b),
    in: ([value, ...some]) => some.includes(value),
    present: ([value]) => hasValue(value),
    default: (args, { of }) => {
      const found = args.find(hasValue) ?? args.at(-1);
      if (found === undefined || found === null)
        throw new HelperError(`none of ${of} is there; end it with a text of your own, as in {{default … "none"}}`);
      return found;
    },
    upper: ([value]) => words(value).toUpperCase(),
    lower: ([value]) => words(value).toLowerCase(),
    capital: ([value]) => capital(words(value)),
    concat: (args) => args.map(words).join(''),
    truncate: ([value, length]) => truncate(words(value), amount(length)),
    tail: ([value]) => words(value).split('/').filter(Boolean).at(-1) ?? '',
    join: ([value, separator = ', ']) => items(value).map(words).join(String(separator)),
    json: ([value]) => JSON.stringify(value, null, 2),
    date: ([value], { zone = 'UTC', locale = 'en-GB', style = 'datetime' }, { data }) => {
      const ms = parseTime(value);
      // Go's zero time, and 0 seconds: the vendor's value for "no time".
      if (data.root.optional && ms <= 0) return undefined;
      return isoTime(ms, String(zone), String(locale), String(style));
    },
    duration: ([from, to], _, { data }) => {
      if (data.root.optional && to !== undefined && parseTime(from) <= 0) throw new HelperError('the time is not set');
      return duration(from, to);
    },
    number: ([value], { decimals, locale = 'en-GB' }) => number(amount(value), decimals, String(locale)),
    percent: ([value], { decimals = 0, locale = 'en-GB' }) => percent(amount(value), decimals, String(locale)),
    money: ([value, currency], { locale = 'en-GB', minor = false }) =>
      money(amount(value), words(currency), String(locale), minor === true),
    bytes: ([value]) => bytesText(amount(value)),
    url: ([address, ...parts]) => target(parts.length === 0 ? words(address) : filled(words(address), parts.map(words))),
    linkable: ([address]) => typeof address === 'string' && isTarget(address),
    link: ([address, label]) => {
      const href = target(words(address));
      const shown = label === undefined ? href : words(label);
      return page ? safe(`<a class="link" href="${escaped(href)}" style="color:#1a56db">${escaped(shown)}</a>`) : `${shown} (${href})`;
    },
    lines: ([value]) => (page ? safe(escaped(words(value)).replace(/\r\n|\r|\n/g, '<br>')) : words(value)),
    list: ([value], _, { data }) => {
      if (!data.root.listed) throw new HelperError('only for recipients');
      data.root.listed.push(...items(value).map(words).map(line));
      return '';
    },
  } satisfies Record<string, (args: readonly unknown[], hash: Hash, call: Call) => unknown>;

  const there = (value: unknown, path: unknown): unknown => {
    if (value === undefined) throw new HelperError(`"${path}" is not there${fixOf(path)}`);
    if (value === null) throw new HelperError(`"${path}" is null${fixOf(path)}`);
    return value;
  };
  const shown = (value: unknown, path: unknown, optional: boolean): unknown => {
    if (optional && !(typeof value === 'object' && value !== null && isMarkup(value))) {
      const text = asText(value ?? '') as string | number | boolean;
      return mode === 'line' ? folded(String(text)) : text;
    }
    const text = there(value, path);
    if (typeof text === 'object' && !isMarkup(text))
      throw new HelperError(`"${path}" is ${Array.isArray(text) ? 'a list' : 'an object'}; name a part of it`);
    return mode === 'line' ? line(String(text)) : text;
  };
  return {
    ...Object.fromEntries(Object.entries(named).map(([name, run]) => [name, helper(name, run)])),
    need: helper('', ([value, path], _, { data }) => (data.root.optional ? value : there(value, path))),
    show: helper('', ([value, path], _, { data }) => shown(value, path, data.root.optional === true)),
  };
}

/** True unless the value is missing, null or an empty text: 0 and false are values. */
export const hasValue = (value: unknown): boolean => value !== undefined && value !== null && value !== '';

/** A list or an object as its JSON, shortened; text without characters that no email may hold; any other value unchanged. */
function asText(value: unknown): unknown {
  if (typeof value === 'string') return readable(value);
  return typeof value === 'object' && value !== null && !isMarkup(value) ? truncate(JSON.stringify(value), 500) : value;
}

/** Helpers that format each argument as text; if an argument is missing, the result is missing too. */
const FORMATS: ReadonlySet<string> = new Set([
  'upper',
  'lower',
  'capital',
  'concat',
  'truncate',
  'tail',
  'url',
  'link',
  'lines',
  'duration',
]);

/** The replacement for a value that a helper cannot format, where fields are optional; nothing for other helpers. */
const OTHERWISE: ReadonlyMap<string, (value: unknown) => unknown> = new Map(
  ['date', 'number', 'percent', 'money', 'bytes', 'join', 'link'].map((name) => [name, asText]),
);

/** Text for a header: no control character, and no encoded-word that decodes to one (RFC 2047). */
const folded = (text: string): string =>
  readable(text)
    .replace(/[\s\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .replaceAll('=?', '= ?');

/** Text without characters that no email may hold: control characters except tab and line break, and halves of a surrogate pair. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
const readable = (text: string): string => text.toWellFormed().replace(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/g, ' ');

const isMarkup = (value: object | null): boolean => value !== null && 'toHTML' in value && typeof value.toHTML === 'function';

/** The fix for a value that exists and is wrong, unlike the fix for a missing one. Never quotes the value. */
function wrongOf(name: string, value: unknown, { message }: HelperError): string {
  if (name === '' || !message.startsWith('expected ')) return '';
  const kind = Array.isArray(value)
    ? 'a list'
    : typeof value === 'string'
      ? 'other text'
      : typeof value === 'object'
        ? 'an object'
        : typeof value;
  return `, this is ${kind}; correct what the publisher sends, or show the value without "${name}"`;
}

/** The fix for a missing value; for a wrong one each error says what is expected. */
const fixOf = (path: unknown): string =>
  `; where it may be missing, ask with {{#if (present ${path})}}, or show another with {{default ${path} …}}`;

function words(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new HelperError('expected text');
}

function items(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new HelperError('expected a list');
}

function line(text: string): string {
  if (hasControl(text)) throw new HelperError('the value has a line break or another control character');
  return text;
}

const capital = (text: string): string => {
  const plain = /^[A-Z0-9_]+$/.test(text) ? text.replaceAll('_', ' ').toLowerCase() : text;
  return plain.charAt(0).toUpperCase() + plain.slice(1);
};

export function truncate(text: string, length: number): string {
  const characters = [...text];
  return characters.length <= length
    ? text
    : `${characters
        .slice(0, Math.max(0, length - 1))
        .join('')
        .trimEnd()}…`;
}

/** The URL with each `{}` in it replaced by an encoded part. */
function filled(address: string, parts: readonly string[]): string {
  const holes = address.split('{}');
  if (holes.length !== parts.length + 1) throw new HelperError('expected a value for each {}, and no more');
  return holes.map((text, index) => `${text}${encodeURIComponent((parts[index] ?? '').toWellFormed())}`).join('');
}

/** A URL that a link in an email may have. */
function target(address: string): string {
  if (isTarget(address)) return address;
  throw new HelperError('expected an address that begins with https://, http:// or mailto:');
}

const isTarget = (address: string): boolean =>
  !hasControl(address) && /^(https?|mailto):$/.test(URL.canParse(address) ? new URL(address).protocol : '');
