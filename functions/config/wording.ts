import type * as z from 'zod';

/** Setting names of zod's schemas, read at their places. */
interface Schema {
  readonly def?: { readonly type?: string; readonly innerType?: Schema; readonly in?: Schema; readonly options?: readonly Schema[] };
  readonly shape?: Readonly<Record<string, Schema>>;
  readonly valueType?: Schema;
  readonly element?: Schema;
}

/** A part of a path as problems show it. What looks like a secret is never shown. */
export const show = (part: PropertyKey): string => {
  const text = String(part);
  return looksSecret(text) ? '(a secret)' : /^[\w-]+$/.test(text) ? text : JSON.stringify(text);
};

const SECRET =
  /^(?:(?:mg|re|sk|rk|pk|whsec|gh[pousr]|glpat|xox[abpr]|SG|GOCSPX)[_.-]\S{6,}|ya29\..*|1\/\/.*|AIza\S{20,}|eyJ\S{20,}|AKIA[A-Z\d]{12,}|-----BEGIN .*|(?:[a-z]{4} ){3}[a-z]{4}|\{.*\})$/s;
// Of no use as a name: capitals, small characters and digits, without a word in them.
const RANDOM = /^(?=[^\s]*[a-z][^\s]*)(?=[^\s]*[A-Z])(?=[^\s]*\d)[\w+/=-]{24,}$/;

/** True for a text of the form of a key, token, password or private key. */
export const looksSecret = (text: string): boolean => SECRET.test(text.trim()) || RANDOM.test(text.trim());

/** The sentences for what zod found, in the words of this project. `file` is the schema of the whole file. */
export function sentencesOf(issue: z.core.$ZodIssue, file: Schema): string[] {
  const at = issue.path.map(show).join('.');
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((name) => `${at ? `${at}.` : ''}${show(name)}: ${unknown(name, namesAt(file, issue.path))}`);
  return [`${at || 'file'}: ${worded(issue, at)}`];
}

function worded(issue: z.core.$ZodIssue, at: string): string {
  const own = !/^(?:Invalid|Too|Unrecognized|Expected)/.test(issue.message);
  if (own) return issue.message;
  if (issue.code === 'invalid_value')
    return `expected ${oneOf(issue.values.map(String))}${/\.via$/.test(at) ? '; mailgrant sends, it does not read (IMAP, POP)' : ''}`;
  if (issue.code === 'invalid_type') return `expected ${KINDS[issue.expected] ?? issue.expected}`;
  if (issue.code === 'too_big') return `expected at most ${issue.maximum}${issue.origin === 'string' ? ' characters' : ''}`;
  if (issue.code === 'too_small') return issue.origin === 'string' ? 'expected a text' : `expected ${issue.minimum} or more`;
  return 'expected another value';
}

const oneOf = (values: readonly string[]): string =>
  values.length < 2 ? values.join('') : `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;

const KINDS: Readonly<Record<string, string>> = {
  object: 'settings, each on a line of its own (`name: value`)',
  record: 'entries, each on a line of its own (`name: value`)',
  array: 'a list, such as [one, two]',
  string: 'a text',
  boolean: 'true or false',
  number: 'a number',
  int: 'a whole number',
};

// Where people look for a place for a password, key or token.
const CLEAR = /^(?:key|api_?key|token|secret_?key|pass(?:word|wd)?|app_?password|client_?secret|refresh_?token|credentials?)$/i;

function unknown(name: string, known: readonly string[]): string {
  if (CLEAR.test(name))
    return known.includes('sha256')
      ? 'unknown setting; the file has the `sha256` of a key, never the key: `mailgrant key create` prints both'
      : 'unknown setting; secrets stand in Secret Manager, never in this file';
  const near = known
    .map((one) => ({ one, distance: distance(plain(name), plain(one)) }))
    .filter(({ one, distance: far }) => far <= (one.length > 4 ? 2 : 1))
    .sort((a, b) => a.distance - b.distance)[0];
  return near ? `unknown setting; \`${near.one}\`?` : 'unknown setting';
}

const plain = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '');

/** How many characters two words differ in. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, char] of [...a.slice(0, 40)].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries())
      next.push(Math.min((row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1, (row[j] ?? 0) + (char === other ? 0 : 1)));
    row = next;
  }
  return row.at(-1) ?? 0;
}

/** The names of the settings at a place of the file. */
function namesAt(schema: Schema, path: readonly PropertyKey[]): string[] {
  const at = inner(schema);
  const [name, ...rest] = path;
  if (name === undefined) return [...Object.keys(at.shape ?? {}), ...(at.def?.options ?? []).flatMap((one) => namesAt(one, []))];
  const below = at.shape?.[String(name)] ?? at.valueType ?? at.element;
  if (below) return namesAt(below, rest);
  return (at.def?.options ?? []).flatMap((one) => namesAt(one, path));
}

const inner = (schema: Schema): Schema =>
  schema.def?.innerType ? inner(schema.def.innerType) : schema.def?.in ? inner(schema.def.in) : schema;
