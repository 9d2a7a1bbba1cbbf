/** The parameters of a helper. */
export interface Form {
  /** How many values it takes. */
  readonly min: number;
  readonly max: number;
  /** Names of its options, as in `locale="de-DE"`. */
  readonly options: readonly string[];
}

const takes = (min: number, max = min, ...options: string[]): Form => ({ min, max, options });
const MANY = Number.POSITIVE_INFINITY;

/** Helpers that a template may call, besides blocks, and their parameters. */
export const FORMS: ReadonlyMap<string, Form> = new Map([
  ['and', takes(2, MANY)],
  ['bytes', takes(1)],
  ['capital', takes(1)],
  ['concat', takes(1, MANY)],
  ['date', takes(1, 1, 'zone', 'locale', 'style')],
  ['default', takes(2, MANY)],
  ['duration', takes(1, 2)],
  ['eq', takes(2)],
  ['gt', takes(2)],
  ['in', takes(2, MANY)],
  ['join', takes(1, 2)],
  ['json', takes(1)],
  ['lines', takes(1)],
  ['link', takes(1, 2)],
  ['linkable', takes(1)],
  ['list', takes(1)],
  ['lower', takes(1)],
  ['lt', takes(2)],
  ['money', takes(2, 2, 'locale', 'minor')],
  ['ne', takes(2)],
  ['not', takes(1)],
  ['number', takes(1, 1, 'decimals', 'locale')],
  ['or', takes(2, MANY)],
  ['percent', takes(1, 1, 'decimals', 'locale')],
  ['present', takes(1)],
  ['tail', takes(1)],
  ['truncate', takes(2)],
  ['upper', takes(1)],
  ['url', takes(1, MANY)],
]);
export const HELPERS: ReadonlySet<string> = new Set(FORMS.keys());

/** Tests: if one were printed, a missing value would read "false". */
export const QUESTIONS: ReadonlySet<string> = new Set(['and', 'eq', 'gt', 'in', 'linkable', 'lt', 'ne', 'not', 'or', 'present']);

/** Blocks, all of them the library's own. */
export const BLOCK: Form = takes(1);
export const BLOCKS: ReadonlySet<string> = new Set(['if', 'unless', 'each', 'with']);

/** Helpers that test a value: their arguments may be missing. */
export const LENIENT: ReadonlySet<string> = new Set(['if', 'unless', 'default', 'and', 'or', 'not', 'present']);
