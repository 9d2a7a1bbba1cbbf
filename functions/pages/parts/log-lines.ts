/** One line of a function's output; `fields` is null where the line is not structured. */
export interface Line {
  readonly number: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Name of the function, or google for calls that the fake received. */
  readonly from: string;
  readonly severity: string;
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>> | null;
}

/** The newest lines of the functions; older lines are dropped. */
export interface Lines {
  add(from: string, text: string): void;
  /** Oldest first. */
  list(): readonly Line[];
  /** Calls back for each new line; returns the function that stops it. */
  watch(listener: (line: Line) => void): () => void;
}

export function createLines(keep = 1_000, now: () => number = Date.now): Lines {
  let lines: Line[] = [];
  let number = 0;
  const listeners = new Set<(line: Line) => void>();
  return {
    add(from, text) {
      const line: Line = { number: ++number, at: now(), from, ...read(text) };
      lines = [...lines.slice(1 - keep), line];
      for (const tell of listeners) tell(line);
    },
    list: () => lines,
    watch(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

function read(text: string): Pick<Line, 'severity' | 'event' | 'fields'> {
  try {
    const { severity, event, message, ...fields } = JSON.parse(text) as Record<string, unknown>;
    if (typeof severity === 'string') return { severity, event: String(event ?? message), fields };
  } catch {} // an unstructured line
  return { severity: 'DEFAULT', event: text, fields: null };
}
