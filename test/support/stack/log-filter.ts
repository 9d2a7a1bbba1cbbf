/** An entry of Cloud Logging, as far as filters of infra/ look into it. */
export interface LogEntry {
  readonly resource: { readonly type: string; readonly labels: Readonly<Record<string, string>> };
  readonly severity: string;
  readonly jsonPayload?: Readonly<Record<string, unknown>>;
  readonly textPayload?: string;
}

type Test = (entry: LogEntry) => boolean;

const SEVERITIES = ['DEFAULT', 'DEBUG', 'INFO', 'NOTICE', 'WARNING', 'ERROR', 'CRITICAL'];
const TOKEN = /\s*(?:(\()|(\))|(AND|OR)\b|([\w.]+)(=~|>=|=|:)(\((?:"[^"]*"(?: OR )?)+\)|"[^"]*"|\w+))/y;

/** Reads the part of Cloud Logging's filter language that infra/ writes; anything else is an error, not a guess. */
export function readFilter(text: string): Test {
  let at = 0;
  const next = (): RegExpExecArray | null => {
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(text);
    if (!token && text.slice(at).trim() !== '') throw new Error(`not understood: ${text.slice(at)}`);
    at = token ? TOKEN.lastIndex : text.length;
    return token;
  };
  const one = (): Test => {
    const token = next();
    if (token?.[1]) {
      const inner = any();
      if (!next()?.[2]) throw new Error(`no closing parenthesis: ${text}`);
      return inner;
    }
    const [, , , , field = '', operator = '', value = ''] = token ?? [];
    if (field === '') throw new Error(`a comparison is missing: ${text.slice(at)}`);
    return comparison(field, operator, value);
  };
  const joined = (word: 'AND' | 'OR', part: () => Test): Test => {
    const parts = [part()];
    for (let back = at; ; back = at) {
      if (next()?.[3] !== word) {
        at = back;
        return word === 'AND' ? (entry) => parts.every((test) => test(entry)) : (entry) => parts.some((test) => test(entry));
      }
      parts.push(part());
    }
  };
  const any = (): Test => joined('OR', () => joined('AND', one));
  const whole = any();
  if (next()) throw new Error(`not understood: ${text.slice(at)}`);
  return whole;
}

function comparison(field: string, operator: string, value: string): Test {
  const values = value.startsWith('(') ? [...value.matchAll(/"([^"]*)"/g)].map(([, one = '']) => one) : [value.replace(/^"|"$/g, '')];
  const read = (entry: LogEntry): unknown => field.split('.').reduce((at: unknown, part) => (at as Record<string, unknown>)?.[part], entry);
  return (entry) => {
    const found = read(entry);
    if (found === undefined || found === null) return false;
    const is = String(found);
    return values.some((wanted) => {
      if (operator === '=') return is === wanted;
      if (operator === ':') return is.toLowerCase().includes(wanted.toLowerCase());
      if (operator === '=~') return new RegExp(wanted).test(is);
      return SEVERITIES.indexOf(is) >= SEVERITIES.indexOf(wanted);
    });
  };
}
