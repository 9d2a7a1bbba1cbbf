import { type CelInput, CelScalar, celEnv, celFunc, isCelError, isCelList, isCelMap, mapType, plan } from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import { MailFailure } from '../../mail/model/failure.ts';
import type { Expression, NotifyEvent } from './event.ts';

/** More elements than this no condition looks through: an event of 2 MB may have a million. */
const LIST_MAX = 1_000;
/** So many rounds of its macros one evaluation may take, all together. */
const STEPS_MAX = 10_000;

/** What the evaluation that runs has used up. Evaluations do not wait for anything, so there is one at a time. */
let used = { steps: 0, over: '' };

const BUDGET = [
  celFunc('mailgrant_range', [CelScalar.DYN], CelScalar.DYN, (range) => {
    const { size } = isCelList(range) || isCelMap(range) ? range : { size: 0 };
    if (size <= LIST_MAX) return range as CelInput as never;
    used.over ||= `a list has ${size} elements, a condition looks through ${LIST_MAX} at most`;
    return [] as CelInput as never;
  }),
  // Where the budget is used up the loop ends here: an error inside of it would be passed over by the macro.
  celFunc('mailgrant_go', [CelScalar.DYN], CelScalar.DYN, (goesOn) => {
    used.steps += 1;
    if (used.steps <= STEPS_MAX) return goesOn as CelInput as never;
    used.over ||= `it takes more than ${STEPS_MAX} steps`;
    return false as CelInput as never;
  }),
];

/** What a condition may name: the event is whatever JSON it is, an attribute is always text. */
const ENVIRONMENT = celEnv({
  variables: { event: CelScalar.DYN, attributes: mapType(CelScalar.STRING, CelScalar.STRING) },
  funcs: [...strings, ...BUDGET],
});

type Plannable = Parameters<typeof plan>[1];
/** Plans of expressions, which are as constant as the build that they are in. */
const PLANS = new WeakMap<Expression, ReturnType<typeof planned>>();
const planned = ({ tree }: Expression) => plan(ENVIRONMENT, budgeted(tree) as Plannable);

/** The tree with each macro counted: its list, and each round of it. */
function budgeted(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(budgeted);
  if (typeof node !== 'object' || node === null || ArrayBuffer.isView(node)) return node;
  const copy = Object.fromEntries(Object.entries(node).map(([name, value]) => [name, budgeted(value)])) as Record<string, unknown>;
  if (copy['$typeName'] !== 'cel.expr.Expr.Comprehension') return copy;
  return {
    ...copy,
    iterRange: called('mailgrant_range', copy['iterRange'] as Tree),
    loopCondition: called('mailgrant_go', copy['loopCondition'] as Tree),
  };
}

interface Tree {
  readonly id: bigint;
}
const called = (name: string, of: Tree): object => ({
  ...of,
  exprKind: { case: 'callExpr', value: { $typeName: 'cel.expr.Expr.Call', function: name, args: [of] } },
});

/** True if the event meets the condition. Throws MailFailure: route_condition. */
export function meets(expression: Expression, event: NotifyEvent): boolean {
  const value = evaluate(expression, event);
  if (typeof value === 'boolean') return value;
  throw new MailFailure('route_condition', `when: expected true or false, got ${kindOf(value)}`);
}

/** The text that the expression comes to. Throws MailFailure: route_condition. */
export function valueText(expression: Expression, event: NotifyEvent): string {
  const value = evaluate(expression, event);
  if (typeof value === 'string') return value;
  throw new MailFailure('route_condition', `dedupe: expected text, got ${kindOf(value)}; write string(…) around it`);
}

function evaluate(expression: Expression, { data, attributes }: NotifyEvent): unknown {
  const { field, columns } = expression;
  const run = PLANS.get(expression) ?? planned(expression);
  PLANS.set(expression, run);
  used = { steps: 0, over: '' };
  const result = run({ event: data as CelInput, attributes: attributes as unknown as CelInput as never });
  if (used.over !== '') throw new MailFailure('route_condition', `${field}: ${used.over}`);
  if (!isCelError(result)) return result;
  const [column, name] = columns[String(result.exprId ?? '')] ?? [];
  const where = `${name ? ` (${name})` : ''}${column ? ` at column ${column}` : ''}`;
  throw new MailFailure('route_condition', `${field}: ${reasonOf(result.message, name)}${where}`);
}

/** Only what names kinds and functions: the library's messages may quote the event. */
function reasonOf(message: string, name = ''): string {
  const [, map, entry] = /^(\w+)\[(".*")\]$/.exec(name) ?? [];
  if (message.startsWith('field not found'))
    return `no such field; ${entry === undefined ? 'has(…)' : `${entry} in ${map}`} asks whether it is there`;
  if (/^found no matching overload for '_[-+*/%]_' applied to '\((double, int|int, double)\)'$/.test(message))
    return 'a double and an int do not go together: numbers of JSON are doubles, so write 1.0 for 1';
  if (/^found no matching overload for '?[\w@!_+*/%<>=?:[\]&|-]+'? applied to '\([\w., ()]*\)'$/.test(message)) return message;
  if (/^type mismatch: expected \w+, got \w+$/.test(message)) return message;
  return 'it cannot be evaluated for this event';
}

const kindOf = (value: unknown): string => (value === null ? 'null' : typeof value === 'object' ? 'a list, a map or a time' : typeof value);
