const SECOND_MS = 1_000;
const UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
];

/** A number, also if the publisher writes it as text. Throws HelperError. */
export function amount(value: unknown): number {
  const found = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof found === 'number' && Number.isFinite(found)) return found;
  throw new HelperError('expected a number');
}

const RFC_3339 = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/i;

/** A time in milliseconds, from RFC 3339 text or from seconds or milliseconds since the epoch. Throws HelperError. */
export function parseTime(value: unknown): number {
  const numeric = typeof value === 'number' || (typeof value === 'string' && /^\d{9,14}(\.\d+)?$/.test(value)) ? Number(value) : null;
  const ms =
    numeric === null
      ? Date.parse(typeof value === 'string' && RFC_3339.test(value) ? value : '')
      : numeric < 1e11
        ? numeric * SECOND_MS
        : numeric;
  if (Number.isFinite(ms) && Math.abs(ms) < 8e15) return ms;
  throw new HelperError('expected a time');
}

const STYLES: Readonly<Record<string, Intl.DateTimeFormatOptions>> = {
  date: { day: 'numeric', month: 'short', year: 'numeric' },
  time: { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZoneName: 'short' },
  datetime: {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'short',
  },
};

/** The time in that zone and language. Throws HelperError. */
export function isoTime(ms: number, timeZone: string, locale: string, style: string): string {
  if (style === 'iso') return new Date(ms).toISOString();
  const form = Object.hasOwn(STYLES, style) ? STYLES[style] : null;
  if (!form) throw new HelperError('style is one of date, time, datetime, iso');
  return intl(() => new Intl.DateTimeFormat(locale, { ...form, timeZone }).format(ms));
}

/** The duration between two times, or of that many seconds, also as "12.5s". Two units at most. Throws HelperError. */
export function duration(from: unknown, to: unknown): string {
  const text = typeof from === 'string' ? /^(\d+(?:\.\d+)?)s$/.exec(from)?.[1] : undefined;
  const seconds = to === undefined ? amount(text ?? from) : (parseTime(to) - parseTime(from)) / SECOND_MS;
  if (seconds < 0) throw new HelperError('the end lies before the beginning');
  if (seconds < 10) return `${Number(seconds.toFixed(1))} s`;
  let left = Math.round(seconds);
  const parts = UNITS.map(([name, size]) => {
    const count = Math.floor(left / size);
    left -= count * size;
    return { name, count };
  });
  const first = parts.findIndex(({ count }) => count > 0);
  return parts
    .slice(first, first + 2)
    .filter(({ count }) => count > 0)
    .map(({ name, count }) => `${count} ${name}`)
    .join(' ');
}

/** A number with the language's separators. Throws HelperError. */
export const number = (value: number, decimals: unknown, locale: string): string =>
  intl(() => new Intl.NumberFormat(locale, decimals === undefined ? { maximumFractionDigits: 2 } : digits(decimals)).format(value));

/** 0.5 is 50%. Throws HelperError. */
export const percent = (value: number, decimals: unknown, locale: string): string =>
  intl(() => new Intl.NumberFormat(locale, { style: 'percent', ...digits(decimals) }).format(value));

/**
 * `currency` is its code in ISO 4217. With `minor` the value counts the smallest unit, as payment services do: cents of a euro,
 * whole yen. Throws HelperError.
 */
export const money = (value: number, currency: string, locale: string, minor: boolean): string =>
  intl(() => {
    const format = new Intl.NumberFormat(locale, { style: 'currency', currency });
    return format.format(minor ? value / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2) : value);
  });

/** 1 kB is 1000 bytes. */
export function bytesText(value: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const power = value < 1_000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(value) / 3));
  return `${Number((value / 1_000 ** power).toFixed(power === 0 ? 0 : 1))} ${units[power]}`;
}

const digits = (decimals: unknown): Intl.NumberFormatOptions => ({
  minimumFractionDigits: amount(decimals),
  maximumFractionDigits: amount(decimals),
});

function intl(format: () => string): string {
  try {
    return format().replace(/[\u202f\u00a0]/g, ' ');
  } catch {
    throw new HelperError('the zone, locale, currency or number of decimals is unknown');
  }
}

/** A value that a helper cannot format. Caught in this folder; the message never quotes the value. */
export class HelperError extends Error {}
