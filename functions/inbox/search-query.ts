/** A condition over the table of emails, as SQL. */
export interface Condition {
  readonly sql: string;
  readonly values: readonly (string | number)[];
}

const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  to: ['find_to'],
  from: ['find_from'],
  cc: ['find_cc'],
  bcc: ['find_bcc'],
  'reply-to': ['find_reply_to'],
  subject: ['find_subject'],
  'message-id': ['find_message_id'],
  addressed: ['find_to', 'find_from', 'find_cc', 'find_bcc', 'find_reply_to'],
};
const KEYWORDS: Readonly<Record<string, string>> = {
  'is:read': 'read = 1',
  'is:unread': 'read = 0',
  'is:tagged': 'id IN (SELECT id FROM tags)',
  'has:attachment': 'attachments > 0',
  'has:attachments': 'attachments > 0',
  'has:inline': 'inline_parts > 0',
  'has:inlines': 'inline_parts > 0',
};

/**
 * Reads a search as Mailpit does (mailpit.axllent.org/docs/usage/search-filters): words that must all occur, filters such as
 * `to:` and `is:unread`, and `-` or `!` before a term to exclude. `timeZone` is for `before:` and `after:` without a zone of
 * their own.
 */
export function readSearch(query: string, timeZone?: string): Condition {
  const conditions = wordsOf(query).flatMap((word) => conditionOf(word, timeZone) ?? []);
  return {
    sql: conditions.map(({ sql }) => sql).join(' AND ') || '1',
    values: conditions.flatMap(({ values }) => values),
  };
}

/** Words and quoted phrases; `subject:"two words"` is one. */
function wordsOf(query: string): string[] {
  const words = query.match(/(?:[^\s"]|"[^"]*(?:"|$))+/g) ?? [];
  return words.map((word) => word.replaceAll('"', '').trim()).filter(Boolean);
}

function conditionOf(word: string, timeZone: string | undefined): Condition | null {
  const excluded = word.length > 1 && /^[-!]/.test(word);
  const found = included(excluded ? word.slice(1) : word, timeZone);
  return found && excluded ? { ...found, sql: `NOT (${found.sql})` } : found;
}

function included(word: string, timeZone: string | undefined): Condition | null {
  const lower = word.toLowerCase();
  if (KEYWORDS[lower]) return { sql: KEYWORDS[lower], values: [] };
  const [, name = '', value = ''] = /^([a-z-]+):([\s\S]*)$/.exec(lower) ?? [];
  const text = searchable(value);
  const columns = COLUMNS[name];
  if (columns) {
    if (text === '') return null;
    return { sql: `(${columns.map((column) => `instr(${column}, ?) > 0`).join(' OR ')})`, values: columns.map(() => text) };
  }
  if (name === 'tag') return text === '' ? null : { sql: 'id IN (SELECT id FROM tags WHERE tag = ? COLLATE NOCASE)', values: [text] };
  if (name === 'after' || name === 'before') {
    const at = readTime(value, timeZone);
    return at === null ? null : { sql: `created ${name === 'after' ? '>=' : '<='} ?`, values: [at] };
  }
  const size = name === 'larger' || name === 'smaller' ? readSize(value) : 0;
  if (size > 0) return { sql: `size ${name === 'larger' ? '>' : '<'} ?`, values: [size] };
  const all = searchable(lower);
  return all === '' ? null : { sql: 'instr(find_all, ?) > 0', values: [all] };
}

/** The form in which texts are stored and searched: lower case, with blanks for line breaks and for the marks around addresses. */
export const searchable = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[\s\uFEFF<>",;()]+/g, ' ')
    .trim();

function readSize(text: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)\s?(kb?|mb?)?$/.exec(text.trim()) ?? [];
  return Math.floor(Number(number || 0) * (unit.startsWith('k') ? 1_024 : unit.startsWith('m') ? 1_048_576 : 1));
}

function readTime(text: string, timeZone: string | undefined): number | null {
  const hasZone = /(z|[+-]\d\d:?\d\d)$/i.test(text) && /t|\d:\d/i.test(text);
  if (hasZone) return Date.parse(text.toUpperCase()) || null;
  const utc = Date.parse(/^\d{4}-\d\d-\d\d$/.test(text) ? text : `${text.toUpperCase().replace(' ', 'T')}Z`);
  if (Number.isNaN(utc)) return Date.parse(text) || null;
  return utc - offsetOf(utc, timeZone);
}

/** The zone's offset from UTC at that time, in milliseconds; for no zone or an unknown one, this machine's. */
function offsetOf(at: number, timeZone: string | undefined): number {
  try {
    const parts = new Intl.DateTimeFormat('en-US', { timeZone: timeZone || undefined, timeZoneName: 'longOffset' }).formatToParts(at);
    const [, sign = '', hours = '0', minutes = '0'] =
      /GMT(?:([+-])(\d\d):(\d\d))?/.exec(parts.find(({ type }) => type === 'timeZoneName')?.value ?? '') ?? [];
    return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
  } catch {
    return -new Date(at).getTimezoneOffset() * 60_000;
  }
}
