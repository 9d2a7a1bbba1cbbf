import { type CelFunc, type CelInput, CelScalar, celFunc, isCelList, isCelMap } from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';

/** A condition reads at most this many elements of a list: an event of 2 MB may have a million. */
const LIST_MAX = 1_000;
/** The most rounds of its macros, in total, for one evaluation. */
const STEPS_MAX = 10_000;
/** The most characters and elements that its functions may read or write, in total: at worst about a second of processor time. */
const READ_MAX = 10_000_000;

/** The usage of the current evaluation. Evaluations are synchronous, so there is one at a time. */
let used = { steps: 0, read: 0, over: '' };

/**
 * Runs an evaluation with its own budget; `over` names what was used up, '' for nothing. If it names something, the result is
 * meaningless.
 */
export function withBudget<T>(evaluate: () => T): { readonly result: T; readonly over: string } {
  used = { steps: 0, read: 0, over: '' };
  const result = evaluate();
  return { result, over: used.over };
}

/** Counts a read of that size; false if the budget does not allow it. */
function mayRead(size: number): boolean {
  used.read += size;
  if (used.read > READ_MAX) used.over ||= `its functions read more than ${READ_MAX} characters and elements of the event`;
  return used.over === '';
}

/** Characters and elements of a value and everything in it; counted no further than the budget. */
function sizeOf(value: unknown, most = READ_MAX): number {
  if (typeof value === 'string') return value.length;
  if (!isCelList(value) && !isCelMap(value)) return 1;
  let size = 1;
  for (const one of isCelList(value) ? value : value.values()) {
    size += sizeOf(one, most - size);
    if (size > most) break;
  }
  return size;
}

/** Replaces a value that may not be read any more, so that the following functions cost little. */
const emptied = (value: unknown): unknown => (typeof value === 'string' ? '' : isCelList(value) || isCelMap(value) ? [] : value);

/**
 * Functions whose work is a product of their arguments: the work is counted before it is done. `replace` copies the whole text
 * for each place that it replaces; fifty copied characters cost about as much as reading one.
 */
const PRODUCT: Readonly<Record<string, (target: unknown, args: readonly unknown[]) => number>> = {
  replace: (target, [from, to]) => {
    const places = String(target).split(String(from)).length;
    const written = places * sizeOf(to);
    return written + (places * (sizeOf(target) + written)) / 50;
  },
  join: (target, [separator = '']) => (isCelList(target) ? target.size : 1) * sizeOf(separator),
};

const priced = (one: CelFunc): CelFunc => {
  const price = PRODUCT[one.name];
  if (!price) return one;
  const call: CelFunc['call'] = (id, target, args) => (mayRead(price(target, args)) ? one.call(id, target, args) : '');
  return Object.create(one, { call: { value: call } }) as CelFunc;
};

/** The functions of conditions beside the standard's. */
export const FUNCTIONS: CelFunc[] = [
  ...strings.map(priced),
  celFunc('mailgrant_range', [CelScalar.DYN], CelScalar.DYN, (range) => {
    const { size } = isCelList(range) || isCelMap(range) ? range : { size: 0 };
    if (size <= LIST_MAX) return range as CelInput as never;
    used.over ||= `a list has ${size} elements, a condition looks through ${LIST_MAX} at most`;
    return [] as CelInput as never;
  }),
  // When the budget is used up the loop ends here: the macro would ignore an error inside it.
  celFunc('mailgrant_go', [CelScalar.DYN], CelScalar.DYN, (goesOn) => {
    used.steps += 1;
    if (used.steps > STEPS_MAX) used.over ||= `it takes more than ${STEPS_MAX} steps`;
    return (used.over === '' ? goesOn : false) as CelInput as never;
  }),
  celFunc(
    'mailgrant_read',
    [CelScalar.DYN],
    CelScalar.DYN,
    (value) => (mayRead(sizeOf(value)) ? value : emptied(value)) as CelInput as never,
  ),
  celFunc('mailgrant_list', [CelScalar.DYN], CelScalar.DYN, (value) => {
    const size = isCelList(value) || isCelMap(value) ? value.size : sizeOf(value);
    return (mayRead(size) ? value : emptied(value)) as CelInput as never;
  }),
  // RE2 matches each character against each state of the pattern, which is a constant of the expression (writtenPatterns).
  celFunc(
    'mailgrant_match',
    [CelScalar.DYN, CelScalar.DYN],
    CelScalar.DYN,
    (value, pattern) => (mayRead((sizeOf(value) * sizeOf(pattern)) / 10) ? value : emptied(value)) as CelInput as never,
  ),
];

/** These functions choose one of their arguments, or take one element of it, and read nothing else. */
const FREE = new Set(['_&&_', '_||_', '!_', '_?_:_', '_[_]', '@not_strictly_false', '__not_strictly_false__']);
/** These functions read the elements of a list or a map, and not what the elements contain. */
const SHALLOW = new Set(['_+_', 'size']);

interface Tree {
  readonly id: bigint;
}
const called = (name: string, ...args: readonly Tree[]): Tree & object =>
  ({
    ...(args[0] as Tree),
    exprKind: { case: 'callExpr', value: { $typeName: 'cel.expr.Expr.Call', function: name, args } },
  }) as Tree & object;

/** The tree with counting added: each macro counts its list and each round, each function what it reads. */
export function budgeted(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(budgeted);
  if (typeof node !== 'object' || node === null || ArrayBuffer.isView(node)) return node;
  const copy = Object.fromEntries(Object.entries(node).map(([name, value]) => [name, budgeted(value)])) as Record<string, unknown>;
  if (copy['$typeName'] === 'cel.expr.Expr.Comprehension')
    return {
      ...copy,
      iterRange: called('mailgrant_range', copy['iterRange'] as Tree),
      loopCondition: called('mailgrant_go', copy['loopCondition'] as Tree),
    };
  if (copy['$typeName'] !== 'cel.expr.Expr.Call' || FREE.has(String(copy['function']))) return copy;
  const read = (one: Tree): Tree => called(SHALLOW.has(String(copy['function'])) ? 'mailgrant_list' : 'mailgrant_read', one);
  const { target, args } = copy as { target?: Tree; args: readonly Tree[] };
  if (copy['function'] === 'matches') {
    const [text, pattern] = target ? [target, args[0]] : args;
    const matched = text && pattern ? called('mailgrant_match', text, pattern) : text;
    return target ? { ...copy, target: matched } : { ...copy, args: [matched, pattern] };
  }
  return { ...copy, ...(target && { target: read(target) }), args: args.map(read) };
}
