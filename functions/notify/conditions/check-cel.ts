import { parse } from '@bufbuild/cel';
import { computedPattern, nestedLoop, tooDeepAt } from './cel-cost.ts';
import { mistakeAt } from './cel-mistakes.ts';
import { fits, type Tree, type TypeProblem, typeOf, VARIABLES } from './cel-types.ts';
import type { Expression } from './event.ts';

/** A problem of an expression; line and column count from 1 within it. */
export interface CelProblem {
  readonly reason: string;
  readonly line: number;
  readonly column: number;
}

type Place = (id: bigint) => number;

/**
 * Parses and type-checks an expression that must result in a `bool` or a `string`. The content of an event is known only when it
 * arrives; everything else is checked here: names, functions, their arguments, and constants.
 */
export function checkCel(field: Expression['field'], source: string): { expression: Expression } | { problem: CelProblem } {
  const at = (offset: number, reason: string): { problem: CelProblem } => {
    const before = source.slice(0, offset).split('\n');
    return { problem: { reason, line: before.length, column: (before.at(-1) ?? '').length + 1 } };
  };
  const deep = tooDeepAt(source);
  if (deep !== null) return at(deep, 'it is nested more than 50 levels deep; write it in a flatter way');
  const parsed = parseText(source);
  if ('offset' in parsed) return at(parsed.offset, parsed.reason);
  const { expr, sourceInfo } = parsed;
  const place: Place = (id) => sourceInfo?.positions[String(id)] ?? 0;
  const wanted = field === 'when' ? 'bool' : 'string';
  const flaws: TypeProblem[] = [];
  const type = typeOf(expr, VARIABLES, flaws);
  if (flaws.length === 0 && !fits(type, wanted))
    flaws.push({ id: expr.id, reason: `expected ${wanted === 'bool' ? 'true or false' : 'text'}, this is ${type}` });
  const [flaw = nestedLoop(expr) ?? computedPattern(expr)] = flaws;
  if (flaw) return at(place(flaw.id), flaw.reason);
  return { expression: { field, tree: expr, columns: columnsOf(expr, place) } };
}

function parseText(source: string): ReturnType<typeof parse> | { offset: number; reason: string } {
  try {
    return parse(source);
  } catch (error) {
    const { rawMessage, location, message } = error as Error & { rawMessage?: string; location?: { start: { offset: number } } };
    const offset = location?.start.offset ?? 0;
    return mistakeAt(source, offset) ?? { offset, reason: rawMessage ?? message };
  }
}

/** The column of each node, and the dotted name of each field in the expression. */
function columnsOf(tree: Tree, place: Place): Record<string, [number, string?]> {
  const columns: Record<string, [number, string?]> = {};
  const visit = (one: unknown): string | undefined => {
    if (typeof one !== 'object' || one === null || ArrayBuffer.isView(one)) return undefined;
    const node = one as Partial<Tree>;
    const named = node.exprKind?.case;
    const below = named === 'selectExpr' ? visit(node.exprKind?.value.operand) : undefined;
    const name =
      named === 'identExpr'
        ? node.exprKind?.value.name
        : named === 'selectExpr' && below
          ? `${below}.${node.exprKind?.value.field}`
          : undefined;
    // A missing entry is reported for the value that lacks it.
    const asked = node.exprKind?.case === 'callExpr' && node.exprKind.value.function === '_[_]' ? node.exprKind.value.args : [];
    const [of, at] = asked.map(({ exprKind }) => exprKind);
    const entry = at?.case === 'constExpr' && at.value.constantKind.case === 'stringValue' ? at.value.constantKind.value : null;
    if (named !== 'selectExpr') for (const child of Object.values(one)) Array.isArray(child) ? child.forEach(visit) : visit(child);
    if (node.$typeName === 'cel.expr.Expr' && node.id !== undefined)
      columns[String(node.id)] = name?.startsWith('@') === false ? [place(node.id) + 1, name] : [place(node.id) + 1];
    if (of?.case === 'identExpr' && entry !== null && asked[0])
      columns[String(asked[0].id)] = [place(asked[0].id) + 1, `${of.value.name}[${JSON.stringify(entry)}]`];
    return name;
  };
  visit(tree);
  return columns;
}
