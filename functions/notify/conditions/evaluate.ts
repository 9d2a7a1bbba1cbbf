import { type CelInput, CelScalar, celEnv, isCelError, mapType, plan } from '@bufbuild/cel';
import { MailFailure } from '../../mail/model/failure.ts';
import { budgeted, FUNCTIONS, withBudget } from './cel-budget.ts';
import type { Expression, NotifyEvent } from './event.ts';

/** The variables of a condition: the event is any JSON, an attribute is always text. */
const ENVIRONMENT = celEnv({
  variables: { event: CelScalar.DYN, attributes: mapType(CelScalar.STRING, CelScalar.STRING) },
  funcs: FUNCTIONS,
});

type Plannable = Parameters<typeof plan>[1];
/** Plans of expressions. An expression never changes, so each plan is made once. */
const PLANS = new WeakMap<Expression, ReturnType<typeof planned>>();
const planned = ({ tree }: Expression) => plan(ENVIRONMENT, budgeted(tree) as Plannable);

/** True if the event meets the condition. Throws MailFailure: route_condition. */
export function meets(expression: Expression, event: NotifyEvent): boolean {
  const value = evaluate(expression, event);
  if (typeof value === 'boolean') return value;
  throw new MailFailure('route_condition', `when: expected true or false, got ${kindOf(value)}`);
}

/** The text that the expression results in. Throws MailFailure: route_condition. */
export function valueText(expression: Expression, event: NotifyEvent): string {
  const value = evaluate(expression, event);
  if (typeof value === 'string') return value;
  throw new MailFailure('route_condition', `dedupe: expected text, got ${kindOf(value)}; write string(…) around it`);
}

function evaluate(expression: Expression, { data, attributes }: NotifyEvent): unknown {
  const { field, columns } = expression;
  const run = PLANS.get(expression) ?? planned(expression);
  PLANS.set(expression, run);
  const { result, over } = withBudget(() => run({ event: data as CelInput, attributes: attributes as unknown as CelInput as never }));
  if (over !== '') throw new MailFailure('route_condition', `${field}: ${over}`);
  if (!isCelError(result)) return result;
  const [column, name] = columns[String(result.exprId ?? '')] ?? [];
  const where = `${name ? ` (${name})` : ''}${column ? ` at column ${column}` : ''}`;
  throw new MailFailure('route_condition', `${field}: ${reasonOf(result.message, name)}${where}`);
}

/** Keeps only names of types and functions: the library's messages may quote the event. */
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
