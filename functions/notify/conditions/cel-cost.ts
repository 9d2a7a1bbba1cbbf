import type { Tree, TypeProblem } from './cel-types.ts';

const DEPTH_MAX = 50;
/** A constant list of at most this many elements bounds a loop. */
const WRITTEN_MAX = 100;

/** The offset at which brackets nest too deeply for a parser; null where they do not. Brackets inside texts do not count. */
export function tooDeepAt(source: string): number | null {
  const blanked = source.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/gs, (text) => ' '.repeat(text.length));
  let depth = 0;
  for (const [offset, char] of [...blanked].entries()) {
    if ('([{'.includes(char)) depth++;
    else if (')]}'.includes(char)) depth--;
    if (depth > DEPTH_MAX) return offset;
  }
  return /[!-]{50}/.exec(blanked)?.index ?? null;
}

/**
 * A macro (`exists`, `all`, `filter`, `map`) over a list of the event, inside another such macro: a few kilobytes of event would
 * take seconds. One of the two lists may be a constant. Null where there is no such macro.
 */
export function nestedLoop(tree: Tree, inside = false): TypeProblem | null {
  const { case: kind, value } = tree.exprKind;
  const first = (parts: readonly (Tree | undefined)[], within = inside): TypeProblem | null => {
    for (const part of parts) {
      const problem = part ? nestedLoop(part, within) : null;
      if (problem) return problem;
    }
    return null;
  };
  switch (kind) {
    case 'comprehensionExpr': {
      const unbounded = !isWritten(value.iterRange);
      if (unbounded && inside) return { id: tree.id, reason: NESTED };
      return first([value.iterRange, value.accuInit]) ?? first([value.loopCondition, value.loopStep, value.result], inside || unbounded);
    }
    case 'callExpr':
      return first([value.target, ...value.args]);
    case 'selectExpr':
      return first([value.operand]);
    case 'listExpr':
      return first(value.elements);
    case 'structExpr':
      return first(value.entries.flatMap((entry) => [entry.keyKind.case === 'mapKey' ? entry.keyKind.value : undefined, entry.value]));
    default:
      return null;
  }
}

/**
 * A pattern of `matches` that is not a constant: compiling a pattern from an event could take any time. Null where there is none.
 */
export function computedPattern(tree: unknown): TypeProblem | null {
  if (typeof tree !== 'object' || tree === null || ArrayBuffer.isView(tree)) return null;
  const { exprKind, id } = tree as Partial<Tree>;
  if (exprKind?.case === 'callExpr' && exprKind.value.function === 'matches') {
    const pattern = exprKind.value.args.at(-1);
    if (pattern && pattern.exprKind.case !== 'constExpr')
      return {
        id: pattern.id ?? id,
        reason: 'the pattern of matches must be written out as a text; a pattern from an event could run for minutes',
      };
  }
  for (const child of Object.values(tree)) {
    const problem = computedPattern(child);
    if (problem) return problem;
  }
  return null;
}

const isWritten = (range: Tree | undefined): boolean =>
  range?.exprKind.case === 'listExpr' && range.exprKind.value.elements.length <= WRITTEN_MAX;

const NESTED =
  'this runs over a list once for each element of another one, so its cost is their product; write one of the two lists out, or decide on one level';
