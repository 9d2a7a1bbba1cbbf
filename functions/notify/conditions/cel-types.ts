import { celEnv, isCelError, type parse, plan } from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';

/** A parsed expression, or a part of one. */
export type Tree = ReturnType<typeof parse>['expr'];

const ENVIRONMENT = celEnv({ funcs: strings });
const FUNCTIONS = Map.groupBy(ENVIRONMENT.funcs as unknown as Iterable<Signature>, ({ name }) => name);
/** The variables of every expression, and their types. */
export const VARIABLES: Readonly<Record<string, string>> = { event: 'dyn', attributes: 'map' };

interface Signature {
  readonly name: string;
  readonly target: unknown;
  readonly arguments: readonly unknown[];
  readonly result: unknown;
}

/** A problem with a node of the tree. */
export interface TypeProblem {
  readonly id: bigint;
  readonly reason: string;
}

type Scope = Readonly<Record<string, string>>;

/** The type of a tree by its base name, `dyn` where only the event determines it. */
export function typeOf(tree: Tree, scope: Scope, flaws: TypeProblem[]): string {
  const { id } = tree;
  const { case: kind, value } = tree.exprKind;
  const flaw = (reason: string, where = id): string => {
    flaws.push({ id: where, reason });
    return 'dyn';
  };
  const inner = (one: Tree | undefined, more: Scope = {}): string => (one ? typeOf(one, { ...scope, ...more }, flaws) : 'dyn');
  switch (kind) {
    case 'constExpr':
      return CONSTANTS[value.constantKind.case ?? ''] ?? 'dyn';
    case 'identExpr':
      if (Object.hasOwn(scope, value.name)) return scope[value.name] ?? 'dyn';
      if (TYPES.has(value.name)) return 'type';
      return flaw(`"${value.name}" is unknown; there are event and attributes`);
    case 'selectExpr': {
      const type = inner(value.operand);
      if (!fits(type, 'map')) return flaw(`${type} has no fields`);
      return value.testOnly ? 'bool' : isAttributes(value.operand) ? 'string' : 'dyn';
    }
    case 'listExpr':
      for (const one of value.elements) inner(one);
      return 'list';
    case 'structExpr':
      if (value.messageName !== '') return flaw(`"${value.messageName}" is no type here`);
      for (const { keyKind, value: one } of value.entries) {
        if (keyKind.case === 'mapKey') inner(keyKind.value);
        inner(one);
      }
      return 'map';
    case 'comprehensionExpr': {
      const range = inner(value.iterRange);
      if (!fits(range, 'list') && !fits(range, 'map')) return flaw(`${range} is no list and no map`);
      const loop = { [value.accuVar]: inner(value.accuInit), [value.iterVar]: 'dyn', ...(value.iterVar2 && { [value.iterVar2]: 'dyn' }) };
      inner(value.loopCondition, loop);
      inner(value.loopStep, loop);
      return inner(value.result, loop);
    }
    case 'callExpr': {
      const target = value.target && inner(value.target);
      const types = value.args.map((one) => inner(one));
      if (flaws.length > 0) return 'dyn';
      const found = resultOf(value.function, target, types);
      if ('reason' in found) return flaw(found.reason);
      const broken = constantFailure(tree);
      return broken ? flaw(broken) : found.type;
    }
    default:
      return flaw('this is no expression');
  }
}

const CONSTANTS: Readonly<Record<string, string>> = {
  boolValue: 'bool',
  bytesValue: 'bytes',
  doubleValue: 'double',
  int64Value: 'int',
  nullValue: 'null_type',
  stringValue: 'string',
  uint64Value: 'uint',
};
const TYPES = new Set(['bool', 'bytes', 'double', 'int', 'list', 'map', 'null_type', 'string', 'type', 'uint']);
/** True where a value of one type is allowed where another is wanted. */
export const fits = (given: string, wanted: string): boolean => given === wanted || given === 'dyn' || wanted === 'dyn';
const base = (type: unknown): string => String(type).split('(', 1)[0] ?? '';
const isAttributes = (tree: Tree | undefined): boolean => tree?.exprKind.case === 'identExpr' && tree.exprKind.value.name === 'attributes';

// Functions of the evaluator that are not in its table of functions.
const BUILT_IN: Readonly<Record<string, (types: readonly string[]) => string | null>> = {
  '_&&_': (types) => (types.every((one) => fits(one, 'bool')) ? 'bool' : null),
  '_||_': (types) => (types.every((one) => fits(one, 'bool')) ? 'bool' : null),
  '@not_strictly_false': () => 'bool',
  '_?_:_': ([when = '', yes = '', no = '']) => (fits(when, 'bool') ? (yes === no ? yes : 'dyn') : null),
  '_[_]': ([from = '']) => (fits(from, 'map') || fits(from, 'list') ? 'dyn' : null),
};

function resultOf(name: string, target: string | undefined, types: readonly string[]): { type: string } | { reason: string } {
  const shown = `${name.replaceAll('_', '').replace('@', '') || name}(${types.join(', ')})`;
  const builtIn = BUILT_IN[name];
  if (builtIn) {
    const type = builtIn(types);
    return type ? { type } : { reason: `${shown} does not go together` };
  }
  const known = FUNCTIONS.get(name);
  if (name === 'has') return { reason: 'has(…) asks for a field, such as has(event.name)' };
  if (!known) return { reason: `there is no function "${name}"` };
  const matching = known.filter(
    (one) =>
      (one.target === undefined) === (target === undefined) &&
      fits(target ?? 'dyn', base(one.target ?? 'dyn')) &&
      one.arguments.length === types.length &&
      one.arguments.every((type, index) => fits(types[index] ?? 'dyn', base(type))),
  );
  const results = new Set(matching.map(({ result }) => base(result)));
  if (results.size === 0) return { reason: `${target ? `${target}.` : ''}${shown} does not go together` };
  return { type: results.size === 1 ? ([...results][0] ?? 'dyn') : 'dyn' };
}

/** A call with constant arguments is evaluated now; so is the pattern of `matches`, whatever text it will be matched with. */
function constantFailure(tree: Tree): string | null {
  if (tree.exprKind.case !== 'callExpr') return null;
  const call = tree.exprKind.value;
  const isConstant = (one: Tree | undefined): boolean => one?.exprKind.case === 'constExpr';
  const empty = {
    ...tree,
    exprKind: { case: 'constExpr', value: { $typeName: 'cel.expr.Constant', constantKind: { case: 'stringValue', value: '' } } },
  } as Tree;
  const pattern = call.function === 'matches' && isConstant(call.args.at(-1));
  const whole = call.args.every(isConstant) && (!call.target || isConstant(call.target));
  if (!pattern && !whole) return null;
  const probe: Tree = pattern
    ? {
        ...tree,
        exprKind: { case: 'callExpr', value: call.target ? { ...call, target: empty } : { ...call, args: [empty, call.args[1] ?? empty] } },
      }
    : tree;
  const result = plan(ENVIRONMENT, probe)();
  return isCelError(result) ? result.message : null;
}
