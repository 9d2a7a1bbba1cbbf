/** What a template may call, besides blocks. */
export const HELPERS: ReadonlySet<string> = new Set([
  'and',
  'bytes',
  'capital',
  'concat',
  'date',
  'default',
  'duration',
  'eq',
  'gt',
  'in',
  'join',
  'json',
  'lines',
  'link',
  'linkable',
  'list',
  'lower',
  'lt',
  'money',
  'ne',
  'not',
  'number',
  'or',
  'percent',
  'tail',
  'truncate',
  'upper',
  'url',
]);

/** These are questions: printed, a missing value would read "false". */
export const QUESTIONS: ReadonlySet<string> = new Set(['and', 'eq', 'gt', 'in', 'linkable', 'lt', 'ne', 'not', 'or']);

/** Blocks, all of them the library's own. */
export const BLOCKS: ReadonlySet<string> = new Set(['if', 'unless', 'each', 'with']);

/** These are there to ask: what they are given may be missing. */
export const LENIENT: ReadonlySet<string> = new Set(['if', 'unless', 'default', 'and', 'or', 'not']);
