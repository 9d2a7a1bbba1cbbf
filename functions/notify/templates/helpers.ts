import { hasControl } from '../../mail/model/address.ts';
import { MailFailure } from '../../mail/model/failure.ts';
import type { Mode } from './check-template.ts';
import { amount, bytes, duration, isoTime, money, number, percent, timeOf, Wrong } from './formats.ts';

type Hash = Readonly<Record<string, unknown>>;
interface Call {
  readonly hash: Hash & { readonly at: string };
  readonly data: { readonly root: { readonly listed?: string[] } };
}
/** How a page's own markup is marked, so that it is not escaped again. */
export interface Markup {
  safe(html: string): unknown;
  escaped(text: string): string;
}
type Helper = (...args: unknown[]) => unknown;

/** What templates may call. Every one of them throws MailFailure route_template, with its place, for what it cannot take. */
export function helpersFor(mode: Mode, { safe, escaped }: Markup): Record<string, Helper> {
  const helper =
    (name: string, run: (args: readonly unknown[], hash: Hash, call: Call) => unknown): Helper =>
    (...all) => {
      const call = all.pop() as Call;
      try {
        return run(all, call.hash, call);
      } catch (error) {
        if (!(error instanceof Wrong)) throw error;
        throw new MailFailure('route_template', `${call.hash.at}: ${name === '' ? '' : `${name}: `}${error.message}`);
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
    default: (args, { of }) => {
      const found = args.find((one) => one !== undefined && one !== null && one !== '') ?? args.at(-1);
      if (found === undefined || found === null) throw new Wrong(`none of ${of} is there`);
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
    date: ([value], { zone = 'UTC', locale = 'en-GB', style = 'datetime' }) =>
      isoTime(timeOf(value), String(zone), String(locale), String(style)),
    duration: ([from, to]) => duration(from, to),
    number: ([value], { decimals, locale = 'en-GB' }) => number(amount(value), decimals, String(locale)),
    percent: ([value], { decimals = 0, locale = 'en-GB' }) => percent(amount(value), decimals, String(locale)),
    money: ([value, currency], { locale = 'en-GB', minor = false }) =>
      money(amount(value), words(currency), String(locale), minor === true),
    bytes: ([value]) => bytes(amount(value)),
    url: ([address, ...parts]) => target(parts.length === 0 ? words(address) : filled(words(address), parts.map(words))),
    linkable: ([address]) => typeof address === 'string' && isTarget(address),
    link: ([address, label]) => {
      const href = target(words(address));
      const shown = label === undefined ? href : words(label);
      return page ? safe(`<a class="link" href="${escaped(href)}" style="color:#1a56db">${escaped(shown)}</a>`) : `${shown} (${href})`;
    },
    lines: ([value]) => (page ? safe(escaped(words(value)).replace(/\r\n|\r|\n/g, '<br>')) : words(value)),
    list: ([value], _, { data }) => {
      if (!data.root.listed) throw new Wrong('only for recipients');
      data.root.listed.push(...items(value).map(words).map(line));
      return '';
    },
  } satisfies Record<string, (args: readonly unknown[], hash: Hash, call: Call) => unknown>;

  const there = (value: unknown, path: unknown): unknown => {
    if (value === undefined) throw new Wrong(`"${path}" is not there`);
    if (value === null) throw new Wrong(`"${path}" is null`);
    return value;
  };
  const shown = (value: unknown, path: unknown): unknown => {
    const text = there(value, path);
    if (typeof text === 'object' && !isMarkup(text))
      throw new Wrong(`"${path}" is ${Array.isArray(text) ? 'a list' : 'an object'}; name a part of it`);
    return mode === 'line' ? line(String(text)) : text;
  };
  return {
    ...Object.fromEntries(Object.entries(named).map(([name, run]) => [name, helper(name, run)])),
    need: helper('', ([value, path]) => there(value, path)),
    show: helper('', ([value, path]) => shown(value, path)),
  };
}

const isMarkup = (value: object | null): boolean => value !== null && 'toHTML' in value && typeof value.toHTML === 'function';

function words(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new Wrong('expected text');
}

function items(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new Wrong('expected a list');
}

function line(text: string): string {
  if (hasControl(text)) throw new Wrong('the value has a line break or another control character');
  return text;
}

const capital = (text: string): string => {
  const plain = /^[A-Z0-9_]+$/.test(text) ? text.replaceAll('_', ' ').toLowerCase() : text;
  return plain.charAt(0).toUpperCase() + plain.slice(1);
};

function truncate(text: string, length: number): string {
  const letters = [...text];
  return letters.length <= length
    ? text
    : `${letters
        .slice(0, Math.max(0, length - 1))
        .join('')
        .trimEnd()}…`;
}

/** The address with each `{}` in it filled with a part, encoded. */
function filled(address: string, parts: readonly string[]): string {
  const holes = address.split('{}');
  if (holes.length !== parts.length + 1) throw new Wrong('expected a value for each {}, and no more');
  return holes.map((text, index) => `${text}${encodeURIComponent(parts[index] ?? '')}`).join('');
}

/** An address that a reader may be sent to. */
function target(address: string): string {
  if (isTarget(address)) return address;
  throw new Wrong('expected an address that begins with https://, http:// or mailto:');
}

const isTarget = (address: string): boolean =>
  !hasControl(address) && /^(https?|mailto):$/.test(URL.canParse(address) ? new URL(address).protocol : '');
