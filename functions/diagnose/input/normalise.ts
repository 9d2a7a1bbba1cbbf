import { unwrap, withoutOffers } from './dialogue.ts';

/** Pasted text made comparable: no prefixes, escapes or folds. */
export interface Pasted {
  readonly lines: readonly string[];
  /** All lines on one, with single blanks: what patterns are tried on. */
  readonly flat: string;
  /** Which line a position in `flat` belongs to. */
  lineAt(offset: number): number;
}

const MAX_HALF = 200_000;

/** Reads what a person pasted: a traceback, a transcript, a JSON body, an escaped or HTML-escaped log. */
export const normaliseText = (text: string): Pasted => read(unwrap(plainLines(text)));

/** A line that ends at the width of a terminal was cut within a word, or between two: where both may be, the text is read either way. */
export function readings(text: string): Pasted[] {
  const lines = plainLines(text);
  const unwrapped = unwrap(lines);
  return unwrapped.length === lines.length ? [read(lines)] : [read(unwrapped), read(lines)];
}

const plainLines = (text: string): string[] =>
  unescapeText(text.length > 2 * MAX_HALF ? `${text.slice(0, MAX_HALF)}\n${text.slice(-MAX_HALF)}` : text)
    .split('\n')
    .map(parted);

function read(raw: readonly string[]): Pasted {
  const lines = unfold(raw.map(bare).map(decodeChallenge).map(withoutOffers));
  const kept = lines.map((line) => line.replace(/\s+/g, ' ').trim()).filter((line) => line !== '');
  const starts: number[] = [];
  let length = 0;
  for (const line of kept) {
    starts.push(length);
    length += line.length + 1;
  }
  return {
    lines: kept,
    flat: kept.join(' '),
    lineAt: (offset) =>
      Math.max(
        0,
        starts.findLastIndex((start) => start <= offset),
      ),
  };
}

const RUN_MAX = 1_000;

/**
 * A line whose runs without a blank have an end: patterns take quadratic time for one of many thousand characters. It is parted
 * where a value ends; what has no such place is no message of anybody, and is cut.
 */
const parted = (line: string): string =>
  line.replace(/\S{1001,}/g, (run) => {
    let room = RUN_MAX;
    return run
      .split(/(?<=[,;}&])/)
      .map((part) => {
        const first = part.length > room;
        room = (first ? RUN_MAX : room) - part.length;
        return `${first ? ' ' : ''}${part.slice(0, RUN_MAX)}`;
      })
      .join('');
  });

const ESCAPES: readonly (readonly [RegExp, string | ((...found: string[]) => string)])[] = [
  [/\r\n?/g, '\n'],
  // biome-ignore lint/suspicious/noControlCharactersInRegex: terminal colours begin with one
  [/(?:\u001b|\\u001b|\\x1b|\\033)\[[\d;]*m/gi, ''],
  [/\\{1,8}r\\{1,8}n|\\{1,8}n(?![a-z]{1,40}\\)|\\{1,8}r(?![a-z])/g, '\n'],
  [/\\{1,8}t(?=[\s"']|at )/g, ' '],
  [/\\u00([2-7][\da-f])/gi, (_, hex = '') => String.fromCharCode(Number.parseInt(hex, 16))],
  [/\\{1,8}(["'/])/g, '$1'],
  [/<br\s*\/?>|<\/(?:p|div|li|tr|h\d)>/gi, '\n'],
  [/<\/?(?:b|strong|p|pre|span|div|em|i|code|a|li|ul|td|tr|h\d|html|body|title|head)(?:\s[^<>]*)?>/gi, ' '],
  [/&lt;/g, '<'],
  [/&gt;/g, '>'],
  [/&quot;|&#0*34;|&#x22;/gi, '"'],
  [/&#0*39;|&#x27;|&apos;/gi, "'"],
  [/&nbsp;|&#160;|\u00a0/g, ' '],
  [/&amp;/g, '&'],
  [/&#0*96;|&#x60;|&grave;/gi, '`'],
  [/&#0*47;|&#x2f;/gi, '/'],
  [/&#0*64;|&#x40;/gi, '@'],
  [/[\u2018\u2019]/g, "'"],
  [/[\u201c\u201d]/g, '"'],
  [/[\u200b\ufeff]/g, ''],
];

/** A log within a log is escaped once more: three rounds reach the text. */
function unescapeText(text: string): string {
  let before = '';
  let now = text;
  for (let round = 0; round < 3 && now !== before; round++) {
    before = now;
    for (const [found, plain] of ESCAPES) now = typeof plain === 'string' ? now.replace(found, plain) : now.replace(found, plain);
  }
  return now;
}

const PREFIXES: readonly RegExp[] = [
  /^\s+/,
  /^[[(]?\d{4}[-/]\d\d[-/]\d\d[T ,]+\d\d:\d\d(?::\d\d)?(?:[.,]\d+)?(?:Z| ?[+-]\d\d:?\d\d| UTC)?[\])]?:?(?=\s|$|\[)/,
  /^[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d(?= )/,
  /^[[(]?\d\d:\d\d:\d\d(?:[.,]\d+)?[\])]?(?=\s)/,
  /^\[?(?:DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|TRACE|FATAL|CRITICAL)\]?:?(?=\s)/,
  /^\[[\w.:/#-]+\](?=\s)/,
  /^[\w.:-]+(?:\s+[\w.:-]+)?\s+\|(?=\s)/,
  /^(?:S|C|SERVER|CLIENT|Server|Client): /,
  /^(?:SERVER -> CLIENT|CLIENT -> SERVER|SMTP INBOUND|SMTP -> get_lines\(\)|SMTP -> FROM SERVER):\s*"?/,
  /^(?:<<<|>>>|<--|-->|<~\*?|~>|<-|->|<\*\*|\*\*>|=>|<<|>>|<|>|\+\+)(?=\s)/,
  /^(?:reply|send): b?['"]/,
];

function bare(line: string): string {
  let before = '';
  let now = line;
  while (now !== before) {
    before = now;
    for (const prefix of PREFIXES) now = now.replace(prefix, '');
  }
  return now;
}

/** Google's base64 within a 334, in words. */
function decodeChallenge(line: string): string {
  return (
    line
      .replace(/\b334([ -]+)b?['"]?(VXNlcm5hbWU6|UGFzc3dvcmQ6)/g, (_, gap, word) => `334${gap}${fromBase64(word)}`)
      .replace(/\beyJzdGF0dXMi[\w+/]*=*/g, (encoded) => fromBase64(encoded) || encoded)
      // Lower-cased by whoever copied it: base64 no more, but its first bytes still tell the status.
      .replace(/\beyjzdgf0dxmioii0md(a|e)i[\w+/]*=*/g, (_, one) => `{"status":"${one === 'a' ? 400 : 401}","schemes":"bearer"}`)
      .replace(/\bvxnlcm5hbwu6/g, 'username:')
      .replace(/\bugfzc3dvcmq6/g, 'password:')
  );
}

/** The bytes as Latin-1 text, or '' where it is no base64. */
export function fromBase64(encoded: string): string {
  const whole = encoded.replace(/=+$/, '');
  try {
    return atob(whole.slice(0, whole.length - (whole.length % 4 === 1 ? 1 : 0)));
  } catch {
    return '';
  }
}

const FOLD_CHARS = 200;

/** Drops the code that SMTP repeats on each line of one reply (`535-5.7.8 … 535 5.7.8 …`). */
function unfold(lines: readonly string[]): string[] {
  let last = { code: '', at: 0 };
  let passed = 0;
  return lines.map((line) => {
    const unfolded = line.replace(/(?:\b\d{3}[- ])?\b([245]\.\d{1,3}\.\d{1,3})\s+/g, (whole, code: string, offset: number) => {
      const repeated = code === last.code && passed + offset - last.at < FOLD_CHARS;
      last = { code, at: passed + offset };
      return repeated && (offset > 0 || passed > 0) ? '' : whole;
    });
    passed += line.length + 1;
    return unfolded;
  });
}
