const SECOND_MS = 1_000;
const DAY_MS = 24 * 60 * 60 * SECOND_MS;
/** How far ahead an email may be scheduled: Resend's contract says 30 days, and Cloud Tasks keeps a task no longer. */
export const AHEAD_MAX_MS = 30 * DAY_MS;

export const TIME_FORMAT =
  'expected a time such as `2026-12-24T08:00:00Z` or `2026-12-24T09:00+01:00`, or words such as `in 10 minutes`, `tomorrow at 9am` (UTC) or `24 December at 3pm ET`; the day must exist and the hour be named.';

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)$/i;
const RELATIVE = /^in (an?|\d{1,6}) ?(s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)$/;
const CLOCK =
  /^(today|tomorrow|(?:next )?(?:sun|mon|tues|wednes|thurs|fri|satur)day) at (\d{1,2})(?::([0-5]\d))? ?([ap]m)?(?: ?(?:utc|gmt))?$/;
const UNIT_MS: Readonly<Record<string, number>> = { s: SECOND_MS, m: 60 * SECOND_MS, h: 3_600 * SECOND_MS, d: DAY_MS, w: 7 * DAY_MS };
const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];

let words: typeof import('./time-words.ts') | undefined; // a parser of English, loaded only for a time that the code below cannot read

/** Loads the parser, if the body's `scheduled_at` needs it; `timeOf` uses it afterwards. */
export async function prepareTime(body: unknown): Promise<void> {
  const { scheduled_at: time, scheduledAt: older } = (body ?? {}) as { scheduled_at?: unknown; scheduledAt?: unknown };
  const text = time ?? older;
  if (typeof text === 'string' && text !== '' && !/^\d{4}-\d\d-\d\dT/i.test(text.trim()) && timeOf(text, 0) === null)
    words ??= await import('./time-words.ts');
}

/**
 * Reads a time: ISO 8601 with its offset, or English words, whose hours are UTC where they name no zone. Returns milliseconds
 * since the epoch; null for anything else, and for a day that its month does not have.
 */
export function timeOf(text: string, now: number): number | null {
  const trimmed = text.trim();
  if (ISO.test(trimmed)) {
    const time = Date.parse(trimmed);
    return Number.isNaN(time) || !isDay(trimmed) ? null : time;
  }
  const phrase = trimmed.replace(/\s+/g, ' ');
  return timeInPhrase(phrase.toLowerCase(), now) ?? words?.timeInWords(phrase, now) ?? null;
}

/** False for 30 February, which Date.parse reads as 2 March. */
function isDay(iso: string): boolean {
  const [year = 0, month = 0, day = 0] = iso.slice(0, 10).split('-').map(Number);
  return new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day;
}

/** The phrases of Resend's own examples. */
function timeInPhrase(phrase: string, now: number): number | null {
  const [, amount, unit] = RELATIVE.exec(phrase) ?? [];
  if (unit) return now + (/^an?$/.test(amount ?? '') ? 1 : Number(amount)) * (UNIT_MS[unit[0] ?? ''] ?? 0);
  const [, day = '', hours = '', minutes = '0', half] = CLOCK.exec(phrase) ?? [];
  const hour = half === undefined ? Number(hours) : (Number(hours) % 12) + (half === 'pm' ? 12 : 0);
  if (day === '' || hour > 23 || (half !== undefined && !(Number(hours) >= 1 && Number(hours) <= 12))) return null;
  const midnight = Math.floor(now / DAY_MS) * DAY_MS;
  const at = midnight + (hour * 60 + Number(minutes)) * 60 * SECOND_MS;
  if (day === 'today' || day === 'tomorrow') return day === 'today' ? at : at + DAY_MS;
  const ahead = (WEEKDAYS.indexOf(day.replace('next ', '')) - new Date(now).getUTCDay() + 7) % 7;
  return at + (ahead === 0 && at <= now ? 7 : ahead) * DAY_MS;
}
