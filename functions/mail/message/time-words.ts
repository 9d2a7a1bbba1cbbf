import { parse } from 'chrono-node/en';

// By name only zones that are unique in North America or Europe; IST, BST and others stand for several zones.
const ZONE = /(?:^|[^a-z]|[ap]m)(?:utc|gmt|z|[ecmp][sd]?t|[cew]es?t)(?![a-z])|[+-]\d\d?:?\d\d/i;
const LENGTH_MAX = 100;

/**
 * Reads a time in English words, which must say the hour; without a zone it is UTC. Returns milliseconds since the epoch; null
 * for anything else, and for days that no month has.
 */
export function timeInWords(text: string, now: number): number | null {
  // 04/05 is a day in April or in May, depending on the country, and 0am does not exist.
  if (text.length > LENGTH_MAX || /\d[/.]\d/.test(text) || /(?:^|[^\d:])0{1,2}(?::\d\d)? ?[ap]\.?m/i.test(text)) return null;
  if (/\d{4}-\d\d-\d\d/.test(text) && !ZONE.test(text.replace(/\d{4}-\d\d-\d\d/, ''))) return null; // ISO 8601 without its offset
  const [found, another] = parse(text, { instant: new Date(now), timezone: 0 }, { forwardDate: true });
  if (!found || another || found.end || found.text !== text || !found.start.isCertain('hour')) return null;
  const byZone = found.start.isCertain('timezoneOffset') && !found.start.tags().has('result/relativeDateAndTime');
  return byZone && !ZONE.test(text) ? null : found.start.date().getTime();
}
